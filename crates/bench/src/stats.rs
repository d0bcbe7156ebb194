//! Medians: a mean would hide that one round met a busy disk.

/// What several rounds gave.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) least: f64,
    pub(crate) median: f64,
    pub(crate) most: f64,
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Rates are told whole; ratios are small, and told with what matters of them.
        let digits = usize::from(self.most < 100.0) + usize::from(self.most < 10.0);
        let text = format!("{:.digits$} ({:.digits$} to {:.digits$})", self.median, self.least, self.most);
        f.pad(&text)
    }
}

/// Least, middle and most of `values`; all zero when there are none.
pub(crate) fn spread(values: &[f64]) -> Spread {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |index: usize| sorted.get(index).copied().unwrap_or(0.0);
    let (low, high) = (sorted.len().saturating_sub(1) / 2, sorted.len() / 2);
    Spread { least: at(0), median: (at(low) + at(high)) / 2.0, most: at(sorted.len().saturating_sub(1)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between_the_two_in_the_middle() {
        assert_eq!(spread(&[4.0, 1.0, 3.0, 2.0]), Spread { least: 1.0, median: 2.5, most: 4.0 });
        assert_eq!(spread(&[3.0, 1.0, 2.0]), Spread { least: 1.0, median: 2.0, most: 3.0 });
        assert_eq!(spread(&[0.9, 0.7, 0.75]).to_string(), "0.75 (0.70 to 0.90)");
        assert_eq!(format!("{:>18}", spread(&[1_500.4, 900.0])), " 1200 (900 to 1500)"[1..]);
        assert_eq!(spread(&[]), Spread { least: 0.0, median: 0.0, most: 0.0 });
    }
}
