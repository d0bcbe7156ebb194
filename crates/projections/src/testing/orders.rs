//! An order's way as commands: what is asked of it, its products, its payment and its delivery.

use chrono::Duration;
use domain::{
    Actor, AnyCommand, CancellableUntil, ContactId, CouponId, CustomerId, Money, NotificationId,
    NotifiedChange, OrderId, PaymentTerms, ProductId, ShopId, ShopPolicy, Timestamp,
    coupon::CouponValue,
    delivery::DeliveryCommand as D,
    notification::NotificationCommand as N,
    order::{
        AppliedCoupon, CancellationCause, ChargedLine, OrderCommand as O, OrderLine, OrderRejection,
        contact_of, delivery_of, payment_of,
    },
    payment::{CaptureOutcome, PaymentCommand as P, PaymentTiming, RefundOutcome, full_refund_of},
    policy::CouponPolicy,
    product::{ProductCommand, RefusalReason},
    shop::ShopCommand,
};

use super::{
    History,
    scripts::{Scenario, Script, krw, process, quantity},
};

/// What a coupon of these shops takes off.
pub(super) const COUPON_WON: i64 = 500;

fn policy() -> ShopPolicy {
    ShopPolicy {
        payment: PaymentTerms::AtOrder { decide_within_secs: 300 },
        preparation: true,
        cancellable_until: CancellableUntil::Accepted,
        notify: vec![NotifiedChange::OrderConfirmed],
        refund_window_secs: Some(7 * 24 * 3_600),
        coupon: Some(CouponPolicy { value: CouponValue::Amount(krw(COUPON_WON)), minimum: krw(1_000) }),
    }
}

/// A shop and what it sells: some kept in stock, some made to order.
pub(super) struct Market {
    pub(super) shop: ShopId,
    pub(super) products: Vec<ProductId>,
}

impl Market {
    pub(super) fn open(history: &mut History, name: &str, products: u64) -> Self {
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
pub(super) struct Order<'a> {
    pub(super) market: &'a Market,
    pub(super) id: OrderId,
    pub(super) customer: CustomerId,
    pub(super) lines: Vec<OrderLine>,
    /// The coupon that it uses.
    pub(super) coupon: Option<CouponId>,
    pub(super) at: Timestamp,
    pub(super) script: Script,
}

impl<'a> Order<'a> {
    pub(super) fn new(market: &'a Market, random: u64, at: Timestamp) -> Self {
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
        Self { market, id, customer, lines: lines.collect(), coupon: None, at, script: Script::new() }
    }

    pub(super) fn by_customer(&self) -> Actor {
        Actor::Customer(self.customer.clone())
    }
    pub(super) fn by_shop(&self) -> Actor {
        Actor::Shop(self.market.shop.clone())
    }
    pub(super) fn total(&self) -> Money {
        let lines: i64 = self.lines.iter().map(|line| 1_500 * i64::from(line.quantity.get())).sum();
        krw(lines - self.discount())
    }
    fn discount(&self) -> i64 {
        self.coupon.map_or(0, |_| COUPON_WON)
    }

    pub(super) fn step(&mut self, actor: Actor, command: AnyCommand) {
        self.script.push_back((self.id.uuid(), actor, command));
    }
    pub(super) fn order(&mut self, actor: Actor, command: O) {
        self.step(actor, AnyCommand::Order { id: self.id, command });
    }
    pub(super) fn payment(&mut self, command: P) {
        self.step(process("payments"), AnyCommand::Payment { id: payment_of(self.id), command });
    }
    pub(super) fn delivery(&mut self, actor: Actor, command: D) {
        self.step(actor, AnyCommand::Delivery { id: delivery_of(self.id), command });
    }
    fn each_product(&mut self, command: impl Fn(&OrderLine, OrderId) -> ProductCommand) {
        let commands = self.lines.iter().map(|line| (line.product_id, command(line, self.id)));
        for (id, command) in commands.collect::<Vec<_>>() {
            self.step(process("checkout"), AnyCommand::Product { id, command });
        }
    }

