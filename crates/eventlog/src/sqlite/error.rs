//! What SQLite's error codes mean to us.

use rusqlite::{Error, ErrorCode};

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
    /// Whether the connection must be opened anew before it can be trusted again.
    pub(crate) fn breaks_connection(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Corrupt(_))
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
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
