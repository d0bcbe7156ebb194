//! Case `payments`: a payment that takes longer than an order should, under the originals' own load and under ten times as
//! much as can be paid. The server and the provider are processes of their own; all share the machine with the load.

mod books;
mod goals;
mod originals;
mod overload;
mod teller;
mod users;
mod world;

use std::{error::Error, ops::RangeInclusive, path::PathBuf};

use serde_json::json;

use crate::{
    server,
    store::{self, Store},
};

use goals::Goal;
use world::Setup;

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
    /// Where everything is kept: sqlite, postgres (a scratch server, started and ended here), or postgres:URL (a server
    /// that is there; the case works in a schema of its own and removes it).
    #[arg(long, default_value = "sqlite")]
    store: Store,
    /// Print one JSON object instead of tables.
    #[arg(long)]
    json: bool,
    /// The server's program (default: `orderstream` beside this one).
    #[arg(long)]
    server: Option<PathBuf>,
}

fn latency(text: &str) -> Result<RangeInclusive<u64>, String> {
    let (min, max) = text.split_once("..").unwrap_or((text, text));
    match (min.parse(), max.parse()) {
        (Ok(min), Ok(max)) if 0 < max && min <= max => Ok(min..=max),
        _ => Err("write a range of milliseconds, such as 400..620".to_owned()),
    }
}

/// Measures and prints.
pub(crate) fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let database = match &options.store {
        Store::Sqlite => None,
        Store::Postgres(url) => {
            Some(store::Server::start(url.as_deref()).map_err(|error| error as Box<dyn Error>)?)
        }
    };
    let setup = Setup {
        program: server::program(options.server.as_ref())?,
        shop: options.shop.clone(),
        latency: options.latency.clone(),
        deadline_ms: options.deadline_ms,
        places: options.places,
        database,
    };
    let done = runtime.block_on(measure(options, &setup));
    let cleared = match &setup.database {
        Some(database) => runtime.block_on(database.clear()).map_err(|error| error as Box<dyn Error>),
        None => Ok(()),
    };
    // Also after a failure, whose reason is worth more than that of this.
    done.and(cleared)
}

async fn measure(options: &Options, setup: &Setup) -> Result<(), Box<dyn Error>> {
    let (mut runs, mut goals) = (Vec::new(), Vec::<Goal>::new());
    let store = match &setup.database {
        None => "SQLite".to_owned(),
        Some(database) => database.describe().await.map_err(|error| error as Box<dyn Error>)?,
    };
    if !options.json {
        println!(
            "{store}; a payment takes {} to {} ms, the server waits {} ms and makes at most {} calls at once",
            setup.latency.start(),
            setup.latency.end(),
            setup.deadline_ms,
            setup.places
        );
    }
    for seconds in options.seconds.iter().filter(|_| !options.overload) {
        let run = originals::run(setup, options.users, *seconds).await?;
        goals.extend(run.goals());
        if !options.json {
            run.print();
        }
        runs.push(run.json());
    }
    let mut overload = serde_json::Value::Null;
    if !options.no_overload {
        let seen = overload::run(setup, &options.offered).await?;
        goals.extend(seen.goals());
        if !options.json {
            seen.print();
        }
        overload = seen.json();
    }
    if options.json {
        let reached = goals.iter().all(Goal::reached);
        let goals: Vec<_> = goals.iter().map(Goal::json).collect();
        println!(
            "{}",
            json!({ "case": "payments", "store": store, "runs": runs, "overload": overload, "goals": goals, "reached": reached })
        );
    } else {
        println!();
        for goal in &goals {
            println!("{goal}");
        }
    }
    Ok(())
}
