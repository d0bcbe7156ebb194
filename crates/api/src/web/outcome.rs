//! Giving a command and waiting for what process managers make of it, wherever they run: woken by the log's tailer.

use std::time::Duration;

use domain::{Aggregate, Envelope, Position, StreamId, Version};
use eventlog::{CommandContext, Effect};
use tokio::time::{Instant, timeout_at};

use crate::{app::Services, problem::Problem};

/// How far behind a repeated command its end is looked for, in events of a stream.
const ENOUGH: usize = 64;

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
            for stream in streams {
                let since = self.log().read_stream(*stream, 0, ENOUGH).await?;
                let found = since.iter().filter(|event| event.position > done.position);
                let found = found.filter_map(|event| Some((end(event)?, event.position))).next();
                if let Some((what, at)) = found {
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
}
