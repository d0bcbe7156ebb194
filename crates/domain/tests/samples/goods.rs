//! Goods that go back and coupons: refunds, returns, and what orders and shops say of them.

use orderstream_domain::{
    Actor, CouponId, CouponPolicy, RefundId, ShopPolicy,
    coupon::{
        self, CouponClawbackUndone, CouponClawedBack, CouponEvent, CouponIssued, CouponRedeemed,
        CouponRedemptionRefused, CouponRefusal, CouponReinstated, CouponReleased, CouponRevoked, CouponValue,
        CouponWithheld, PromisedCoupon,
    },
    delivery::{
        DeliveryCompleted, DeliveryEvent, DeliveryRequested, ReturnCancelled, ReturnReceived, ReturnRefusal,
        ReturnRefused, ReturnStarted, ReturnWindowClosed,
    },
    order::{
        self, AppliedCoupon, CancellationCause, OrderCancellationRequested, OrderCompleted, OrderEvent,
        OrderLine, OrderPlaced, OrderRejected, OrderRejection,
    },
    refund::{
        self, RefundAccepted, RefundCancelled, RefundCompleted, RefundEvent, RefundRefused, RefundRequested,
        ReturnedLine,
    },
    shop::{ShopEvent, ShopOpened},
};

use super::{
    Sample, at, at_order, charged, customer_id, delivery_id, order_id, payment_id, pieces, product_id,
    sample, shop_id, won,
};

/// A refund that a customer asked for; the money of a whole order that is undone goes by another id.
fn refund_id() -> RefundId {
    RefundId::new(at(60), 3, shop_id().partition())
}
fn coupon_id() -> CouponId {
    coupon::coupon_of(order_id())
}
fn promised() -> PromisedCoupon {
    PromisedCoupon { coupon_id: coupon_id(), value: CouponValue::Percent(10), minimum: won(1000) }
}
fn pizza() -> ShopPolicy {
    ShopPolicy {
        refund_window_secs: Some(604_800),
        coupon: Some(CouponPolicy { value: CouponValue::Amount(won(500)), minimum: won(1000) }),
        ..at_order()
    }
}
fn back() -> Vec<ReturnedLine> {
    vec![ReturnedLine { product_id: product_id(), quantity: pieces(1) }]
}

pub(super) fn all() -> Vec<Sample> {
    [shops(), orders(), deliveries(), refunds(), coupons()].concat()
}

fn shops() -> Vec<Sample> {
    let opened = ShopOpened { shop_id: shop_id(), name: "Pizza".to_owned(), policy: pizza() };
    vec![sample("with_coupon", ShopEvent::from(opened))]
}

fn orders() -> Vec<Sample> {
    let line = OrderLine {
        product_id: product_id(),
        name: "Pizza".to_owned(),
        option: None,
        quantity: pieces(2),
        unit_price: won(900),
    };
    let placed = OrderPlaced {
        order_id: order_id(),
        shop_id: shop_id(),
        customer_id: customer_id(),
        lines: vec![line],
        total: won(1300),
        coupon: Some(AppliedCoupon { coupon_id: coupon_id(), discount: won(500) }),
        policy: pizza(),
        contact_id: order::contact_of(order_id()),
        payment_id: payment_id(),
        payment_due_at: at(300),
    };
    let rejected = OrderRejected {
        order_id: order_id(),
        reason: OrderRejection::CouponRefused {
            coupon_id: coupon_id(),
            refusal: CouponRefusal::AlreadyRedeemed,
        },
    };
    let cancellation = OrderCancellationRequested {
        order_id: order_id(),
        by: Actor::Customer(customer_id()),
        cause: CancellationCause::Requested,
        reason_id: None,
        was_confirmed: true,
        customer_id: customer_id(),
        shop_id: shop_id(),
        payment_id: payment_id(),
        delivery_id: delivery_id(),
        products: vec![product_id()],
        amount: won(1300),
        coupon_id: Some(coupon_id()),
    };
    let completed = OrderCompleted {
        order_id: order_id(),
        customer_id: customer_id(),
        shop_id: shop_id(),
        coupon: Some(promised()),
    };
    vec![
        sample("with_coupon", OrderEvent::from(placed)),
        sample("coupon_refused", OrderEvent::from(rejected)),
        sample("with_coupon", OrderEvent::from(cancellation)),
        sample("with_coupon", OrderEvent::from(completed)),
    ]
}

