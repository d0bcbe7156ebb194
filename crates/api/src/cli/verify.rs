//! `events verify`: every invariant of `docs/INVARIANTS.md`, over the whole log.

use domain::audit::{Audit, Report};
use eventlog::LogReader;

use super::{
    CliError,
    output::{Output, table},
    progress::Meter,
};

/// Events read at once.
const PAGE: usize = 1_000;

/// Audits what the log holds now, prints what was checked and found, and fails if an invariant does not hold.
pub(super) async fn verify(log: &LogReader, output: &Output) -> Result<(), CliError> {
    let report = audit(log).await?;
    output.value(&report, shown)?;
    match report.violated() {
        0 => Ok(()),
        violations => Err(CliError::Violations(violations)),
    }
}

async fn audit(log: &LogReader) -> Result<Report, CliError> {
    // What is appended meanwhile is the next audit's.
    let head = log.head().await?;
    let meter = Meter::new("verify", head);
    let mut audit = Audit::new();
    let mut position = 0;
    while position < head {
        let events = log.read_all(position, PAGE).await?;
        if events.is_empty() {
            break;
        }
        for event in events {
            if event.position > head {
                position = head;
                break;
            }
            position = event.position;
            audit.observe(&event.decode()?);
        }
        meter.at(position, head);
    }
    meter.done(head);
    Ok(audit.finish())
}

/// The report for people: a row for each invariant, then what is violated, then what is open.
fn shown(report: &Report) -> String {
    let rows = report.invariants.iter().map(|checked| {
        let [times, violated, open] =
            [checked.checked, checked.violated, checked.open].map(|n| n.to_string());
        [checked.invariant.to_string(), times, violated, open]
    });
    let mut lines = vec![table(["invariant", "checked", "violated", "open"], rows)];
    lines.extend(report.violations.iter().map(|violation| format!("violated: {violation}")));
    lines.extend(report.open.iter().map(|open| {
        format!("open: {} since {}: {}: {}", open.invariant, open.position, open.subject, open.what)
    }));
    let (listed, all) = (report.violations.len() as u64, report.violated());
    if listed < all {
        lines.push(format!("and {} more violations", all - listed));
    }
    let verdict = if report.is_clean() { "every invariant holds" } else { "not every invariant holds" };
    lines.push(format!("{} events up to position {}: {verdict}", report.events, report.position));
    lines.join("\n")
}
