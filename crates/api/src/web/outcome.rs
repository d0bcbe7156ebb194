//! Giving a command and waiting for what process managers make of it, wherever they run: woken by the log's tailer.

use std::time::Duration;

use domain::{Aggregate, AggregateId, Envelope, Position, StreamId, Version};
use eventlog::{CommandContext, Effect};
use tokio::time::{Instant, timeout_at};

use crate::{app::Services, problem::Problem};

/// Events read at once where the end of a repeated command is looked for.
const PAGE: usize = 256;
/// So many pages of a stream are read at most: an end that stands further behind is not found, and the command is
/// answered as undecided.
const PAGES: usize = 256;

/// What a command led to.
pub struct Outcome<T> {
    /// Whether it took effect now, earlier, or was under way under the same id.
    pub effect: Effect,
    /// The version of its aggregate.
    pub version: Version,
    /// The newest event that is known to belong to it.
    pub position: Position,
    /// How it ended; nothing when the time was over before.
    pub ended: Option<T>,
}

/// A command that ends somewhere else than in its own commit.
pub struct Following<'a, T> {
    /// How long the end is waited for.
    pub within: Duration,
    /// Where the end stands if an earlier run of the same request led to it.
    pub streams: &'a [StreamId],
    /// Whether an event is the end, and which.
    pub end: &'a (dyn Fn(&Envelope) -> Option<T> + Sync),
}

impl Services {
    /// Carries out a command and waits for its end.
    ///
    /// # Errors
    /// The refusal, or why it could not be carried out.
    pub async fn follow<A: Aggregate, T: Send>(
        &self,
        id: &A::Id,
        expected: Option<Version>,
        command: <A as Aggregate>::Command,
        context: CommandContext,
        following: Following<'_, T>,
    ) -> Result<Outcome<T>, Problem> {
        let Following { within, streams, end } = following;
        // Before the append, so that no event is missed.
        let mut watch = self.log().watch_correlation(context.correlation_id);
        let deadline = Instant::now() + within;
        let done = self.execute::<A>(id, expected, command, context).await?;
        let (mut position, mut ended) = (done.position, None);
        if done.effect == Effect::AlreadyApplied {
            return Ok(Outcome { effect: done.effect, version: done.version, position, ended });
        }
        if done.effect == Effect::Duplicate {
            let own = StreamId::new(A::KIND, id.uuid());
            for stream in streams {
                // Of its own stream the command knows where its events are; elsewhere the end can be anywhere.
                let after = if *stream == own { done.version } else { 0 };
                if let Some((what, at)) = self.end_in(*stream, after, done.position, end).await? {
                    (ended, position) = (Some(what), position.max(at));
                    break;
                }
            }
        }
        while ended.is_none() {
            let Ok(Some(event)) = timeout_at(deadline, watch.recv()).await else { break };
            if event.position > done.position {
                position = position.max(event.position);
                ended = end(&event);
            }
        }
        Ok(Outcome { effect: done.effect, version: done.version, position, ended })
    }

    /// The first end in a stream: after this version, and after the command's own events.
    async fn end_in<T>(
        &self,
        stream: StreamId,
        mut after: Version,
        behind: Position,
        end: &(dyn Fn(&Envelope) -> Option<T> + Sync),
    ) -> Result<Option<(T, Position)>, Problem> {
        for _ in 0..PAGES {
            let page = self.log().read_stream(stream, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.version;
            let since = page.iter().filter(|event| event.position > behind);
            let found = since.filter_map(|event| Some((end(event)?, event.position))).next();
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }
}
