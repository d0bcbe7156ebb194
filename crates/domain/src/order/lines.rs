//! The arithmetic of an order's lines.

use super::{OrderError, OrderLine};
use crate::{Money, policy::is_label};

/// The most lines in one order. *Source*: ours; a body with more is refused before any price is looked up.
pub const MAX_LINES: usize = 100;
/// The longest name of a menu option.
pub const MAX_OPTION_CHARS: usize = 40;

/// What the lines cost together.
///
/// # Errors
/// No line or too many, mixed currencies, an amount that is too large, an option that cannot be shown.
pub fn total_of(lines: &[OrderLine]) -> Result<Money, OrderError> {
    if lines.len() > MAX_LINES {
        return Err(OrderError::TooManyLines { lines: lines.len() });
    }
    let first = lines.first().ok_or(OrderError::NoLines)?;
    lines.iter().try_fold(Money::zero(first.unit_price.currency), |sum, line| {
        if line.option.as_ref().is_some_and(|option| !is_label(option, MAX_OPTION_CHARS)) {
            return Err(OrderError::Option);
        }
        Ok(sum.plus(line.unit_price.times(line.quantity)?)?)
    })
}

/// Spreads `amount` over parts in proportion to `weights`, to the last minor unit, by largest remainder.
///
/// The parts sum up to `amount` exactly; among equal remainders the earlier part gets the unit. With all weights zero
/// the first part gets everything.
#[must_use]
pub fn spread(amount: i64, weights: &[i64]) -> Vec<i64> {
    let total: i128 = weights.iter().map(|w| i128::from(*w)).sum();
    if total == 0 {
        return weights.iter().enumerate().map(|(i, _)| if i == 0 { amount } else { 0 }).collect();
    }
    let share = |weight: i64| i128::from(amount) * i128::from(weight);
    let mut parts: Vec<i64> = weights
        .iter()
        .map(|w| i64::try_from(share(*w) / total).expect("a share is not larger than the amount"))
        .collect();
    let mut by_remainder: Vec<usize> = (0..weights.len()).collect();
    by_remainder.sort_by_key(|i| (std::cmp::Reverse(share(weights[*i]) % total), *i));
    let missing = amount - parts.iter().sum::<i64>();
    for i in by_remainder.into_iter().take(usize::try_from(missing).unwrap_or(0)) {
        parts[i] += 1;
    }
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::spread;

    #[test]
    fn the_unit_that_cannot_be_split_goes_to_the_largest_remainder() {
        assert_eq!(spread(100, &[1, 1, 1]), [34, 33, 33]);
        assert_eq!(spread(10, &[1, 2, 4]), [1, 3, 6]);
        assert_eq!(spread(5, &[0, 0]), [5, 0]);
        assert_eq!(spread(0, &[3, 4]), [0, 0]);
    }

    proptest! {
        #[test]
        fn the_parts_sum_up_to_the_amount(amount in 0..1_i64 << 53, weights in prop::collection::vec(0..1_i64 << 53, 1..20)) {
            let parts = spread(amount, &weights);
            prop_assert_eq!(parts.iter().sum::<i64>(), amount);
            prop_assert!(parts.iter().all(|part| *part >= 0));
        }
    }
}
