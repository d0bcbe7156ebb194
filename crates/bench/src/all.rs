//! Runs cases and tells what they found.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use chrono::Utc;
use clap::Parser;

use crate::{
    Failure,
    cases::{self, Case},
    context::{self, Context},
    machine,
    report::{CaseReport, Header, json, markdown, text},
};

/// Options of `all`. Cases run as they do by themselves, without options of their own.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only these cases.
    #[arg(long, value_delimiter = ',', value_name = "CASE,..", value_parser = case_name)]
    only: Vec<String>,
    /// Writes the page with all results.
    #[arg(long, value_name = "docs/BENCHMARKS.md")]
    write: Option<PathBuf>,
    /// Events of the long log of `growth`.
    #[arg(long, value_name = "N")]
    log_events: Option<u64>,
}

/// Options that were not given on a command line.
#[derive(Parser)]
struct Defaults<A: clap::Args> {
    #[command(flatten)]
    options: A,
}

fn defaults<A: clap::Args>() -> A {
    Defaults::parse_from(["orderstream-bench"]).options
}

/// Every case with its default options, in the order of the table.
fn every(log_events: Option<u64>) -> Vec<Box<dyn Case>> {
    let mut growth = defaults::<cases::growth::Options>();
    growth.log_events = log_events.unwrap_or(growth.log_events);
    vec![
        Box::new(defaults::<cases::append::Options>()),
        Box::new(defaults::<cases::hot::Options>()),
        Box::new(defaults::<cases::orders::Options>()),
        Box::new(defaults::<cases::delivered::Options>()),
        Box::new(defaults::<cases::reads::Options>()),
        Box::new(defaults::<cases::rebuild::Options>()),
        Box::new(growth),
        Box::new(defaults::<cases::lag::Options>()),
        Box::new(defaults::<cases::payments::Options>()),
    ]
}

fn case_name(text: &str) -> Result<String, String> {
    let names: Vec<&str> = every(None).iter().map(|case| case.name()).collect();
    if names.contains(&text) { Ok(text.to_owned()) } else { Err(format!("cases are {}", names.join(", "))) }
}

/// Runs all, or those that were named. False when a case failed; a goal that is missed is a result and no failure.
pub(crate) fn run(common: &context::Options, options: &Options) -> Result<bool, Failure> {
    let mut cases = every(options.log_events);
    cases.retain(|case| options.only.is_empty() || options.only.iter().any(|name| name == case.name()));
    measure(common, options.write.as_deref(), cases)
}

/// Runs one case with its own options.
pub(crate) fn one(common: &context::Options, case: Box<dyn Case>) -> Result<bool, Failure> {
    measure(common, None, vec![case])
}

fn measure(
    common: &context::Options,
    write: Option<&Path>,
    cases: Vec<Box<dyn Case>>,
) -> Result<bool, Failure> {
    let context = Context::new(common)?;
    let (began, begun, load) = (Utc::now(), Instant::now(), machine::load());
    let mut facts = vec![("when".to_owned(), began.format("%Y-%m-%d %H:%M UTC").to_string())];
    facts.extend(machine::facts(context.folder()));
    let (mut reports, mut failed) = (Vec::new(), Vec::new());
    let single = cases.len() == 1;
    for mut case in cases {
        let name = case.name();
        eprintln!("{name}, after {:.0} s", begun.elapsed().as_secs_f64());
        if context.quick {
            case.make_quick();
        }
        match case.run(&context) {
            Ok(report) => reports.push(report),
            Err(error) => {
                eprintln!("{name} FAILED: {error}");
                failed.push(name);
            }
        }
    }
    let postgres = context.describe_postgres().unwrap_or_else(|| "not used".to_owned());
    facts.push(("PostgreSQL".to_owned(), postgres));
    facts.push(("SQLite".to_owned(), format!("{}, WAL, synchronous=FULL for the log", rusqlite::version())));
    facts.push(("commit".to_owned(), machine::commit()));
    facts.push(("load average at the begin".to_owned(), load));
    facts.push(("load average at the end".to_owned(), machine::load()));
    facts.push(("took".to_owned(), format!("{:.0} s", begun.elapsed().as_secs_f64())));
    if context.quick {
        facts.push(("numbers".to_owned(), "small (--quick): no goal can be reached with them".to_owned()));
    }
    if cfg!(debug_assertions) {
        facts.push(("build".to_owned(), "without optimisation: these figures say nothing".to_owned()));
    }
    let header = Header { command: command(std::env::args().skip(1)), facts };
    tell(common, write, &header, &reports, single)?;
    if !failed.is_empty() {
        eprintln!("failed: {}", failed.join(", "));
    }
    Ok(failed.is_empty())
}

fn tell(
    common: &context::Options,
    write: Option<&Path>,
    header: &Header,
    reports: &[CaseReport],
    single: bool,
) -> Result<(), Failure> {
    let to_stdout = common.json.as_deref() == Some(Path::new("-"));
    if let Some(file) = &common.json {
        let all = serde_json::to_string_pretty(&json(header, reports))?;
        if to_stdout { println!("{all}") } else { fs::write(file, all + "\n")? }
    }
    if !to_stdout {
        for (what, seen) in &header.facts {
            println!("{what}: {seen}");
        }
        println!();
        print!("{}", text(reports, single));
    }
    if let Some(file) = write {
        fs::write(file, markdown(header, reports))?;
    }
    Ok(())
}

/// The command line without what is only of this machine: names of folders and addresses of servers.
fn command(arguments: impl Iterator<Item = String>) -> String {
    let local = ["--server", "--folder", "--cache", "--json", "--store"];
    let is_local = |name: &str, value: Option<&str>| {
        local.contains(&name)
            || (name == "--write" && value.is_some_and(|file| Path::new(file).is_absolute()))
    };
    let mut kept = vec!["orderstream-bench".to_owned()];
    let mut arguments = arguments.peekable();
    while let Some(argument) = arguments.next() {
        match argument.split_once('=') {
            Some((name, value)) if is_local(name, Some(value)) => {}
            None if is_local(&argument, arguments.peek().map(String::as_str)) => drop(arguments.next()),
            _ => kept.push(argument),
        }
    }
    kept.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_has_defaults_and_a_name_of_its_own() {
        let mut names: Vec<_> = every(Some(5)).iter().map(|case| case.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), every(None).len());
        assert!(case_name("append").is_ok() && case_name("nonsense").is_err());
    }

    #[test]
    fn what_is_only_of_this_machine_is_not_told() {
        let told = |line: &str| command(line.split(' ').map(str::to_owned));
        let line = "all --cache /a --write docs/B.md --only hot --json=/c --store postgres://a:b@c/d";
        assert_eq!(told(line), "orderstream-bench all --write docs/B.md --only hot");
        assert_eq!(told("all --write /a/B.md --quick"), "orderstream-bench all --quick");
        assert_eq!(told("all --write=/a/B.md"), "orderstream-bench all");
    }
}
