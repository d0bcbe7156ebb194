//! What can happen to an order from its first to its last event, as commands.

use std::collections::VecDeque;

use chrono::Duration;
use domain::{
    Actor, AnyCommand, CancellableUntil, ContactId, Currency, CustomerId, Money, NotificationId,
    NotifiedChange, OrderId, PaymentTerms, ProductId, Quantity, ShopId, ShopPolicy, Timestamp,
    delivery::DeliveryCommand as D,
    notification::NotificationCommand as N,
    order::{
        CancellationCause, ChargedLine, OrderCommand as O, OrderLine, OrderRejection, contact_of,
        delivery_of, payment_of,
    },
    payment::{CaptureOutcome, PaymentCommand as P, PaymentTiming, RefundOutcome, full_refund_of},
    product::{ProductCommand, RefusalReason},
    shop::ShopCommand,
};
use uuid::Uuid;

use super::History;

/// How an order goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    Delivered,
    Declined,
    OutOfStock,
    CancelledInTime,
    CancelledTooLate,
    CancelledBeforeTheDelivery,
    FailedOnTheWay,
    NeverPaid,
}

impl Scenario {
    pub(crate) const ALL: [Self; 8] = [
        Self::Delivered,
        Self::Declined,
        Self::OutOfStock,
        Self::CancelledInTime,
        Self::CancelledTooLate,
        Self::CancelledBeforeTheDelivery,
        Self::FailedOnTheWay,
        Self::NeverPaid,
    ];
}

type Script = VecDeque<(Actor, AnyCommand)>;

fn krw(amount: i64) -> Money {
    Money::new(amount, Currency::KRW).unwrap()
}
fn quantity(pieces: i64) -> Quantity {
    Quantity::try_from(pieces).unwrap()
}
fn process(name: &str) -> Actor {
    Actor::Process(name.to_owned())
}

fn policy() -> ShopPolicy {
    ShopPolicy {
        payment: PaymentTerms::AtOrder { decide_within_secs: 300 },
        preparation: true,
        cancellable_until: CancellableUntil::Accepted,
        notify: vec![NotifiedChange::OrderConfirmed],
    }
}

/// A shop and what it sells: some kept in stock, some made to order.
struct Market {
    shop: ShopId,
    products: Vec<ProductId>,
}

impl Market {
    fn open(history: &mut History, name: &str, products: u64) -> Self {
        let shop: ShopId = name.parse().unwrap();
        let id = shop.clone();
        let put =
            ShopCommand::PutShop { shop_id: id.clone(), name: format!("Shop {name}"), policy: policy() };
        history.act(Actor::System, shop.uuid(), AnyCommand::Shop { id, command: put });
        let list = |number: u64| {
            let id = ProductId::new(history.now(), 77 + number, shop.partition());
            let command = ProductCommand::ListProduct {
                product_id: id,
                shop_id: shop.clone(),
                name: format!("Product {number}"),
                price: krw(1_000 * (number as i64 + 1)),
                stock: number.is_multiple_of(2).then_some(1_000_000),
            };
            history.act(Actor::Shop(shop.clone()), shop.uuid(), AnyCommand::Product { id, command });
            id
        };
        let products = (0..products).map(list).collect();
        Self { shop, products }
    }
}

/// An order about to be played.
struct Order<'a> {
    market: &'a Market,
    id: OrderId,
    customer: CustomerId,
    lines: Vec<OrderLine>,
    at: Timestamp,
    script: Script,
}

impl<'a> Order<'a> {
    fn new(market: &'a Market, random: u64, at: Timestamp) -> Self {
        let id = OrderId::new(at, random, market.shop.partition());
        let customer = format!("customer-{}", random % 97).parse().unwrap();
        let pick = |n: u64| market.products[((random >> 8) + n) as usize % market.products.len()];
        let lines = (0..1 + random % 2).map(|n| OrderLine {
            product_id: pick(n),
            name: format!("Product {n}"),
            option: (n == 1).then(|| "large".to_owned()),
            quantity: quantity(1 + (random % 3) as i64),
            unit_price: krw(1_500),
        });
        Self { market, id, customer, lines: lines.collect(), at, script: Script::new() }
    }

    fn by_customer(&self) -> Actor {
        Actor::Customer(self.customer.clone())
    }
    fn by_shop(&self) -> Actor {
        Actor::Shop(self.market.shop.clone())
    }
    fn total(&self) -> Money {
        krw(self.lines.iter().map(|line| 1_500 * i64::from(line.quantity.get())).sum())
    }

