//! What the histories of these tests tell: a shop where coupons are earned and spent, and a resort.

use chrono::NaiveDate;
use uuid::Uuid;

use super::story::Story;
use crate::{
    Actor, CouponId, DeliveryId, Money, OrderId, PaymentId, RefundId, ReservationId, ResortId, Stay, Subject,
    VoucherId,
    coupon::*,
    delivery::*,
    order::{self, *},
    payment::{self, *},
    product::*,
    refund::*,
    reservation::{self, *},
    resort::*,
    testing::{at, contact_id, customer_id, krw, order_id, pieces, policy, product_id, shop_id},
    voucher::*,
};

pub(super) const PRICE: i64 = 900;
pub(super) const WORTH: i64 = 100;

pub(super) fn by() -> Actor {
    Actor::System
}

/// One order and everything that belongs to it.
#[derive(Clone, Copy)]
pub(super) struct Purchase {
    pub(super) order: OrderId,
    pub(super) payment: PaymentId,
    pub(super) delivery: DeliveryId,
    pub(super) coupon: Option<CouponId>,
    /// What it earns.
    pub(super) earns: CouponId,
}

impl Purchase {
    pub(super) fn new(number: u64, coupon: Option<CouponId>) -> Self {
        let order = order_id(number);
        Self {
            order,
            payment: order::payment_of(order),
            delivery: order::delivery_of(order),
            coupon,
            earns: coupon_of(order),
        }
    }
    pub(super) fn total(self) -> Money {
        krw(if self.coupon.is_some() { PRICE - WORTH } else { PRICE })
    }
    fn subject(self) -> Uuid {
        self.order.uuid()
    }
    pub(super) fn promised(self) -> PromisedCoupon {
        PromisedCoupon { coupon_id: self.earns, value: CouponValue::Amount(krw(WORTH)), minimum: krw(PRICE) }
    }
    fn lines(self) -> Vec<ChargedLine> {
        vec![ChargedLine { product_id: product_id(1), quantity: pieces(3), charged: self.total() }]
    }

