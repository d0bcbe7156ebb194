//! An instance in memory.

use std::collections::VecDeque;

use domain::{Position, Timestamp};
use uuid::Uuid;

use crate::{
    process::Process,
    sagas::SagaError,
    store::{InstanceState, PendingStep, Saved},
};

/// An instance in memory.
pub(super) struct Cell<S> {
    pub(super) state: S,
    pub(super) version: u32,
    pub(super) outbox: VecDeque<PendingStep>,
    pub(super) since: Timestamp,
    pub(super) last_position: Position,
    pub(super) correlation_id: Uuid,
    /// The number of the worker that is at its steps, if one is.
    pub(super) worker: Option<u64>,
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
        }
    }

    pub(super) fn from_saved(saved: Saved) -> Result<Self, SagaError> {
        let state = serde_json::from_str(&saved.state)
            .map_err(|error| SagaError::Unreadable { key: saved.key, reason: error.to_string() })?;
        Ok(Self {
            state,
            version: saved.version,
            correlation_id: saved.correlation_id,
            outbox: saved.outbox.into(),
            since: saved.since,
            last_position: saved.last_position,
            worker: None,
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

    /// Whether steps are to be done.
    pub(super) fn is_busy(&self) -> bool {
        self.worker.is_some() || !self.outbox.is_empty()
    }
}
