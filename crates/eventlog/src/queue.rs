//! The queue in front of the batcher, and what is tied to a commit while it waits.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use domain::StreamId;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use crate::{
    AppendError, Appended, Commit, EncodedCommit, LogOptions, Store, batcher::Batcher, tailer::Tail,
};

pub(crate) type Answer = Result<Appended, AppendError>;

/// An append that has its place in the queue. Dropping it loses the answer, not the append.
#[derive(Debug)]
#[must_use = "the answer says whether it was appended"]
pub struct PendingAppend(Pending);

#[derive(Debug)]
enum Pending {
    Refused(AppendError),
    Waiting(oneshot::Receiver<Answer>),
}

impl Future for PendingAppend {
    type Output = Answer;
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        match &mut self.0 {
            Pending::Refused(error) => Poll::Ready(Err(error.clone())),
            Pending::Waiting(answer) => Pin::new(answer).poll(context).map(|answer| {
                let gone = || Err(AppendError::Unavailable("the log stopped before it answered".to_owned()));
                answer.unwrap_or_else(|_| gone())
            }),
        }
    }
}

/// Decisions that build on each other: each commit was decided on the state that the one before it leads to. When one
/// of them is not written as it was decided, those behind it must not be either.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    broken_up_to: AtomicU64,
    confirmed: AtomicU64,
}

impl Chain {
    /// Breaks the chain for everything decided on load number `generation` or an earlier one.
    pub(crate) fn break_up_to(&self, generation: u64) {
        self.broken_up_to.fetch_max(generation, Ordering::SeqCst);
    }

    pub(crate) fn is_broken(&self, generation: u64) -> bool {
        self.broken_up_to.load(Ordering::SeqCst) >= generation
    }

    /// A decision on load number `generation` was written (or asserted) as it was decided: that load was right.
    pub(crate) fn confirm(&self, generation: u64) {
        self.confirmed.fetch_max(generation, Ordering::SeqCst);
    }

    pub(crate) fn is_confirmed(&self, generation: u64) -> bool {
        self.confirmed.load(Ordering::SeqCst) >= generation
    }

    pub(crate) fn broken_up_to(&self) -> u64 {
        self.broken_up_to.load(Ordering::SeqCst)
    }
}

/// What the executor ties to a commit. Handled by the batcher, so that it happens even when the caller is gone.
pub(crate) struct Link {
    pub(crate) chain: Arc<Chain>,
    pub(crate) generation: u64,
    /// Runs once the commit is on disk.
    pub(crate) on_applied: Option<Box<dyn FnOnce() + Send + Sync>>,
    /// Given back when the commit is answered.
    pub(crate) _permit: OwnedSemaphorePermit,
}

/// A commit in the queue.
pub(crate) struct Queued {
    pub(crate) commit: EncodedCommit,
    pub(crate) link: Option<Link>,
    reply: oneshot::Sender<Answer>,
}

/// A queued commit whose content is in the batch.
pub(crate) struct Waiting {
    pub(crate) stream: StreamId,
    pub(crate) link: Option<Link>,
    reply: oneshot::Sender<Answer>,
}

impl Waiting {
    /// Nobody waits for this commit.
    pub(crate) fn nobody(stream: StreamId) -> Self {
        Self { stream, link: None, reply: oneshot::channel().0 }
    }

    /// What the answer means for the chain. A commit that was not written as it was decided breaks it. So does a repeat
    /// without events: it is answered by its id, so the version that it was decided on was not looked at. Twice is once:
    /// a batch that goes before these answers has to know it already.
    pub(crate) fn tie(&self, answer: &Answer) {
        let Some(link) = &self.link else { return };
        if matches!(answer, Ok(appended) if !appended.duplicate) {
            link.chain.confirm(link.generation);
        } else {
            link.chain.break_up_to(link.generation);
        }
    }

    /// Answers.
    pub(crate) fn answer(self, answer: Answer) {
        self.tie(&answer);
        if let Some(on_applied) = self.link.and_then(|link| link.on_applied)
            && matches!(answer, Ok(appended) if !appended.duplicate)
        {
            on_applied();
        }
        // The caller may have hung up.
        let _ = self.reply.send(answer);
    }
}

impl Queued {
    pub(crate) fn split(self) -> (EncodedCommit, Waiting) {
        let stream = self.commit.commit.stream;
        (self.commit, Waiting { stream, link: self.link, reply: self.reply })
    }
}

/// Counters and the bound of the queue.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) depth: AtomicUsize,
    pub(crate) batches: AtomicU64,
    pub(crate) commits: AtomicU64,
    pub(crate) events: AtomicU64,
}

/// What the batcher is told.
pub(crate) enum Message {
    Append(Box<Queued>),
    Close(oneshot::Sender<()>),
}

/// The queue's entrance.
pub(crate) struct Queue {
    sender: mpsc::UnboundedSender<Message>,
    closed: AtomicBool,
    capacity: usize,
    pub(crate) counters: Arc<Counters>,
}

impl Queue {
    /// Starts the batcher.
    pub(crate) fn start(store: Arc<dyn Store>, tail: Arc<Tail>, options: &LogOptions) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        let counters = Arc::<Counters>::default();
        let batcher = Batcher::new(store, tail, options.clone(), receiver, counters.clone());
        tokio::spawn(batcher.run());
        Self { sender, closed: AtomicBool::new(false), capacity: options.queue_capacity, counters }
    }

    /// Encodes the commit, in the caller's task, and queues it.
    pub(crate) fn push(&self, commit: Commit, link: Option<Link>) -> PendingAppend {
        let refuse = |link: Option<Link>, error: AppendError| {
            if let Some(link) = link {
                link.chain.break_up_to(link.generation);
            }
            PendingAppend(Pending::Refused(error))
        };
        if self.closed.load(Ordering::SeqCst) {
            return refuse(link, AppendError::ShuttingDown);
        }
        if self.counters.depth.fetch_add(1, Ordering::SeqCst) >= self.capacity {
            self.counters.depth.fetch_sub(1, Ordering::SeqCst);
            return refuse(link, AppendError::Unavailable("the log's queue is full".to_owned()));
        }
        let (reply, answer) = oneshot::channel();
        let queued = Queued { commit: EncodedCommit::new(commit), link, reply };
        match self.sender.send(Message::Append(Box::new(queued))) {
            Ok(()) => PendingAppend(Pending::Waiting(answer)),
            Err(mpsc::error::SendError(message)) => {
                self.counters.depth.fetch_sub(1, Ordering::SeqCst);
                let link = if let Message::Append(queued) = message { queued.link } else { None };
                refuse(link, AppendError::ShuttingDown)
            }
        }
    }

    /// Refuses new commits and waits until those that were queued are answered.
    pub(crate) async fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        let (reply, closed) = oneshot::channel();
        if self.sender.send(Message::Close(reply)).is_ok() {
            // An error means that the batcher is gone, and with it the queue.
            let _ = closed.await;
        }
    }
}
