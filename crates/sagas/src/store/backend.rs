//! What a work store does, whatever it is written to.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use domain::Timestamp;
use eventlog::{
    Checkpoint, SnapshotStore, StoreError, Timer,
    postgres::{Balance, Held},
};
use uuid::Uuid;

use super::{InstanceDetails, InstanceState, Saved, TimerRow};
use crate::runner::Operation;

/// Everything that a batch of inputs changed: written in one transaction.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes {
    /// Instances as they are now.
    pub(crate) instances: Vec<Saved>,
    /// Timers set and cleared, in order.
    pub(crate) timers: Vec<TimerRow>,
    /// How far these slots are now.
    pub(crate) checkpoints: Vec<(u16, Checkpoint)>,
    /// The slots that all of it belongs to: nothing is written unless all of them are still ours.
    pub(crate) held: Vec<Held>,
}

/// What an operator wants of an instance that another process works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wish {
    pub(crate) key: Uuid,
    pub(crate) operation: Operation,
    /// The command id of the step that the operator saw: a wish that is read twice is done once.
    pub(crate) step: Uuid,
}

/// A word that one process publishes for the others, for a short time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Published {
    pub(crate) value: String,
    /// How long it still holds.
    pub(crate) left: Duration,
}

/// A work store.
#[async_trait]
pub(crate) trait Backend: Send + Sync + 'static {
    /// Over how many slots the work is spread.
    fn slots(&self) -> u16;

    /// How often [`Backend::balance`] is to be called; none when what is ours stays ours.
    fn renew_every(&self) -> Option<Duration>;

    /// Keeps and takes slots of a process manager.
    async fn balance(&self, process: &'static str) -> Result<Balance, StoreError>;

    /// Gives slots to others.
    async fn release(&self, process: &'static str, held: &[Held]) -> Result<(), StoreError>;

    /// Wants no more slots; ours stay so until they are released.
    async fn retire(&self, process: &'static str) -> Result<(), StoreError>;

    /// Gives all slots to others and wants no more.
    async fn leave(&self, process: &'static str) -> Result<(), StoreError>;

    /// Takes one slot if nobody works on it.
    async fn take_if_free(&self, process: &'static str, slot: u16) -> Result<Option<Held>, StoreError>;

    /// Who works on a process manager's slots: names of processes, with how many slots each has.
    async fn members(&self, process: &'static str) -> Result<Vec<(String, u64)>, StoreError>;

    /// How far the slots are that were ever worked on.
    async fn checkpoints(&self, process: &'static str) -> Result<Vec<(u16, Checkpoint)>, StoreError>;

    /// The instances with these keys, where there are such.
    async fn load(&self, process: &'static str, keys: Vec<Uuid>) -> Result<Vec<Saved>, StoreError>;

    /// The instances of these slots that have steps to do: where the runner goes on.
    async fn unfinished(&self, process: &'static str, slots: &[u16]) -> Result<Vec<Saved>, StoreError>;

    /// How many instances of a process are in each state, ended ones left out.
    async fn counts(&self, process: &'static str) -> Result<Vec<(InstanceState, u64)>, StoreError>;

    /// Instances in key order behind a key, for operators.
    async fn list(
        &self,
        process: &'static str,
        state: Option<InstanceState>,
        after: Uuid,
        limit: usize,
    ) -> Result<Vec<Saved>, StoreError>;

    /// One instance in full.
    async fn show(&self, process: &'static str, key: Uuid) -> Result<Option<InstanceDetails>, StoreError>;

    /// The earliest timer of these slots.
    async fn next_timer(&self, process: &'static str, slots: &[u16])
    -> Result<Option<Timestamp>, StoreError>;

    /// The timers of these slots that are due, earliest first.
    async fn due_timers(
        &self,
        process: &'static str,
        slots: &[u16],
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Timer>, StoreError>;

    /// Writes changes, all or none. May be called again with the same when the outcome is unknown.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when a slot is not ours any more: nothing was written.
    async fn write(&self, process: &'static str, changes: Arc<Changes>) -> Result<(), StoreError>;

    /// Leaves a wish to whoever works on the instance's slot.
    async fn wish(&self, process: &'static str, wish: Wish) -> Result<(), StoreError>;

    /// Whether the wish is still there.
    async fn is_wished(&self, process: &'static str, wish: Wish) -> Result<bool, StoreError>;

    /// The wishes for these slots.
    async fn wishes(&self, process: &'static str, slots: &[u16]) -> Result<Vec<Wish>, StoreError>;

    /// The wish was done, or cannot be.
    async fn forget_wish(&self, process: &'static str, wish: Wish) -> Result<(), StoreError>;

    /// Publishes a word of this holder's for the others, in place of his last one. It holds for `ttl`.
    async fn publish(
        &self,
        name: &'static str,
        holder: Uuid,
        value: String,
        ttl: Duration,
    ) -> Result<(), StoreError>;

    /// The last word of every holder that still holds.
    async fn published(&self, name: &'static str) -> Result<Vec<Published>, StoreError>;

    /// The executor's snapshots.
    fn snapshots(&self) -> Arc<dyn SnapshotStore>;

    /// Writes what waits, then lets go of the store.
    async fn close(&self);
}
