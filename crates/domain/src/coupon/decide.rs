//! What a coupon answers to each command in each state.

use super::{
    Coupon, CouponClawbackUndone, CouponClawedBack, CouponCommand, CouponDetails, CouponError, CouponEvent,
    CouponIssued, CouponRedeemed, CouponRedemptionRefused, CouponRefusal, CouponReinstated, CouponReleased,
    CouponRevoked, CouponWithheld, state::evolve,
};
use crate::{Decision, Money, Outcome, RefundId, already_applied, executed, executed_all};

type Answer = Decision<CouponEvent, CouponError>;

pub(super) fn decide(coupon: &Coupon, command: &CouponCommand) -> Answer {
    use Coupon::{Absent, Existing};
    use CouponCommand::{IssueCoupon, RedeemCoupon, ReinstateCoupon, ReleaseCoupon, RevokeCoupon};
    match (coupon, command) {
        (Absent, IssueCoupon { coupon_id, shop_id, customer_id, order_id, value }) => {
            executed(CouponIssued {
                coupon_id: *coupon_id,
                shop_id: shop_id.clone(),
                customer_id: customer_id.clone(),
                order_id: *order_id,
                value: *value,
            })
        }
        (Existing(c), IssueCoupon { .. }) if c.issued => already_applied(),
        (Existing(_), IssueCoupon { .. }) => Err(CouponError::RevokedBefore),

        (Existing(c), RedeemCoupon { order_id, .. }) if uses(c, *order_id) => already_applied(),
        (Absent | Existing(_), RedeemCoupon { .. }) => redeem(coupon, command),

        (Existing(c), ReleaseCoupon { order_id }) if uses(c, *order_id) => {
            executed(CouponReleased { coupon_id: c.coupon_id, order_id: *order_id, earned_by: c.order_id })
        }
        // An order that does not use it has nothing to give back, whether the coupon exists or not.
        (Absent | Existing(_), ReleaseCoupon { .. }) => already_applied(),

        (Absent, RevokeCoupon { coupon_id, shop_id, customer_id, order_id, value, refund_id, .. }) => {
            executed(CouponWithheld {
                coupon_id: *coupon_id,
                shop_id: shop_id.clone(),
                customer_id: customer_id.clone(),
                order_id: *order_id,
                value: *value,
                refund_id: *refund_id,
            })
        }
        (Existing(c), RevokeCoupon { refund_id, .. }) if c.taken_back.contains_key(refund_id) => {
            already_applied()
        }
        (Existing(_), RevokeCoupon { refund_id, at_most, called_off, .. }) => {
            take_back_after(coupon, *refund_id, *at_most, called_off)
        }

        (Existing(c), ReinstateCoupon { refund_id }) => reinstate(c, *refund_id),
        (Absent, ReinstateCoupon { .. }) => Err(CouponError::NotFound),
    }
}

fn redeem(coupon: &Coupon, command: &CouponCommand) -> Answer {
    let CouponCommand::RedeemCoupon { coupon_id, order_id, shop_id, customer_id, subtotal, discount } =
        command
    else {
        return Err(CouponError::NotFound);
    };
    let (coupon_id, order_id) = (*coupon_id, *order_id);
    let refused = |reason| executed(CouponRedemptionRefused { coupon_id, order_id, reason });
    match (coupon, coupon.check_redemption(shop_id, customer_id, *subtotal)) {
        (_, Err(reason)) => refused(reason),
        (Coupon::Existing(c), Ok(worth)) if worth == *discount => {
            executed(CouponRedeemed { coupon_id, order_id, earned_by: c.order_id, discount: worth })
        }
        (_, Ok(_)) => refused(CouponRefusal::OtherDiscount),
    }
}

/// Refunds that were called off before this one began, and whose undoing has not been said here yet, are undone first: or
/// this refund would not pay what they will not.
fn take_back_after(coupon: &Coupon, refund_id: RefundId, at_most: Money, called_off: &[RefundId]) -> Answer {
    let (mut now, mut events) = (coupon.clone(), Vec::new());
    let mut tell = |now: &mut Coupon, answer: Answer| {
        if let Ok(Outcome::Executed(new)) = answer {
            new.iter().for_each(|event| evolve(now, event));
            events.extend(new);
        }
    };
    for off in called_off {
        let undone = now.details().map_or_else(already_applied, |c| reinstate(c, *off));
        tell(&mut now, undone);
    }
    let taken = now.details().map_or(Err(CouponError::NotFound), |c| take_back(c, refund_id, at_most))?;
    tell(&mut now, Ok(taken));
    executed_all(events)
}

/// Takes the coupon back, or what it was worth if it is spent: what earlier refunds have not paid for yet, as far as this
/// refund reaches. Worth in another currency than the refund's cannot come off it.
fn take_back(coupon: &CouponDetails, refund_id: RefundId, at_most: Money) -> Answer {
    let (coupon_id, order_id) = (coupon.coupon_id, coupon.order_id);
    let owed = match (coupon.used, coupon.paid_for()) {
        (Some((_, discount)), _) if discount.currency == at_most.currency => {
            let before = coupon.clawed_back(discount.currency).amount_minor;
            (discount.amount_minor - before).clamp(0, at_most.amount_minor.max(0))
        }
        (Some(_), _) | (None, Some(_)) => 0,
        (None, None) => return executed(CouponRevoked { coupon_id, order_id, refund_id }),
    };
    let amount = Money { amount_minor: owed, currency: at_most.currency };
    executed(CouponClawedBack { coupon_id, order_id, refund_id, amount })
}

fn reinstate(coupon: &CouponDetails, refund_id: RefundId) -> Answer {
    let (coupon_id, order_id) = (coupon.coupon_id, coupon.order_id);
    match coupon.taken_back.get(&refund_id) {
        Some(None) => executed(CouponReinstated { coupon_id, order_id, refund_id }),
        Some(Some(_)) => executed(CouponClawbackUndone { coupon_id, order_id, refund_id }),
        None => already_applied(),
    }
}

fn uses(coupon: &CouponDetails, order: crate::OrderId) -> bool {
    coupon.used.is_some_and(|(user, _)| user == order)
}
