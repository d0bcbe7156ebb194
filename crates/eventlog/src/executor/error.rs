//! Why a command was not carried out.

use domain::{Class, Classified, StreamId, Version};
use uuid::Uuid;

use crate::{AppendError, LogError};

/// Why a command was not carried out. `E` is the aggregate's own error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExecuteError<E> {
    /// The aggregate refused, on a state that is the newest on disk.
    #[error("{0}")]
    Refused(E),
    /// The caller wanted the aggregate as it was at another version (If-Match).
    #[error("the version is {actual}, not {expected}: read it again")]
    VersionMismatch {
        /// What the caller wanted.
        expected: Version,
        /// What it is.
        actual: Version,
    },
    /// Others were faster until the deadline was over.
    #[error("too many commands for {stream} at once; try again")]
    Contended {
        /// The stream.
        stream: StreamId,
    },
    /// The command id belongs to another command: a bug of the caller.
    #[error("command {command_id} already wrote something else to {stream} (up to version {version})")]
    CommandIdReused {
        /// The stream.
        stream: StreamId,
        /// The id that was used twice.
        command_id: Uuid,
        /// The last version of the commit that is stored under the id.
        version: Version,
    },
    /// The log did not take the events: `Unavailable` (outcome unknown), `Full` or `ShuttingDown`.
    #[error(transparent)]
    Log(AppendError),
    /// The aggregate could not be loaded.
    #[error(transparent)]
    Load(LogError),
}

impl<E: Classified> ExecuteError<E> {
    /// What kind of error it is.
    pub fn class(&self) -> Class {
        match self {
            Self::Refused(error) => error.class(),
            Self::VersionMismatch { .. } | Self::Contended { .. } => Class::Conflict,
            Self::CommandIdReused { .. } => Class::Bug,
            Self::Log(_)
            | Self::Load(LogError::Unavailable(_) | LogError::Full(_) | LogError::Locked { .. }) => {
                Class::Transient
            }
            Self::Load(_) => Class::Bug,
        }
    }

    /// A stable word in snake_case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(error) => error.code(),
            Self::VersionMismatch { .. } => "version_mismatch",
            Self::Contended { .. } => "contended",
            Self::CommandIdReused { .. } => "command_id_reused",
            Self::Log(AppendError::Full(_)) => "log_full",
            Self::Log(AppendError::ShuttingDown) => "shutting_down",
            Self::Log(_) => "log_unavailable",
            Self::Load(_) => "load_failed",
        }
    }
}

/// An [`ExecuteError`] of any aggregate, flattened for those who handle commands of all kinds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct AnyError {
    /// A stable word in snake_case.
    pub code: &'static str,
    /// What kind of error it is.
    pub class: Class,
    /// For people.
    pub message: String,
    /// The aggregate's status when it refused; empty when it was not the aggregate that refused.
    pub state: &'static str,
}
