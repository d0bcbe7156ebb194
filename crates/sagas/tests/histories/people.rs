//! What customers, shops, couriers and guests do, at any moment, sensible or not. A refusal is their matter alone.

use chrono::Days;
use domain::{
    Actor, AggregateId, AggregateKind, AnyCommand, CancellableUntil, CouponPolicy, Currency, CustomerId,
    Money, NotifiedChange, OrderId, PaymentTerms, ProductId, Quantity, RefundId, ReservationId, ResortId,
    ShopId, ShopPolicy, Stay, TimeZone, VoucherId,
    coupon::{Coupon, CouponValue, coupon_of},
    delivery::{Delivery, DeliveryCommand},
    order::{
        AppliedCoupon, CancellationCause, OrderCommand, OrderLine, contact_of, delivery_of, payment_of,
        total_of,
    },
    payment::{CaptureOutcome, Payment, PaymentCommand, PaymentStage},
    product::ProductCommand,
    refund::{RefundCommand, ReturnedLine},
    reservation::{self, ReservationCommand},
    resort::{ResortCommand, ResortPolicy},
    voucher::VoucherCommand,
};
use orderstream_sagas::payments::charge_key;
use rand::{Rng, seq::IndexedRandom};
use uuid::Uuid;

use crate::{
    log::{Context, State},
    world::World,
};

/// The most orders and reservations of one history.
const MOST: usize = 14;
const NIGHTLY: i64 = 700;

#[derive(Default)]
pub struct People {
    orders: Vec<OrderId>,
    reservations: Vec<ReservationId>,
}

pub fn won(amount_minor: i64) -> Money {
    Money::new(amount_minor, Currency::KRW).unwrap()
}
fn shop() -> ShopId {
    "phone".parse().unwrap()
}
fn customer() -> CustomerId {
    "alice".parse().unwrap()
}
fn someone() -> Actor {
    Actor::Customer(customer())
}
fn epoch() -> domain::Timestamp {
    domain::Timestamp::from_timestamp(1_767_225_600, 0).unwrap()
}
fn product(number: u64) -> ProductId {
    ProductId::new(epoch(), number, shop().partition())
}
fn price(number: u64) -> i64 {
    [333, 1000, 57][usize::try_from(number).unwrap() % 3]
}
fn resort() -> ResortId {
    ResortId::new(epoch(), 1, shop().partition())
}
fn resort_policy() -> ResortPolicy {
    let notify = vec![NotifiedChange::ReservationPaid];
    ResortPolicy { pay_within_secs: 600, cancel_days_before: 0, notify }
}

impl People {
    /// A shop with three products, one of them made to order, and a resort.
    pub fn open(world: &mut World) {
        for (number, stock) in [(0, Some(14)), (1, Some(9)), (2, None)] {
            let command = ProductCommand::ListProduct {
                product_id: product(number),
                shop_id: shop(),
                name: "Thing".to_owned(),
                price: won(price(number)),
                stock,
            };
            give(world, product(number).uuid(), &AnyCommand::Product { id: product(number), command });
        }
        let today = TimeZone::SEOUL.date_at(world.now);
        let command = ResortCommand::RegisterResort {
            resort_id: resort(),
            manager_id: customer(),
            name: "Camp".to_owned(),
            kind: "camping".to_owned(),
            nightly_price: won(NIGHTLY),
            time_zone: TimeZone::SEOUL,
            open_from: today,
            open_until: today + Days::new(300),
            policy: resort_policy(),
        };
        give(world, resort().uuid(), &AnyCommand::Resort { id: resort(), command });
    }

    /// Somebody does something.
    pub fn act(&mut self, world: &mut World) -> String {
        let what = world.rng.random_range(0..100);
        if what < 7 && self.orders.len() < MOST {
            return self.place(world);
        }
        if (7..10).contains(&what) && self.reservations.len() < MOST / 2 {
            return self.reserve(world);
        }
        if what < 86 {
            let Some(order) = self.orders.choose(&mut world.rng).copied() else { return String::new() };
            return about_order(world, order);
        }
        if what < 97 {
            let Some(id) = self.reservations.choose(&mut world.rng).copied() else { return String::new() };
            return about_reservation(world, id);
        }
        if what == 99 {
            return self.money_turns_up(world);
        }
        let id = product(world.rng.random_range(0..3));
        let command = if world.rng.random_bool(0.05) {
            ProductCommand::WithdrawProduct
        } else {
            ProductCommand::Restock { quantity: world.rng.random_range(1..4) }
        };
        give(world, id.uuid(), &AnyCommand::Product { id, command })
    }

