//! Orders: placed, paid, cancelled, delivered and given back.

use domain::{
    AggregateId, AggregateKind, AnyCommand, CancellableUntil, CouponPolicy, NotifiedChange, OrderId,
    PaymentTerms, Quantity, RefundId, ShopPolicy,
    coupon::{Coupon, CouponValue, coupon_of},
    delivery::{Delivery, DeliveryCommand},
    order::{
        AppliedCoupon, CancellationCause, OrderCommand, OrderLine, contact_of, delivery_of, payment_of,
        total_of,
    },
    payment::PaymentCommand,
    refund::{RefundCommand, ReturnedLine},
};
use rand::{Rng, seq::IndexedRandom};

use super::{People, clock, customer, give, price, product, shop, won};
use crate::{aggregates::State, world::World};

impl People {
    pub(super) fn place(&mut self, world: &mut World, node: usize) {
        let now = clock(world, node);
        let order_id = OrderId::new(now, world.rng.random(), shop().partition());
        let lines: Vec<OrderLine> = (0..world.rng.random_range(1..4)).map(|_| line(world)).collect();
        let subtotal = total_of(&lines).expect("so little does not overflow");
        let earned: Vec<_> = self.orders.iter().map(|order| coupon_of(*order)).collect();
        let good = |id: &&domain::CouponId| match world.log.state(AggregateKind::Coupon, id.uuid()) {
            Some(State::Coupon(coupon @ Coupon::Existing(_))) => {
                coupon.check_redemption(&shop(), &customer(), subtotal).ok()
            }
            _ => None,
        };
        // Taken from the coupon just now; another order may be just about to use it, too.
        let coupon =
            earned.iter().find_map(|id| Some(AppliedCoupon { coupon_id: *id, discount: good(&id)? }));
        let coupon = coupon.filter(|_| world.rng.random_bool(0.8));
        let command = OrderCommand::PlaceOrder {
            order_id,
            shop_id: shop(),
            customer_id: customer(),
            lines,
            coupon,
            expected_total: None,
            policy: policy(world),
            contact_id: contact_of(order_id),
            at: now,
        };
        self.orders.push(order_id);
        give(world, node, order_id.uuid(), AnyCommand::Order { id: order_id, command })
    }
}

fn line(world: &mut World) -> OrderLine {
    let number = world.rng.random_range(0..3);
    OrderLine {
        product_id: product(number),
        name: "Thing".to_owned(),
        option: None,
        quantity: Quantity::try_from(world.rng.random_range(1..4)).expect("it is as a shop may have it"),
        unit_price: won(price(number)),
    }
}

fn policy(world: &mut World) -> ShopPolicy {
    let rng = &mut world.rng;
    let payment = if rng.random_bool(0.6) {
        PaymentTerms::AtOrder { decide_within_secs: 300 }
    } else {
        PaymentTerms::Deferred { pay_within_secs: 600 }
    };
    let preparation = rng.random_bool(0.3);
    let cancellable_until = match rng.random_range(0..3) {
        0 => CancellableUntil::Requested,
        1 if preparation => CancellableUntil::Preparing,
        _ => CancellableUntil::Accepted,
    };
    let value = match rng.random_range(0..4) {
        0 => CouponValue::Amount(won(10_000)),
        1 => CouponValue::Amount(won(150)),
        2 => CouponValue::Percent(33),
        _ => CouponValue::Percent(100),
    };
    let minimum = won(if rng.random_bool(0.3) { 0 } else { rng.random_range(1..2_000) });
    let policy = ShopPolicy {
        payment,
        preparation,
        cancellable_until,
        notify: vec![NotifiedChange::OrderConfirmed, NotifiedChange::OrderCancelled],
        refund_window_secs: rng.random_bool(0.9).then_some(3_600),
        coupon: rng.random_bool(0.85).then_some(CouponPolicy { value, minimum }),
    };
    policy.check().expect("it is as a shop may have it");
    policy
}

