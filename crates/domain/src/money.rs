//! Money in whole minor units of a currency, with checked arithmetic. There is no float anywhere.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The largest amount that is taken: 2^53 - 1, so that a JSON reader with doubles reads every amount exactly.
/// *Source*: RFC 8259 §6 (interoperable integers).
pub const MAX_AMOUNT_MINOR: i64 = (1 << 53) - 1;
/// The most pieces of one product in one line. *Source*: ours; a line beyond this is taken for a typing error.
pub const MAX_QUANTITY: u32 = 10_000;

/// Why a sum cannot be formed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum MoneyError {
    /// Two currencies in one sum.
    #[error("amounts in {left} and {right} cannot be added: one order is in one currency")]
    MixedCurrencies {
        /// Currency of the sum so far.
        left: Currency,
        /// Currency that does not fit.
        right: Currency,
    },
    /// Beyond [`MAX_AMOUNT_MINOR`] or below zero.
    #[error("the amount is outside 0 to {MAX_AMOUNT_MINOR} minor units")]
    OutOfRange,
    /// Not an ISO 4217 code.
    #[error("{0:?} is not an ISO 4217 currency code")]
    UnknownCurrency(String),
    /// Not 1 to [`MAX_QUANTITY`].
    #[error("quantity {0} is outside 1 to {MAX_QUANTITY}")]
    QuantityOutOfRange(i64),
}

/// An ISO 4217 currency, written as its code (`KRW`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// South Korean won: no minor unit, so `amount_minor` is whole won.
    pub const KRW: Self = Self(iso_currency::Currency::KRW);

    /// The three-letter code.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// How many decimal digits the minor unit has (0 for KRW, 2 for EUR).
    #[must_use]
    pub fn minor_digits(self) -> u16 {
        self.0.exponent().unwrap_or(0)
    }
}

impl FromStr for Currency {
    type Err = MoneyError;
    fn from_str(code: &str) -> Result<Self, MoneyError> {
        iso_currency::Currency::from_code(code)
            .map(Self)
            .ok_or_else(|| MoneyError::UnknownCurrency(code.chars().take(16).collect()))
    }
}
impl TryFrom<String> for Currency {
    type Error = MoneyError;
    fn try_from(code: String) -> Result<Self, MoneyError> {
        code.parse()
    }
}
impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}
impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// An amount of money, zero or more, in minor units. One that is read from JSON is checked like any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "UncheckedMoney")]
pub struct Money {
    /// Minor units: won for KRW, cents for EUR.
    pub amount_minor: i64,
    /// The currency.
    pub currency: Currency,
}

#[derive(Deserialize)]
struct UncheckedMoney {
    amount_minor: i64,
    currency: Currency,
}
impl TryFrom<UncheckedMoney> for Money {
    type Error = MoneyError;
    fn try_from(money: UncheckedMoney) -> Result<Self, MoneyError> {
        Self::new(money.amount_minor, money.currency)
    }
}

impl Money {
    /// Nothing, in `currency`.
    #[must_use]
    pub fn zero(currency: Currency) -> Self {
        Self { amount_minor: 0, currency }
    }

    /// An amount.
    ///
    /// # Errors
    /// [`MoneyError::OutOfRange`] below zero or beyond [`MAX_AMOUNT_MINOR`].
    pub fn new(amount_minor: i64, currency: Currency) -> Result<Self, MoneyError> {
        if (0..=MAX_AMOUNT_MINOR).contains(&amount_minor) {
            Ok(Self { amount_minor, currency })
        } else {
            Err(MoneyError::OutOfRange)
        }
    }

