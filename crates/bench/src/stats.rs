//! Medians: a mean would hide that one round met a busy disk. And latencies.

use std::time::Duration;

use hdrhistogram::Histogram;

/// Latencies beyond two minutes count as two minutes. Microseconds.
const LONGEST_MICROS: u64 = 120_000_000;

/// A histogram that holds any latency.
pub(crate) fn latencies() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST_MICROS, 3).expect("the bounds are in order")
}

pub(crate) fn record(latencies: &mut Histogram<u64>, took: Duration) {
    latencies.saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
}

/// A quantile. Milliseconds.
pub(crate) fn millis(latencies: &Histogram<u64>, quantile: f64) -> f64 {
    latencies.value_at_quantile(quantile) as f64 / 1_000.0
}

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
        let [least, median, most] =
            [self.least, self.median, self.most].map(|value| grouped(&format!("{value:.digits$}")));
        let same = least == most;
        f.pad(&if same { median } else { format!("{median} ({least} to {most})") })
    }
}

/// Digits before the point in groups of three.
pub(crate) fn grouped(number: &str) -> String {
    let (whole, rest) = number.split_at(number.find('.').unwrap_or(number.len()));
    let mut text = String::new();
    for (index, digit) in whole.char_indices() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) && !text.ends_with('-') {
            text.push(',');
        }
        text.push(digit);
    }
    text + rest
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
        assert_eq!(spread(&[]), Spread { least: 0.0, median: 0.0, most: 0.0 });
    }

    #[test]
    fn rates_are_told_whole_and_ratios_with_two_digits() {
        assert_eq!(spread(&[0.9, 0.7, 0.75]).to_string(), "0.75 (0.70 to 0.90)");
        assert_eq!(format!("{:>22}", spread(&[1_500.4, 900.0])), "  1,200 (900 to 1,500)");
        assert_eq!(spread(&[1_234_567.0]).to_string(), "1,234,567");
        assert_eq!(grouped("-123456.5"), "-123,456.5");
    }
}
