//! Cancellation: takes a confirmed order back: first the goods, then the money, then the coupon that it used and the
//! stock, so that nothing is refunded that is already on its way. Instance: the order.
//!
//! | stage | input | next | does |
//! |---|---|---|---|
//! | Idle | OrderCancellationRequested by somebody | StoppingDelivery | cancel delivery |
//! | Idle | OrderCancellationRequested because the delivery ended | GivingBack | refund in full |
//! | Idle | DeliveryCancelled, DeliveryFailed | DeliveryOver | remembers it: a request may be just behind |
//! | DeliveryOver | OrderCancellationRequested | GivingBack | refund in full |
//! | StoppingDelivery | DeliveryCancelled, DeliveryFailed | GivingBack | refund in full |
//! | StoppingDelivery | DeliveryCancellationRefused | Refusing | refuse cancellation (superseded when the delivery failed meanwhile) |
//! | StoppingDelivery, Refusing | OrderCancellationRequested because the delivery ended | GivingBack | refund in full |
//! | StoppingDelivery, Refusing | OrderCancellationRefused | Idle | |
//! | GivingBack | PaymentRefunded in full | Done | release coupon and stock, finish cancellation |
//!
//! An order that was not confirmed yet is undone by checkout. One that is cancelled was never completed, so it has earned
//! no coupon that would have to be taken back. Nothing here is undone: it is the undoing.

#[cfg(test)]
mod tests;

use domain::{
    AnyCommand, Envelope, Event,
    delivery::{DeliveryCommand, DeliveryEvent},
    order::{CancellationCause, OrderCancellationRequested, OrderCommand, OrderEvent},
    payment::{PaymentCommand, PaymentEvent, full_refund_of},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    checkout::{release_coupon, release_stock},
    process::{Awaiting, Input, Process, Reaction, go, ignore},
};

/// The process; see the [module](self).
#[derive(Clone, Copy, Debug)]
pub struct Cancellation;

/// How far a cancellation is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "stage", content = "memory", rename_all = "snake_case")]
pub enum CancellationState {
    /// Not begun.
    #[default]
    Idle,
    /// Not begun, but there are no goods to be stopped any more.
    DeliveryOver,
    /// The delivery is being called back.
    StoppingDelivery(OrderCancellationRequested),
    /// It was too late.
    Refusing(OrderCancellationRequested),
    /// The money is on its way back.
    GivingBack(OrderCancellationRequested),
    /// Over.
    Done,
}

impl Process for Cancellation {
    type State = CancellationState;
    const NAME: &'static str = "cancellation";
    const VERSION: u32 = 1;

    fn instance(event: &Envelope) -> Option<Uuid> {
        match &event.event {
            Event::Order(OrderEvent::OrderCancellationRequested(e)) => {
                e.was_confirmed.then_some(event.stream.id)
            }
            Event::Order(OrderEvent::OrderCancellationRefused(_)) => Some(event.stream.id),
            Event::Delivery(
                DeliveryEvent::DeliveryCancelled(_)
                | DeliveryEvent::DeliveryFailed(_)
                | DeliveryEvent::DeliveryCancellationRefused(_),
            ) => Some(event.metadata.correlation_id),
            Event::Payment(PaymentEvent::PaymentRefunded(e)) => {
                e.subject.order_id().map(domain::OrderId::uuid)
            }
            _ => None,
        }
    }

    fn begins(_: &Envelope) -> bool {
        // A delivery may be over before its order is cancelled, and a cancellation may come again.
        false
    }

    fn react(state: &CancellationState, input: Input<'_>) -> Reaction<CancellationState> {
        use CancellationState::{DeliveryOver, Done, GivingBack, Idle, Refusing, StoppingDelivery};
        let Input::Event(event) = input else { return ignore() };
        match (state, &event.event) {
            (Idle, Event::Order(OrderEvent::OrderCancellationRequested(e)))
                if e.cause == CancellationCause::Requested =>
            {
                go(StoppingDelivery(e.clone())).send("cancel_delivery", cancel_delivery(e))
            }
            (Idle | DeliveryOver, Event::Order(OrderEvent::OrderCancellationRequested(e))) => give_back(e),
            (
                Idle,
                Event::Delivery(DeliveryEvent::DeliveryCancelled(_) | DeliveryEvent::DeliveryFailed(_)),
            ) => go(DeliveryOver),

            (
                StoppingDelivery(order),
                Event::Delivery(DeliveryEvent::DeliveryCancelled(_) | DeliveryEvent::DeliveryFailed(_)),
            ) => give_back(order),
            (StoppingDelivery(order), Event::Delivery(DeliveryEvent::DeliveryCancellationRefused(_))) => {
                go(Refusing(order.clone()))
                    .send(
                        "refuse_cancellation",
                        AnyCommand::Order { id: order.order_id, command: OrderCommand::RefuseCancellation },
                    )
                    .unless(&["illegal_transition"])
            }
            (StoppingDelivery(_) | Refusing(_), Event::Order(OrderEvent::OrderCancellationRequested(e)))
                if e.cause != CancellationCause::Requested =>
            {
                give_back(e)
            }
            // While stopping: the goods arrived first, and completing the order has refused the cancellation.
            (StoppingDelivery(_) | Refusing(_), Event::Order(OrderEvent::OrderCancellationRefused(_))) => {
                go(Idle)
            }

            (GivingBack(order), Event::Payment(PaymentEvent::PaymentRefunded(e)))
                if e.refund_id == full_refund_of(order.payment_id) =>
            {
                go(Done)
                    .send_all(order.coupon_id.map(|coupon| release_coupon(order.order_id, coupon)))
                    .send_all(release_stock(order.order_id, order.products.iter().copied()))
                    .send(
                        "finish_cancellation",
                        AnyCommand::Order { id: order.order_id, command: OrderCommand::FinishCancellation },
                    )
            }

            _ => ignore(),
        }
    }

    fn awaits(state: &CancellationState) -> Option<Awaiting> {
        use CancellationState::{DeliveryOver, Done, GivingBack, Idle, Refusing, StoppingDelivery};
        match state {
            Idle | DeliveryOver | Done => None,
            StoppingDelivery(_) => Awaiting::for_event("DeliveryCancelled or DeliveryCancellationRefused"),
            Refusing(_) => Awaiting::for_event("OrderCancellationRefused"),
            GivingBack(_) => Awaiting::for_event("PaymentRefunded"),
        }
    }
}

fn give_back(order: &OrderCancellationRequested) -> Reaction<CancellationState> {
    let refund = AnyCommand::Payment { id: order.payment_id, command: PaymentCommand::VoidPayment };
    go(CancellationState::GivingBack(order.clone())).send("refund_payment", refund)
}

fn cancel_delivery(order: &OrderCancellationRequested) -> AnyCommand {
    let command = DeliveryCommand::CancelForOrder {
        delivery_id: order.delivery_id,
        order_id: order.order_id,
        shop_id: order.shop_id.clone(),
        customer_id: order.customer_id.clone(),
    };
    AnyCommand::Delivery { id: order.delivery_id, command }
}
