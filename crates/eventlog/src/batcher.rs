//! Group commit, the same above every adapter: whatever waits is written together, one batch in flight, and the next
//! one gathers meanwhile. Is that full when the one before is written, then it goes first, and answers second.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use domain::StreamId;
use rand::Rng;
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

use crate::{
    AppendError, Appended, Bug, EncodedCommit, LogOptions, Store, kill_point, planted,
    queue::{Answer, Counters, Message, Queued, Waiting},
    tailer::Tail,
};

/// First and longest pause before a batch of unknown outcome is sent again.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// How long the batcher waits for callers who were just answered to come back with their next commit: as long as more
/// keep coming, no longer than [`QUIET`] without one, and never longer than a quarter of what the last batch took.
/// Without it two halves of the callers take turns, and each commit waits for two syncs to disk instead of one.
const QUIET: Duration = Duration::from_micros(100);
/// It does not wait for more than so many commits. They share a sync thinly enough, and that the others are woken and
/// decide while these are written saves more than a second sync costs. *Source* of both: the `append` benchmark, where
/// waiting gives 1.8 times as much with 16 callers and 1.25 with 64, and 0.8 with 256.
const ENOUGH: usize = 96;

/// What is written together, and who waits for it.
struct Batch {
    commits: Vec<EncodedCommit>,
    waiting: Vec<Waiting>,
}

/// A batch that is written, and not answered yet.
struct Written {
    commits: Arc<Vec<EncodedCommit>>,
    waiting: Vec<Waiting>,
    answers: Vec<Answer>,
}

/// The task that writes what waits.
pub(crate) struct Batcher {
    store: Arc<dyn Store>,
    tail: Arc<Tail>,
    options: LogOptions,
    receiver: mpsc::UnboundedReceiver<Message>,
    /// What came and did not fit yet, in order.
    backlog: VecDeque<Queued>,
    counters: Arc<Counters>,
    closing: Vec<oneshot::Sender<()>>,
    /// Commits that waited or were being written when the last batch was answered.
    callers: usize,
    /// How long the last batch took.
    last_write: Duration,
}

