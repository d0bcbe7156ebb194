//! How runs of requests end: answers are kept and leases given back by one task, in the background and many at once.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use eventlog::{StoreError, postgres::Database};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::keys;
use crate::accounts::{KeyedRequest, StoredAnswer};

/// Most ends in one transaction.
const MOST: usize = 256;
/// How long an end is tried to be written while the database is away. *Source*: ours; a server restarts in less.
const KEEP_TRYING: Duration = Duration::from_secs(10);
/// Pause before the next try.
const PAUSE: Duration = Duration::from_millis(200);
/// How long a repeat waits for the answer that is on its way.
const SETTLE: Duration = Duration::from_secs(2);
/// How long a request that may run again waits until others may run it.
const RELEASE: Duration = Duration::from_secs(1);

/// The runs of this process: those under way, and the ends that are still to be written. Cheap to clone; the task ends
/// after the last clone, once everything is written.
#[derive(Clone)]
pub(super) struct Ends {
    runs: Arc<Mutex<Runs>>,
    queue: mpsc::UnboundedSender<End>,
}

/// By owner and key.
type Id = (String, String);

#[derive(Default)]
struct Runs {
    running: HashMap<Id, Running>,
    /// Ends that are on their way; the token says that they are written, or given up.
    waiting: HashMap<Id, CancellationToken>,
}

/// A key that is worked for here: more than once only if a run outlives its lease.
struct Running {
    /// Who has the lease.
    attempt: Uuid,
    runs: usize,
}

struct End {
    id: Id,
    how: How,
    since: Instant,
    written: CancellationToken,
}

enum How {
    Answered(StoredAnswer),
    Released(Uuid),
}

impl Ends {
    /// Starts the task.
    pub(super) fn start(database: Database) -> Self {
        let (queue, ends) = mpsc::unbounded_channel();
        let runs = Arc::default();
        tokio::spawn(write_all(database, ends, Arc::clone(&runs)));
        Self { runs, queue }
    }

    fn runs(&self) -> MutexGuard<'_, Runs> {
        locked(&self.runs)
    }

    /// To be held while a run begins: unless it is told otherwise, the lease is given back.
    pub(super) fn undo(&self, request: &KeyedRequest, attempt: Uuid) -> Undo {
        Undo { ends: self.clone(), id: Some(request.id()), attempt }
    }

    /// The run was answered for good.
    pub(super) fn answered(&self, request: &KeyedRequest, answer: StoredAnswer) {
        let id = request.id();
        self.runs().ended(&id);
        self.write(id, How::Answered(answer));
    }

    /// The run ended without a last word. Waits until others may run the request, but not long.
    pub(super) async fn released(&self, request: &KeyedRequest) {
        let id = request.id();
        let Some(attempt) = self.runs().ended(&id) else { return };
        let written = self.write(id, How::Released(attempt));
        // If it takes longer it is done later, or the lease ends by itself.
        let _ = tokio::time::timeout(RELEASE, written.cancelled()).await;
    }

    /// Waits until no end of the request is on its way, but not long.
    pub(super) async fn settled(&self, request: &KeyedRequest) {
        let waiting = self.runs().waiting.get(&request.id()).cloned();
        if let Some(written) = waiting {
            // If it takes longer the request is shown as running.
            let _ = tokio::time::timeout(SETTLE, written.cancelled()).await;
        }
    }

    /// Gives back what is still under way, since this process does not go on with it, and waits until everything is
    /// written, but not for ever.
    pub(super) async fn close(&self) {
        let running: Vec<(Id, Running)> = self.runs().running.drain().collect();
        for (id, Running { attempt, .. }) in running {
            self.write(id, How::Released(attempt));
        }
        let waiting: Vec<CancellationToken> = self.runs().waiting.values().cloned().collect();
        let all = futures::future::join_all(waiting.iter().map(CancellationToken::cancelled));
        if tokio::time::timeout(KEEP_TRYING, all).await.is_err() {
            tracing::warn!(
                "some answers were not kept: a repeat of their requests runs again under the same ids"
            );
        }
    }

    fn write(&self, id: Id, how: How) -> CancellationToken {
        let written = CancellationToken::new();
        self.runs().waiting.insert(id.clone(), written.clone());
        let end = End { id, how, since: Instant::now(), written: written.clone() };
        if let Err(mpsc::error::SendError(end)) = self.queue.send(end) {
            // The task went with its runtime.
            settle(&self.runs, &end);
        }
        written
    }
}

impl Runs {
    fn began(&mut self, id: Id, attempt: Uuid) {
        let running = self.running.entry(id).or_insert(Running { attempt, runs: 0 });
        (running.attempt, running.runs) = (attempt, running.runs + 1);
    }

    /// The attempt whose lease is of no use any more; none while another run of the key is under way here.
    fn ended(&mut self, id: &Id) -> Option<Uuid> {
        let running = self.running.get_mut(id)?;
        running.runs -= 1;
        let (attempt, left) = (running.attempt, running.runs);
        if left > 0 {
            return None;
        }
        self.running.remove(id);
        Some(attempt)
    }
}

/// A run that is beginning.
pub(super) struct Undo {
    ends: Ends,
    id: Option<Id>,
    attempt: Uuid,
}

impl Undo {
    /// It is known how it began: it runs, or somebody else has the key.
    pub(super) fn not_needed(mut self, runs: bool) {
        if let Some(id) = self.id.take().filter(|_| runs) {
            self.ends.runs().began(id, self.attempt);
        }
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        if let Some(id) = self.id.take() {
            self.ends.write(id, How::Released(self.attempt));
        }
    }
}

fn locked(runs: &Mutex<Runs>) -> MutexGuard<'_, Runs> {
    runs.lock().unwrap_or_else(PoisonError::into_inner)
}

fn settle(runs: &Mutex<Runs>, end: &End) {
    locked(runs).waiting.remove(&end.id);
    end.written.cancel();
}

async fn write_all(database: Database, mut ends: mpsc::UnboundedReceiver<End>, runs: Arc<Mutex<Runs>>) {
    let mut batch = Vec::with_capacity(MOST);
    while ends.recv_many(&mut batch, MOST).await > 0 {
        if let Err(error) = write(&database, &batch).await
            && !may_pass(&error)
            && batch.len() > 1
        {
            // One that cannot be written does not take the others with it.
            for end in batch.chunks(1) {
                // What was wrong is said already.
                let _ = write(&database, end).await;
            }
        }
        for end in batch.drain(..) {
            settle(&runs, &end);
        }
    }
}

/// Tries until it works or the first of them has waited long enough.
async fn write(database: &Database, batch: &[End]) -> Result<(), StoreError> {
    let mut ended = keys::Ended::default();
    for End { id, how, .. } in batch {
        match how {
            How::Answered(answer) => ended.answered(id, answer),
            How::Released(attempt) => ended.released(id, *attempt),
        }
    }
    let ended = Arc::new(ended);
    loop {
        let again = ended.clone();
        let write = database.run(move |conn| {
            let ended = again.clone();
            Box::pin(async move { keys::end(conn, &ended).await })
        });
        let Err(error) = write.await else { return Ok(()) };
        let waited = batch.first().map_or(KEEP_TRYING, |end| end.since.elapsed());
        if !may_pass(&error) || waited >= KEEP_TRYING {
            tracing::warn!(%error, "answers were not kept: a repeat of their requests runs again under the same ids");
            return Err(error);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Whether another try may work. Whoever refuses us may be told better meanwhile.
fn may_pass(error: &StoreError) -> bool {
    error.is_passing() || matches!(error, StoreError::Refused(_))
}