    /// Ordered, put aside, and its payment requested.
    pub(super) fn placed(self, story: &mut Story) {
        let line = OrderLine {
            product_id: product_id(1),
            name: "Phone".to_owned(),
            option: None,
            quantity: pieces(3),
            unit_price: krw(PRICE / 3),
        };
        let coupon = self.coupon.map(|coupon_id| AppliedCoupon { coupon_id, discount: krw(WORTH) });
        let (order_id, payment_id) = (self.order, self.payment);
        story.say(
            order_id,
            self.subject(),
            OrderEvent::from(OrderPlaced {
                order_id,
                shop_id: shop_id(),
                customer_id: customer_id(),
                lines: vec![line],
                total: self.total(),
                coupon,
                policy: policy(),
                contact_id: contact_id(),
                payment_id,
                payment_due_at: at(300),
            }),
        );
        let reserved = StockReserved { product_id: product_id(1), order_id, quantity: 3 };
        story.say(product_id(1), self.subject(), ProductEvent::from(reserved));
        if let Some(coupon_id) = self.coupon {
            let redeemed = CouponRedeemed { coupon_id, order_id, earned_by: order_id, discount: krw(WORTH) };
            story.say(coupon_id, self.subject(), CouponEvent::from(redeemed));
        }
        request(story, self.payment, self.order.into(), self.total());
    }
    /// Paid and confirmed, and the shop has it.
    pub(super) fn confirmed(self, story: &mut Story) {
        self.placed(story);
        capture(story, self.payment, self.order.into(), self.total());
        story.say(
            self.order,
            self.subject(),
            OrderEvent::from(OrderConfirmed {
                order_id: self.order,
                shop_id: shop_id(),
                customer_id: customer_id(),
                delivery_id: self.delivery,
                lines: self.lines(),
                policy: policy(),
            }),
        );
        self.goods(
            story,
            DeliveryRequested {
                delivery_id: self.delivery,
                order_id: self.order,
                shop_id: shop_id(),
                customer_id: customer_id(),
                lines: self.lines(),
                needs_preparation: false,
                cancellable_until: crate::CancellableUntil::Accepted,
                refund_window_secs: Some(60),
            },
        );
    }
    /// Delivered and completed; `window` says whether goods may go back.
    pub(super) fn completed(self, story: &mut Story, window: bool) {
        self.confirmed(story);
        let order_id = self.order;
        self.goods(story, DeliveryAccepted { order_id, by: by() });
        self.goods(story, DeliveryShipped { order_id, by: by() });
        let committed = StockCommitted { order_id, quantity: 3 };
        story.say(product_id(1), self.subject(), ProductEvent::from(committed));
        let returnable_until = window.then(|| at(60));
        self.goods(story, DeliveryCompleted { order_id, by: by(), returnable_until });
        let coupon = self.coupon.is_none().then(|| self.promised());
        let (customer_id, shop_id) = (customer_id(), shop_id());
        let completed = OrderCompleted { order_id, customer_id, shop_id, coupon };
        story.say(order_id, self.subject(), OrderEvent::from(completed));
    }
    /// The coupon that it earned.
    pub(super) fn earned(self, story: &mut Story) {
        let (customer_id, shop_id, order_id) = (customer_id(), shop_id(), self.order);
        let value = self.promised().value;
        let issued = CouponIssued { coupon_id: self.earns, shop_id, customer_id, order_id, value };
        story.say(self.earns, self.subject(), CouponEvent::from(issued));
    }
    /// Something happens to its delivery.
    pub(super) fn goods(self, story: &mut Story, event: impl Into<DeliveryEvent>) {
        story.say(self.delivery, self.subject(), event.into());
    }
    /// Cancelled after it was confirmed.
    pub(super) fn cancelled(self, story: &mut Story) {
        self.confirmed(story);
        let order_id = self.order;
        story.say(
            order_id,
            self.subject(),
            OrderEvent::from(OrderCancellationRequested {
                order_id,
                by: by(),
                cause: CancellationCause::Requested,
                reason_id: None,
                was_confirmed: true,
                customer_id: customer_id(),
                shop_id: shop_id(),
                payment_id: self.payment,
                delivery_id: self.delivery,
                products: vec![product_id(1)],
                amount: self.total(),
                coupon_id: self.coupon,
            }),
        );
        self.goods(
            story,
            DeliveryCancelled {
                delivery_id: self.delivery,
                order_id,
                shop_id: shop_id(),
                customer_id: customer_id(),
                cancelled_by: CancelledBy::Order,
                reason_id: None,
            },
        );
        give_back(story, self.payment, self.order.into(), full_refund_of(self.payment), self.total());
        self.unreserved(story);
        story.say(order_id, self.subject(), OrderEvent::from(OrderCancelled { order_id }));
    }
    /// Stock and coupon go back.
    fn unreserved(self, story: &mut Story) {
        let order_id = self.order;
        let released = StockReleased { order_id, quantity: 3 };
        story.say(product_id(1), self.subject(), ProductEvent::from(released));
        if let Some(coupon_id) = self.coupon {
            let released = CouponReleased { coupon_id, order_id, earned_by: order_id };
            story.say(coupon_id, self.subject(), CouponEvent::from(released));
        }
    }
    /// Not paid in time.
    pub(super) fn rejected(self, story: &mut Story) {
        self.placed(story);
        let subject = Subject::Order(self.order);
        story.say(self.payment, self.subject(), PaymentEvent::from(PaymentExpired { subject }));
        self.unreserved(story);
        let (order_id, reason) = (self.order, OrderRejection::PaymentExpired);
        story.say(order_id, self.subject(), OrderEvent::from(OrderRejected { order_id, reason }));
    }
    pub(super) fn refund(self, number: &str) -> RefundId {
        RefundId::derived(self.order.uuid(), "refund", number)
    }
    /// One of its three pieces goes back, and the coupon that it earned is clawed back.
    pub(super) fn refunded(self, story: &mut Story, number: &str, clawed_back: i64) {
        let (order_id, refund_id) = (self.order, self.refund(number));
        let amount = krw(PRICE / 3);
        let lines = vec![ReturnedLine { product_id: product_id(1), quantity: pieces(1) }];
        story.say(
            refund_id,
            self.subject(),
            RefundEvent::from(RefundRequested {
                refund_id,
                order_id,
                shop_id: shop_id(),
                customer_id: customer_id(),
                payment_id: self.payment,
                delivery_id: self.delivery,
                lines: lines.clone(),
                coupon: Some(self.promised()),
                used_coupon_id: None,
                reason_id: contact_id(),
            }),
        );
        let kept = krw(PRICE / 3 * 2);
        self.goods(story, ReturnStarted { order_id, refund_id, lines, amount, kept, called_off: Vec::new() });
        story.say(refund_id, self.subject(), RefundEvent::from(RefundAccepted { order_id, amount }));
        let clawed =
            CouponClawedBack { coupon_id: self.earns, order_id, refund_id, amount: krw(clawed_back) };
        story.say(self.earns, self.subject(), CouponEvent::from(clawed));
        self.goods(story, ReturnReceived { order_id, refund_id, by: by() });
        let back = krw(PRICE / 3 - clawed_back);
        give_back(story, self.payment, order_id.into(), refund_id, back);
        let completed = RefundCompleted { order_id, amount: back, deducted: krw(clawed_back) };
        story.say(refund_id, self.subject(), RefundEvent::from(completed));
    }
}

