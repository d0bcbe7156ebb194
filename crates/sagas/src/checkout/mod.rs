//! Checkout: makes a deal of a placed order, or leaves nothing behind. Instance: the order.
//!
//! | stage | input | next | does | undone by |
//! |---|---|---|---|---|
//! | Idle | OrderPlaced | Reserving | reserve stock, every product | release stock |
//! | Reserving | StockReserved, the last one, of an order with a coupon | Redeeming | redeem coupon | release coupon |
//! | Reserving | StockReserved, the last one, of an order without one | Paying | request payment | void payment (gives captured money back) |
//! | Reserving | the last answer, one was StockReservationRefused | Rejecting | release stock, reject order | |
//! | Reserving | OrderCancellationRequested | Reserving, cancelled | waits for the answers under way | |
//! | Reserving, cancelled | the last answer | Done | release stock, finish cancellation | |
//! | Redeeming | CouponRedeemed | Paying | request payment | void payment (gives captured money back) |
//! | Redeeming | CouponRedemptionRefused | Rejecting | release stock, reject order | |
//! | Redeeming | OrderCancellationRequested | Redeeming, cancelled | waits for the answer under way | |
//! | Redeeming, cancelled | CouponRedeemed | Done | release coupon and stock, finish cancellation | |
//! | Redeeming, cancelled | CouponRedemptionRefused | Done | release stock, finish cancellation | |
//! | Paying | PaymentCaptured | Confirming | confirm order | |
//! | Paying | PaymentDeclined, PaymentExpired | Rejecting | release coupon and stock, reject order | |
//! | Paying, Confirming | OrderCancellationRequested | Undoing | void payment | |
//! | Undoing | PaymentVoided, PaymentDeclined, PaymentExpired, PaymentRefunded | Done | release coupon and stock, finish cancellation | |
//! | Confirming | OrderConfirmed | Done | | the cancellation process |
//! | Rejecting | OrderRejected | Done | | |
//! | Rejecting | OrderCancellationRequested | Done | finish cancellation | |
//!
//! A cancellation of an order that was confirmed is not checkout's: `was_confirmed` says so.

mod state;
#[cfg(test)]
mod tests;

pub use state::{Basket, Checkout, CheckoutState, UsedCoupon};

use domain::{
    AnyCommand, CouponId, Envelope, Event, OrderId, ProductId,
    coupon::{CouponCommand, CouponEvent},
    order::{OrderCommand, OrderEvent, OrderRejection},
    payment::{PaymentCommand, PaymentEvent},
    product::{ProductCommand, ProductEvent},
};
use uuid::Uuid;

use crate::{
    payments::subject_of_outcome,
    process::{Awaiting, Input, Process, Reaction, go, ignore},
};

impl Process for Checkout {
    type State = CheckoutState;
    const NAME: &'static str = "checkout";
    const VERSION: u32 = 1;

    fn instance(event: &Envelope) -> Option<Uuid> {
        match &event.event {
            Event::Order(_) => Some(event.stream.id),
            Event::Product(ProductEvent::StockReserved(e)) => Some(e.order_id.uuid()),
            Event::Product(ProductEvent::StockReservationRefused(e)) => Some(e.order_id.uuid()),
            Event::Coupon(CouponEvent::CouponRedeemed(e)) => Some(e.order_id.uuid()),
            Event::Coupon(CouponEvent::CouponRedemptionRefused(e)) => Some(e.order_id.uuid()),
            other => subject_of_outcome(other)?.order_id().map(OrderId::uuid),
        }
    }

    fn begins(event: &Envelope) -> bool {
        matches!(event.event, Event::Order(OrderEvent::OrderPlaced(_)))
    }

