//! Taking turns at a stream that several processes write to at once.
//!
//! Processes that each decide on their own newest state and lose the race decide again, and lose again. So after losing
//! twice a process asks the store for its turn, takes in what the others have written, and works for a moment without
//! being disturbed. A turn is only a courtesy: every append asserts its version all the same.

use std::{
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use domain::{Aggregate, StreamId};
use tokio::{
    sync::{Mutex as AsyncMutex, OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use super::{
    Executor,
    cache::{Cell, Slot},
    load::{self, PAGE},
};
use crate::{LogError, StreamTurn};

/// How long after a lost race, or after having waited for others, turns are taken.
const CONTENDED_FOR: Duration = Duration::from_secs(1);
/// How long a turn is used for new commands: some batches, so that handing over does not cost much.
const SLICE: Duration = Duration::from_millis(25);
/// Whoever waited longer for a turn than it takes to ask was not alone.
const ALONE: Duration = Duration::from_millis(2);

/// The turns of this process at one stream.
pub(super) struct Turns {
    contended_until: Mutex<Option<Instant>>,
    current: AsyncMutex<Weak<Turn>>,
    /// Free once every command of the turn before is answered.
    single: Arc<Semaphore>,
}

/// A turn, held by every command that is worked in it until it is answered.
pub(super) struct Turn {
    begun: Instant,
    // The order of dropping: the others may go on before we ask again.
    _turn: StreamTurn,
    _single: OwnedSemaphorePermit,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            contended_until: Mutex::default(),
            current: AsyncMutex::default(),
            single: Arc::new(Semaphore::new(1)),
        }
    }
}

impl Turns {
    fn are_taken(&self) -> bool {
        let until = self.contended_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }

    fn set(&self, until: Option<Instant>) {
        *self.contended_until.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }

    /// From now on turns are taken, for a while.
    pub(super) fn begin(&self) {
        self.set(Some(Instant::now() + CONTENDED_FOR));
    }
}

impl Executor {
    /// Our turn at the stream; nothing while nobody else writes to it, or when there is no turn to be had.
    pub(super) async fn turn<A: Aggregate>(&self, slot: &Slot<A>, stream: StreamId) -> Option<Arc<Turn>> {
        let turns = slot.turns.get().filter(|turns| turns.are_taken())?;
        let mut current = turns.current.lock().await;
        if let Some(turn) = current.upgrade()
            && turn.begun.elapsed() < SLICE
        {
            return Some(turn);
        }
        if !turns.are_taken() {
            return None;
        }
        let single = turns.single.clone().acquire_owned().await.expect("the semaphore is never closed");
        let asked = Instant::now();
        let Some(turn) = self.log.store().turn(stream).await else {
            // Whoever has it does not give it back: better to race than to queue for it one by one.
            turns.set(None);
            return None;
        };
        if asked.elapsed() > ALONE {
            turns.begin();
        }
        let turn = Arc::new(Turn { begun: Instant::now(), _turn: turn, _single: single });
        self.catch_up(slot, stream).await;
        *current = Arc::downgrade(&turn);
        Some(turn)
    }

    /// Takes in what others have written since we last looked. What cannot be taken in is loaded anew.
    async fn catch_up<A: Aggregate>(&self, slot: &Slot<A>, stream: StreamId) {
        let mut cell = slot.cell.lock().await;
        if !slot.is_fresh(&cell) {
            return;
        }
        let caught_up = slot.is_idle() && !cell.assumed && self.read_on(&mut cell, stream).await.is_ok();
        if !caught_up {
            slot.chain.break_up_to(cell.generation);
        }
    }

    async fn read_on<A: Aggregate>(&self, cell: &mut Cell<A>, stream: StreamId) -> Result<(), LogError> {
        loop {
            let page = self.log.store().read_stream(stream, cell.version, PAGE).await?;
            let more = page.len() == PAGE;
            for raw in page {
                cell.version = load::apply(&mut cell.state, raw)?;
            }
            if !more {
                return Ok(());
            }
        }
    }
}
