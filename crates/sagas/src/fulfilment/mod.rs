//! Fulfilment: brings a confirmed order to the customer, and closes the time in which the goods may go back. Instance: the
//! order.
//!
//! | stage | input | next | does | undone by |
//! |---|---|---|---|---|
//! | Idle | OrderConfirmed | Delivering | request delivery (superseded when it was cancelled before) | cancellation: cancel delivery |
//! | Delivering | DeliveryShipped | Delivering | commit stock, every product | |
//! | Delivering | DeliveryCompleted, nothing may go back | Done | complete order | |
//! | Delivering | DeliveryCompleted, goods may go back | Returnable | complete order, wakes at the window's end | |
//! | Returnable | timer `return_window` | Done | close return window | |
//! | Delivering | DeliveryFailed | Done | request the order's cancellation | |
//! | Delivering | DeliveryCancelled by the shop | Done | request the order's cancellation | |
//! | Delivering | DeliveryCancelled by the order | Done | | |
//!
//! In Returnable nothing is awaited: the order is done, and only the timer is left. A delivery judges by time itself
//! whether goods may still go back; closing the window makes a fact of it that everybody can see.

#[cfg(test)]
mod tests;

use domain::{
    Actor, AnyCommand, ContactId, Envelope, Event, OrderId, ProductId,
    delivery::{CancelledBy, DeliveryCommand, DeliveryCompleted, DeliveryEvent},
    order::{CancellationCause, OrderCommand, OrderConfirmed, OrderEvent, delivery_of},
    product::ProductCommand,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::process::{Awaiting, Input, Process, Reaction, go, ignore};

/// The process; see the [module](self).
#[derive(Clone, Copy, Debug)]
pub struct Fulfilment;

/// How far an order's goods are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "stage", content = "memory", rename_all = "snake_case")]
pub enum FulfilmentState {
    /// Not begun.
    #[default]
    Idle,
    /// The shop has it, or it is on its way.
    Delivering {
        /// Which order.
        order_id: OrderId,
        /// Its products, each once.
        products: Vec<ProductId>,
        /// Whether it left the shop.
        shipped: bool,
    },
    /// It arrived, and may go back for a while.
    Returnable(OrderId),
    /// Over.
    Done,
}

const RETURN_WINDOW: &str = "return_window";

impl Process for Fulfilment {
    type State = FulfilmentState;
    const NAME: &'static str = "fulfilment";
    const VERSION: u32 = 1;

    fn instance(event: &Envelope) -> Option<Uuid> {
        match &event.event {
            Event::Order(OrderEvent::OrderConfirmed(_)) => Some(event.stream.id),
            Event::Delivery(
                DeliveryEvent::DeliveryShipped(_)
                | DeliveryEvent::DeliveryCompleted(_)
                | DeliveryEvent::DeliveryFailed(_)
                | DeliveryEvent::DeliveryCancelled(_),
            ) => Some(event.metadata.correlation_id),
            _ => None,
        }
    }

    fn begins(event: &Envelope) -> bool {
        matches!(event.event, Event::Order(OrderEvent::OrderConfirmed(_)))
    }

    fn react(state: &FulfilmentState, input: Input<'_>) -> Reaction<FulfilmentState> {
        use FulfilmentState::{Delivering, Done, Idle, Returnable};
        let event = match (state, input) {
            (_, Input::Event(event)) => event,
            (Returnable(order_id), Input::Timer { name: RETURN_WINDOW, due_at }) => {
                let command = DeliveryCommand::CloseReturnWindow { at: due_at };
                let id = delivery_of(*order_id);
                return go(Done).send("close_return_window", AnyCommand::Delivery { id, command });
            }
            (_, Input::Timer { .. }) => return ignore(),
        };
        match (state, &event.event) {
            (Idle, Event::Order(OrderEvent::OrderConfirmed(e))) => go(delivering(e))
                .send("request_delivery", request_delivery(e))
                .unless(&["delivery_cancelled_before"]),

            (Delivering { order_id, products, .. }, Event::Delivery(DeliveryEvent::DeliveryShipped(_))) => {
                go(Delivering { order_id: *order_id, products: products.clone(), shipped: true })
                    .send_all(products.iter().map(|product| commit_stock(*order_id, *product)))
            }
            (Delivering { order_id, .. }, Event::Delivery(DeliveryEvent::DeliveryCompleted(e))) => {
                arrived(*order_id, e)
            }
            (Delivering { order_id, .. }, Event::Delivery(DeliveryEvent::DeliveryFailed(e))) => go(Done)
                .send(
                    "cancel_order",
                    cancel_order(*order_id, CancellationCause::DeliveryFailed, e.reason_id),
                ),
            (Delivering { order_id, .. }, Event::Delivery(DeliveryEvent::DeliveryCancelled(e))) => {
                match e.cancelled_by {
                    CancelledBy::Order => go(Done),
                    CancelledBy::Shop => go(Done).send(
                        "cancel_order",
                        cancel_order(*order_id, CancellationCause::ShopCancelledDelivery, e.reason_id),
                    ),
                }
            }

            _ => ignore(),
        }
    }

    fn awaits(state: &FulfilmentState) -> Option<Awaiting> {
        match state {
            FulfilmentState::Idle | FulfilmentState::Returnable(_) | FulfilmentState::Done => None,
            FulfilmentState::Delivering { shipped: false, .. } => {
                Awaiting::for_event("the shop to ship (DeliveryShipped)")
            }
            FulfilmentState::Delivering { .. } => {
                Awaiting::for_event("the courier to deliver (DeliveryCompleted)")
            }
        }
    }
}

fn delivering(confirmed: &OrderConfirmed) -> FulfilmentState {
    let mut products: Vec<ProductId> = confirmed.lines.iter().map(|line| line.product_id).collect();
    products.sort_unstable();
    products.dedup();
    FulfilmentState::Delivering { order_id: confirmed.order_id, products, shipped: false }
}

fn arrived(order_id: OrderId, completed: &DeliveryCompleted) -> Reaction<FulfilmentState> {
    let next = match completed.returnable_until {
        None => go(FulfilmentState::Done),
        Some(until) => go(FulfilmentState::Returnable(order_id)).wake(RETURN_WINDOW, until),
    };
    next.send("complete_order", order(order_id, OrderCommand::CompleteOrder))
}

fn request_delivery(confirmed: &OrderConfirmed) -> AnyCommand {
    let command = DeliveryCommand::RequestDelivery {
        delivery_id: confirmed.delivery_id,
        order_id: confirmed.order_id,
        shop_id: confirmed.shop_id.clone(),
        customer_id: confirmed.customer_id.clone(),
        lines: confirmed.lines.clone(),
        needs_preparation: confirmed.policy.preparation,
        cancellable_until: confirmed.policy.cancellable_until,
        refund_window_secs: confirmed.policy.refund_window_secs,
    };
    AnyCommand::Delivery { id: confirmed.delivery_id, command }
}

fn commit_stock(order_id: OrderId, id: ProductId) -> (String, AnyCommand) {
    (
        format!("commit_stock/{id}"),
        AnyCommand::Product { id, command: ProductCommand::CommitStock { order_id } },
    )
}

fn cancel_order(order_id: OrderId, cause: CancellationCause, reason_id: Option<ContactId>) -> AnyCommand {
    let by = Actor::Process(Fulfilment::NAME.to_owned());
    order(order_id, OrderCommand::RequestCancellation { by, cause, reason_id })
}

fn order(id: OrderId, command: OrderCommand) -> AnyCommand {
    AnyCommand::Order { id, command }
}