    fn react(state: &CheckoutState, input: Input<'_>) -> Reaction<CheckoutState> {
        use CheckoutState::{Confirming, Done, Idle, Paying, Redeeming, Rejecting, Reserving, Undoing};
        let Input::Event(event) = input else { return ignore() };
        match (state, &event.event) {
            (Idle, Event::Order(OrderEvent::OrderPlaced(e))) => {
                let basket = Basket::of(e);
                go(basket.reserving()).send_all(basket.reserve_stock())
            }

            (Reserving { basket, .. }, Event::Product(ProductEvent::StockReserved(e))) => {
                answered(state, basket, e.product_id, None)
            }
            (Reserving { basket, .. }, Event::Product(ProductEvent::StockReservationRefused(e))) => {
                let refusal =
                    OrderRejection::StockRefused { product_id: e.product_id, refusal: e.reason.clone() };
                answered(state, basket, e.product_id, Some(refusal))
            }
            (
                Reserving { basket, missing, refusal, .. },
                Event::Order(OrderEvent::OrderCancellationRequested(_)),
            ) => go(Reserving {
                basket: basket.clone(),
                missing: missing.clone(),
                refusal: refusal.clone(),
                cancelled: true,
            }),

            (Redeeming { basket, cancelled: false }, Event::Coupon(CouponEvent::CouponRedeemed(_))) => {
                pay(basket)
            }
            (Redeeming { basket, cancelled: true }, Event::Coupon(CouponEvent::CouponRedeemed(_))) => {
                called_off(basket, basket.release_all())
            }
            (
                Redeeming { basket, cancelled: false },
                Event::Coupon(CouponEvent::CouponRedemptionRefused(e)),
            ) => {
                let reason = OrderRejection::CouponRefused { coupon_id: e.coupon_id, refusal: e.reason };
                reject(basket, basket.release_stock(), reason)
            }
            (
                Redeeming { basket, cancelled: true },
                Event::Coupon(CouponEvent::CouponRedemptionRefused(_)),
            ) => called_off(basket, basket.release_stock()),
            (Redeeming { basket, .. }, Event::Order(OrderEvent::OrderCancellationRequested(_))) => {
                go(Redeeming { basket: basket.clone(), cancelled: true })
            }

            (Paying(basket), Event::Payment(PaymentEvent::PaymentCaptured(_))) => {
                // Overtaken by a cancellation that is further down the log: it will find us in Confirming.
                go(Confirming(basket.clone()))
                    .send("confirm_order", basket.order(OrderCommand::ConfirmOrder))
                    .unless(&["illegal_transition"])
            }
            (Paying(basket), Event::Payment(PaymentEvent::PaymentDeclined(e))) => {
                let reason = OrderRejection::PaymentDeclined { decline_code: e.decline_code.clone() };
                reject(basket, basket.release_all(), reason)
            }
            (Paying(basket), Event::Payment(PaymentEvent::PaymentExpired(_))) => {
                reject(basket, basket.release_all(), OrderRejection::PaymentExpired)
            }
            (
                Paying(basket) | Confirming(basket),
                Event::Order(OrderEvent::OrderCancellationRequested(e)),
            ) if !e.was_confirmed => {
                go(Undoing(basket.clone())).send("void_payment", basket.payment(PaymentCommand::VoidPayment))
            }

            (
                Undoing(basket),
                Event::Payment(
                    PaymentEvent::PaymentVoided(_)
                    | PaymentEvent::PaymentDeclined(_)
                    | PaymentEvent::PaymentExpired(_)
                    | PaymentEvent::PaymentRefunded(_),
                ),
            ) => called_off(basket, basket.release_all()),

            (Confirming(_), Event::Order(OrderEvent::OrderConfirmed(_)))
            | (Rejecting(_), Event::Order(OrderEvent::OrderRejected(_))) => go(Done),
            (Rejecting(basket), Event::Order(OrderEvent::OrderCancellationRequested(_))) => {
                go(Done).send("finish_cancellation", basket.order(OrderCommand::FinishCancellation))
            }

            _ => ignore(),
        }
    }

    fn awaits(state: &CheckoutState) -> Option<Awaiting> {
        use CheckoutState::{Confirming, Done, Idle, Paying, Redeeming, Rejecting, Reserving, Undoing};
        match state {
            Idle | Done => None,
            Reserving { missing, .. } => {
                Awaiting::for_event(format!("stock of {} product(s)", missing.len()))
            }
            Redeeming { .. } => Awaiting::for_event("CouponRedeemed or CouponRedemptionRefused"),
            Paying(basket) => Awaiting::until("the payment's outcome", basket.payment_due_at),
            Confirming(_) => Awaiting::for_event("OrderConfirmed"),
            Rejecting(_) => Awaiting::for_event("OrderRejected"),
            Undoing(_) => Awaiting::for_event("PaymentVoided or PaymentRefunded"),
        }
    }
}

