//! One view's place at run time: its live build, how far it is, and what it says of itself.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use domain::Position;
use eventlog::{Checkpoint, postgres::Held};
use tokio::{
    sync::{Mutex as AsyncMutex, Notify, watch},
    time::Instant,
};

use super::window::Build;
use crate::{
    RebuildStatus, ViewError, ViewState, ViewStatus,
    fold::Fold,
    spec::Spec,
    store::{BuildState, Registered, Table},
};

pub(super) struct Slot {
    /// The build that queries read.
    live: RwLock<Arc<Table>>,
    /// Held by whoever moves the live build: the consumer for a window, a rebuild for the switch.
    pub(super) turn: AsyncMutex<Turn>,
    position: watch::Sender<Position>,
    /// What the store has had for certain.
    confirmed: AtomicU64,
    runs_here: AtomicBool,
    /// The lease of the view, if it is ours.
    held: watch::Sender<Option<Held>>,
    /// Whether the work needs a lease.
    shared: bool,
    /// Whether the consumer shall look up where the store is.
    doubt: AtomicBool,
    notes: Mutex<Notes>,
    /// Wakes the consumer for what does not come from the log.
    pub(super) news: Notify,
}

#[derive(Default)]
struct Notes {
    halted: Option<String>,
    rebuild: Option<RebuildStatus>,
    holder: Option<String>,
}

/// The live build as its consumer sees it.
pub(super) struct Turn {
    pub(super) table: Arc<Table>,
    /// The last event that was folded.
    pub(super) checkpoint: Checkpoint,
    /// What the store has: behind `checkpoint` while events mean nothing to the view.
    pub(super) stored: Checkpoint,
    /// Since when it is behind.
    pub(super) behind_since: Option<Instant>,
    /// Rows in memory; none when they cannot be trusted any more.
    pub(super) folder: Option<Box<dyn Fold>>,
    /// The lease under which all this was looked up.
    pub(super) held: Option<Held>,
    /// Whether the last write was not confirmed: look up where the store is before going on.
    pub(super) doubtful: bool,
}

impl Slot {
    pub(super) fn new(table: Arc<Table>, checkpoint: Checkpoint, shared: bool) -> Self {
        let turn = Turn {
            table: table.clone(),
            checkpoint,
            stored: checkpoint,
            behind_since: None,
            folder: None,
            held: None,
            doubtful: false,
        };
        Self {
            live: RwLock::new(table),
            turn: AsyncMutex::new(turn),
            position: watch::Sender::new(checkpoint.position),
            confirmed: AtomicU64::new(checkpoint.position),
            runs_here: AtomicBool::new(false),
            held: watch::Sender::new(None),
            shared,
            doubt: AtomicBool::new(false),
            notes: Mutex::default(),
            news: Notify::new(),
        }
    }

    pub(super) fn spec(&self) -> &'static Spec {
        self.table().spec
    }

    pub(super) fn name(&self) -> &'static str {
        self.spec().name
    }

    pub(super) fn table(&self) -> Arc<Table> {
        self.live.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn position(&self) -> watch::Receiver<Position> {
        self.position.subscribe()
    }

    /// Whether somebody wants to hear how far the view is.
    pub(super) fn is_waited_for(&self) -> bool {
        self.position.receiver_count() > 0
    }

    /// What the store has had for certain.
    pub(super) fn confirmed(&self) -> Position {
        self.confirmed.load(Ordering::SeqCst)
    }

    pub(super) fn confirm(&self, position: Position) {
        self.confirmed.store(position, Ordering::SeqCst);
    }

    /// Whether this process has a consumer for the view.
    pub(super) fn runs_here(&self) -> bool {
        self.runs_here.load(Ordering::SeqCst)
    }

    /// Whether that consumer may work now. If not, it stands by.
    pub(super) fn works_here(&self) -> bool {
        self.runs_here() && (!self.shared || self.held.borrow().is_some())
    }

    /// Claims the consumer; false if it was claimed before.
    pub(super) fn run_here(&self) -> bool {
        !self.runs_here.swap(true, Ordering::SeqCst)
    }

    /// The lease, and news of it.
    pub(super) fn lease(&self) -> watch::Receiver<Option<Held>> {
        self.held.subscribe()
    }

    pub(super) fn set_lease(&self, held: Option<Held>) {
        self.held.send_if_modified(|known| std::mem::replace(known, held) != held);
    }

    /// Whether the work needs a lease.
    pub(super) fn is_shared(&self) -> bool {
        self.shared
    }

    /// Has the consumer look up where the store is.
    pub(super) fn doubt(&self) {
        self.doubt.store(true, Ordering::SeqCst);
        self.news.notify_one();
    }

    pub(super) fn take_doubt(&self) -> bool {
        self.doubt.swap(false, Ordering::SeqCst)
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

    /// Lets a stopped view go on, since what stopped it was replaced.
    pub(super) fn go_on(&self) {
        self.notes().halted = None;
        self.doubt();
    }

    pub(super) fn set_rebuild(&self, status: Option<RebuildStatus>) {
        self.notes().rebuild = status;
    }

    pub(super) fn set_holder(&self, holder: Option<String>) {
        self.notes().holder = holder;
    }

    /// Tells queries and waiting readers where the live build is. A build that was replaced since does not come back.
    pub(super) fn publish(&self, table: &Arc<Table>, position: Position) {
        {
            let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
            if live.build > table.build {
                return;
            }
            *live = table.clone();
        }
        self.position.send_if_modified(|at| std::mem::replace(at, position) != position);
    }

    /// Takes over what another process did to the view. What is known to be older than what is known already is left.
    pub(super) fn look_up(&self, registered: &[Registered]) {
        let known = self.table();
        let Some((build, checkpoint)) = live(registered, known.spec) else { return };
        if build > known.build {
            self.publish(&Arc::new(Table::new(known.spec, build)), checkpoint.position);
        } else if build == known.build && checkpoint.position > *self.position.borrow() {
            self.publish(&known, checkpoint.position);
        }
    }

    /// Makes a new build the live one, after the registry did.
    pub(super) fn switch(&self, turn: &mut Turn, build: Build) {
        self.publish(&build.table, build.checkpoint.position);
        self.confirm(build.checkpoint.position);
        *turn = Turn {
            table: build.table,
            checkpoint: build.checkpoint,
            stored: build.checkpoint,
            behind_since: None,
            folder: self.works_here().then_some(build.folder),
            held: turn.held,
            doubtful: false,
        };
        self.notes().halted = None;
        self.news.notify_one();
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
            holder: notes.holder.clone(),
        }
    }
}

impl Turn {
    /// Begins again from what the store has.
    pub(super) fn begin_at(&mut self, build: u32, checkpoint: Checkpoint, held: Option<Held>) {
        if build != self.table.build {
            self.table = Arc::new(Table::new(self.table.spec, build));
        }
        (self.checkpoint, self.stored, self.behind_since) = (checkpoint, checkpoint, None);
        (self.held, self.doubtful, self.folder) = (held, false, None);
    }

    /// For how long events that mean nothing to the view have waited to be counted in the store.
    pub(super) fn waited(&self) -> Duration {
        self.behind_since.map_or(Duration::ZERO, |since| since.elapsed())
    }
}

/// Number and checkpoint of the live build of a view.
pub(super) fn live(registered: &[Registered], spec: &Spec) -> Option<(u32, Checkpoint)> {
    let live = registered.iter().find(|build| build.is_of(spec) && build.state == BuildState::Live)?;
    Some((live.build, live.checkpoint?))
}
