//! What has to be reached.

use std::fmt;

/// A goal, and which figure it is about: the ratio to the reference, or ours as it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Goal {
    Ratio(Bound),
    Ours(Bound),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Bound {
    AtLeast(f64),
    Below(f64),
    Exactly(f64),
    /// So near to one.
    OneWithin(f64),
}

impl Goal {
    pub(crate) fn bound(self) -> Bound {
        match self {
            Self::Ratio(bound) | Self::Ours(bound) => bound,
        }
    }
}

impl Bound {
    /// Figures are compared as they are, never as they are rounded.
    pub(crate) fn holds(self, seen: f64) -> bool {
        match self {
            Self::AtLeast(least) => seen >= least,
            Self::Below(below) => seen < below,
            Self::Exactly(what) => seen == what,
            Self::OneWithin(by) => (seen - 1.0).abs() <= by,
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Ratio(_) = self {
            f.write_str("ratio ")?;
        }
        match self.bound() {
            Bound::AtLeast(least) => write!(f, ">= {least}"),
            Bound::Below(below) => write!(f, "< {below}"),
            Bound::Exactly(what) => write!(f, "{what}"),
            Bound::OneWithin(by) => write!(f, "1 ± {by}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_not_rounded_to_a_goal_that_is_missed() {
        assert!(!Bound::AtLeast(99.9).holds(99.899));
        assert!(!Bound::Below(50.0).holds(50.0) && Bound::Below(50.0).holds(49.99));
        assert!(Bound::Exactly(0.0).holds(0.0) && !Bound::Exactly(0.0).holds(1.0));
        assert!(Bound::OneWithin(0.1).holds(0.95) && !Bound::OneWithin(0.1).holds(1.11));
        for bound in [Bound::AtLeast(0.0), Bound::Below(1.0), Bound::Exactly(0.0), Bound::OneWithin(1.0)] {
            assert!(!bound.holds(f64::NAN), "{bound:?}");
        }
    }

    #[test]
    fn a_goal_says_what_it_is_about() {
        assert_eq!(Goal::Ratio(Bound::AtLeast(0.6)).to_string(), "ratio >= 0.6");
        assert_eq!(Goal::Ours(Bound::Below(50.0)).to_string(), "< 50");
        assert_eq!(Goal::Ratio(Bound::OneWithin(0.1)).to_string(), "ratio 1 ± 0.1");
    }
}