/// One product has answered. The last answer decides.
fn answered(
    state: &CheckoutState,
    basket: &Basket,
    product: ProductId,
    refused: Option<OrderRejection>,
) -> Reaction<CheckoutState> {
    let CheckoutState::Reserving { missing, refusal, cancelled, .. } = state else { return ignore() };
    let missing: Vec<ProductId> = missing.iter().copied().filter(|p| *p != product).collect();
    let refusal = refusal.clone().or(refused);
    if !missing.is_empty() {
        let basket = basket.clone();
        return go(CheckoutState::Reserving { basket, missing, refusal, cancelled: *cancelled });
    }
    if *cancelled {
        return called_off(basket, basket.release_stock());
    }
    match (refusal, &basket.coupon) {
        (Some(reason), _) => reject(basket, basket.release_stock(), reason),
        (None, Some(used)) => go(CheckoutState::Redeeming { basket: basket.clone(), cancelled: false })
            .send("redeem_coupon", basket.redeem(used)),
        (None, None) => pay(basket),
    }
}

/// Everything is put aside: now the money.
fn pay(basket: &Basket) -> Reaction<CheckoutState> {
    go(CheckoutState::Paying(basket.clone())).send("request_payment", basket.request_payment())
}

/// Puts everything back and turns the order down, unless a cancellation came in between: it will find us in Rejecting.
fn reject(
    basket: &Basket,
    release: Vec<(String, AnyCommand)>,
    reason: OrderRejection,
) -> Reaction<CheckoutState> {
    go(CheckoutState::Rejecting(basket.clone()))
        .send_all(release)
        .send("reject_order", basket.order(OrderCommand::RejectOrder { reason }))
        .unless(&["illegal_transition"])
}

/// Puts everything back, as the customer wished.
fn called_off(basket: &Basket, release: Vec<(String, AnyCommand)>) -> Reaction<CheckoutState> {
    go(CheckoutState::Done)
        .send_all(release)
        .send("finish_cancellation", basket.order(OrderCommand::FinishCancellation))
}

impl Basket {
    fn order(&self, command: OrderCommand) -> AnyCommand {
        AnyCommand::Order { id: self.order_id, command }
    }

    fn payment(&self, command: PaymentCommand) -> AnyCommand {
        AnyCommand::Payment { id: self.payment_id, command }
    }

    fn reserve_stock(&self) -> Vec<(String, AnyCommand)> {
        let order_id = self.order_id;
        let reserve = |(id, quantity): &(ProductId, u64)| {
            let command = ProductCommand::ReserveStock { order_id, quantity: *quantity };
            (format!("reserve_stock/{id}"), AnyCommand::Product { id: *id, command })
        };
        self.products.iter().map(reserve).collect()
    }

    fn release_stock(&self) -> Vec<(String, AnyCommand)> {
        release_stock(self.order_id, self.products.iter().map(|(product, _)| *product))
    }

    /// What was put aside, in the reverse order.
    fn release_all(&self) -> Vec<(String, AnyCommand)> {
        let coupon = self.coupon.map(|used| release_coupon(self.order_id, used.coupon.coupon_id));
        coupon.into_iter().chain(self.release_stock()).collect()
    }
}

/// The command that makes a coupon good again that an order has used.
pub(crate) fn release_coupon(order_id: OrderId, id: CouponId) -> (String, AnyCommand) {
    let command = CouponCommand::ReleaseCoupon { order_id };
    ("release_coupon".to_owned(), AnyCommand::Coupon { id, command })
}

/// Commands that put an order's pieces back on the shelf; nothing happens where none are held.
pub(crate) fn release_stock(
    order_id: OrderId,
    products: impl IntoIterator<Item = ProductId>,
) -> Vec<(String, AnyCommand)> {
    let release = |id| {
        (
            format!("release_stock/{id}"),
            AnyCommand::Product { id, command: ProductCommand::ReleaseStock { order_id } },
        )
    };
    products.into_iter().map(release).collect()
}
