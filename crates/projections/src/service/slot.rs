//! One view's place at run time: its live build, how far it is, and what it says of itself.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError, RwLock,
    atomic::{AtomicBool, Ordering},
};

use domain::Position;
use eventlog::Checkpoint;
use tokio::sync::{Mutex as AsyncMutex, Notify, watch};

use super::window::Build;
use crate::{
    RebuildStatus, ViewError, ViewState, ViewStatus,
    fold::Fold,
    store::{BuildState, Registered, Table},
};

pub(super) struct Slot {
    /// The build that queries read.
    live: RwLock<Arc<Table>>,
    /// Held by whoever moves the live build: the consumer for a window, a rebuild for the switch.
    pub(super) turn: AsyncMutex<Turn>,
    position: watch::Sender<Position>,
    runs_here: AtomicBool,
    notes: Mutex<Notes>,
    /// Tells a stopped consumer that it may go on.
    pub(super) resumed: Notify,
}

#[derive(Default)]
struct Notes {
    halted: Option<String>,
    rebuild: Option<RebuildStatus>,
}

/// The live build as its consumer sees it.
pub(super) struct Turn {
    pub(super) table: Arc<Table>,
    /// The last event that was folded.
    pub(super) checkpoint: Checkpoint,
    /// What the store has: behind `checkpoint` while events mean nothing to the view.
    pub(super) stored: Checkpoint,
    /// Rows in memory; none when they cannot be trusted any more.
    pub(super) folder: Option<Box<dyn Fold>>,
    /// Whether the last write was not confirmed: look up where the store is before going on.
    pub(super) doubtful: bool,
}

impl Slot {
    pub(super) fn new(table: Arc<Table>, checkpoint: Checkpoint) -> Self {
        let turn =
            Turn { table: table.clone(), checkpoint, stored: checkpoint, folder: None, doubtful: false };
        Self {
            live: RwLock::new(table),
            turn: AsyncMutex::new(turn),
            position: watch::Sender::new(checkpoint.position),
            runs_here: AtomicBool::new(false),
            notes: Mutex::default(),
            resumed: Notify::new(),
        }
    }

    pub(super) fn name(&self) -> &'static str {
        self.table().spec.name
    }

    pub(super) fn table(&self) -> Arc<Table> {
        self.live.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn position(&self) -> watch::Receiver<Position> {
        self.position.subscribe()
    }

    pub(super) fn runs_here(&self) -> bool {
        self.runs_here.load(Ordering::SeqCst)
    }

    /// Claims the consumer; false if it was claimed before.
    pub(super) fn run_here(&self) -> bool {
        !self.runs_here.swap(true, Ordering::SeqCst)
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops the view and says why.
    pub(super) fn halt(&self, why: &ViewError) {
        let why = match why {
            ViewError::Log(eventlog::LogError::WentBack { .. }) => {
                format!("{why}; if this log is the right one, rebuild the view")
            }
            other => other.to_string(),
        };
        tracing::error!(view = self.name(), why, "view stopped");
        self.notes().halted = Some(why);
    }

    pub(super) fn is_halted(&self) -> bool {
        self.notes().halted.is_some()
    }

    pub(super) fn set_rebuild(&self, status: Option<RebuildStatus>) {
        self.notes().rebuild = status;
    }

    /// Tells queries and waiting readers where the live build is.
    pub(super) fn publish(&self, table: &Arc<Table>, position: Position) {
        if self.table().build != table.build {
            *self.live.write().unwrap_or_else(PoisonError::into_inner) = table.clone();
        }
        self.position.send_if_modified(|at| std::mem::replace(at, position) != position);
    }

    /// Takes over what another process did to the view.
    pub(super) fn look_up(&self, registered: &[Registered]) {
        let known = self.table();
        if let Some((build, checkpoint)) = live(registered, &known) {
            let table = if build == known.build { known } else { Arc::new(Table::new(known.spec, build)) };
            self.publish(&table, checkpoint.position);
        }
    }

    /// Makes a new build the live one, after the registry did.
    pub(super) fn switch(&self, turn: &mut Turn, build: Build) {
        self.publish(&build.table, build.checkpoint.position);
        *turn = Turn {
            table: build.table,
            checkpoint: build.checkpoint,
            stored: build.checkpoint,
            folder: Some(build.folder),
            doubtful: false,
        };
        self.notes().halted = None;
        self.resumed.notify_one();
    }

    pub(super) fn status(&self, head: Position, live_window: usize) -> ViewStatus {
        let (table, position, notes) = (self.table(), *self.position.borrow(), self.notes());
        let lag = head.saturating_sub(position);
        let state = match (&notes.halted, &notes.rebuild) {
            (Some(why), _) => ViewState::Stopped { why: why.clone() },
            (None, Some(_)) => ViewState::Rebuilding,
            (None, None) if lag > live_window as u64 => ViewState::CatchingUp,
            (None, None) => ViewState::Following,
        };
        ViewStatus {
            name: table.spec.name.to_owned(),
            version: table.spec.version,
            build: table.build,
            position,
            head,
            lag,
            state,
            rebuild: notes.rebuild.clone(),
        }
    }
}

impl Turn {
    /// Looks up where the store is.
    pub(super) fn look_up(&mut self, registered: &[Registered]) {
        if let Some((build, checkpoint)) = live(registered, &self.table) {
            if build != self.table.build {
                self.table = Arc::new(Table::new(self.table.spec, build));
            }
            (self.checkpoint, self.stored, self.doubtful) = (checkpoint, checkpoint, false);
        }
        self.folder = None;
    }
}

/// Number and checkpoint of the live build of the same view and version.
fn live(registered: &[Registered], table: &Table) -> Option<(u32, Checkpoint)> {
    let live = registered.iter().find(|build| build.is_of(table.spec) && build.state == BuildState::Live)?;
    Some((live.build, live.checkpoint?))
}
