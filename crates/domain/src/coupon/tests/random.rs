//! Random commands to a coupon, checked against books that are kept apart from it.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{coupon_id, issued_as, redeem_for, reinstate, release, revoke_up_to};
use crate::{
    Aggregate, OrderId, Outcome, RefundId,
    coupon::{Coupon, CouponCommand, CouponEvent, CouponStanding, CouponValue},
    testing::{customer_id, fold, krw, shop_id},
};

fn any_value() -> impl Strategy<Value = CouponValue> {
    prop_oneof![
        (1_i64..3000).prop_map(|amount| CouponValue::Amount(krw(amount))),
        (1_u8..=100).prop_map(CouponValue::Percent),
    ]
}

/// A command; the discount of a redemption is what the coupon promises just then.
#[derive(Clone, Debug)]
enum Step {
    Redeem { order: u64, subtotal: i64 },
    Release { order: u64 },
    Revoke { refund: u64, at_most: i64 },
    Reinstate { refund: u64 },
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (2_u64..5, 0_i64..3000).prop_map(|(order, subtotal)| Step::Redeem { order, subtotal }),
        2 => (2_u64..5).prop_map(|order| Step::Release { order }),
        4 => (1_u64..7, 0_i64..1500).prop_map(|(refund, at_most)| Step::Revoke { refund, at_most }),
        2 => (1_u64..7).prop_map(|refund| Step::Reinstate { refund }),
    ]
}

fn command(coupon: &Coupon, step: &Step) -> CouponCommand {
    match *step {
        Step::Redeem { order, subtotal } => {
            let promised = coupon.check_redemption(&shop_id(), &customer_id(), krw(subtotal));
            redeem_for(order, krw(subtotal), promised.unwrap_or(krw(0)))
        }
        Step::Release { order } => release(order),
        Step::Revoke { refund, at_most } => revoke_up_to(refund, krw(at_most)),
        Step::Reinstate { refund } => reinstate(refund),
    }
}

/// What an accountant would write down from the events alone.
#[derive(Default)]
struct Books {
    user: Option<OrderId>,
    largest_discount: i64,
    clawed_back: BTreeMap<RefundId, i64>,
    held: BTreeMap<RefundId, bool>,
}

impl Books {
    fn write(&mut self, event: &CouponEvent, step: &Step) -> Result<(), TestCaseError> {
        match (event, step) {
            (CouponEvent::CouponRedeemed(e), Step::Redeem { subtotal, .. }) => {
                prop_assert_eq!(self.user.replace(e.order_id), None, "used twice");
                prop_assert!((1..=*subtotal).contains(&e.discount.amount_minor));
                prop_assert_eq!(e.coupon_id, coupon_id());
                self.largest_discount = self.largest_discount.max(e.discount.amount_minor);
            }
            (CouponEvent::CouponReleased(e), _) => prop_assert_eq!(self.user.take(), Some(e.order_id)),
            (CouponEvent::CouponClawedBack(e), Step::Revoke { at_most, .. }) => {
                prop_assert!((0..=*at_most).contains(&e.amount.amount_minor), "more than the refund");
                prop_assert_eq!(self.held.insert(e.refund_id, true), None, "answered twice");
                self.clawed_back.insert(e.refund_id, e.amount.amount_minor);
            }
            (CouponEvent::CouponRevoked(e), _) => {
                prop_assert_eq!(self.user, None, "revoked while it is used");
                prop_assert_eq!(self.held.insert(e.refund_id, false), None, "answered twice");
            }
            (CouponEvent::CouponReinstated(e), _) => {
                prop_assert_eq!(self.held.remove(&e.refund_id), Some(false));
            }
            (CouponEvent::CouponClawbackUndone(e), _) => {
                prop_assert_eq!(self.held.remove(&e.refund_id), Some(true));
                self.clawed_back.remove(&e.refund_id);
            }
            (CouponEvent::CouponRedemptionRefused(_), Step::Redeem { .. }) => {}
            (event, step) => prop_assert!(false, "{:?} led to {:?}", step, event),
        }
        Ok(())
    }
}

proptest! {
    #[test]
    fn a_discount_is_never_more_than_the_order(value in any_value(), subtotal in 0_i64..1 << 53) {
        let discount = value.discount_on(krw(subtotal));
        prop_assert!((0..=subtotal).contains(&discount.amount_minor));
    }

    #[test]
    fn what_is_clawed_back_over_all_refunds_is_never_more_than_was_enjoyed(
        value in any_value(),
        steps in prop::collection::vec(any_step(), 0..60),
    ) {
        let mut coupon = fold::<Coupon>(&[issued_as(value)]);
        let mut books = Books::default();
        for step in steps {
            let decision = coupon.decide(&command(&coupon, &step));
            let Ok(Outcome::Executed(events)) = decision else { continue };
            prop_assert_eq!(events.len(), 1);
            coupon.evolve(&events[0]);
            books.write(&events[0], &step)?;

            let clawed_back: i64 = books.clawed_back.values().sum();
            prop_assert!(clawed_back <= books.largest_discount, "{clawed_back} of {}", books.largest_discount);
            let standing = coupon.standing();
            prop_assert_eq!(standing == Some(CouponStanding::Redeemed), books.user.is_some());
            if books.held.is_empty() {
                prop_assert!(standing != Some(CouponStanding::Revoked), "revoked by nobody");
            }
            if books.held.values().any(|spent| !spent) && books.user.is_none() {
                prop_assert!(standing == Some(CouponStanding::Revoked), "good although a refund holds it");
            }
        }
    }
}
