//! How domain types look in the API's description; the domain itself knows no HTTP.

use utoipa::ToSchema;

/// An amount of money in whole minor units.
#[derive(ToSchema)]
#[schema(as = Money)]
#[expect(dead_code, reason = "only describes a shape")]
pub struct MoneySchema {
    /// Minor units: won for KRW, cents for EUR.
    #[schema(example = 12_000, minimum = 0)]
    amount_minor: i64,
    /// ISO 4217 code.
    #[schema(example = "KRW")]
    currency: String,
}

/// What a coupon takes off: money, or so many hundredths.
#[derive(ToSchema)]
#[schema(as = CouponWorth)]
#[serde(untagged)]
pub enum CouponWorthSchema {
    /// So much money, or the whole order if that is less.
    Amount(MoneySchema),
    /// So many hundredths of the order, 1 to 100.
    Percent(u8),
}
