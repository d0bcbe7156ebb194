//! Where a measurement writes to, and under which load.

use std::fmt;

use crate::{
    Failure,
    context::Context,
    store::{Postgres, Schema},
};

/// An empty store for each measurement.
#[derive(Clone, Copy)]
pub(crate) enum Place<'c> {
    /// A file in a new folder.
    Sqlite(&'c Context),
    /// A schema that is removed before and after.
    Postgres(&'c Postgres),
}

/// The stores that are to be measured.
pub(crate) fn all(context: &Context) -> Result<Vec<Place<'_>>, Failure> {
    let sqlite = context.sqlite().then_some(Place::Sqlite(context));
    Ok(sqlite.into_iter().chain(context.postgres()?.map(Place::Postgres)).collect())
}

impl Place<'_> {
    pub(crate) fn all(context: &Context) -> Result<Vec<Place<'_>>, Failure> {
        all(context)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite(_) => "SQLite",
            Self::Postgres(_) => "PostgreSQL",
        }
    }

    /// Connections of the peer: the better of both counts. A single caller uses but one.
    pub(super) fn pools(self) -> [u32; 2] {
        match self {
            Self::Sqlite(_) => [1, 10],
            Self::Postgres(_) => [16, 32],
        }
    }

    pub(super) async fn settle(self) -> Result<(), Failure> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(server) => server.settle().await,
        }
    }
}

/// The schema of the measurement, without anything in it.
pub(super) async fn cleared(server: &Postgres) -> Result<Schema, Failure> {
    let schema = server.schema("append");
    schema.clear().await?;
    Ok(schema)
}

/// What the callers write to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Streams {
    /// A new stream with each command.
    New,
    /// Streams of their own that exist, in turn.
    Existing,
    /// The same one.
    One,
}

impl Streams {
    /// Streams that are made for each caller beforehand.
    pub(super) fn of_each_caller(self) -> usize {
        match self {
            Self::New | Self::One => 0,
            Self::Existing => 2,
        }
    }
}

/// How many callers, and on what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) callers: usize,
    pub(crate) streams: Streams,
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (callers, noun) = (self.callers, if self.callers == 1 { "caller" } else { "callers" });
        let streams = match self.streams {
            Streams::New => "new streams",
            Streams::Existing => "existing streams",
            Streams::One => "one stream",
        };
        write!(f, "{callers} {noun}, {streams}")
    }
}
