//! Sharing the work of a process manager with other processes: slots come and go.

use std::collections::HashMap;

use eventlog::{Checkpoint, postgres::Held};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Runner, cell::Cell};
use crate::{process::Process, sagas::SagaError};

impl<P: Process> Runner<P> {
    /// Keeps what is ours, takes over what others left, gives away what others should have.
    pub(super) async fn share(&mut self, stop: &CancellationToken) -> Result<(), SagaError> {
        self.share_at = self.store.renew_every().map(|every| Instant::now() + every);
        let balance = self.store.balance(P::NAME).await?;
        let moved = self.places.moved(&balance.held);
        if !moved.lost.is_empty() {
            tracing::warn!(process = P::NAME, slots = ?moved.lost, "slots went to another process");
            self.forget_slots(&moved.lost);
        }
        if !moved.gained.is_empty() {
            self.take_over(moved.gained).await?;
        }
        if balance.surplus > 0 {
            self.give_away(balance.surplus, stop).await?;
        } else if self.places.are_ahead_of_store() {
            self.flush(stop).await?;
        }
        self.fulfil_wishes(stop).await
    }

    /// Goes on with slots where whoever had them before has stored that it was.
    async fn take_over(&mut self, gained: Vec<Held>) -> Result<(), SagaError> {
        let known: HashMap<u16, Checkpoint> = self.store.checkpoints(P::NAME).await?.into_iter().collect();
        let log = self.executor.log();
        let start = Checkpoint { log_id: log.log_id(), position: 0, event_id: None };
        let mut verified = Vec::new();
        for held in &gained {
            let at = known.get(&held.slot).copied().unwrap_or(start);
            if !verified.contains(&at) {
                log.verify_checkpoint(&at).await?;
                verified.push(at);
            }
        }
        let slots: Vec<u16> = gained.iter().map(|held| held.slot).collect();
        if self.store.slots() > 1 {
            tracing::info!(process = P::NAME, slots = slots.len(), "work is taken over");
        }
        let unfinished = self.store.unfinished(P::NAME, &slots).await?;
        for held in gained {
            self.places.gain(held, known.get(&held.slot).copied().unwrap_or(start));
        }
        self.next_timer = self.store.next_timer(P::NAME, &self.places.slots()).await?;
        for saved in unfinished {
            let key = saved.key;
            self.cells.insert(key, Cell::from_saved(saved)?);
            self.work_on(key);
        }
        self.shared.advanced(P::NAME, self.places.reading());
        Ok(())
    }

    /// Lets others have `surplus` slots: first those that nobody is working for, so that no step is under way in two
    /// processes; one that is would do no harm, since steps are done under ids of their own.
    async fn give_away(&mut self, surplus: usize, stop: &CancellationToken) -> Result<(), SagaError> {
        let working = self.workers_by_slot();
        let mut slots = self.places.slots();
        slots.sort_by_key(|slot| working.get(slot).copied().unwrap_or(0));
        slots.truncate(surplus);
        self.give(slots, stop).await
    }

    /// Wants no more work, and gives away what nobody is working for: others need not wait for the rest of it.
    pub(super) async fn retire(&mut self, stop: &CancellationToken) -> Result<(), SagaError> {
        if self.share_at.is_none() {
            return Ok(());
        }
        self.store.retire(P::NAME).await?;
        let working = self.workers_by_slot();
        let idle = self.places.slots().into_iter().filter(|slot| !working.contains_key(slot));
        self.give(idle.collect(), stop).await
    }

    fn workers_by_slot(&self) -> HashMap<u16, usize> {
        let mut working = HashMap::<u16, usize>::new();
        for (key, _) in self.cells.iter().filter(|(_, cell)| cell.worker.is_some()) {
            *working.entry(self.places.slot(*key)).or_default() += 1;
        }
        working
    }

    async fn give(&mut self, slots: Vec<u16>, stop: &CancellationToken) -> Result<(), SagaError> {
        self.flush(stop).await?;
        let (held, _) = self.places.to_write(|slot| slots.contains(&slot));
        tracing::info!(process = P::NAME, slots = held.len(), "slots are given to other processes");
        self.forget_slots(&slots);
        Ok(self.store.release(P::NAME, &held).await?)
    }

    /// Drops everything of these slots from memory.
    fn forget_slots(&mut self, slots: &[u16]) {
        slots.iter().for_each(|slot| self.places.lose(*slot));
        let places = &self.places;
        self.cells.retain(|key, _| places.has(*key));
        self.dirty.retain(|key| places.has(*key));
        self.retries.retain(|(_, key)| places.has(*key));
        if self.dirty.is_empty() {
            self.dirty_since = None;
        }
    }

    /// Does what operators asked other processes to do with instances of ours.
    async fn fulfil_wishes(&mut self, stop: &CancellationToken) -> Result<(), SagaError> {
        if self.places.is_empty() {
            return Ok(());
        }
        for wish in self.store.wishes(P::NAME, &self.places.slots()).await? {
            match self.operate(wish.operation, wish.key, Some(wish.step), stop).await {
                Ok(_) => {}
                // It stays, for whoever has the slot now.
                Err(error @ SagaError::Store(_)) => return Err(error),
                Err(error) => {
                    tracing::warn!(process = P::NAME, key = %wish.key, %error, "an operator's wish was not done");
                }
            }
            self.store.forget_wish(P::NAME, wish).await?;
        }
        Ok(())
    }
}