    pub(super) fn place(&mut self) {
        let command = O::PlaceOrder {
            order_id: self.id,
            shop_id: self.market.shop.clone(),
            customer_id: self.customer.clone(),
            lines: self.lines.clone(),
            coupon: self.coupon.map(|coupon_id| AppliedCoupon { coupon_id, discount: krw(COUPON_WON) }),
            expected_total: None,
            policy: policy(),
            contact_id: contact_of(self.id),
            at: self.at,
        };
        self.order(self.by_customer(), command);
    }
    pub(super) fn reserve(&mut self) {
        self.each_product(|line, order_id| ProductCommand::ReserveStock {
            order_id,
            quantity: u64::from(line.quantity.get()),
        });
    }
    pub(super) fn ask_for_payment(&mut self, timing: PaymentTiming) {
        let command = P::RequestPayment {
            payment_id: payment_of(self.id),
            subject: self.id.into(),
            customer_id: self.customer.clone(),
            shop_id: Some(self.market.shop.clone()),
            amount: self.total(),
            timing,
            method: None,
            due_at: self.at + Duration::days(1),
        };
        self.payment(command);
    }
    pub(super) fn charge(&mut self, attempt: u32, declined: bool) {
        let method = ContactId::derived(self.id.uuid(), "method", "");
        self.payment(P::StartCapture { method, at: self.at });
        let outcome = if declined {
            CaptureOutcome::Declined { decline_code: "insufficient_funds".into() }
        } else {
            CaptureOutcome::Captured { provider_ref: format!("ch_{attempt}") }
        };
        self.payment(P::RecordCapture { attempt, outcome, at: self.at });
    }
    pub(super) fn confirm(&mut self) {
        self.place();
        self.reserve();
        self.redeem();
        self.ask_for_payment(PaymentTiming::AtOrder);
        self.charge(1, false);
        self.order(process("checkout"), O::ConfirmOrder);
        self.notify();
    }
    pub(super) fn notify(&mut self) {
        let change = NotifiedChange::OrderConfirmed;
        let id = NotificationId::derived(self.id.uuid(), "notification", change.name());
        let queue = N::QueueNotification {
            notification_id: id,
            subject: self.id.into(),
            customer_id: self.customer.clone(),
            shop_id: Some(self.market.shop.clone()),
            change,
            voucher_id: None,
        };
        let channel = "log".to_owned();
        for command in [queue, N::RecordSent { channel }] {
            self.step(process("notifications"), AnyCommand::Notification { id, command });
        }
    }
    pub(super) fn request_delivery(&mut self) {
        // All of a discount comes off the first line; how it is spread does not matter here.
        let mut discount = self.discount();
        let lines = self.lines.iter().map(|line| ChargedLine {
            product_id: line.product_id,
            quantity: line.quantity,
            charged: krw(1_500 * i64::from(line.quantity.get()) - std::mem::take(&mut discount)),
        });
        let command = D::RequestDelivery {
            delivery_id: delivery_of(self.id),
            order_id: self.id,
            shop_id: self.market.shop.clone(),
            customer_id: self.customer.clone(),
            lines: lines.collect(),
            needs_preparation: true,
            cancellable_until: CancellableUntil::Accepted,
            refund_window_secs: policy().refund_window_secs,
        };
        self.delivery(process("fulfilment"), command);
    }
    pub(super) fn ship(&mut self) {
        self.request_delivery();
        let by = self.by_shop();
        self.delivery(by.clone(), D::AcceptDelivery { by: by.clone() });
        self.delivery(by.clone(), D::StartPreparation { by: by.clone() });
        self.delivery(by.clone(), D::ShipDelivery { by });
        self.each_product(|_, order_id| ProductCommand::CommitStock { order_id });
    }
    pub(super) fn arrive(&mut self) {
        let by = Actor::Courier("kim".parse().unwrap());
        self.delivery(by.clone(), D::CompleteDelivery { by, at: self.at });
        self.order(process("fulfilment"), O::CompleteOrder);
    }
    pub(super) fn cancel(&mut self, by: Actor, cause: CancellationCause) {
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
    pub(super) fn give_back(&mut self, stumbles: bool) {
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
    pub(super) fn reject(&mut self, reason: OrderRejection) {
        self.each_product(|_, order_id| ProductCommand::ReleaseStock { order_id });
        self.order(process("checkout"), O::RejectOrder { reason });
    }

    pub(super) fn play(mut self, scenario: Scenario) -> Script {
        match scenario {
            Scenario::Delivered => {
                self.confirm();
                self.ship();
                self.arrive();
                self.earn();
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
                self.step(process("checkout"), command);
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
                self.earn();
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
            other => self.return_or_use_coupon(other),
        }
        self.script
    }
}
