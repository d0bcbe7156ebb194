//! What an order's goods and coupons do once they arrived: returns, refunds, and later orders.

use chrono::Duration;
use domain::{
    AnyCommand, CouponId, Money, RefundId,
    coupon::{CouponCommand as C, CouponRefusal, CouponValue, PromisedCoupon, coupon_of},
    delivery::{DeliveryCommand as D, ReturnRefusal},
    order::{CancellationCause, OrderRejection, delivery_of, payment_of},
    payment::{PaymentCommand as P, RefundOutcome},
    refund::{RefundCommand as R, ReturnedLine, reason_of},
};

use super::{
    orders::{COUPON_WON, Order},
    scripts::{Scenario, krw, process, quantity},
};

impl<'a> Order<'a> {
    fn coupon(&mut self, who: &str, id: CouponId, command: C) {
        self.step(process(who), AnyCommand::Coupon { id, command });
    }
    fn refund(&mut self, id: RefundId, command: R) {
        self.step(process("returns"), AnyCommand::Refund { id, command });
    }
    fn value() -> CouponValue {
        CouponValue::Amount(krw(COUPON_WON))
    }

    /// The coupon that it earned.
    pub(super) fn earn(&mut self) {
        let issue = C::IssueCoupon {
            coupon_id: coupon_of(self.id),
            shop_id: self.market.shop.clone(),
            customer_id: self.customer.clone(),
            order_id: self.id,
            value: Self::value(),
        };
        self.coupon("loyalty", coupon_of(self.id), issue);
    }

    /// The coupon that it uses, if it uses one.
    pub(super) fn redeem(&mut self) {
        let Some(coupon_id) = self.coupon else { return };
        let subtotal = krw(self.total().amount_minor + COUPON_WON);
        let redeem = C::RedeemCoupon {
            coupon_id,
            order_id: self.id,
            shop_id: self.market.shop.clone(),
            customer_id: self.customer.clone(),
            subtotal,
            discount: krw(COUPON_WON),
        };
        self.coupon("checkout", coupon_id, redeem);
    }

    fn take_coupon_back(&mut self, refund_id: RefundId, at_most: Money) {
        let revoke = C::RevokeCoupon {
            coupon_id: coupon_of(self.id),
            shop_id: self.market.shop.clone(),
            customer_id: self.customer.clone(),
            order_id: self.id,
            value: Self::value(),
            refund_id,
            at_most,
            called_off: Vec::new(),
        };
        self.coupon("returns", coupon_of(self.id), revoke);
    }

    fn refund_id(&self, number: u8) -> RefundId {
        RefundId::derived(self.id.uuid(), "refund", &number.to_string())
    }

    fn ask_for_refund(&mut self, number: u8, lines: &[ReturnedLine]) -> RefundId {
        let id = self.refund_id(number);
        let request = R::RequestRefund {
            refund_id: id,
            order_id: self.id,
            shop_id: self.market.shop.clone(),
            customer_id: self.customer.clone(),
            payment_id: payment_of(self.id),
            delivery_id: delivery_of(self.id),
            lines: lines.to_vec(),
            coupon: Some(PromisedCoupon {
                coupon_id: coupon_of(self.id),
                value: Self::value(),
                minimum: krw(1_000),
            }),
            used_coupon_id: None,
            reason_id: reason_of(id),
        };
        self.step(self.by_customer(), AnyCommand::Refund { id, command: request });
        let (order_id, at) = (self.id, self.at + Duration::hours(1));
        let start = D::StartReturn { refund_id: id, order_id, lines: lines.to_vec(), at };
        self.delivery(process("returns"), start);
        id
    }

    fn accept_refund(&mut self, id: RefundId, amount: Money) {
        self.refund(id, R::AcceptRefund { amount });
    }

