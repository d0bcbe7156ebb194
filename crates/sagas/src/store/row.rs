//! The shape of an instance in the store, and what an operator is shown of it.

use domain::{Position, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::process::{Action, Awaiting, EffectCall};

/// A step that is stored and not done yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PendingStep {
    /// Its written name.
    pub name: String,
    /// What it does.
    pub action: Action,
    /// Refusals that mean "overtaken".
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub superseded_by: Vec<String>,
    /// The id of its command: derived from process, instance, causing event and name, so that doing it twice is
    /// doing it once.
    pub command_id: Uuid,
    /// What it all belongs to.
    pub correlation_id: Uuid,
    /// The event that caused it.
    pub causation_id: Uuid,
    /// Trace context of the request that began it all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// Tries that failed.
    #[serde(default)]
    pub attempts: u32,
    /// Why the last try failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// When it is tried again by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_retry_at: Option<Timestamp>,
    /// Whether an operator must decide.
    #[serde(default)]
    pub stuck: bool,
    /// Whether it was read back from the store: an earlier life of this program, or another process, may have tried it.
    #[serde(skip)]
    pub read_back: bool,
}

impl PendingStep {
    /// Whether it calls the payment provider.
    pub(crate) fn calls_provider(&self) -> bool {
        matches!(self.action, Action::Effect(EffectCall::Charge { .. } | EffectCall::Refund { .. }))
    }

    /// Whether it may have been tried before, and what came of it is not known.
    pub(crate) fn may_have_been_tried(&self) -> bool {
        self.attempts > 0 || self.read_back
    }

    /// Whether an operator can do something about it.
    pub(crate) fn is_waiting(&self) -> bool {
        self.stuck || self.next_retry_at.is_some()
    }
}

/// What an instance is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InstanceState {
    /// It has steps to do.
    Running,
    /// It waits for an event.
    Waiting,
    /// A step failed and is tried again by itself.
    Retrying,
    /// A step was refused: an operator must retry or skip it.
    Stuck,
    /// It is over.
    Ended,
}

impl InstanceState {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Running, Self::Waiting, Self::Retrying, Self::Stuck, Self::Ended];

    /// The word that is stored and shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Retrying => "retrying",
            Self::Stuck => "stuck",
            Self::Ended => "ended",
        }
    }

    /// The state with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Which rows of instances are in this state, or in any but ended, as a condition in SQL.
    pub(super) fn condition(state: Option<Self>) -> String {
        match state {
            Some(state) => format!("status = '{}'", state.name()),
            None => "status <> 'ended'".to_owned(),
        }
    }

    pub(crate) fn of(outbox: Option<&PendingStep>, awaiting: Option<&Awaiting>) -> Self {
        match (outbox, awaiting) {
            (Some(step), _) if step.stuck => Self::Stuck,
            (Some(step), _) if step.attempts > 0 => Self::Retrying,
            (Some(_), _) => Self::Running,
            (None, Some(_)) => Self::Waiting,
            (None, None) => Self::Ended,
        }
    }
}

/// An instance in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InstanceSummary {
    /// The process manager.
    pub process: String,
    /// The instance: an order's or a payment's id.
    pub key: Uuid,
    /// What it is doing.
    pub state: InstanceState,
    /// What it waits for.
    pub awaiting: Option<String>,
    /// When the waiting ends by itself.
    pub deadline: Option<Timestamp>,
    /// When it came into its stage.
    pub since: Timestamp,
    /// The step it is at.
    pub step: Option<String>,
    /// Tries of that step that failed.
    pub attempts: u32,
    /// Why the last try failed.
    pub last_error: Option<String>,
    /// When it is tried again by itself.
    pub next_retry_at: Option<Timestamp>,
}

/// An instance in full: why is it stuck?
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InstanceDetails {
    /// What the list shows.
    #[serde(flatten)]
    pub summary: InstanceSummary,
    /// Version of the process's table that it goes by.
    pub version: u32,
    /// What it remembers.
    pub stage: serde_json::Value,
    /// The last event that it reacted to.
    pub last_position: Position,
    /// What it has still to do, in order.
    pub pending: Vec<PendingStep>,
    /// Its timers.
    pub timers: Vec<TimerDetails>,
}

