//! Case `hot`: everybody wants something of the same aggregate at once.

use eventlog::LogOptions;

use super::{
    Case,
    append::{Load, Place, Streams, executor},
    callers, seconds,
};
use crate::{
    Failure,
    context::Context,
    report::{CaseReport, Latency, Row},
    stats::latencies,
};

/// Options of the case.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// How often everything is measured.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Callers who wait at once, each for the answer to its own command.
    #[arg(long, default_value_t = 256, value_parser = callers)]
    callers: usize,
    /// Seconds of each measurement; a quarter more is run first to warm up.
    #[arg(long, default_value_t = 1.0, value_parser = seconds)]
    seconds: f64,
}

impl Case for Options {
    fn name(&self) -> &'static str {
        "hot"
    }

    fn make_quick(&mut self) {
        (self.rounds, self.callers, self.seconds) = (1, 32, 0.2);
    }

    fn run(&self, context: &Context) -> Result<CaseReport, Failure> {
        let (mut rows, mut quantiles) = (Vec::new(), Vec::new());
        let loads = [Streams::One, Streams::Existing].map(|streams| Load { callers: self.callers, streams });
        for place in Place::all(context)? {
            let mut rates = loads.map(|_| Vec::new());
            let mut all = loads.map(|_| latencies());
            for round in 0..self.rounds.max(1) {
                for index in if round % 2 == 0 { [0, 1] } else { [1, 0] } {
                    let ours = executor(place, loads[index], LogOptions::default(), self.seconds);
                    let run = context.block_on(ours)?.run;
                    rates[index].push(run.per_second);
                    all[index].add(run.latency)?;
                }
            }
            eprintln!("  {} done", place.name());
            let [one, many] = rates;
            let row = Row::alone(loads[0].to_string(), place.name(), "events/s", one);
            rows.push(row.against(loads[1].to_string(), many));
            let told = loads.iter().zip(&all);
            quantiles.extend(told.map(|(load, all)| Latency::of(load.to_string(), place.name(), all)));
        }
        Ok(CaseReport {
            name: self.name(),
            title: "one hot aggregate".to_owned(),
            how: vec![
                format!(
                    "{} callers give commands to one product through the executor, each waiting for the answer, \
                     synced to disk; {} s of each measurement count, after a quarter more to warm up.",
                    self.callers, self.seconds
                ),
                "Reference: as many callers, each with two products of their own, in the same round."
                    .to_owned(),
            ],
            rows,
            latencies: quantiles,
            figures: Vec::new(),
        })
    }
}
