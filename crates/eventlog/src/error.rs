//! Why the log could not be written or read.

use domain::{DecodeError, Position, StreamId, Version};
use uuid::Uuid;

use crate::StoreError;

/// Why a commit was not appended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// Somebody else was faster: nothing was written.
    #[error("{stream} is at version {actual}, not {expected}")]
    Conflict {
        /// The stream.
        stream: StreamId,
        /// The version that the commit was decided on.
        expected: Version,
        /// The version that the stream has.
        actual: Version,
    },
    /// The stream holds a commit of this command id with other events: a bug of the caller, never a race.
    #[error("command {command_id} already wrote something else to {stream} (up to version {version})")]
    CommandIdReused {
        /// The stream.
        stream: StreamId,
        /// The id that was used twice.
        command_id: Uuid,
        /// The last version of the commit that is stored under the id.
        version: Version,
    },
    /// The outcome is unknown: ask again with the same command id.
    #[error("the event log does not answer: {0}; try again with the same command id")]
    Unavailable(String),
    /// No room: nothing of this commit was written.
    #[error("the disk of the event log is full: {0}; free some space and try again")]
    Full(String),
    /// The log takes no more appends.
    #[error("the event log is shutting down")]
    ShuttingDown,
}

impl From<StoreError> for AppendError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full(reason) => Self::Full(reason),
            StoreError::Closed => Self::ShuttingDown,
            other => Self::Unavailable(other.to_string()),
        }
    }
}

/// Why the log could not be read or opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// The store does not answer; worth another try.
    #[error("the event log does not answer: {0}")]
    Unavailable(String),
    /// No room.
    #[error("the disk of the event log is full: {0}; free some space and try again")]
    Full(String),
    /// An event that this release cannot read. Its consumer must stop here.
    #[error("the event at position {position} cannot be read: {source}")]
    Decode {
        /// Where it is.
        position: Position,
        /// Why.
        source: DecodeError,
    },
    /// The log is not the one that the checkpoint was taken on, or lost events since (restore, failover).
    #[error("the event log went back: the checkpoint is at position {checkpoint}, but {reason}")]
    WentBack {
        /// The checkpoint's position.
        checkpoint: Position,
        /// The last position of the log.
        head: Position,
        /// What does not match.
        reason: String,
    },
    /// Another process uses it.
    #[error("the event log is in use by {holder}")]
    Locked {
        /// Who.
        holder: String,
    },
    /// The file was written by a newer release.
    #[error("the event log has schema {found}, this release knows up to {known}: use a newer release")]
    NewerSchema {
        /// Schema of the file.
        found: u32,
        /// Newest schema known here.
        known: u32,
    },
    /// It cannot be used as it is.
    #[error("{0}")]
    Unusable(String),
    /// The stored bytes make no sense.
    #[error("the event log is damaged: {0}; restore it from a backup")]
    Corrupt(String),
}

impl From<StoreError> for LogError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full(reason) => Self::Full(reason),
            StoreError::NewerSchema { found, known } => Self::NewerSchema { found, known },
            StoreError::Corrupt(reason) => Self::Corrupt(reason),
            refused @ (StoreError::NoSchema { .. }
            | StoreError::OlderSchema { .. }
            | StoreError::Refused(_)) => Self::Unusable(refused.to_string()),
            other => Self::Unavailable(other.to_string()),
        }
    }
}
