//! Goods that go back, refunds and coupons.

use domain::{
    Actor, Money,
    coupon::{self, CouponRefusal},
    delivery::{self, ReturnRefusal},
    order::contact_of,
    refund::{self, ReturnedLine},
};

use super::super::{
    customer_id, delivery_id, earlier_order_id, order_id, payment_id, pieces, product, promised, return_id,
    shop_id, used_coupon_id, won,
};

/// One piece of the first product goes back, and so much is kept.
pub(crate) fn return_started(kept: Money) -> delivery::ReturnStarted {
    delivery::ReturnStarted {
        order_id: order_id(),
        refund_id: return_id(),
        lines: vec![returned()],
        amount: won(900),
        kept,
        called_off: Vec::new(),
    }
}

pub(crate) fn returned() -> ReturnedLine {
    ReturnedLine { product_id: product(1), quantity: pieces(1) }
}

pub(crate) fn refund_requested(coupon: Option<coupon::PromisedCoupon>) -> refund::RefundRequested {
    refund::RefundRequested {
        refund_id: return_id(),
        order_id: order_id(),
        shop_id: shop_id(),
        customer_id: customer_id(),
        payment_id: payment_id(),
        delivery_id: delivery_id(),
        lines: vec![returned()],
        coupon,
        used_coupon_id: None,
        reason_id: contact_of(order_id()),
    }
}

pub(super) fn returns() -> Vec<(&'static str, delivery::DeliveryEvent)> {
    let (order_id, refund_id, by) = (order_id(), return_id(), || Actor::Shop(shop_id()));
    let reason = ReturnRefusal::WindowOver;
    vec![
        ("delivery.return_started, enough is kept", return_started(won(1000)).into()),
        ("delivery.return_started, too little is kept", return_started(won(999)).into()),
        ("delivery.return_refused", delivery::ReturnRefused { order_id, refund_id, reason }.into()),
        ("delivery.return_received", delivery::ReturnReceived { order_id, refund_id, by: by() }.into()),
        ("delivery.return_cancelled", delivery::ReturnCancelled { order_id, refund_id, by: by() }.into()),
        ("delivery.return_window_closed", delivery::ReturnWindowClosed { order_id }.into()),
    ]
}

pub(super) fn refunds() -> Vec<(&'static str, refund::RefundEvent)> {
    let (order_id, amount, reason) = (order_id(), won(900), ReturnRefusal::WindowOver);
    vec![
        ("refund.requested", refund_requested(None).into()),
        ("refund.requested, with a coupon", refund_requested(Some(promised())).into()),
        ("refund.accepted", refund::RefundAccepted { order_id, amount }.into()),
        ("refund.refused", refund::RefundRefused { order_id, reason }.into()),
        ("refund.completed", refund::RefundCompleted { order_id, amount, deducted: won(0) }.into()),
        ("refund.cancelled", refund::RefundCancelled { order_id }.into()),
    ]
}

pub(super) fn coupons() -> Vec<(&'static str, coupon::CouponEvent)> {
    let (order_id, refund_id, earned) = (order_id(), return_id(), promised());
    let (coupon_id, value) = (earned.coupon_id, earned.value);
    let issued =
        coupon::CouponIssued { coupon_id, shop_id: shop_id(), customer_id: customer_id(), order_id, value };
    let withheld = coupon::CouponWithheld {
        coupon_id,
        shop_id: shop_id(),
        customer_id: customer_id(),
        order_id,
        value,
        refund_id,
    };
    let (used, discount, earned_by) = (used_coupon_id(), won(100), earlier_order_id());
    let redeemed = coupon::CouponRedeemed { coupon_id: used, order_id, earned_by, discount };
    let refused =
        coupon::CouponRedemptionRefused { coupon_id: used, order_id, reason: CouponRefusal::AlreadyRedeemed };
    let clawed_back = coupon::CouponClawedBack { coupon_id, order_id, refund_id, amount: won(50) };
    vec![
        ("coupon.issued", issued.into()),
        ("coupon.withheld", withheld.into()),
        ("coupon.redeemed", redeemed.into()),
        ("coupon.redemption_refused", refused.into()),
        ("coupon.released", coupon::CouponReleased { coupon_id: used, order_id, earned_by }.into()),
        ("coupon.revoked", coupon::CouponRevoked { coupon_id, order_id, refund_id }.into()),
        ("coupon.reinstated", coupon::CouponReinstated { coupon_id, order_id, refund_id }.into()),
        ("coupon.clawed_back", clawed_back.into()),
        ("coupon.clawback_undone", coupon::CouponClawbackUndone { coupon_id, order_id, refund_id }.into()),
    ]
}