    fn place(&mut self, world: &mut World) -> String {
        let order_id = OrderId::new(world.now, world.rng.random(), shop().partition());
        let lines: Vec<OrderLine> = (0..world.rng.random_range(1..4)).map(|_| line(world)).collect();
        let subtotal = total_of(&lines).unwrap();
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
            at: world.now,
        };
        self.orders.push(order_id);
        give(world, order_id.uuid(), &AnyCommand::Order { id: order_id, command })
    }

    fn reserve(&mut self, world: &mut World) -> String {
        let reservation_id = ReservationId::new(world.now, world.rng.random(), shop().partition());
        let today = TimeZone::SEOUL.date_at(world.now);
        let check_in = today + Days::new(world.rng.random_range(0..6));
        let stay = Stay::new(check_in, check_in + Days::new(world.rng.random_range(1..4))).unwrap();
        let command = ReservationCommand::RequestReservation {
            reservation_id,
            resort_id: resort(),
            resort_name: "Camp".to_owned(),
            manager_id: customer(),
            customer_id: customer(),
            stay,
            nightly_price: won(NIGHTLY),
            expected_total: None,
            time_zone: TimeZone::SEOUL,
            policy: resort_policy(),
            contact_id: reservation::contact_of(reservation_id),
            at: world.now,
        };
        self.reservations.push(reservation_id);
        give(world, reservation_id.uuid(), &AnyCommand::Reservation { id: reservation_id, command })
    }

    /// A charge that the provider had declined, or closed, was made after all, and the bank tells us.
    fn money_turns_up(&self, world: &mut World) -> String {
        let of_orders = self.orders.iter().map(|order| (order.uuid(), payment_of(*order)));
        let of_stays = self.reservations.iter().map(|id| (id.uuid(), reservation::payment_of(*id)));
        for (subject, id) in of_orders.chain(of_stays) {
            let Some(State::Payment(Payment::Existing { details, stage })) =
                world.log.state(AggregateKind::Payment, id.uuid())
            else {
                continue;
            };
            let over = matches!(stage, PaymentStage::Declined | PaymentStage::Voided | PaymentStage::Expired);
            let (attempt, amount) = (details.attempt, details.amount);
            let provider_ref = charge_key(id, attempt);
            if over && world.provider.turn_up(&provider_ref, amount) {
                let outcome = CaptureOutcome::Captured { provider_ref };
                let command = PaymentCommand::RecordCapture { attempt, outcome, at: world.now };
                return give(world, subject, &AnyCommand::Payment { id, command });
            }
        }
        "no money turns up".to_owned()
    }

    /// Ends what only people can end: goods on their way arrive, at the customer or at the shop. Tells whether there
    /// was anything.
    pub fn finish(world: &mut World) -> bool {
        let mut deliveries: Vec<(Uuid, Uuid)> = Vec::new();
        for event in &world.log.events {
            let pair = (event.stream.id, event.metadata.correlation_id);
            if event.stream.kind == AggregateKind::Delivery && !deliveries.contains(&pair) {
                deliveries.push(pair);
            }
        }
        let mut moved = false;
        for (delivery, order) in deliveries {
            let by = someone();
            let command = match world.log.state(AggregateKind::Delivery, delivery) {
                Some(State::Delivery(Delivery::Returning { .. })) => {
                    DeliveryCommand::ReceiveReturn { refund_id: None, by }
                }
                Some(State::Delivery(Delivery::Requested(_))) => DeliveryCommand::AcceptDelivery { by },
                Some(State::Delivery(Delivery::Accepted(d))) if d.needs_preparation => {
                    DeliveryCommand::StartPreparation { by }
                }
                Some(State::Delivery(Delivery::Accepted(_) | Delivery::Preparing(_))) => {
                    DeliveryCommand::ShipDelivery { by }
                }
                Some(State::Delivery(Delivery::Shipped(_))) => {
                    DeliveryCommand::CompleteDelivery { by, at: world.now }
                }
                _ => continue,
            };
            moved = true;
            let id = domain::DeliveryId::from_uuid(delivery);
            give(world, order, &AnyCommand::Delivery { id, command });
        }
        moved
    }
}

