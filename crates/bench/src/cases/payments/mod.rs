//! Case `payments`: a payment that takes longer than an order should, under the originals' own load and under ten times as
//! much as can be paid. The server and the provider are processes of their own; all share the machine with the load.

mod books;
mod goals;
mod originals;
mod overload;
mod teller;
mod users;
mod world;

use std::ops::RangeInclusive;

use self::world::Setup;
use super::Case;
use crate::{Failure, context::Context, report::CaseReport};

/// Options of the case.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Seconds of the runs of the originals' load.
    #[arg(long, value_delimiter = ',', default_values_t = [10, 60], value_parser = clap::value_parser!(u64).range(2..=3_600))]
    seconds: Vec<u64>,
    /// Users who order at once, each waiting for the answer.
    #[arg(long, default_value_t = 100)]
    users: usize,
    /// How long the provider takes for an answer: least and most. Milliseconds.
    #[arg(long, value_name = "MIN..MAX", default_value = "400..620", value_parser = latency)]
    latency: RangeInclusive<u64>,
    /// How long the server waits for the provider (gateway.deadline_ms). Milliseconds.
    #[arg(long, default_value_t = 610)]
    deadline_ms: u64,
    /// Calls to the provider that may be under way at once (gateway.max_concurrent).
    #[arg(long, default_value_t = 128)]
    places: usize,
    /// Only the overload, without the originals' load.
    #[arg(long, conflicts_with = "no_overload")]
    overload: bool,
    /// Only the originals' load, without the overload.
    #[arg(long)]
    no_overload: bool,
    #[command(flatten)]
    offered: overload::Offered,
    /// The shop to order from: one whose customers pay with the order.
    #[arg(long, default_value = "phone")]
    shop: String,
}

fn latency(text: &str) -> Result<RangeInclusive<u64>, String> {
    let (min, max) = text.split_once("..").unwrap_or((text, text));
    match (min.parse(), max.parse()) {
        (Ok(min), Ok(max)) if 0 < max && min <= max => Ok(min..=max),
        _ => Err("write a range of milliseconds, such as 400..620".to_owned()),
    }
}

impl Case for Options {
    fn name(&self) -> &'static str {
        "payments"
    }

    /// The overload cannot be made short: whether all is as before takes some seconds to be seen.
    fn make_quick(&mut self) {
        (self.seconds, self.users, self.places, self.no_overload) = (vec![2], 10, 16, true);
        self.overload = false;
    }

    fn run(&self, context: &Context) -> Result<CaseReport, Failure> {
        let database = match context.sqlite() {
            true => None,
            false => context.postgres()?.map(|server| server.schema("payments")),
        };
        let setup = Setup {
            program: context.program.clone(),
            shop: self.shop.clone(),
            latency: self.latency.clone(),
            deadline_ms: self.deadline_ms,
            places: self.places,
            database,
        };
        let done = context.block_on(self.measure(&setup));
        let cleared = match &setup.database {
            Some(schema) => context.block_on(schema.clear()),
            None => Ok(()),
        };
        // Also after a failure, whose reason is worth more than that of this.
        done.and_then(|report| cleared.map(|()| report))
    }
}

impl Options {
    async fn measure(&self, setup: &Setup) -> Result<CaseReport, Failure> {
        let store = if setup.database.is_some() { "PostgreSQL" } else { "SQLite" };
        let how = vec![
            format!(
                "A payment takes {} to {} ms, the server waits {} ms for it and makes at most {} calls at once; \
                 server, provider and load are processes of their own on one machine.",
                setup.latency.start(),
                setup.latency.end(),
                setup.deadline_ms,
                setup.places
            ),
            format!(
                "{} users who each wait for the answer to an order before they place the next one: the load that \
                 was measured of the systems that this replaces, whose figures stand beside ours.",
                self.users
            ),
            "Overload: orders come at ten times the peak whether or not they are answered, between two phases of \
             half the peak. Goodput is counted by the log."
                .to_owned(),
            "At the end the provider's ledger, the orders over HTTP and the log are compared with each other."
                .to_owned(),
        ];
        let mut report =
            CaseReport::new(self.name(), "a slow provider, and ten times as much as can be paid", how);
        for seconds in self.seconds.iter().filter(|_| !self.overload) {
            let run = originals::run(setup, self.users, *seconds).await?;
            report.rows.extend(run.goals(store));
            report.latencies.push(run.latency(store));
            report.figures.extend(run.figures());
        }
        if !self.no_overload {
            let seen = overload::run(setup, &self.offered).await?;
            report.rows.extend(seen.goals(store));
            report.latencies.extend(seen.latencies(store));
            report.figures.extend(seen.figures());
        }
        Ok(report)
    }
}
