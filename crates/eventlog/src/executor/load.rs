//! Loading: a snapshot if there is one, then the rest of the stream.

use domain::{Aggregate, DecodeError, Outcome, StreamId, Version};
use uuid::Uuid;

use super::Executor;
use crate::{LogError, RawEvent, Snapshot};

/// Events read at once. A shorter stream needs no snapshot.
pub(super) const PAGE: usize = 512;

impl Executor {
    /// Folds a stream as it is on disk.
    pub(super) async fn fold<A: Aggregate>(&self, stream: StreamId) -> Result<(Version, A), LogError> {
        let mut state = A::default();
        let mut version = 0;
        let mut page = self.log.store().read_stream(stream, 0, PAGE).await?;
        if page.len() == PAGE
            && let Some((snapshot, behind)) = self.snapshot::<A>(stream).await?
        {
            version = snapshot.0;
            state = snapshot.1;
            page = behind;
        }
        loop {
            let more = page.len() == PAGE;
            for raw in page {
                version = apply(&mut state, raw)?;
            }
            if !more {
                return Ok((version, state));
            }
            page = self.log.store().read_stream(stream, version, PAGE).await?;
        }
    }

    /// Whether the command, decided on what the stream held before the commit of this id, leads to that commit's events.
    /// Some commands count, such as a request to send something once more: right behind themselves they lead to others.
    pub(super) async fn leads_to_what_is_stored<A: Aggregate>(
        &self,
        stream: StreamId,
        command: &<A as Aggregate>::Command,
        command_id: Uuid,
    ) -> Result<bool, LogError> {
        let mut state = A::default();
        let mut version = 0;
        let mut stored = Vec::new();
        loop {
            let page = self.log.store().read_stream(stream, version, PAGE).await?;
            let more = page.len() == PAGE;
            for raw in page {
                version = raw.version;
                if raw.command_id == command_id {
                    stored.push(event::<A>(raw)?.1);
                } else if stored.is_empty() {
                    version = apply(&mut state, raw)?;
                }
            }
            if !more {
                let decided = state.decide(command);
                return Ok(matches!(decided, Ok(Outcome::Executed(events)) if events == stored));
            }
        }
    }

    /// The newest usable snapshot and a page of events behind it. The page is read from the snapshot's own event on,
    /// which proves that the log still has it: a log that was restored from a backup may end earlier.
    async fn snapshot<A: Aggregate>(
        &self,
        stream: StreamId,
    ) -> Result<Option<((Version, A), Vec<RawEvent>)>, LogError> {
        let Some(snapshots) = &self.snapshots else { return Ok(None) };
        let snapshot = match snapshots.load(stream).await {
            Ok(Some(snapshot)) if snapshot.fold_version == A::FOLD_VERSION && snapshot.version > 0 => {
                snapshot
            }
            Ok(_) => return Ok(None),
            Err(error) => {
                tracing::warn!(%stream, %error, "a snapshot could not be read: folding from the start");
                return Ok(None);
            }
        };
        let state = match serde_json::from_slice(&snapshot.state) {
            Ok(state) => state,
            Err(error) => {
                tracing::warn!(%stream, %error, "a snapshot could not be read: folding from the start");
                return Ok(None);
            }
        };
        let mut page = self.log.store().read_stream(stream, snapshot.version - 1, PAGE + 1).await?;
        if page.first().is_none_or(|event| event.version != snapshot.version) {
            return Ok(None);
        }
        page.remove(0);
        Ok(Some(((snapshot.version, state), page)))
    }
}

pub(super) fn apply<A: Aggregate>(state: &mut A, raw: RawEvent) -> Result<Version, LogError> {
    let (version, event) = event::<A>(raw)?;
    state.evolve(&event);
    Ok(version)
}

fn event<A: Aggregate>(raw: RawEvent) -> Result<(Version, <A as Aggregate>::Event), LogError> {
    let envelope = raw.decode()?;
    let name = envelope.event.name();
    let event = <A as Aggregate>::Event::try_from(envelope.event).map_err(|_| LogError::Decode {
        position: envelope.position,
        source: DecodeError::Unknown { name: name.to_owned(), version: 0 },
    })?;
    Ok((envelope.version, event))
}

/// A snapshot of `state` if the way from `before` to `version` passes a multiple of `every`.
pub(super) fn due_snapshot<A: Aggregate>(
    before: Version,
    version: Version,
    every: u64,
    state: &A,
) -> Option<Snapshot> {
    if before / every.max(1) == version / every.max(1) {
        return None;
    }
    match serde_json::to_vec(state) {
        Ok(state) => Some(Snapshot { version, fold_version: A::FOLD_VERSION, state }),
        Err(error) => {
            tracing::warn!(kind = A::KIND.name(), %error, "a state cannot be kept as a snapshot");
            None
        }
    }
}