    /// The shop has the goods; the money goes back, less what comes off for a coupon.
    fn receive(&mut self, refund_id: RefundId, accepted: Money, deducted: Money) {
        let by = self.by_shop();
        self.delivery(by.clone(), D::ReceiveReturn { refund_id: None, by });
        let amount = accepted.minus(deducted).unwrap();
        self.payment(P::StartRefund { refund_id, amount });
        let outcome = RefundOutcome::Refunded { provider_ref: "re_2".into() };
        self.payment(P::RecordRefund { refund_id, attempt: 1, outcome });
        self.refund(refund_id, R::CompleteRefund { amount, deducted });
    }

    fn close_the_window(&mut self) {
        self.delivery(process("fulfilment"), D::CloseReturnWindow { at: self.at + Duration::days(8) });
    }

    /// Everything goes back; the coupon is taken back, or comes off the refund.
    fn give_all_back(&mut self, deducted: i64) {
        let refund = self.ask_for_refund(1, &[]);
        self.accept_refund(refund, self.total());
        self.take_coupon_back(refund, self.total());
        self.receive(refund, self.total(), krw(deducted));
    }

    fn deliver(&mut self) {
        self.confirm();
        self.ship();
        self.arrive();
    }

    /// A later order of the same customer that uses the coupon which this one earned.
    fn next(&self, number: u64) -> Order<'a> {
        let random = (self.id.uuid().as_u128() >> 10) as u64 ^ number;
        let mut next = Order::new(self.market, random, self.at);
        next.customer = self.customer.clone();
        next.coupon = Some(coupon_of(self.id));
        next
    }

    fn then(&mut self, next: Order<'a>) {
        self.script.extend(next.script);
    }

    pub(super) fn return_or_use_coupon(&mut self, scenario: Scenario) {
        self.deliver();
        match scenario {
            Scenario::Withheld => self.give_all_back(0),
            Scenario::Returned => {
                self.earn();
                self.give_all_back(0);
                self.close_the_window();
            }
            Scenario::PartlyReturned => {
                self.earn();
                let product_id = self.lines[0].product_id;
                let one = self.ask_for_refund(1, &[ReturnedLine { product_id, quantity: quantity(1) }]);
                self.accept_refund(one, krw(1_500));
                self.receive(one, krw(1_500), krw(0));
                let many = self.ask_for_refund(2, &[ReturnedLine { product_id, quantity: quantity(99) }]);
                self.refund(many, R::RefuseRefund { reason: ReturnRefusal::MoreThanDelivered });
                self.close_the_window();
            }
            Scenario::ReturnCalledOff => {
                self.earn();
                let refund = self.ask_for_refund(1, &[]);
                self.accept_refund(refund, self.total());
                self.take_coupon_back(refund, self.total());
                let by = self.by_customer();
                self.delivery(by.clone(), D::CancelReturn { refund_id: Some(refund), by });
                self.coupon("returns", coupon_of(self.id), C::ReinstateCoupon { refund_id: refund });
                self.refund(refund, R::CancelRefund);
            }
            Scenario::CouponSpent => {
                self.earn();
                let mut next = self.next(1);
                next.deliver();
                next.earn();
                self.then(next);
                self.give_all_back(COUPON_WON);
            }
            Scenario::CouponGivenBack => {
                self.earn();
                let mut next = self.next(1);
                next.confirm();
                next.cancel(next.by_customer(), CancellationCause::Requested);
                next.coupon("cancellation", coupon_of(self.id), C::ReleaseCoupon { order_id: next.id });
                next.give_back(false);
                self.then(next);
            }
            Scenario::CouponUsedTwice => {
                self.earn();
                let (mut first, mut second) = (self.next(1), self.next(2));
                first.confirm();
                second.place();
                second.reserve();
                second.redeem();
                let (coupon_id, refusal) = (coupon_of(self.id), CouponRefusal::AlreadyRedeemed);
                second.reject(OrderRejection::CouponRefused { coupon_id, refusal });
                self.then(first);
                self.then(second);
            }
            other => unreachable!("{other:?} is not about returns or coupons"),
        }
    }
}
