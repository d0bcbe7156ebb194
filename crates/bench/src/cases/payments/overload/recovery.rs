//! When all is as it was before.

use std::time::Duration;

use super::{Order, Span};

/// What is looked at as one.
const BUCKET: Duration = Duration::from_millis(500);
/// So many in a row have to be good.
const IN_A_ROW: u32 = 3;
/// As before: within a tenth.
const WITHIN: f64 = 0.1;

/// What orders that were meant to be sent within a span came to.
#[derive(Clone, Copy)]
struct Level {
    /// Deals a second.
    paid_per_second: f64,
    median_secs: f64,
}

fn level(orders: &[Order], span: Span) -> Level {
    let within = orders.iter().filter(|order| span.contains(order.sample.at));
    let mut paid: Vec<f64> = within.filter_map(|order| Some(order.paid?.as_secs_f64())).collect();
    paid.sort_by(f64::total_cmp);
    let median_secs = paid.get(paid.len() / 2).copied().unwrap_or(f64::INFINITY);
    Level { paid_per_second: paid.len() as f64 / span.seconds(), median_secs }
}

/// How long after the overload it was until as much was paid of what was offered as before it, and as fast. None: not
/// before the end. `normal`: what is offered in a second, before and after.
pub(super) fn after(orders: &[Order], before: Span, after: Span, normal: f64) -> Option<Duration> {
    let usual = level(orders, before);
    // No better than what is offered, if a moment before was.
    let least = usual.paid_per_second.min(normal) * (1.0 - WITHIN);
    let longest = usual.median_secs * (1.0 + WITHIN);
    let mut good = 0;
    let mut from = after.from;
    while from + BUCKET <= after.to {
        let now = level(orders, Span { from, to: from + BUCKET });
        good = if now.paid_per_second >= least && now.median_secs <= longest { good + 1 } else { 0 };
        from += BUCKET;
        if good == IN_A_ROW {
            // The end of the first of them: by then it was good.
            return Some(from - BUCKET * (IN_A_ROW - 1) - after.from);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::open_loop::{Outcome, Sample};

    const MS: Duration = Duration::from_millis(1);

    fn order(at: u32, paid: Option<u32>) -> Order {
        let took = MS * paid.unwrap_or(1);
        Order {
            sample: Sample { at: MS * at, took, outcome: Outcome::Broken },
            paid: paid.map(|paid| MS * paid),
        }
    }

    fn recovered(bad_until: u32, bad: Option<u32>) -> Option<Duration> {
        let span = |from: u32, to: u32| Span { from: MS * from, to: MS * to };
        let orders: Vec<Order> = (0..2_000)
            .map(|number| number * 10)
            .map(|at| {
                // A good moment in between is no recovery.
                let is_bad = (5_000..bad_until).contains(&at) && !(10_500..11_000).contains(&at);
                order(at, if is_bad { bad } else { Some(500) })
            })
            .collect();
        after(&orders, span(0, 5_000), span(10_000, 20_000), 100.0)
    }

    #[test]
    fn it_counts_until_payments_are_as_many_and_as_fast_as_before() {
        assert_eq!(recovered(10_000, None), Some(MS * 500));
        assert_eq!(recovered(12_000, None), Some(MS * 2_500));
        assert_eq!(recovered(12_000, Some(700)), Some(MS * 2_500));
        assert_eq!(recovered(12_000, Some(520)), Some(MS * 500));
        assert_eq!(recovered(20_000, None), None);
    }
}
