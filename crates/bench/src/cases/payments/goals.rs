//! What has to be reached, as rows of the table.

use crate::report::{Bound, Goal, Row};

fn goal(of: String, store: &'static str, unit: &'static str, seen: f64, bound: Bound) -> Row {
    Row::alone(of, store, unit, vec![seen]).goal(Goal::Ours(bound))
}

pub(super) fn at_least(of: String, store: &'static str, unit: &'static str, seen: f64, least: f64) -> Row {
    goal(of, store, unit, seen, Bound::AtLeast(least))
}

pub(super) fn below(of: String, store: &'static str, unit: &'static str, seen: f64, below: f64) -> Row {
    goal(of, store, unit, seen, Bound::Below(below))
}

pub(super) fn none(of: String, store: &'static str, seen: u64) -> Row {
    goal(of, store, "-", seen as f64, Bound::Exactly(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_reached_by_the_figure_alone() {
        assert_eq!(at_least("paid".to_owned(), "SQLite", "%", 99.899, 99.9).reached(), Some(false));
        assert_eq!(below("refusals".to_owned(), "SQLite", "ms", 49.9, 50.0).reached(), Some(true));
        assert_eq!(none("charged twice".to_owned(), "SQLite", 1).reached(), Some(false));
        assert_eq!(none("charged twice".to_owned(), "SQLite", 0).reached(), Some(true));
    }
}