/// A timer of an instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimerDetails {
    /// Its name.
    pub name: String,
    /// When it is due.
    pub due_at: Timestamp,
}

/// A timer to be set or cleared.
#[derive(Clone, Debug)]
pub(crate) struct TimerRow {
    pub(crate) key: Uuid,
    pub(crate) name: String,
    pub(crate) due_at: Option<Timestamp>,
}

/// An instance as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct Saved {
    pub(crate) key: Uuid,
    pub(crate) version: u32,
    pub(crate) status: InstanceState,
    pub(crate) state: String,
    pub(crate) outbox: Vec<PendingStep>,
    pub(crate) awaiting: Option<Awaiting>,
    pub(crate) since: Timestamp,
    pub(crate) last_position: Position,
    /// What it all belongs to: goes into the commands that a timer causes.
    pub(crate) correlation_id: Uuid,
}

/// The columns of an instance as every store gives them.
pub(super) struct SavedColumns {
    pub(super) key: Uuid,
    pub(super) version: i32,
    pub(super) status: String,
    pub(super) state: String,
    pub(super) outbox: String,
    pub(super) awaiting: Option<String>,
    pub(super) deadline: Option<i64>,
    pub(super) since: i64,
    pub(super) last_position: i64,
    pub(super) correlation_id: Uuid,
}

impl Saved {
    /// The names of [`SavedColumns`], in order.
    pub(super) const COLUMNS: &'static str =
        "key, version, status, state, outbox, awaiting, deadline, since, last_position, correlation_id";

    /// An instance from a row; in words what cannot be read in it.
    pub(super) fn from_columns(row: SavedColumns) -> Result<Self, String> {
        let status = InstanceState::from_name(&row.status);
        let outbox = serde_json::from_str(&row.outbox);
        Ok(Self {
            key: row.key,
            version: row.version.unsigned_abs(),
            status: status.ok_or_else(|| format!("instance {}: unknown status {:?}", row.key, row.status))?,
            state: row.state,
            outbox: outbox.map_err(|error| format!("instance {}: its steps: {error}", row.key))?,
            awaiting: row.awaiting.map(|what| Awaiting { what, deadline: row.deadline.map(time) }),
            since: time(row.since),
            last_position: row.last_position.unsigned_abs(),
            correlation_id: row.correlation_id,
        })
    }

    /// The steps as they are stored.
    pub(super) fn outbox_text(&self) -> String {
        if self.outbox.is_empty() {
            return "[]".to_owned();
        }
        serde_json::to_string(&self.outbox).expect("steps have string keys and no failing serializer")
    }

    /// When the waiting ends by itself, as it is stored.
    pub(super) fn deadline_micros(&self) -> Option<i64> {
        self.awaiting.as_ref()?.deadline.map(|at| at.timestamp_micros())
    }

    /// Everything that an operator is shown.
    pub(super) fn details(self, process: &str, timers: Vec<TimerDetails>) -> InstanceDetails {
        InstanceDetails {
            summary: self.summary(process),
            version: self.version,
            stage: serde_json::from_str(&self.state).unwrap_or_default(),
            last_position: self.last_position,
            pending: self.outbox,
            timers,
        }
    }

    pub(crate) fn summary(&self, process: &str) -> InstanceSummary {
        let step = self.outbox.first();
        InstanceSummary {
            process: process.to_owned(),
            key: self.key,
            state: self.status,
            awaiting: self.awaiting.as_ref().map(|awaiting| awaiting.what.clone()),
            deadline: self.awaiting.as_ref().and_then(|awaiting| awaiting.deadline),
            since: self.since,
            step: step.map(|step| step.name.clone()),
            attempts: step.map_or(0, |step| step.attempts),
            last_error: step.and_then(|step| step.last_error.clone()),
            next_retry_at: step.and_then(|step| step.next_retry_at),
        }
    }
}

pub(crate) fn time(micros: i64) -> Timestamp {
    Timestamp::from_timestamp_micros(micros).unwrap_or_default()
}