pub(super) fn request(story: &mut Story, payment_id: PaymentId, subject: Subject, amount: Money) {
    story.say(
        payment_id,
        subject.uuid(),
        PaymentEvent::from(PaymentRequested {
            payment_id,
            subject,
            customer_id: customer_id(),
            shop_id: None,
            amount,
            timing: PaymentTiming::Deferred,
            method: None,
            due_at: at(300),
        }),
    );
}
pub(super) fn capture(story: &mut Story, payment_id: PaymentId, subject: Subject, amount: Money) {
    let started = CaptureStarted { payment_id, attempt: 1, amount, method: contact_id() };
    story.say(payment_id, subject.uuid(), PaymentEvent::from(started));
    let provider_ref = "charge".to_owned();
    let captured = PaymentCaptured { payment_id, subject, amount, attempt: 1, provider_ref };
    story.say(payment_id, subject.uuid(), PaymentEvent::from(captured));
}
pub(super) fn give_back(
    story: &mut Story,
    payment_id: PaymentId,
    subject: Subject,
    refund_id: RefundId,
    amount: Money,
) {
    let charge_ref = "charge".to_owned();
    let started = payment::RefundStarted { payment_id, refund_id, attempt: 1, amount, charge_ref };
    story.say(payment_id, subject.uuid(), PaymentEvent::from(started));
    let provider_ref = "refund".to_owned();
    let refunded = PaymentRefunded { subject, refund_id, amount, provider_ref };
    story.say(payment_id, subject.uuid(), PaymentEvent::from(refunded));
}

/// Ten phones, an order that is completed and earns a coupon, an order that spends it, a refund of the first that claws
/// it back, one that is cancelled and one that expires.
pub(super) fn shop() -> Story {
    let mut story = Story::default();
    let listed = ProductListed {
        product_id: product_id(1),
        shop_id: shop_id(),
        name: "Phone".to_owned(),
        price: krw(PRICE / 3),
        stock: Some(10),
    };
    story.say(product_id(1), product_id(1).uuid(), ProductEvent::from(listed));
    let first = Purchase::new(1, None);
    first.completed(&mut story, true);
    first.earned(&mut story);
    Purchase::new(2, Some(first.earns)).completed(&mut story, false);
    first.refunded(&mut story, "1", WORTH);
    Purchase::new(3, None).cancelled(&mut story);
    Purchase::new(4, None).rejected(&mut story);
    story
}

/// The coupon of a first order is used by one that expires, then by one that is cancelled.
pub(super) fn coupons() -> Story {
    let mut story = shop().until("order.placed", 1);
    let coupon = Some(Purchase::new(1, None).earns);
    Purchase::new(5, coupon).rejected(&mut story);
    Purchase::new(6, coupon).cancelled(&mut story);
    story
}

pub(super) fn resort_id() -> ResortId {
    ResortId::new(at(0), 1, shop_id().partition())
}
fn day(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 2, day).unwrap()
}

/// One reservation of the nights of the 10th and the 11th.
#[derive(Clone, Copy)]
pub(super) struct Booking {
    pub(super) id: ReservationId,
    pub(super) payment: PaymentId,
    pub(super) voucher: VoucherId,
}