    fn order(&mut self, actor: Actor, command: O) {
        self.script.push_back((actor, AnyCommand::Order { id: self.id, command }));
    }
    fn payment(&mut self, command: P) {
        let id = payment_of(self.id);
        self.script.push_back((process("payments"), AnyCommand::Payment { id, command }));
    }
    fn delivery(&mut self, actor: Actor, command: D) {
        let id = delivery_of(self.id);
        self.script.push_back((actor, AnyCommand::Delivery { id, command }));
    }
    fn each_product(&mut self, command: impl Fn(&OrderLine, OrderId) -> ProductCommand) {
        for line in &self.lines {
            let command = AnyCommand::Product { id: line.product_id, command: command(line, self.id) };
            self.script.push_back((process("checkout"), command));
        }
    }

    fn place(&mut self) {
        let command = O::PlaceOrder {
            order_id: self.id,
            shop_id: self.market.shop.clone(),
            customer_id: self.customer.clone(),
            lines: self.lines.clone(),
            expected_total: None,
            policy: policy(),
            contact_id: contact_of(self.id),
            at: self.at,
        };
        self.order(self.by_customer(), command);
    }
    fn reserve(&mut self) {
        self.each_product(|line, order_id| ProductCommand::ReserveStock {
            order_id,
            quantity: u64::from(line.quantity.get()),
        });
    }
    fn ask_for_payment(&mut self, timing: PaymentTiming) {
        let command = P::RequestPayment {
            payment_id: payment_of(self.id),
            order_id: self.id,
            customer_id: self.customer.clone(),
            shop_id: self.market.shop.clone(),
            amount: self.total(),
            timing,
            method: None,
            due_at: self.at + Duration::days(1),
        };
        self.payment(command);
    }
    fn charge(&mut self, attempt: u32, declined: bool) {
        let method = ContactId::derived(self.id.uuid(), "method", "");
        self.payment(P::StartCapture { method, at: self.at });
        let outcome = if declined {
            CaptureOutcome::Declined { decline_code: "insufficient_funds".into() }
        } else {
            CaptureOutcome::Captured { provider_ref: format!("ch_{attempt}") }
        };
        self.payment(P::RecordCapture { attempt, outcome, at: self.at });
    }
    fn confirm(&mut self) {
        self.place();
        self.reserve();
        self.ask_for_payment(PaymentTiming::AtOrder);
        self.charge(1, false);
        self.order(process("checkout"), O::ConfirmOrder);
        self.notify();
    }
    fn notify(&mut self) {
        let change = NotifiedChange::OrderConfirmed;
        let id = NotificationId::derived(self.id.uuid(), "notification", change.name());
        let (order_id, customer_id, shop_id) = (self.id, self.customer.clone(), self.market.shop.clone());
        let queue = N::QueueNotification { notification_id: id, order_id, customer_id, shop_id, change };
        let channel = "log".to_owned();
        for command in [queue, N::RecordSent { channel }] {
            self.script.push_back((process("notifications"), AnyCommand::Notification { id, command }));
        }
    }
    fn request_delivery(&mut self) {
        let lines = self.lines.iter().map(|line| ChargedLine {
            product_id: line.product_id,
            quantity: line.quantity,
            charged: line.unit_price.times(line.quantity).unwrap(),
        });
        let command = D::RequestDelivery {
            delivery_id: delivery_of(self.id),
            order_id: self.id,
            shop_id: self.market.shop.clone(),
            customer_id: self.customer.clone(),
            lines: lines.collect(),
            needs_preparation: true,
            cancellable_until: CancellableUntil::Accepted,
        };
        self.delivery(process("fulfilment"), command);
    }
    fn ship(&mut self) {
        self.request_delivery();
        let by = self.by_shop();
        self.delivery(by.clone(), D::AcceptDelivery { by: by.clone() });
        self.delivery(by.clone(), D::StartPreparation { by: by.clone() });
        self.delivery(by.clone(), D::ShipDelivery { by });
        self.each_product(|_, order_id| ProductCommand::CommitStock { order_id });
    }
    fn arrive(&mut self) {
        let by = Actor::Courier("kim".parse().unwrap());
        self.delivery(by.clone(), D::CompleteDelivery { by });
        self.order(process("fulfilment"), O::CompleteOrder);
    }
    fn cancel(&mut self, by: Actor, cause: CancellationCause) {
        let reason_id = Some(ContactId::derived(self.id.uuid(), "reason", ""));
        self.order(by.clone(), O::RequestCancellation { by, cause, reason_id });
        let command = D::CancelForOrder {
            delivery_id: delivery_of(self.id),
            order_id: self.id,
            shop_id: self.market.shop.clone(),
            customer_id: self.customer.clone(),
        };
        self.delivery(process("cancellation"), command);
    }
    fn give_back(&mut self, stumbles: bool) {
        let refund_id = full_refund_of(payment_of(self.id));
        self.payment(P::VoidPayment);
        let mut attempt = 1;
        if stumbles {
            let outcome = RefundOutcome::Failed { failure_code: "provider_busy".into() };
            self.payment(P::RecordRefund { refund_id, attempt, outcome });
            self.payment(P::RetryRefund { refund_id, failed_attempt: attempt });
            attempt += 1;
        }
        let outcome = RefundOutcome::Refunded { provider_ref: "re_1".into() };
        self.payment(P::RecordRefund { refund_id, attempt, outcome });
        self.each_product(|_, order_id| ProductCommand::ReleaseStock { order_id });
        self.order(process("cancellation"), O::FinishCancellation);
    }
    fn reject(&mut self, reason: OrderRejection) {
        self.each_product(|_, order_id| ProductCommand::ReleaseStock { order_id });
        self.order(process("checkout"), O::RejectOrder { reason });
    }

