//! Why a database did not do what it was asked, the same for every kind of database.

use rusqlite::ErrorCode;

/// Why a database did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// An input or output error, or the database cannot be opened. The outcome of a write is unknown.
    #[error("the database does not answer: {0}")]
    Unavailable(String),
    /// No room: nothing was written.
    #[error("the disk of the database is full: {0}")]
    Full(String),
    /// Another process holds the database.
    #[error("the database is in use: {0}")]
    Busy(String),
    /// The file was written by a newer release.
    #[error("the database has schema {found}, this release knows up to {known}: use a newer release")]
    NewerSchema {
        /// Schema of the file.
        found: u32,
        /// Newest schema known here.
        known: u32,
    },
    /// It holds no tables of ours.
    #[error("the database has no schema {schema:?} of orderstream: create it with `orderstream migrate`")]
    NoSchema {
        /// The schema that was looked for.
        schema: String,
    },
    /// It was written by an older release.
    #[error(
        "the schema {schema:?} of the database is older ({part} at {found}, this release needs {needed}): bring it up to date with `orderstream migrate`"
    )]
    OlderSchema {
        /// The schema.
        schema: String,
        /// Which part of it.
        part: &'static str,
        /// How many migrations it has seen.
        found: u32,
        /// How many this release has.
        needed: u32,
    },
    /// The server takes no connections from us: wrong address, user, password or database.
    #[error("the database cannot be used: {0}")]
    Refused(String),
    /// The server has no connection left for us.
    #[error(
        "the database has no connection left: {0}; raise max_connections there or lower postgres.connections here"
    )]
    TooManyConnections(String),
    /// The work belongs to somebody else by now; nothing was written.
    #[error("the lease has gone to somebody else")]
    Fenced,
    /// The file is damaged or no database.
    #[error("the database is damaged: {0}; restore it from a backup")]
    Corrupt(String),
    /// A rule of the schema was broken; the job was undone.
    #[error("the database refused a row: {0}")]
    Constraint(String),
    /// A statement failed; the job was undone.
    #[error("a statement failed: {0}")]
    Sql(String),
    /// The job panicked; it was undone.
    #[error("a database job panicked: {0}")]
    Panicked(String),
    /// The writer is closed.
    #[error("the database is closed")]
    Closed,
}

impl StoreError {
    /// Whether the same may work after a while: a database that is away, busy or full. [`StoreError::Fenced`] is among
    /// them, since whoever looks again sees whose the work is now.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Unavailable(_) | Self::Full(_) | Self::Busy(_) | Self::TooManyConnections(_) | Self::Fenced
        )
    }

    /// Whether the connection must be opened anew before it can be trusted again.
    pub(crate) fn breaks_connection(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Corrupt(_))
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let text = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full(text),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy(text),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt(text),
            Some(ErrorCode::ConstraintViolation) => Self::Constraint(text),
            Some(
                ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
                | ErrorCode::OutOfMemory
                | ErrorCode::PermissionDenied
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::NoLargeFileSupport,
            ) => Self::Unavailable(text),
            _ => Self::Sql(text),
        }
    }
}
