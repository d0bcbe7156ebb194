//! Why a view could not be read, built or checked.

use eventlog::{LogError, sqlite::StoreError};

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
