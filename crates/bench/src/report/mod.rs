//! What a case found, and how it is told: as a table, as JSON, as docs/BENCHMARKS.md. Nothing else prints results.

mod goal;
mod json;
mod markdown;
mod table;

use hdrhistogram::Histogram;

pub(crate) use self::{
    goal::{Bound, Goal},
    json::json,
    markdown::{Header, markdown},
    table::text,
};
use crate::stats::{Spread, grouped, millis, spread};

/// Quantiles that are told of latencies.
pub(crate) const QUANTILES: [(&str, f64); 5] =
    [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0)];

/// What a case found.
pub(crate) struct CaseReport {
    pub(crate) name: &'static str,
    pub(crate) title: String,
    /// How it is measured, in two to four lines.
    pub(crate) how: Vec<String>,
    pub(crate) rows: Vec<Row>,
    pub(crate) latencies: Vec<Latency>,
    /// What else was seen.
    pub(crate) figures: Vec<(String, String)>,
}

impl CaseReport {
    /// Nothing found yet.
    pub(crate) fn new(name: &'static str, title: impl Into<String>, how: Vec<String>) -> Self {
        let (rows, latencies, figures) = (Vec::new(), Vec::new(), Vec::new());
        Self { name, title: title.into(), how, rows, latencies, figures }
    }
}

/// A figure of every round, beside its reference of the same round.
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) store: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) ours: Vec<f64>,
    pub(crate) reference: Option<Reference>,
    pub(crate) goal: Option<Goal>,
}

/// What it is measured against.
pub(crate) struct Reference {
    pub(crate) what: String,
    pub(crate) rounds: Vec<f64>,
}

/// Latencies of all rounds together. Milliseconds.
pub(crate) struct Latency {
    pub(crate) what: String,
    pub(crate) store: &'static str,
    pub(crate) count: u64,
    pub(crate) quantiles: [f64; QUANTILES.len()],
}

impl Row {
    /// A figure with nothing beside it.
    pub(crate) fn alone(
        what: impl Into<String>,
        store: &'static str,
        unit: &'static str,
        ours: Vec<f64>,
    ) -> Self {
        Self { what: what.into(), store, unit, ours, reference: None, goal: None }
    }

    pub(crate) fn against(mut self, what: impl Into<String>, rounds: Vec<f64>) -> Self {
        self.reference = Some(Reference { what: what.into(), rounds });
        self
    }

    pub(crate) fn goal(mut self, goal: Goal) -> Self {
        self.goal = Some(goal);
        self
    }

    /// Ratios of each round: a busy machine is busy for both.
    pub(crate) fn ratios(&self) -> Option<Vec<f64>> {
        let reference = self.reference.as_ref()?;
        Some(self.ours.iter().zip(&reference.rounds).map(|(ours, theirs)| ours / theirs).collect())
    }

    /// The figure that the goal is about.
    fn judged(&self) -> Option<Spread> {
        match self.goal? {
            Goal::Ratio(_) => self.ratios().map(|ratios| spread(&ratios)),
            Goal::Ours(_) => Some(spread(&self.ours)),
        }
    }

    /// None when there is no goal.
    pub(crate) fn reached(&self) -> Option<bool> {
        let bound = self.goal?.bound();
        Some(self.judged().is_some_and(|judged| bound.holds(judged.median)))
    }
}

impl Latency {
    pub(crate) fn of(what: impl Into<String>, store: &'static str, latency: &Histogram<u64>) -> Self {
        let quantiles = QUANTILES.map(|(_, quantile)| millis(latency, quantile));
        Self { what: what.into(), store, count: latency.len(), quantiles }
    }
}

/// The cells of a row, as text and Markdown show them.
pub(crate) const COLUMNS: [&str; 9] =
    ["case", "store", "ours", "unit", "reference", "reference's", "ratio", "goal", "reached"];

fn cells(row: &Row) -> [String; COLUMNS.len()] {
    let none = || "-".to_owned();
    let reference = row.reference.as_ref();
    let ratio = row.ratios().map(|ratios| spread(&ratios));
    let reached = row.reached().map_or_else(none, |reached| if reached { "yes" } else { "NO" }.to_owned());
    [
        row.what.clone(),
        row.store.to_owned(),
        spread(&row.ours).to_string(),
        row.unit.to_owned(),
        reference.map_or_else(none, |reference| reference.what.clone()),
        reference.map_or_else(none, |reference| spread(&reference.rounds).to_string()),
        ratio.map_or_else(none, |ratio| ratio.to_string()),
        row.goal.map_or_else(none, |goal| goal.to_string()),
        reached,
    ]
}

fn latency_cells(latency: &Latency) -> Vec<String> {
    let mut cells = vec![latency.what.clone(), latency.store.to_owned(), grouped(&latency.count.to_string())];
    cells.extend(latency.quantiles.map(|millis| format!("{millis:.2}")));
    cells
}

fn latency_columns() -> Vec<&'static str> {
    let mut columns = vec!["latency, ms", "store", "count"];
    columns.extend(QUANTILES.map(|(name, _)| name));
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(ours: &[f64], theirs: &[f64], goal: Goal) -> Row {
        Row::alone("a", "sqlite", "events/s", ours.to_vec()).against("b", theirs.to_vec()).goal(goal)
    }

    #[test]
    fn ratios_are_taken_within_a_round() {
        let row = row(&[10.0, 100.0, 30.0], &[20.0, 200.0, 30.0], Goal::Ratio(Bound::AtLeast(0.5)));
        assert_eq!(row.ratios(), Some(vec![0.5, 0.5, 1.0]));
        assert_eq!(row.reached(), Some(true));
    }

    #[test]
    fn a_goal_about_ours_does_not_look_at_the_reference() {
        assert_eq!(row(&[9.0], &[1.0], Goal::Ours(Bound::AtLeast(10.0))).reached(), Some(false));
        assert_eq!(row(&[9.0], &[1.0], Goal::Ratio(Bound::AtLeast(9.5))).reached(), Some(false));
        assert_eq!(Row::alone("a", "-", "-", vec![1.0]).reached(), None);
        assert_eq!(
            Row::alone("a", "-", "-", vec![1.0]).goal(Goal::Ratio(Bound::AtLeast(0.0))).reached(),
            Some(false),
            "a ratio that is not there reaches nothing"
        );
    }
}