impl Batcher {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        tail: Arc<Tail>,
        options: LogOptions,
        receiver: mpsc::UnboundedReceiver<Message>,
        counters: Arc<Counters>,
    ) -> Self {
        let (backlog, closing) = (VecDeque::new(), Vec::new());
        Self {
            store,
            tail,
            options,
            receiver,
            backlog,
            counters,
            closing,
            callers: 0,
            last_write: Duration::ZERO,
        }
    }

    /// Until the queue is closed and empty.
    pub(crate) async fn run(mut self) {
        loop {
            if self.backlog.is_empty() {
                match self.receiver.recv().await {
                    Some(message) => self.take(message),
                    None => break,
                }
            }
            self.gather().await;
            let batch = self.next_batch();
            if !batch.commits.is_empty() {
                self.write(batch).await;
            }
        }
        for closing in self.closing {
            // Whoever closed it may have stopped waiting.
            let _ = closing.send(());
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Append(queued) => self.backlog.push_back(*queued),
            Message::Close(reply) => {
                self.receiver.close();
                self.closing.push(reply);
            }
        }
    }

    fn take_what_came(&mut self) {
        while let Ok(message) = self.receiver.try_recv() {
            self.take(message);
        }
    }

    /// So many commits are not made to wait for more.
    fn enough(&self) -> usize {
        self.callers.min(self.options.max_batch_commits).min(ENOUGH)
    }

    /// Takes what waits, and as long as more keeps coming waits for as many commits as there were callers last time.
    async fn gather(&mut self) {
        // The machine's time, not the runtime's: a paused runtime never gets anywhere by waiting.
        let begun = std::time::Instant::now();
        let mut last_growth = begun;
        let enough = self.enough();
        loop {
            let before = self.backlog.len();
            self.take_what_came();
            if self.backlog.len() >= enough {
                return;
            }
            let now = std::time::Instant::now();
            if self.backlog.len() > before {
                last_growth = now;
            }
            if now - last_growth >= QUIET || now - begun >= self.last_write / 4 {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Forms a batch from the backlog. A stream over its share waits for the next one, with all that follows of it.
    fn next_batch(&mut self) -> Batch {
        let most = self.options.max_batch_commits.min(self.backlog.len());
        let (mut commits, mut waiting) = (Vec::with_capacity(most), Vec::<Waiting>::with_capacity(most));
        let mut of_stream: HashMap<StreamId, usize> = HashMap::with_capacity(most);
        let mut later = VecDeque::new();
        let mut events = 0;
        while let Some(queued) = self.backlog.pop_front() {
            let stream = queued.commit.commit.stream;
            let count = of_stream.get(&stream).copied().unwrap_or(0);
            if queued.link.as_ref().is_some_and(|link| link.chain.is_broken(link.generation)) {
                self.refuse_broken(queued);
                continue;
            }
            if count >= self.options.max_batch_per_stream {
                later.push_back(queued);
                continue;
            }
            let size = queued.commit.payloads.len();
            if commits.len() >= self.options.max_batch_commits
                || (events > 0 && events + size > self.options.max_batch_events)
            {
                later.push_back(queued);
                break;
            }
            events += size;
            of_stream.insert(stream, count + 1);
            let (mut commit, this) = queued.split();
            // From the back: what it was decided on is usually the latest.
            commit.chained = count > 0 && waiting.iter().rev().any(|before| same_chain(before, &this));
            commits.push(commit);
            waiting.push(this);
        }
        later.append(&mut self.backlog);
        self.backlog = later;
        Batch { commits, waiting }
    }

    /// A commit behind one that failed: it was decided on a state that never was.
    fn refuse_broken(&self, queued: Queued) {
        self.counters.depth.fetch_sub(1, Ordering::SeqCst);
        let (commit, waiting) = queued.split();
        let expected = commit.commit.expected_version;
        waiting.answer(Err(AppendError::Conflict {
            stream: commit.commit.stream,
            expected,
            actual: expected,
        }));
    }

    /// Writes a batch, and then those that are full by the time that the one before them is written. Such a batch is on
    /// its way before the callers of the one before are answered, so that the store does not wait for that.
    async fn write(&mut self, mut batch: Batch) {
        let mut written = None;
        loop {
            if planted(Bug::AcknowledgeBeforeCommit) {
                batch.waiting = self.acknowledge_early(&batch.commits, batch.waiting).await;
            }
            let Batch { commits, waiting } = batch;
            let commits = Arc::new(commits);
            let begun = std::time::Instant::now();
            let outcome = self.send_and_answer(&commits, written.take()).await;
            self.last_write = begun.elapsed();
            self.callers = self.counters.depth.load(Ordering::SeqCst);
            let answers = match outcome {
                Ok(answers) => answers,
                Err(error) => return self.refuse(waiting, &error),
            };
            debug_assert_eq!(answers.len(), waiting.len(), "the store answers each commit");
            waiting.iter().zip(&answers).for_each(|(waiting, answer)| waiting.tie(answer));
            let this = Written { commits, waiting, answers };
            match self.full_batch() {
                Some(next) => (written, batch) = (Some(this), next),
                None => return self.answer(this),
            }
        }
    }

    /// Sends the batch, and answers the one before it while the store is at work.
    async fn send_and_answer(
        &self,
        commits: &Arc<Vec<EncodedCommit>>,
        before: Option<Written>,
    ) -> Result<Vec<Answer>, AppendError> {
        let answering = async {
            if let Some(before) = before {
                self.answer(before);
            }
        };
        // In this order: the store is handed its batch by the first poll.
        tokio::join!(biased; self.send(commits), answering).0
    }

    /// The next batch, if nothing is to be waited for.
    fn full_batch(&mut self) -> Option<Batch> {
        self.take_what_came();
        if self.backlog.is_empty()
            || self.backlog.len() < self.enough()
            || planted(Bug::AcknowledgeBeforeCommit)
        {
            return None;
        }
        Some(self.next_batch()).filter(|batch| !batch.commits.is_empty())
    }

    fn answer(&self, Written { commits, waiting, answers }: Written) {
        let count = waiting.len();
        self.publish(commits, &answers);
        self.counters.batches.fetch_add(1, Ordering::Relaxed);
        self.counters.commits.fetch_add(count as u64, Ordering::Relaxed);
        self.counters.depth.fetch_sub(count, Ordering::SeqCst);
        for (waiting, answer) in waiting.into_iter().zip(answers) {
            waiting.answer(answer);
        }
    }

    fn refuse(&self, waiting: Vec<Waiting>, error: &AppendError) {
        // It may have been written after all: let the tailer look.
        self.tail.wake();
        self.counters.depth.fetch_sub(waiting.len(), Ordering::SeqCst);
        tracing::warn!(commits = waiting.len(), %error, "a batch was not appended");
        for waiting in waiting {
            tracing::debug!(stream = %waiting.stream, "not appended");
            waiting.answer(Err(error.clone()));
        }
    }

    /// The bug: callers are told what will be true once the batch is written, which is a moment later. Those who wait no
    /// more are replaced by nobody.
    async fn acknowledge_early(&self, commits: &[EncodedCommit], waiting: Vec<Waiting>) -> Vec<Waiting> {
        let mut position = self.tail.end();
        let mut later = Vec::with_capacity(waiting.len());
        for (encoded, waiting) in commits.iter().zip(waiting) {
            let (events, stream) = (encoded.payloads.len() as u64, waiting.stream);
            if events == 0 {
                later.push(waiting);
                continue;
            }
            position += events;
            let version = encoded.commit.expected_version + events;
            waiting.answer(Ok(Appended { version, position, duplicate: false }));
            later.push(Waiting::nobody(stream));
        }
        tokio::time::sleep(Duration::from_millis(40)).await;
        later
    }

    /// Sends the batch until its outcome is known or the deadline is over.
    async fn send(&self, commits: &Arc<Vec<EncodedCommit>>) -> Result<Vec<Answer>, AppendError> {
        let deadline = Instant::now() + self.options.retry_deadline;
        let mut pause = FIRST_PAUSE;
        loop {
            kill_point("log.before_write");
            let outcome = self.store.append_batch(commits.clone()).await;
            kill_point("log.after_write");
            match outcome {
                Err(AppendError::Unavailable(reason)) if Instant::now() + pause < deadline => {
                    tracing::warn!(%reason, "the outcome of a batch is unknown: sending it again");
                    let jitter = rand::rng().random_range(0.5..1.0);
                    tokio::time::sleep(pause.mul_f64(jitter)).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                outcome => return outcome,
            }
        }
    }

    /// Hands the written events to the tailer, so that nobody has to read them back.
    fn publish(&self, commits: Arc<Vec<EncodedCommit>>, answers: &[Answer]) {
        let last = answers.iter().flatten().map(|appended| appended.position).max().unwrap_or(0);
        // The adapter has let go of the batch when it answers; if one has not, the copy costs time only.
        let commits = Arc::try_unwrap(commits).unwrap_or_else(|shared| shared.as_ref().clone());
        let mut written = Vec::with_capacity(commits.len());
        for (commit, answer) in commits.into_iter().zip(answers) {
            match answer {
                Ok(appended) if !appended.duplicate && !commit.payloads.is_empty() => {
                    written.extend(commit.into_envelopes(appended.position));
                }
                _ => {}
            }
        }
        self.counters.events.fetch_add(written.len() as u64, Ordering::Relaxed);
        self.tail.publish(written);
        if last > self.tail.end() {
            self.tail.wake();
        }
    }
}

fn same_chain(before: &Waiting, this: &Waiting) -> bool {
    match (&before.link, &this.link) {
        (Some(before), Some(this)) => {
            Arc::ptr_eq(&before.chain, &this.chain) && before.generation == this.generation
        }
        _ => false,
    }
}
