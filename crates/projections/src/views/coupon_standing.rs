//! What a coupon is good for after each of its events: the same for every view that shows it.

use domain::{Money, RefundId, coupon::CouponEvent};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::MoneySchema;

words! {
    /// What a coupon is good for.
    pub enum CouponStatus {
        /// The customer can use it.
        Issued = "issued",
        /// Taken back before the customer had it.
        Withheld = "withheld",
        /// An order uses it.
        Redeemed = "redeemed",
        /// Taken back.
        Revoked = "revoked",
    }
}

/// What decides about a coupon: whether it was issued, which order's discount it is, and which refunds took it back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CouponStanding {
    /// Whether the customer ever had it.
    pub issued: bool,
    /// What it takes off the order that uses it.
    #[schema(value_type = Option<MoneySchema>)]
    pub used: Option<Money>,
    /// Refunds that took it back.
    pub taken_back: Vec<CouponTaken>,
}

/// A refund that took a coupon back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CouponTaken {
    /// Which refund.
    #[schema(value_type = Uuid)]
    pub refund_id: RefundId,
    /// What came off the refund, where the coupon was spent.
    #[schema(value_type = Option<MoneySchema>)]
    pub amount: Option<Money>,
}

impl CouponStanding {
    /// Counts an event.
    pub(crate) fn after(&mut self, event: &CouponEvent) {
        match event {
            CouponEvent::CouponIssued(_) => self.issued = true,
            CouponEvent::CouponWithheld(e) => self.take(e.refund_id, None),
            CouponEvent::CouponRevoked(e) => self.take(e.refund_id, None),
            CouponEvent::CouponClawedBack(e) => self.take(e.refund_id, Some(e.amount)),
            CouponEvent::CouponRedeemed(e) => self.used = Some(e.discount),
            CouponEvent::CouponReleased(_) => self.used = None,
            CouponEvent::CouponReinstated(e) => self.give_back(e.refund_id),
            CouponEvent::CouponClawbackUndone(e) => self.give_back(e.refund_id),
            CouponEvent::CouponRedemptionRefused(_) => {}
        }
    }

    /// What it is good for now.
    pub(crate) fn status(&self) -> CouponStatus {
        if self.used.is_some() {
            CouponStatus::Redeemed
        } else if self.taken_back.is_empty() || self.is_paid_for() {
            CouponStatus::Issued
        } else if self.issued {
            CouponStatus::Revoked
        } else {
            CouponStatus::Withheld
        }
    }

    fn take(&mut self, refund_id: RefundId, amount: Option<Money>) {
        self.taken_back.retain(|taken| taken.refund_id != refund_id);
        self.taken_back.push(CouponTaken { refund_id, amount });
    }

    /// A refund that took it back is off. With none left the customer has it, even if it was withheld before.
    fn give_back(&mut self, refund_id: RefundId) {
        self.taken_back.retain(|taken| taken.refund_id != refund_id);
        self.issued |= self.taken_back.is_empty();
    }

    /// Whether refunds that took it back were reduced for it and no order uses it: it is the customer's for as much.
    fn is_paid_for(&self) -> bool {
        self.used.is_none() && self.clawed_back() > 0
    }

    /// What came off refunds for it so far, in minor units: a coupon and its refunds are of one shop's currency.
    fn clawed_back(&self) -> i64 {
        self.taken_back.iter().filter_map(|taken| taken.amount).map(|amount| amount.amount_minor).sum()
    }
}

#[cfg(test)]
mod tests {
    use domain::{
        Aggregate, Currency, OrderId, Outcome,
        coupon::{Coupon, CouponCommand as C, CouponValue, coupon_of},
    };
    use uuid::Uuid;

    use super::*;
    use crate::testing::Random;

    fn krw(amount_minor: i64) -> Money {
        Money { amount_minor, currency: Currency::KRW }
    }

    /// Any command that a process could send, at any time.
    fn any_command(random: &mut Random) -> C {
        let earner = OrderId::from_uuid(Uuid::from_u128(1));
        let (shop_id, customer_id) = ("phone".parse().unwrap(), "alice".parse().unwrap());
        let (coupon_id, value) = (coupon_of(earner), CouponValue::Amount(krw(500)));
        let refund_id = RefundId::from_uuid(Uuid::from_u128(10 + random.below(3) as u128));
        let order_id = OrderId::from_uuid(Uuid::from_u128(20 + random.below(2) as u128));
        match random.below(5) {
            0 => C::IssueCoupon { coupon_id, shop_id, customer_id, order_id: earner, value },
            1 => C::RedeemCoupon {
                coupon_id,
                order_id,
                shop_id,
                customer_id,
                subtotal: krw(2_000),
                discount: krw(500),
            },
            2 => C::ReleaseCoupon { order_id },
            3 => C::RevokeCoupon {
                coupon_id,
                shop_id,
                customer_id,
                order_id: earner,
                value,
                refund_id,
                at_most: krw([200, 300, 500][random.below(3)]),
                called_off: (0..random.below(3))
                    .map(|id| RefundId::from_uuid(Uuid::from_u128(10 + id as u128)))
                    .collect(),
            },
            _ => C::ReinstateCoupon { refund_id },
        }
    }

    #[test]
    fn a_coupons_word_is_the_aggregates_after_every_event() {
        let mut words = std::collections::BTreeSet::new();
        for seed in 0..300 {
            let (mut random, mut coupon) = (Random(seed), Coupon::default());
            let mut standing = CouponStanding::default();
            for _ in 0..20 {
                let Ok(Outcome::Executed(events)) = coupon.decide(&any_command(&mut random)) else {
                    continue;
                };
                for event in &events {
                    coupon.evolve(event);
                    standing.after(event);
                }
                if coupon.status() == "absent" {
                    continue;
                }
                assert_eq!(standing.status().name(), coupon.status(), "seed {seed}, after {events:?}");
                words.insert((standing.status().name(), standing.is_paid_for()));
            }
        }
        assert_eq!(words.len(), 5, "not every case came up: {words:?}");
    }
}
