//! What the views say of themselves: status, progress, reports.

use domain::Position;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How a view is doing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ViewStatus {
    /// Its name.
    pub name: String,
    /// Version of its rows.
    pub version: u32,
    /// The build that queries read.
    pub build: u32,
    /// The last event that it counts.
    pub position: Position,
    /// The last event of the log.
    pub head: Position,
    /// Events between the two.
    pub lag: u64,
    /// What it is doing.
    #[serde(flatten)]
    pub state: ViewState,
    /// How far its rebuild is, while one runs.
    pub rebuild: Option<RebuildStatus>,
    /// Which process works for it, when several may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
}

/// What a view is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ViewState {
    /// At the log's head, give or take a window.
    Following,
    /// Behind.
    CatchingUp,
    /// A new build is being folded; the live one goes on.
    Rebuilding,
    /// Not moving.
    Stopped {
        /// Why, and what to do.
        why: String,
    },
}

/// How far a rebuild is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RebuildStatus {
    /// What is being done.
    pub phase: Phase,
    /// Events folded so far.
    pub folded: u64,
    /// The event to arrive at.
    pub head: Position,
    /// Events per second so far.
    pub events_per_sec: f64,
    /// Seconds left, once the rate is known.
    pub eta_secs: Option<f64>,
}

/// What a rebuild or a check is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Reading the log from its start.
    Folding,
    /// Making the indexes.
    Indexing,
    /// Folding what came in meanwhile.
    CatchingUp,
    /// Comparing rows.
    Comparing,
    /// Done.
    Done,
}

/// Told now and then while a rebuild or a check runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Progress {
    /// Which views.
    pub views: Vec<String>,
    /// How far.
    #[serde(flatten)]
    pub at: RebuildStatus,
}

/// What a rebuild did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RebuildReport {
    /// The view.
    pub view: String,
    /// Version of its rows.
    pub version: u32,
    /// The build that is live now.
    pub build: u32,
    /// The build that was live before.
    pub replaced: u32,
    /// Events that were read.
    pub events: u64,
    /// Where the new build stood when it became live.
    pub position: Position,
    /// Rows that were written, each once per window that touched it.
    pub rows_written: u64,
    /// From the start to the switch.
    pub took_secs: f64,
    /// Events per second over all of it.
    pub events_per_sec: f64,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct VerifyReport {
    /// The view.
    pub view: String,
    /// Version of its rows.
    pub version: u32,
    /// The build that was checked.
    pub build: u32,
    /// The event up to which the log was folded again.
    pub position: Position,
    /// Rows that are the same.
    pub same: u64,
    /// Rows that differ.
    pub different: u64,
    /// Rows that the view lacks.
    pub missing: u64,
    /// Rows that the view should not have.
    pub unexpected: u64,
    /// The first of those that differ, are missing or unexpected.
    pub differences: Vec<Difference>,
    /// How long it took.
    pub took_secs: f64,
}

impl VerifyReport {
    /// Whether the view is what the log says.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.different == 0 && self.missing == 0 && self.unexpected == 0
    }
}

/// A row that is not what the log says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Difference {
    /// Which row.
    pub key: String,
    /// What the view has: the document under `doc`, beside it the columns.
    #[schema(value_type = Option<Object>)]
    pub live: Option<serde_json::Value>,
    /// What the log says.
    #[schema(value_type = Option<Object>)]
    pub refolded: Option<serde_json::Value>,
}