fn deliveries() -> Vec<Sample> {
    let (order_id, refund_id) = (order_id(), refund_id());
    let requested = DeliveryRequested {
        delivery_id: delivery_id(),
        order_id,
        shop_id: shop_id(),
        customer_id: customer_id(),
        lines: charged(),
        needs_preparation: true,
        cancellable_until: pizza().cancellable_until,
        refund_window_secs: Some(604_800),
    };
    let courier = || Actor::Courier("kim".parse().unwrap());
    let returnable_until = Some(at(604_800));
    let completed = DeliveryCompleted { order_id, by: courier(), returnable_until };
    let started = ReturnStarted {
        order_id,
        refund_id,
        lines: back(),
        amount: won(900),
        kept: won(900),
        called_off: Vec::new(),
    };
    let again = ReturnStarted {
        called_off: vec![RefundId::derived(order_id.uuid(), "refund", "before")],
        ..started.clone()
    };
    let refused = |reason| -> DeliveryEvent { ReturnRefused { order_id, refund_id, reason }.into() };
    let delivery = |event: DeliveryEvent| sample("", event);
    vec![
        sample("with_refund_window", DeliveryEvent::from(requested)),
        sample("with_refund_window", DeliveryEvent::from(completed)),
        delivery(started.into()),
        sample("after_one_called_off", DeliveryEvent::from(again)),
        delivery(refused(ReturnRefusal::WindowOver)),
        sample("not_delivered", refused(ReturnRefusal::NotDelivered)),
        sample("no_returns", refused(ReturnRefusal::NoReturns)),
        sample("return_open", refused(ReturnRefusal::ReturnOpen)),
        sample("more_than_delivered", refused(ReturnRefusal::MoreThanDelivered)),
        delivery(ReturnReceived { order_id, refund_id, by: Actor::Shop(shop_id()) }.into()),
        delivery(ReturnCancelled { order_id, refund_id, by: Actor::Customer(customer_id()) }.into()),
        delivery(ReturnWindowClosed { order_id }.into()),
    ]
}

fn refunds() -> Vec<Sample> {
    let (order_id, refund_id) = (order_id(), refund_id());
    let requested = |lines, coupon, used_coupon_id| -> RefundEvent {
        RefundRequested {
            refund_id,
            order_id,
            shop_id: shop_id(),
            customer_id: customer_id(),
            payment_id: payment_id(),
            delivery_id: delivery_id(),
            lines,
            coupon,
            used_coupon_id,
            reason_id: refund::reason_of(refund_id),
        }
        .into()
    };
    let refund = |event: RefundEvent| sample("", event);
    vec![
        refund(requested(back(), Some(promised()), None)),
        sample("whole", requested(vec![], None, None)),
        sample("of_order_with_coupon", requested(vec![], None, Some(promised().coupon_id))),
        refund(RefundAccepted { order_id, amount: won(900) }.into()),
        refund(RefundRefused { order_id, reason: ReturnRefusal::MoreThanDelivered }.into()),
        refund(RefundCompleted { order_id, amount: won(400), deducted: won(500) }.into()),
        refund(RefundCancelled { order_id }.into()),
    ]
}

fn coupons() -> Vec<Sample> {
    let (coupon_id, earned_by, refund_id) = (coupon_id(), order_id(), refund_id());
    let user = orderstream_domain::OrderId::new(at(120), 4, shop_id().partition());
    let issued = |value| -> CouponEvent {
        CouponIssued { coupon_id, shop_id: shop_id(), customer_id: customer_id(), order_id: earned_by, value }
            .into()
    };
    let withheld = CouponWithheld {
        coupon_id,
        shop_id: shop_id(),
        customer_id: customer_id(),
        order_id: earned_by,
        value: CouponValue::Percent(10),
        refund_id,
    };
    let refused =
        |reason| -> CouponEvent { CouponRedemptionRefused { coupon_id, order_id: user, reason }.into() };
    let coupon = |event: CouponEvent| sample("", event);
    vec![
        coupon(issued(CouponValue::Amount(won(500)))),
        sample("percent", issued(CouponValue::Percent(10))),
        coupon(withheld.into()),
        coupon(CouponRedeemed { coupon_id, order_id: user, earned_by, discount: won(500) }.into()),
        coupon(refused(CouponRefusal::AlreadyRedeemed)),
        sample("not_issued", refused(CouponRefusal::NotIssued)),
        sample("revoked", refused(CouponRefusal::Revoked)),
        sample("other_customer", refused(CouponRefusal::OtherCustomer)),
        sample("other_shop", refused(CouponRefusal::OtherShop)),
        sample("other_discount", refused(CouponRefusal::OtherDiscount)),
        sample("no_discount", refused(CouponRefusal::NoDiscount)),
        coupon(CouponReleased { coupon_id, order_id: user, earned_by }.into()),
        coupon(CouponRevoked { coupon_id, order_id: earned_by, refund_id }.into()),
        coupon(CouponReinstated { coupon_id, order_id: earned_by, refund_id }.into()),
        coupon(CouponClawedBack { coupon_id, order_id: earned_by, refund_id, amount: won(500) }.into()),
        coupon(CouponClawbackUndone { coupon_id, order_id: earned_by, refund_id }.into()),
    ]
}
