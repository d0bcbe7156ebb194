//! What the past of a coupon comes to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{CouponEvent, CouponIssued, CouponRefusal, CouponValue, CouponWithheld};
use crate::{CouponId, Currency, CustomerId, Money, OrderId, RefundId, ShopId};

/// What is known of a coupon that was issued or withheld.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CouponDetails {
    /// Which coupon.
    pub coupon_id: CouponId,
    /// Of which shop.
    pub shop_id: ShopId,
    /// Whose.
    pub customer_id: CustomerId,
    /// The order that earned it.
    pub order_id: OrderId,
    /// What it takes off.
    pub value: CouponValue,
    /// Whether the customer ever had it.
    pub issued: bool,
    /// Refunds that took it back and what of its worth came off each: nothing where it was not spent.
    pub taken_back: BTreeMap<RefundId, Option<Money>>,
    /// The order that uses it and what it takes off there.
    pub used: Option<(OrderId, Money)>,
}

/// What a coupon is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CouponStanding {
    /// The customer can use it.
    Issued,
    /// It was taken back before the customer had it.
    Withheld,
    /// An order uses it.
    Redeemed,
    /// It was taken back.
    Revoked,
}

impl CouponStanding {
    /// The word that clients see.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Withheld => "withheld",
            Self::Redeemed => "redeemed",
            Self::Revoked => "revoked",
        }
    }
}

impl CouponDetails {
    /// What it is good for now.
    #[must_use]
    pub fn standing(&self) -> CouponStanding {
        if self.used.is_some() {
            CouponStanding::Redeemed
        } else if self.taken_back.is_empty() || self.paid_for().is_some() {
            CouponStanding::Issued
        } else if self.issued {
            CouponStanding::Revoked
        } else {
            CouponStanding::Withheld
        }
    }

    /// What refunds that took it back were reduced by, while no order uses it: the customer has paid so much for it, and it
    /// is theirs for exactly that.
    #[must_use]
    pub fn paid_for(&self) -> Option<Money> {
        let currency = self.taken_back.values().flatten().next()?.currency;
        Some(self.clawed_back(currency)).filter(|paid| self.used.is_none() && !paid.is_zero())
    }

    /// What came off refunds for it so far, in this currency.
    #[must_use]
    pub fn clawed_back(&self, currency: Currency) -> Money {
        let amounts = self.taken_back.values().flatten().filter(|amount| amount.currency == currency);
        Money { amount_minor: amounts.map(|amount| amount.amount_minor).sum(), currency }
    }
}

/// A coupon.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Coupon {
    /// No such coupon.
    #[default]
    Absent,
    /// One that was issued or withheld; [`Coupon::standing`] tells what it is good for.
    Existing(CouponDetails),
}

impl Coupon {
    /// The details, of a coupon that was issued or withheld.
    #[must_use]
    pub fn details(&self) -> Option<&CouponDetails> {
        match self {
            Self::Absent => None,
            Self::Existing(coupon) => Some(coupon),
        }
    }

    /// What it is good for now, if it exists.
    #[must_use]
    pub fn standing(&self) -> Option<CouponStanding> {
        self.details().map(CouponDetails::standing)
    }

    /// What the coupon takes off an order of `customer` in `shop` that costs `subtotal`.
    ///
    /// # Errors
    /// Why this order does not get a discount. Whose coupon it is comes first, so that nobody learns more of another's.
    pub fn check_redemption(
        &self,
        shop: &ShopId,
        customer: &CustomerId,
        subtotal: Money,
    ) -> Result<Money, CouponRefusal> {
        let coupon = self.details().ok_or(CouponRefusal::NotIssued)?;
        if coupon.customer_id != *customer {
            return Err(CouponRefusal::OtherCustomer);
        }
        if coupon.shop_id != *shop {
            return Err(CouponRefusal::OtherShop);
        }
        match coupon.standing() {
            CouponStanding::Issued => {}
            CouponStanding::Redeemed => return Err(CouponRefusal::AlreadyRedeemed),
            CouponStanding::Revoked | CouponStanding::Withheld => return Err(CouponRefusal::Revoked),
        }
        let worth = coupon.value.discount_on(subtotal);
        let discount = match coupon.paid_for() {
            Some(paid) if paid.currency != worth.currency => Money::zero(worth.currency),
            Some(paid) => Money { amount_minor: worth.amount_minor.min(paid.amount_minor), ..worth },
            None => worth,
        };
        if discount.is_zero() { Err(CouponRefusal::NoDiscount) } else { Ok(discount) }
    }
}

pub(super) fn evolve(state: &mut Coupon, event: &CouponEvent) {
    match event {
        CouponEvent::CouponIssued(event) => {
            *state = Coupon::Existing(issued(event));
            return;
        }
        CouponEvent::CouponWithheld(event) => {
            *state = Coupon::Existing(withheld(event));
            return;
        }
        _ => {}
    }
    let Coupon::Existing(coupon) = state else { return };
    match event {
        CouponEvent::CouponIssued(_)
        | CouponEvent::CouponWithheld(_)
        | CouponEvent::CouponRedemptionRefused(_) => {}
        CouponEvent::CouponRedeemed(event) => coupon.used = Some((event.order_id, event.discount)),
        CouponEvent::CouponReleased(_) => coupon.used = None,
        CouponEvent::CouponRevoked(event) => {
            coupon.taken_back.insert(event.refund_id, None);
        }
        CouponEvent::CouponClawedBack(event) => {
            coupon.taken_back.insert(event.refund_id, Some(event.amount));
        }
        CouponEvent::CouponReinstated(event) => let_go(coupon, event.refund_id),
        CouponEvent::CouponClawbackUndone(event) => let_go(coupon, event.refund_id),
    }
}

/// A refund that took it back is off.
fn let_go(coupon: &mut CouponDetails, refund: RefundId) {
    coupon.taken_back.remove(&refund);
    // With no refund left that holds it, the customer has it, even if it was withheld before.
    coupon.issued |= coupon.taken_back.is_empty();
}

fn issued(event: &CouponIssued) -> CouponDetails {
    CouponDetails {
        coupon_id: event.coupon_id,
        shop_id: event.shop_id.clone(),
        customer_id: event.customer_id.clone(),
        order_id: event.order_id,
        value: event.value,
        issued: true,
        taken_back: BTreeMap::new(),
        used: None,
    }
}

fn withheld(event: &CouponWithheld) -> CouponDetails {
    CouponDetails {
        coupon_id: event.coupon_id,
        shop_id: event.shop_id.clone(),
        customer_id: event.customer_id.clone(),
        order_id: event.order_id,
        value: event.value,
        issued: false,
        taken_back: BTreeMap::from([(event.refund_id, None)]),
        used: None,
    }
}

pub(super) fn status(coupon: &Coupon) -> &'static str {
    coupon.standing().map_or("absent", CouponStanding::name)
}
