//! The log in PostgreSQL: every round runs each measurement on a new schema, the log beside its limit (bare inserts of
//! the very rows that it has just written, in batches as large as its own were) and beside its peer (cqrs-es with
//! postgres-es). Every other round runs them the other way round, and ratios are taken within a round, so that a busy
//! machine is busy for all of them.

mod bare;
mod drive;
mod ours;
mod peer;
mod table;

use std::{
    error::Error,
    fmt,
    time::{Duration, Instant},
};

use eventlog::LogOptions;

use self::{drive::Yield, ours::Entry};
use super::Options;
use crate::store::Server;

type Failure = Box<dyn Error + Send + Sync>;

/// Pools of the peer. The better one counts.
const POOLS: [u32; 2] = [16, 32];

/// On a busy machine no further round begins after so long, unless there are too few for a median.
const LONG_ENOUGH: Duration = Duration::from_secs(60);
const FEWEST_ROUNDS: usize = 3;

/// What the callers write to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Streams {
    /// A new stream with each command.
    New,
    /// Streams of their own that exist, in turn.
    Existing,
    /// The same one.
    One,
}

impl Streams {
    /// Streams that are made for each caller beforehand.
    fn of_each_caller(self) -> usize {
        match self {
            Self::New | Self::One => 0,
            Self::Existing => 2,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Load {
    callers: usize,
    streams: Streams,
}

/// Who carries the load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    /// The log. `limited`: beside its limit.
    Ours { entry: Entry, limited: bool },
    /// The peer, with so many connections.
    Peer(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Case {
    side: Side,
    load: Load,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.side {
            Side::Ours { entry: Entry::Append, .. } => write!(f, "appends")?,
            Side::Ours { entry: Entry::Command, .. } => write!(f, "commands")?,
            Side::Peer(connections) => write!(f, "cqrs-es, pool of {connections}")?,
        }
        f.write_str(match self.load.streams {
            Streams::New => ", new streams",
            Streams::Existing => ", existing streams",
            Streams::One => ", one stream",
        })
    }
}

/// What one run of a case gave.
struct Seen {
    run: Yield,
    events_per_batch: Option<f64>,
    /// Rows per second of the limit.
    bare: Option<f64>,
}

/// Measures and prints.
pub(super) fn run(options: &Options, url: Option<&str>) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let server = Server::start(url).map_err(|error| error as Box<dyn Error>)?;
    let measured = runtime.block_on(async {
        let measured = measure(options, &server).await;
        // Also after a failure, whose reason is worth more than that of this.
        let cleared = server.clear().await;
        measured.and(cleared)
    });
    measured.map_err(|error| error as Box<dyn Error>)
}

async fn measure(options: &Options, server: &Server) -> Result<(), Failure> {
    let place = server.describe().await?;
    eprintln!("{place}");
    let cases = cases(options);
    let mut seen: Vec<Vec<Seen>> = cases.iter().map(|_| Vec::new()).collect();
    let (rounds, begun) = (options.rounds(), Instant::now());
    for round in 0..rounds {
        if options.rounds.is_none() && round >= FEWEST_ROUNDS && begun.elapsed() > LONG_ENOUGH {
            break;
        }
        server.settle().await?;
        let order: Vec<usize> =
            if round % 2 == 0 { (0..cases.len()).collect() } else { (0..cases.len()).rev().collect() };
        for index in order {
            seen[index].push(once(server, cases[index], options).await?);
        }
        eprintln!("round {} of {rounds} done after {:.0} s", round + 1, begun.elapsed().as_secs_f64());
    }
    table::print(&place, options.seconds, &cases, &seen);
    Ok(())
}

/// What is measured: everything at the largest number of callers, the essential at the others.
fn cases(options: &Options) -> Vec<Case> {
    let most = options.most_callers();
    let mut cases = Vec::new();
    for callers in options.callers.iter().copied() {
        let mut add = |side, streams| cases.push(Case { side, load: Load { callers, streams } });
        let limited = callers == most;
        let ours = |entry| Side::Ours { entry, limited };
        add(ours(Entry::Append), Streams::New);
        add(ours(Entry::Command), Streams::New);
        add(Side::Peer(POOLS[0]), Streams::New);
        if limited {
            add(Side::Peer(POOLS[1]), Streams::New);
            add(ours(Entry::Append), Streams::Existing);
            add(ours(Entry::Command), Streams::Existing);
            add(Side::Peer(POOLS[0]), Streams::Existing);
            add(Side::Peer(POOLS[1]), Streams::Existing);
            add(ours(Entry::Command), Streams::One);
        }
    }
    cases
}

async fn once(server: &Server, case: Case, options: &Options) -> Result<Seen, Failure> {
    let seconds = options.seconds;
    match case.side {
        Side::Ours { entry, limited } => {
            let mut log = LogOptions::default();
            log.max_batch_commits = options.batch.unwrap_or(log.max_batch_commits);
            let ours = ours::measure(server, entry, case.load, log, seconds).await?;
            let batch = (ours.events_per_batch.round() as usize).max(1);
            let bare =
                if limited { Some(bare::measure(server, ours.rows, batch, seconds).await?) } else { None };
            Ok(Seen { run: ours.run, events_per_batch: Some(ours.events_per_batch), bare })
        }
        Side::Peer(connections) => {
            let run = peer::measure(server, connections, case.load, seconds).await?;
            Ok(Seen { run, events_per_batch: None, bare: None })
        }
    }
}
