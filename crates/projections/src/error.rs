//! Why a view could not be read, built or checked.

use std::path::PathBuf;

use eventlog::{LogError, StoreError};

use crate::CursorError;

/// Why a view did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ViewError {
    /// There is no such view.
    #[error("there is no view {name:?}; the views are {}", crate::view_names().join(", "))]
    UnknownView {
        /// What was asked for.
        name: String,
    },
    /// The view cannot be filtered by that.
    #[error("the view {view} has no column {column:?}")]
    UnknownColumn {
        /// The view.
        view: &'static str,
        /// What was asked for.
        column: String,
    },
    /// The cursor is no cursor.
    #[error(transparent)]
    Cursor(#[from] CursorError),
    /// The store of the views failed.
    #[error("the store of the views: {0}")]
    Store(#[from] StoreError),
    /// The log failed.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A stored row is not of the shape that this release writes.
    #[error("row {key} of the view {view} cannot be read: {reason}; rebuild the view")]
    Row {
        /// The view.
        view: &'static str,
        /// The row.
        key: String,
        /// What the JSON reader said.
        reason: String,
    },
    /// Views in a file belong to one process.
    #[error(
        "the views at {} are in use by {}: keep views that several processes share in PostgreSQL",
        .path.display(),
        if .holder.is_empty() { "another process" } else { .holder.as_str() }
    )]
    InUse {
        /// The file.
        path: PathBuf,
        /// Who has it, as far as that is known.
        holder: String,
    },
    /// Another process rebuilds or checks it.
    #[error("the view {view} is being rebuilt or checked by {holder}: wait until that is done")]
    BeingBuilt {
        /// The view.
        view: &'static str,
        /// Who does it.
        holder: String,
    },
    /// A newer release has taken over.
    #[error("no build of the view {view} in version {version} is live any more: is a newer release running?")]
    Retired {
        /// The view.
        view: &'static str,
        /// This release's version of it.
        version: u32,
    },
    /// Another build became the live one meanwhile: nothing was switched.
    #[error("another build of the view {view} became live meanwhile; nothing was switched")]
    Overtaken {
        /// The view.
        view: &'static str,
    },
    /// A fold panicked: a bug.
    #[error("folding the views {views} panicked at or after position {position}: {reason}")]
    Panicked {
        /// Which views were folded.
        views: String,
        /// After which event.
        position: u64,
        /// The panic's message.
        reason: String,
    },
    /// The views are being stopped.
    #[error("the views are shutting down")]
    ShuttingDown,
}

impl ViewError {
    /// Whether the same may work after a while, without anybody doing anything about the views: their store or the log
    /// does not answer just now.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Store(error) => error.is_passing(),
            Self::Log(error) => matches!(error, LogError::Unavailable(_) | LogError::Full(_)),
            _ => false,
        }
    }
}