    /// Whether this is nothing.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.amount_minor == 0
    }

    /// The sum.
    ///
    /// # Errors
    /// Mixed currencies, or out of range.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        Self::new(
            self.amount_minor.checked_add(other.amount_minor).ok_or(MoneyError::OutOfRange)?,
            self.currency,
        )
    }

    /// The difference.
    ///
    /// # Errors
    /// Mixed currencies, or below zero.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        Self::new(
            self.amount_minor.checked_sub(other.amount_minor).ok_or(MoneyError::OutOfRange)?,
            self.currency,
        )
    }

    /// The price of `quantity` pieces.
    ///
    /// # Errors
    /// Out of range.
    pub fn times(self, quantity: Quantity) -> Result<Self, MoneyError> {
        let amount =
            self.amount_minor.checked_mul(i64::from(quantity.get())).ok_or(MoneyError::OutOfRange)?;
        Self::new(amount, self.currency)
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(MoneyError::MixedCurrencies { left: self.currency, right: other.currency })
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = usize::from(self.currency.minor_digits());
        let scale = 10_i64.pow(u32::from(self.currency.minor_digits()));
        let (whole, part) = (self.amount_minor / scale, self.amount_minor % scale);
        if digits == 0 {
            write!(f, "{whole} {}", self.currency)
        } else {
            write!(f, "{whole}.{part:0digits$} {}", self.currency)
        }
    }
}

/// A number of pieces, 1 to [`MAX_QUANTITY`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Quantity(u32);

impl Quantity {
    /// The number.
    #[must_use]
    pub fn get(self) -> u32 {
        self.0
    }
}
impl TryFrom<i64> for Quantity {
    type Error = MoneyError;
    fn try_from(pieces: i64) -> Result<Self, MoneyError> {
        match u32::try_from(pieces) {
            Ok(n) if (1..=MAX_QUANTITY).contains(&n) => Ok(Self(n)),
            _ => Err(MoneyError::QuantityOutOfRange(pieces)),
        }
    }
}
impl From<Quantity> for i64 {
    fn from(quantity: Quantity) -> Self {
        Self::from(quantity.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn krw(amount: i64) -> Money {
        Money::new(amount, Currency::KRW).expect("in range")
    }

    #[test]
    fn mixed_currencies_are_refused() {
        let eur = Money::new(5, "EUR".parse().expect("a code")).expect("in range");
        assert!(matches!(krw(5).plus(eur), Err(MoneyError::MixedCurrencies { .. })));
    }

    #[test]
    fn an_overflow_is_an_error_and_never_wraps() {
        let many = Quantity::try_from(10_000).expect("in range");
        assert_eq!(krw(MAX_AMOUNT_MINOR).times(many), Err(MoneyError::OutOfRange));
        assert_eq!(krw(MAX_AMOUNT_MINOR).plus(krw(1)), Err(MoneyError::OutOfRange));
        assert_eq!(krw(1).minus(krw(2)), Err(MoneyError::OutOfRange));
    }

    #[test]
    fn quantities_outside_the_range_are_refused() {
        for wrong in [i64::MIN, -1, 0, 10_001, i64::MAX] {
            assert_eq!(Quantity::try_from(wrong), Err(MoneyError::QuantityOutOfRange(wrong)));
        }
    }

    #[test]
    fn an_amount_is_shown_in_the_units_people_read() {
        assert_eq!(krw(12_000).to_string(), "12000 KRW");
        assert_eq!(
            Money::new(1205, "EUR".parse().expect("a code")).expect("in range").to_string(),
            "12.05 EUR"
        );
    }

    #[test]
    fn an_amount_below_zero_or_beyond_the_range_is_not_read() {
        let read = |amount: i64| {
            serde_json::from_str::<Money>(&format!(r#"{{"amount_minor":{amount},"currency":"KRW"}}"#))
        };
        assert_eq!(read(0).ok(), Some(krw(0)));
        assert_eq!(read(MAX_AMOUNT_MINOR).ok(), Some(krw(MAX_AMOUNT_MINOR)));
        for wrong in [-1, i64::MIN, MAX_AMOUNT_MINOR + 1, i64::MAX] {
            assert!(read(wrong).is_err(), "{wrong} was taken");
        }
    }

    proptest! {
        #[test]
        fn plus_then_minus_is_the_start(a in 0..MAX_AMOUNT_MINOR / 2, b in 0..MAX_AMOUNT_MINOR / 2) {
            prop_assert_eq!(krw(a).plus(krw(b)).and_then(|sum| sum.minus(krw(b))), Ok(krw(a)));
        }
    }
}