    fn play(mut self, scenario: Scenario) -> (Uuid, Script) {
        match scenario {
            Scenario::Delivered => {
                self.confirm();
                self.ship();
                self.arrive();
            }
            Scenario::Declined => {
                self.place();
                self.reserve();
                self.ask_for_payment(PaymentTiming::AtOrder);
                self.charge(1, true);
                self.reject(OrderRejection::PaymentDeclined { decline_code: "insufficient_funds".into() });
            }
            Scenario::OutOfStock => {
                self.place();
                let product_id = self.market.products[0];
                let command = ProductCommand::ReserveStock { order_id: self.id, quantity: 2_000_000 };
                let command = AnyCommand::Product { id: product_id, command };
                self.script.push_back((process("checkout"), command));
                let refusal = RefusalReason::OutOfStock { available: 3 };
                self.reject(OrderRejection::StockRefused { product_id, refusal });
            }
            Scenario::CancelledInTime => {
                self.confirm();
                self.request_delivery();
                self.cancel(self.by_customer(), CancellationCause::Requested);
                self.give_back(true);
            }
            Scenario::CancelledTooLate => {
                self.confirm();
                self.ship();
                self.cancel(self.by_customer(), CancellationCause::Requested);
                self.order(process("cancellation"), O::RefuseCancellation);
                self.arrive();
            }
            Scenario::CancelledBeforeTheDelivery => {
                self.confirm();
                self.cancel(self.by_customer(), CancellationCause::Requested);
                self.give_back(false);
            }
            Scenario::FailedOnTheWay => {
                self.confirm();
                self.ship();
                let (by, reason_id) = (self.by_shop(), Some(ContactId::derived(self.id.uuid(), "why", "")));
                self.delivery(by.clone(), D::FailDelivery { by, reason_id });
                self.cancel(process("fulfilment"), CancellationCause::DeliveryFailed);
                self.give_back(false);
            }
            Scenario::NeverPaid => {
                self.place();
                self.reserve();
                self.ask_for_payment(PaymentTiming::Deferred);
                self.charge(1, true);
                self.payment(P::ExpirePayment { at: self.at + Duration::days(2) });
                self.reject(OrderRejection::PaymentExpired);
            }
        }
        (self.id.uuid(), self.script)
    }
}

/// One order from its first to its last event.
pub(crate) fn story(scenario: Scenario) -> History {
    let mut history = History::default();
    let market = Market::open(&mut history, "phone", 3);
    let (order, script) = Order::new(&market, 41, history.now()).play(scenario);
    for (actor, command) in script {
        history.act(actor, order, command);
    }
    history
}

/// Many orders of some shops, mixed: while one is paid, another is delivered. The same for the same seed.
pub(crate) fn crowd(seed: u64, orders: usize) -> History {
    let mut random = Random(seed);
    let mut history = History::default();
    let markets: Vec<Market> =
        ["phone", "pizza", "books"].iter().map(|name| Market::open(&mut history, name, 8)).collect();
    let mut open: Vec<(Uuid, Script)> = Vec::new();
    let (mut placed, at_once) = (0, 64);
    while placed < orders || !open.is_empty() {
        if placed < orders && open.len() < at_once {
            let market = &markets[random.below(markets.len())];
            let scenario =
                if random.below(3) == 0 { Scenario::ALL[random.below(8)] } else { Scenario::Delivered };
            open.push(Order::new(market, random.next(), history.now()).play(scenario));
            placed += 1;
        }
        let chosen = random.below(open.len());
        let (order, script) = &mut open[chosen];
        match script.pop_front() {
            Some((actor, command)) => history.act(actor, *order, command),
            None => drop(open.swap_remove(chosen)),
        }
        if random.below(50) == 0 {
            change_a_product(&mut history, &markets[random.below(markets.len())], &mut random);
        }
    }
    history
}

fn change_a_product(history: &mut History, market: &Market, random: &mut Random) {
    let number = random.below(market.products.len());
    let (id, shop) = (market.products[number], market.shop.clone());
    let command = if number.is_multiple_of(2) {
        ProductCommand::Restock { quantity: 1 + random.below(5) as u64 }
    } else {
        ProductCommand::ReviseProduct { name: None, price: Some(krw(500 + random.below(9_000) as i64)) }
    };
    history.act(Actor::Shop(shop.clone()), shop.uuid(), AnyCommand::Product { id, command });
}

/// Splitmix64: enough to mix orders.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}
