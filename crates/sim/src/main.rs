//! Tells histories by hand: any number of seeds, one seed with its story, or with a mistake planted.

use std::process::ExitCode;

use clap::Parser;
use comfy_table::{CellAlignment, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use orderstream_sim::{Bug, Setup, Summary, TURNS, tell, tell_many};

#[derive(Parser)]
#[command(
    name = "orderstream-sim",
    about = "Tells seeded histories of a platform that breaks, and says whether anything is wrong with them.",
    after_help = "Exit status: 0 nothing is wrong, 1 something is. The same seed tells the same history.\n\
                  Build with --release for many seeds."
)]
struct Arguments {
    /// How many histories
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    seeds: u64,
    /// The first seed
    #[arg(long, value_name = "S", default_value_t = 0)]
    from: u64,
    /// Tells this history only, with its story and its hash
    #[arg(long, value_name = "S", conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
    /// Plants a mistake, which is to be found
    #[arg(long, value_name = "NAME", value_enum)]
    bug: Option<Bug>,
    /// How many things happen before a history comes to its end
    #[arg(long, value_name = "N", default_value_t = TURNS)]
    turns: usize,
    /// One JSON document instead of tables
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let setup = Setup {
        seed: arguments.seed.unwrap_or(arguments.from),
        turns: arguments.turns,
        bug: arguments.bug,
        without: None,
        diary: arguments.seed.is_some(),
    };
    match arguments.seed {
        Some(_) => one(&setup, arguments.json),
        None => many(&setup, &arguments),
    }
}

fn one(setup: &Setup, json: bool) -> ExitCode {
    let told = tell(setup);
    let wrong = told.outcome.as_ref().err();
    if json {
        let faults: serde_json::Map<String, serde_json::Value> =
            told.faults().iter().map(|(fault, count)| (fault.name().to_owned(), count.into())).collect();
        let document = serde_json::json!({
            "seed": setup.seed,
            "bug": setup.bug.map(Bug::name),
            "hash": told.hash(),
            "events": told.events(),
            "steps": told.steps(),
            "faults": faults,
            "wrong": wrong,
        });
        println!("{document}");
    } else {
        print!("{}", told.story());
        println!();
        println!("seed {}: {} events in {} steps", setup.seed, told.events(), told.steps());
        println!("hash {}", told.hash());
        println!("{}", wrong.map_or("nothing is wrong", String::as_str));
    }
    ExitCode::from(u8::from(wrong.is_some()))
}

fn many(setup: &Setup, arguments: &Arguments) -> ExitCode {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let bar = ProgressBar::new(arguments.seeds);
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} histories, {per_sec}, {eta} left");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let last = arguments.from.saturating_add(arguments.seeds);
    let summary = tell_many(arguments.from..last, setup, threads, || bar.inc(1));
    bar.finish_and_clear();
    if arguments.json {
        println!("{}", document(&summary, setup));
    } else {
        println!("{}", table(&summary));
    }
    let Some(failure) = &summary.failure else { return ExitCode::SUCCESS };
    let bug = setup.bug.map(|bug| format!(" --bug {}", bug.name())).unwrap_or_default();
    let turns = if setup.turns == TURNS { String::new() } else { format!(" --turns {}", setup.turns) };
    eprintln!("seed {}: {}", failure.seed, failure.what);
    eprintln!("`orderstream-sim --seed {}{bug}{turns}` tells it again", failure.seed);
    ExitCode::FAILURE
}

fn document(summary: &Summary, setup: &Setup) -> serde_json::Value {
    let faults: serde_json::Map<String, serde_json::Value> =
        summary.faults.iter().map(|(fault, count)| (fault.name().to_owned(), count.into())).collect();
    let failure = summary.failure.as_ref();
    serde_json::json!({
        "seeds": summary.seeds,
        "turns": setup.turns,
        "bug": setup.bug.map(Bug::name),
        "events": summary.events,
        "steps": summary.steps,
        "seconds": summary.elapsed.as_secs_f64(),
        "seeds_per_sec": summary.seeds_per_sec(),
        "faults": faults,
        "told_of": summary.told_of,
        "failure": failure.map(|failure| serde_json::json!({ "seed": failure.seed, "what": failure.what })),
    })
}

fn table(summary: &Summary) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_header(["what happened", "how often"]);
    for (fault, count) in summary.faults.iter() {
        table.add_row([fault.name().to_owned(), count.to_string()]);
    }
    if let Some(column) = table.column_mut(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!(
        "{table}\n{} histories, {} events, {} steps; {:.0} histories/s in {:.1} s",
        summary.seeds,
        summary.events,
        summary.steps,
        summary.seeds_per_sec(),
        summary.elapsed.as_secs_f64()
    )
}