impl Booking {
    pub(super) fn new(number: u64) -> Self {
        let id = ReservationId::new(at(0), number, shop_id().partition());
        Self { id, payment: reservation::payment_of(id), voucher: reservation::voucher_of(id) }
    }
    fn says(self, story: &mut Story, event: impl Into<ReservationEvent>) {
        story.say(self.id, self.id.uuid(), event.into());
    }
    fn stay() -> Stay {
        Stay::new(day(10), day(12)).unwrap()
    }
    /// Paid, and the voucher sent.
    pub(super) fn paid(self, story: &mut Story) {
        let (reservation_id, resort_id, manager_id) = (self.id, resort_id(), customer_id());
        let (voucher_id, customer_id, total) = (self.voucher, customer_id(), krw(PRICE));
        self.says(
            story,
            ReservationRequested {
                reservation_id,
                resort_id,
                resort_name: "Camp".to_owned(),
                manager_id: manager_id.clone(),
                customer_id: customer_id.clone(),
                stay: Self::stay(),
                total,
                policy: ResortPolicy { pay_within_secs: 300, cancel_days_before: 1, notify: Vec::new() },
                contact_id: contact_id(),
                payment_id: self.payment,
                payment_due_at: at(300),
                voucher_id,
                cancellable_until: at(600),
                ends_at: at(900),
            },
        );
        let held = NightsHeld { resort_id, reservation_id, stay: Self::stay(), price: total, today: day(1) };
        story.say(resort_id, self.id.uuid(), ResortEvent::from(held));
        self.says(story, ReservationConfirmed { reservation_id });
        request(story, self.payment, self.id.into(), total);
        capture(story, self.payment, self.id.into(), total);
        let voucher = voucher_id;
        self.says(
            story,
            ReservationPaid {
                reservation_id,
                resort_id,
                manager_id: manager_id.clone(),
                customer_id: customer_id.clone(),
                voucher_id,
            },
        );
        let code = VoucherCode::from_random(7);
        let issued = VoucherIssued {
            voucher_id,
            reservation_id,
            resort_id,
            customer_id: customer_id.clone(),
            manager_id,
            code,
        };
        story.say(voucher, self.id.uuid(), VoucherEvent::from(issued));
        let asked = VoucherSendRequested { voucher_id, reservation_id, customer_id, sending: 1, by: by() };
        story.say(voucher, self.id.uuid(), VoucherEvent::from(asked));
        let sent = VoucherSent { reservation_id, sending: 1 };
        story.say(voucher, self.id.uuid(), VoucherEvent::from(sent));
    }
    /// Paid and cancelled.
    pub(super) fn cancelled(self, story: &mut Story) {
        self.paid(story);
        let (reservation_id, resort_id, voucher_id) = (self.id, resort_id(), self.voucher);
        let (customer_id, manager_id) = (customer_id(), customer_id());
        self.says(
            story,
            ReservationCancellationRequested {
                reservation_id,
                by: by(),
                reason_id: None,
                was_paid: true,
                customer_id: customer_id.clone(),
                manager_id: manager_id.clone(),
                resort_id,
                payment_id: self.payment,
                voucher_id,
            },
        );
        let off = VoucherDeactivated { voucher_id, reservation_id, customer_id, manager_id };
        story.say(voucher_id, self.id.uuid(), VoucherEvent::from(off));
        give_back(story, self.payment, self.id.into(), full_refund_of(self.payment), krw(PRICE));
        let released = NightsReleased { resort_id, reservation_id, stay: Self::stay() };
        story.say(resort_id, self.id.uuid(), ResortEvent::from(released));
        self.says(story, ReservationCancelled { reservation_id });
    }
}

/// One guest cancels, and another takes the same nights.
pub(super) fn resort() -> Story {
    let mut story = Story::default();
    let registered = ResortRegistered {
        resort_id: resort_id(),
        manager_id: customer_id(),
        name: "Camp".to_owned(),
        kind: "camping".to_owned(),
        nightly_price: krw(PRICE / 2),
        time_zone: crate::TimeZone::SEOUL,
        open_from: day(1),
        open_until: day(28),
        policy: ResortPolicy { pay_within_secs: 300, cancel_days_before: 1, notify: Vec::new() },
    };
    story.say(resort_id(), resort_id().uuid(), ResortEvent::from(registered));
    Booking::new(1).cancelled(&mut story);
    Booking::new(2).paid(&mut story);
    story
}
