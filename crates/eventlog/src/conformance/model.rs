//! Random batches, answered the same as by a model that is too simple to be wrong.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use domain::{Position, StreamId, Version};
use rand::{Rng, SeedableRng, rngs::SmallRng};

use super::{Answer, Fixture, commit, conflict, new, read_all, repeated, stream};
use crate::{AppendError, Commit, EncodedCommit};

const BATCHES: usize = 300;

/// A stored commit: its command, its content, and where its last event is.
struct Stored {
    command: u64,
    content: u64,
    events: usize,
    end: (Version, Position),
}

#[derive(Default)]
struct Model {
    streams: HashMap<StreamId, Vec<Stored>>,
    head: Position,
}

/// One commit as the model knows it.
#[derive(Clone, Copy, Debug)]
struct Drawn {
    stream: StreamId,
    expected: Version,
    command: u64,
    /// Commits of the same command and another content are a reuse.
    content: u64,
    events: usize,
    chained: bool,
}

impl Drawn {
    fn encoded(self) -> EncodedCommit {
        let command_id = commit(self.stream, 0, self.command, 0).command_id;
        let commit = Commit { command_id, ..commit(self.stream, self.expected, self.content, self.events) };
        EncodedCommit { chained: self.chained, ..EncodedCommit::new(commit) }
    }
}

impl Model {
    fn end(&self, stream: StreamId) -> (Version, Position) {
        self.streams.get(&stream).and_then(|commits| commits.last()).map_or((0, 0), |commit| commit.end)
    }

    fn answer(&mut self, drawn: Drawn, broken: &mut HashSet<StreamId>) -> Answer {
        let (version, position) = self.end(drawn.stream);
        let commits = self.streams.entry(drawn.stream).or_default();
        if let Some(first) = commits.iter().find(|stored| stored.command == drawn.command) {
            if drawn.events == 0 {
                return repeated(first.end.0, first.end.1);
            }
            let same = (first.content, first.events) == (drawn.content, drawn.events);
            broken.insert(drawn.stream);
            if same {
                repeated(first.end.0, first.end.1)
            } else {
                let command_id = commit(drawn.stream, 0, drawn.command, 0).command_id;
                Err(AppendError::CommandIdReused { stream: drawn.stream, command_id, version: first.end.0 })
            }
        } else if drawn.expected != version || (drawn.chained && broken.contains(&drawn.stream)) {
            broken.insert(drawn.stream);
            conflict(drawn.stream, drawn.expected, version)
        } else if drawn.events == 0 {
            new(version, position)
        } else {
            self.head += drawn.events as u64;
            let end = (version + drawn.events as u64, self.head);
            commits.push(Stored {
                command: drawn.command,
                content: drawn.content,
                events: drawn.events,
                end,
            });
            new(end.0, end.1)
        }
    }

    /// Mostly what a caller would send, and now and then everything else.
    fn draw(&self, random: &mut SmallRng, guessed: &mut HashMap<StreamId, Version>) -> Drawn {
        let stream = stream(random.random_range(0..6));
        let newest = *guessed.entry(stream).or_insert_with(|| self.end(stream).0);
        let expected = if random.random_bool(0.8) { newest } else { random.random_range(0..=newest + 2) };
        let command = random.random_range(1..400);
        let content = if random.random_bool(0.95) { command } else { command + 1_000 };
        let events = if random.random_bool(0.2) { 0 } else { 1 + (command % 3) as usize };
        guessed.insert(stream, newest + events as u64);
        Drawn { stream, expected, command, content, events, chained: random.random_bool(0.3) }
    }
}

/// Random batches of right and wrong, repeated and reused, empty and chained commits, with restarts in between: every
/// answer and every stored event is as in the model. A failure prints the seed.
pub async fn random_batches_are_answered_as_by_a_simple_model(fixture: &dyn Fixture) {
    let seed = rand::rng().random();
    let mut random = SmallRng::seed_from_u64(seed);
    let mut model = Model::default();
    let mut store = fixture.open().await;
    for batch in 0..BATCHES {
        let mut guessed = HashMap::new();
        let drawn: Vec<_> =
            (0..random.random_range(1..20)).map(|_| model.draw(&mut random, &mut guessed)).collect();
        let encoded = drawn.iter().map(|drawn| drawn.encoded()).collect();
        let answers = store.append_batch(Arc::new(encoded)).await.expect("the store answers");
        let mut broken = HashSet::new();
        let expected: Vec<_> = drawn.iter().map(|drawn| model.answer(*drawn, &mut broken)).collect();
        assert_eq!(answers, expected, "seed {seed}, batch {batch}: {drawn:#?}");
        if batch % 100 == 99 {
            store.close().await;
            store = fixture.open().await;
        }
    }
    let all = read_all(&*store).await;
    assert_eq!(all.len() as u64, model.head, "seed {seed}");
    for (stream, commits) in &model.streams {
        let versions = all.iter().filter(|event| event.stream_id == stream.id).map(|event| event.version);
        let last = commits.last().map_or(0, |commit| commit.end.0);
        assert!(versions.eq(1..=last), "seed {seed}: the versions of {stream}");
    }
}
