//! Where rows stand: `views.db`, one table per build of a view, and the registry of builds.
//!
//! All SQL of this crate is in this folder. `table` knows the statements of one build, `builds` the registry,
//! `write` and `read` the rows.

mod builds;
mod read;
mod table;
mod write;

use std::path::Path;

use eventlog::sqlite::{Durability, Readers, StoreError, Writer};

pub(crate) use builds::{BuildState, Registered};
pub(crate) use read::ScannedRow;
pub(crate) use table::Table;

/// The registry of builds, and how far each has come. Rows stand in tables of their own.
const MIGRATIONS: &[&str] = &["
CREATE TABLE builds (
    view TEXT NOT NULL,
    version INTEGER NOT NULL,
    build INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('building', 'live', 'retired')),
    created_at INTEGER NOT NULL, -- UTC, microseconds
    retired_at INTEGER,          -- UTC, microseconds
    PRIMARY KEY (view, version, build)
) STRICT;
CREATE UNIQUE INDEX one_live_build ON builds (view, version) WHERE state = 'live';
CREATE TABLE checkpoints (
    view TEXT NOT NULL,
    version INTEGER NOT NULL,
    build INTEGER NOT NULL,
    log_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    event_id TEXT,
    PRIMARY KEY (view, version, build)
) STRICT;
"];

/// The store of all views.
#[derive(Clone)]
pub(crate) struct ViewStore {
    writer: Writer,
    readers: Readers,
}

impl ViewStore {
    /// Opens the file, creating it if need be. Blocks.
    pub(crate) fn open(path: &Path, readers: usize) -> Result<Self, StoreError> {
        let writer = Writer::open(path, Durability::Normal, MIGRATIONS)?;
        Ok(Self { writer, readers: Readers::open(path, readers)? })
    }
}
