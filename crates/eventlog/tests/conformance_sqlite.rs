//! The conformance suite against SQLite, and what only a file can show.
#![allow(clippy::unwrap_used, missing_docs)]

use std::sync::Arc;

use async_trait::async_trait;
use orderstream_eventlog::{SqliteStore, Store, conformance::Fixture};

struct File {
    folder: tempfile::TempDir,
}

#[async_trait]
impl Fixture for File {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(SqliteStore::open(&self.folder.path().join("log.db"), 4).await.unwrap())
    }
}

async fn file(_: &str) -> Option<File> {
    Some(File { folder: tempfile::tempdir().unwrap() })
}

orderstream_eventlog::conformance_tests!(file);
