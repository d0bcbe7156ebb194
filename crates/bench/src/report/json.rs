//! Reports as data.

use serde_json::{Map, Value, json as value};

use super::{CaseReport, Header, QUANTILES};
use crate::stats::{Spread, spread};

/// All of it, with the values of all rounds.
pub(crate) fn json(header: &Header, reports: &[CaseReport]) -> Value {
    let facts: Map<String, Value> =
        header.facts.iter().map(|(what, seen)| (what.clone(), value!(seen))).collect();
    let judged: Vec<bool> =
        reports.iter().flat_map(|report| &report.rows).filter_map(super::Row::reached).collect();
    value!({
        "command": header.command,
        "machine": facts,
        "cases": reports.iter().map(case).collect::<Vec<_>>(),
        "goals": judged.len(),
        "goals_reached": judged.iter().filter(|reached| **reached).count(),
    })
}

fn case(report: &CaseReport) -> Value {
    let rows: Vec<Value> = report
        .rows
        .iter()
        .map(|row| {
            let ratios = row.ratios();
            let reference = row.reference.as_ref().map(|reference| {
                value!({ "what": reference.what, "rounds": reference.rounds, "summary": summary(&reference.rounds) })
            });
            value!({
                "what": row.what,
                "store": row.store,
                "unit": row.unit,
                "ours": { "rounds": row.ours, "summary": summary(&row.ours) },
                "reference": reference,
                "ratio": ratios.map(|ratios| value!({ "rounds": ratios, "summary": summary(&ratios) })),
                "goal": row.goal.map(|goal| goal.to_string()),
                "reached": row.reached(),
            })
        })
        .collect();
    let latencies: Vec<Value> = report
        .latencies
        .iter()
        .map(|latency| {
            let quantiles: Map<String, Value> = QUANTILES
                .iter()
                .zip(latency.quantiles)
                .map(|((name, _), millis)| ((*name).to_owned(), value!(millis)))
                .collect();
            value!({ "what": latency.what, "store": latency.store, "count": latency.count, "millis": quantiles })
        })
        .collect();
    let figures: Vec<Value> =
        report.figures.iter().map(|(what, seen)| value!({ "what": what, "seen": seen })).collect();
    value!({
        "name": report.name,
        "title": report.title,
        "how": report.how,
        "rows": rows,
        "latencies": latencies,
        "figures": figures,
    })
}

fn summary(values: &[f64]) -> Value {
    let Spread { least, median, most } = spread(values);
    value!({ "least": least, "median": median, "most": most })
}