/// What can happen to an order: mostly what comes next, sometimes what does not fit at all.
pub(super) fn about(world: &mut World, node: usize, order: OrderId) {
    let what =
        if world.rng.random_bool(0.75) { next_for(world, order) } else { world.rng.random_range(0..12) };
    let by = People::actor();
    let goods = |command| AnyCommand::Delivery { id: delivery_of(order), command };
    let command = match what {
        PAY => {
            let command = PaymentCommand::StartCapture { method: contact_of(order), at: clock(world, node) };
            AnyCommand::Payment { id: payment_of(order), command }
        }
        ACCEPT => goods(DeliveryCommand::AcceptDelivery { by }),
        PREPARE => goods(DeliveryCommand::StartPreparation { by }),
        SHIP => goods(DeliveryCommand::ShipDelivery { by }),
        COMPLETE => goods(DeliveryCommand::CompleteDelivery { by, at: clock(world, node) }),
        RETURN => return refund(world, node, order),
        RECEIVE => goods(DeliveryCommand::ReceiveReturn { refund_id: None, by }),
        KEEP => goods(DeliveryCommand::CancelReturn { refund_id: None, by }),
        FAIL => goods(DeliveryCommand::FailDelivery { by, reason_id: None }),
        SHOP_CANCELS => goods(DeliveryCommand::CancelDelivery { by, reason_id: None }),
        CANCEL => {
            let (cause, reason_id) = (CancellationCause::Requested, None);
            let command = OrderCommand::RequestCancellation { by, cause, reason_id };
            AnyCommand::Order { id: order, command }
        }
        _ => return,
    };
    give(world, node, order.uuid(), command)
}

const PAY: u32 = 0;
const ACCEPT: u32 = 1;
const PREPARE: u32 = 2;
const SHIP: u32 = 3;
const COMPLETE: u32 = 4;
const RETURN: u32 = 5;
const RECEIVE: u32 = 6;
const KEEP: u32 = 7;
const FAIL: u32 = 8;
const SHOP_CANCELS: u32 = 9;
const CANCEL: u32 = 10;
const NOTHING: u32 = 11;

fn next_for(world: &mut World, order: OrderId) -> u32 {
    let choices: &[u32] = match world.log.state(AggregateKind::Delivery, delivery_of(order).uuid()) {
        Some(State::Delivery(delivery)) => match delivery {
            Delivery::Absent => &[PAY],
            Delivery::Requested(_) => &[ACCEPT],
            Delivery::Accepted(d) if d.needs_preparation => &[PREPARE],
            Delivery::Accepted(_) | Delivery::Preparing(_) => &[SHIP],
            Delivery::Shipped(_) => &[COMPLETE, COMPLETE, COMPLETE, COMPLETE, FAIL],
            Delivery::Delivered(_) => &[RETURN, RETURN, NOTHING],
            Delivery::Returning { .. } => &[RECEIVE, RECEIVE, RECEIVE, KEEP, KEEP, RETURN],
            Delivery::Returned(_) | Delivery::Failed(_) | Delivery::Cancelled(_) => &[NOTHING],
        },
        _ => &[PAY],
    };
    *choices.choose(&mut world.rng).expect("there is a choice")
}

fn refund(world: &mut World, node: usize, order: OrderId) {
    let Some(State::Order(state)) = world.log.state(AggregateKind::Order, order.uuid()) else {
        return;
    };
    let Some(details) = state.details() else { return };
    let coupon = details.promised_coupon();
    let (products, customer_id, shop_id) =
        (details.products(), details.customer_id.clone(), details.shop_id.clone());
    let used_coupon_id = details.coupon.map(|used| used.coupon_id);
    let now = clock(world, node);
    let refund_id = RefundId::new(now, world.rng.random(), shop().partition());
    let lines = if world.rng.random_bool(0.3) {
        Vec::new()
    } else {
        let product_id = *products.choose(&mut world.rng).expect("there is a choice");
        vec![ReturnedLine {
            product_id,
            quantity: Quantity::try_from(world.rng.random_range(1..3)).expect("it is more than none"),
        }]
    };
    let command = RefundCommand::RequestRefund {
        refund_id,
        order_id: order,
        shop_id,
        customer_id,
        payment_id: payment_of(order),
        delivery_id: delivery_of(order),
        lines,
        coupon,
        used_coupon_id,
        reason_id: contact_of(order),
    };
    give(world, node, order.uuid(), AnyCommand::Refund { id: refund_id, command })
}
