//! An instance in memory.

use std::collections::VecDeque;

use domain::{Position, Timestamp};
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use crate::{
    process::Process,
    sagas::SagaError,
    store::{InstanceState, PendingStep, Saved},
};

/// A worker that is at an instance's steps. When this is dropped, as when the instance is somebody else's now, the worker
/// begins no further step.
pub(super) struct AtWork {
    /// The worker's number.
    pub(super) number: u64,
    _until_dropped: DropGuard,
}

impl AtWork {
    pub(super) fn new(number: u64, go_no_further: CancellationToken) -> Self {
        Self { number, _until_dropped: go_no_further.drop_guard() }
    }
}

/// An instance in memory.
pub(super) struct Cell<S> {
    pub(super) state: S,
    pub(super) version: u32,
    pub(super) outbox: VecDeque<PendingStep>,
    pub(super) since: Timestamp,
    pub(super) last_position: Position,
    pub(super) correlation_id: Uuid,
    pub(super) worker: Option<AtWork>,
    /// Whether its next step waits until the gateway permits it.
    pub(super) held: bool,
}

impl<S: serde::Serialize + serde::de::DeserializeOwned + Default> Cell<S> {
    pub(super) fn new(version: u32, since: Timestamp, correlation_id: Uuid) -> Self {
        Self {
            state: S::default(),
            version,
            outbox: VecDeque::new(),
            since,
            last_position: 0,
            correlation_id,
            worker: None,
            held: false,
        }
    }

    pub(super) fn from_saved(saved: Saved) -> Result<Self, SagaError> {
        let state = serde_json::from_str(&saved.state)
            .map_err(|error| SagaError::Unreadable { key: saved.key, reason: error.to_string() })?;
        Ok(Self {
            state,
            version: saved.version,
            correlation_id: saved.correlation_id,
            outbox: saved.outbox.into_iter().map(|step| PendingStep { read_back: true, ..step }).collect(),
            since: saved.since,
            last_position: saved.last_position,
            worker: None,
            held: false,
        })
    }

    pub(super) fn to_saved<P: Process<State = S>>(&self, key: Uuid) -> Saved {
        let awaiting = P::awaits(&self.state);
        Saved {
            key,
            version: self.version,
            status: InstanceState::of(self.outbox.front(), awaiting.as_ref()),
            state: serde_json::to_string(&self.state)
                .expect("states have string keys and no failing serializer"),
            outbox: self.outbox.iter().cloned().collect(),
            awaiting,
            since: self.since,
            last_position: self.last_position,
            correlation_id: self.correlation_id,
        }
    }

    /// Whether this worker is at its steps.
    pub(super) fn is_worked_on_by(&self, worker: u64) -> bool {
        self.worker.as_ref().is_some_and(|at_work| at_work.number == worker)
    }

    /// Whether steps are to be done.
    pub(super) fn is_busy(&self) -> bool {
        self.worker.is_some() || !self.outbox.is_empty()
    }
}
