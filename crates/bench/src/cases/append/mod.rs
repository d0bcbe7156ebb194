//! Case `append`: what deciding, encoding, queueing and answering cost on top of the disk, on either store. The executor
//! beside its limit (bare inserts of the very rows that it has just written), beside its peer (cqrs-es with the crate for
//! the store) and beside what is written by hand (an INSERT and a transaction for each event).

mod bare;
mod giver;
mod naive;
mod ours;
mod peer;
mod place;
mod rows;

use eventlog::LogOptions;
use hdrhistogram::Histogram;

pub(crate) use self::{
    bare::{log_limit, log_limit_of_schema},
    ours::measure as executor,
    place::{Load, Place, Streams},
};
use self::{rows::Seen, rows::rows};
use crate::{
    Failure,
    cases::{Case, callers, seconds},
    context::Context,
    drive::Yield,
    report::{CaseReport, Latency},
    stats::latencies,
};

/// Options of the case.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// How often everything is measured.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Callers who wait at once, each for the answer to its own command: so many numbers, so many measurements.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 64, 256], value_parser = callers)]
    callers: Vec<usize>,
    /// Seconds of each measurement; a quarter more is run first to warm up.
    #[arg(long, default_value_t = 0.6, value_parser = seconds)]
    seconds: f64,
    /// Most commits of one batch of the log [default: the log's own].
    #[arg(long, value_parser = callers)]
    batch: Option<usize>,
}

impl Options {
    fn log(&self) -> LogOptions {
        let mut log = LogOptions::default();
        log.max_batch_commits = self.batch.unwrap_or(log.max_batch_commits);
        log
    }

    /// What is measured: both kinds of streams with the most callers, new streams with fewer.
    fn loads(&self) -> Vec<Load> {
        let most = self.callers.iter().copied().max().unwrap_or(1);
        let mut loads: Vec<Load> =
            self.callers.iter().map(|&callers| Load { callers, streams: Streams::New }).collect();
        loads.push(Load { callers: most, streams: Streams::Existing });
        loads
    }
}

/// Everything that is measured under one load on one store.
struct Measured<'c> {
    place: Place<'c>,
    load: Load,
    seen: Vec<Seen>,
    /// Latencies of the executor, of all rounds.
    latency: Histogram<u64>,
}

impl Case for Options {
    fn name(&self) -> &'static str {
        "append"
    }

    fn make_quick(&mut self) {
        (self.rounds, self.callers, self.seconds) = (1, vec![1, 16], 0.1);
    }

    fn run(&self, context: &Context) -> Result<CaseReport, Failure> {
        let places = place::all(context)?;
        let most = self.callers.iter().copied().max().unwrap_or(1);
        let mut all = Vec::new();
        for place in places {
            for load in self.loads() {
                all.push(Measured { place, load, seen: Vec::new(), latency: latencies() });
            }
        }
        let rounds = self.rounds.max(1);
        for round in 0..rounds {
            // Every other round runs the other way round.
            let order: Vec<usize> =
                if round % 2 == 0 { (0..all.len()).collect() } else { (0..all.len()).rev().collect() };
            for index in order {
                let measured = &mut all[index];
                let (seen, run) = context.block_on(self.once(
                    measured.place,
                    measured.load,
                    measured.load.callers == most,
                ))?;
                measured.latency.add(run.latency)?;
                measured.seen.push(seen);
            }
            eprintln!("  round {} of {rounds}", round + 1);
        }
        let latency = |one: &Measured<'_>| {
            Latency::of(format!("executor, {}", one.load), one.place.name(), &one.latency)
        };
        Ok(CaseReport {
            name: self.name(),
            title: "commands through the executor, one event each".to_owned(),
            how: vec![
                format!(
                    "Callers wait each for the answer, synced to disk, before they give the next command; {} s of each \
                     measurement count, after a quarter more to warm up; every measurement on an empty table.",
                    self.seconds
                ),
                "Limit: a loop that inserts the very rows that the executor has just written, with the same table, \
                 indexes, durability and lock, in batches of as many rows as there are callers, and does nothing else."
                    .to_owned(),
                "cqrs-es: the same aggregate and commands with sqlite-es 0.5 or postgres-es 0.5 as published, with their \
                 tables, WAL and synchronous=FULL on SQLite; pools of 1 and of 10 connections (SQLite) or of 16 and of \
                 32 (PostgreSQL), of which the better counts."
                    .to_owned(),
                "INSERT per event: the same rows by hand, nothing decided, a transaction each; on SQLite one \
                 connection that callers take turns with, on PostgreSQL 32 connections and a sequence."
                    .to_owned(),
            ],
            rows: all.iter().flat_map(|one| rows(one, one.load.callers == most)).collect(),
            latencies: all.iter().map(latency).collect(),
            figures: all.iter().filter_map(rows::batches).collect(),
        })
    }
}

impl Options {
    /// One round of one load on one store, everything one after the other.
    async fn once(&self, place: Place<'_>, load: Load, most: bool) -> Result<(Seen, Yield), Failure> {
        place.settle().await?;
        let ours = ours::measure(place, load, self.log(), self.seconds).await?;
        let per_batch = ours.events_per_batch;
        let mut written = ours.written;
        let limit = written.insert(place, load.callers, self.seconds).await?;
        let own = (per_batch.round() as usize).max(1);
        let limit_of_own_batches = if most && load.callers > 1 {
            Some(written.insert(place, own, self.seconds).await?)
        } else {
            None
        };
        drop(written);
        let mut peers = Vec::new();
        let pools = place.pools();
        for &pool in if load.callers > 1 { &pools[..] } else { &pools[..1] } {
            peers.push(peer::measure(place, pool, load, self.seconds).await?);
        }
        let by_hand = match load.streams {
            Streams::New => Some(naive::measure(place, load.callers, self.seconds).await?),
            _ => None,
        };
        let seen = Seen { ours: ours.run.per_second, per_batch, limit, limit_of_own_batches, peers, by_hand };
        Ok((seen, ours.run))
    }
}
