//! What has to be reached, and whether it is.

use serde_json::{Value, json};

/// A figure that has to be reached.
pub(super) struct Goal {
    of: String,
    seen: f64,
    bound: Bound,
    unit: &'static str,
}

enum Bound {
    AtLeast(f64),
    Below(f64),
    Exactly(f64),
}

impl Goal {
    pub(super) fn at_least(of: impl Into<String>, seen: f64, least: f64, unit: &'static str) -> Self {
        Self { of: of.into(), seen, bound: Bound::AtLeast(least), unit }
    }

    pub(super) fn below(of: impl Into<String>, seen: f64, below: f64, unit: &'static str) -> Self {
        Self { of: of.into(), seen, bound: Bound::Below(below), unit }
    }

    pub(super) fn none(of: impl Into<String>, seen: u64) -> Self {
        Self { of: of.into(), seen: seen as f64, bound: Bound::Exactly(0.0), unit: "" }
    }

    pub(super) fn reached(&self) -> bool {
        match self.bound {
            Bound::AtLeast(least) => self.seen >= least,
            Bound::Below(below) => self.seen < below,
            Bound::Exactly(what) => self.seen == what,
        }
    }

    pub(super) fn json(&self) -> Value {
        json!({ "goal": self.of, "seen": self.seen, "wanted": self.wanted(), "reached": self.reached() })
    }

    fn wanted(&self) -> String {
        match self.bound {
            Bound::AtLeast(least) => format!("at least {least}{}", self.unit),
            Bound::Below(below) => format!("below {below}{}", self.unit),
            Bound::Exactly(what) => format!("{what}{}", self.unit),
        }
    }
}

impl std::fmt::Display for Goal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Cut off rather than rounded to a goal that is not reached.
        let seen = match self.bound {
            Bound::AtLeast(_) => (self.seen * 100.0).floor() / 100.0,
            Bound::Below(_) | Bound::Exactly(_) => (self.seen * 100.0).ceil() / 100.0,
        };
        let verdict = if self.reached() { "reached" } else { "NOT REACHED" };
        write!(f, "{}: {seen}{} (goal: {}): {verdict}", self.of, self.unit, self.wanted())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_not_rounded_to_a_goal_that_is_missed() {
        let goal = Goal::at_least("paid", 99.899, 99.9, " %");
        assert_eq!(goal.to_string(), "paid: 99.89 % (goal: at least 99.9 %): NOT REACHED");
        let goal = Goal::below("refusals, p99", 50.001, 50.0, " ms");
        assert_eq!(goal.to_string(), "refusals, p99: 50.01 ms (goal: below 50 ms): NOT REACHED");
        assert_eq!(Goal::none("charged twice", 0).to_string(), "charged twice: 0 (goal: 0): reached");
        assert!(
            !Goal::none("charged twice", 1).reached() && !Goal::at_least("x", f64::NAN, 1.0, "").reached()
        );
    }
}