fn line(world: &mut World) -> OrderLine {
    let number = world.rng.random_range(0..3);
    OrderLine {
        product_id: product(number),
        name: "Thing".to_owned(),
        option: None,
        quantity: Quantity::try_from(world.rng.random_range(1..4)).unwrap(),
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
    policy.check().unwrap();
    policy
}

/// What can happen to an order: mostly what comes next, sometimes what does not fit at all.
fn about_order(world: &mut World, order: OrderId) -> String {
    let what =
        if world.rng.random_bool(0.75) { next_for(world, order) } else { world.rng.random_range(0..12) };
    let by = someone();
    let goods = |command| AnyCommand::Delivery { id: delivery_of(order), command };
    let command = match what {
        PAY => {
            let command = PaymentCommand::StartCapture { method: contact_of(order), at: world.now };
            AnyCommand::Payment { id: payment_of(order), command }
        }
        ACCEPT => goods(DeliveryCommand::AcceptDelivery { by }),
        PREPARE => goods(DeliveryCommand::StartPreparation { by }),
        SHIP => goods(DeliveryCommand::ShipDelivery { by }),
        COMPLETE => goods(DeliveryCommand::CompleteDelivery { by, at: world.now }),
        RETURN => return refund(world, order),
        RECEIVE => goods(DeliveryCommand::ReceiveReturn { refund_id: None, by }),
        KEEP => goods(DeliveryCommand::CancelReturn { refund_id: None, by }),
        FAIL => goods(DeliveryCommand::FailDelivery { by, reason_id: None }),
        SHOP_CANCELS => goods(DeliveryCommand::CancelDelivery { by, reason_id: None }),
        CANCEL => {
            let (cause, reason_id) = (CancellationCause::Requested, None);
            let command = OrderCommand::RequestCancellation { by, cause, reason_id };
            AnyCommand::Order { id: order, command }
        }
        _ => return "somebody thinks it over".to_owned(),
    };
    give(world, order.uuid(), &command)
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
    *choices.choose(&mut world.rng).unwrap()
}

fn refund(world: &mut World, order: OrderId) -> String {
    let Some(State::Order(state)) = world.log.state(AggregateKind::Order, order.uuid()) else {
        return "nothing to be given back".to_owned();
    };
    let Some(details) = state.details() else { return "no such order".to_owned() };
    let coupon = details.promised_coupon();
    let (products, customer_id, shop_id) =
        (details.products(), details.customer_id.clone(), details.shop_id.clone());
    let used_coupon_id = details.coupon.map(|used| used.coupon_id);
    let refund_id = RefundId::new(world.now, world.rng.random(), shop().partition());
    let lines = if world.rng.random_bool(0.3) {
        Vec::new()
    } else {
        let product_id = *products.choose(&mut world.rng).unwrap();
        vec![ReturnedLine { product_id, quantity: Quantity::try_from(world.rng.random_range(1..3)).unwrap() }]
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
    give(world, order.uuid(), &AnyCommand::Refund { id: refund_id, command })
}

fn about_reservation(world: &mut World, id: ReservationId) -> String {
    let command = match world.rng.random_range(0..10) {
        0..6 => {
            let method = reservation::contact_of(id);
            let command = PaymentCommand::StartCapture { method, at: world.now };
            AnyCommand::Payment { id: reservation::payment_of(id), command }
        }
        6..7 => {
            let command =
                ReservationCommand::RequestCancellation { by: someone(), reason_id: None, at: world.now };
            AnyCommand::Reservation { id, command }
        }
        _ => {
            let voucher: VoucherId = reservation::voucher_of(id);
            AnyCommand::Voucher { id: voucher, command: VoucherCommand::RequestSend { by: someone() } }
        }
    };
    give(world, id.uuid(), &command)
}

/// Gives a command; says what came of it.
fn give(world: &mut World, correlation_id: Uuid, command: &AnyCommand) -> String {
    let command_id = Uuid::from_u128(world.rng.random());
    let context = Context { command_id, correlation_id, causation_id: None, actor: someone() };
    let said: String = format!("{command:?}").chars().take(140).collect();
    let before = world.log.events.len();
    match world.log.give(command, context, world.now) {
        Ok(()) if world.log.events.len() > before => format!("somebody: {said}"),
        Ok(()) => format!("somebody, once more: {said}"),
        Err(refusal) => format!("somebody, refused ({}): {said}", refusal.code),
    }
}
