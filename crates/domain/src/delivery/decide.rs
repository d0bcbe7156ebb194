//! What a delivery answers to each command in each state.

use chrono::Duration;

use super::{
    CancelledBy, Delivery, DeliveryAccepted, DeliveryCancellationRefused, DeliveryCancelled, DeliveryCommand,
    DeliveryCompleted, DeliveryDetails, DeliveryError, DeliveryEvent, DeliveryFailed, DeliveryRequested,
    DeliveryShipped, PreparationStarted, returns, state::status,
};
use crate::{CancellableUntil, ContactId, Decision, already_applied, executed};

pub(super) type Answer = Decision<DeliveryEvent, DeliveryError>;

pub(super) fn decide(delivery: &Delivery, command: &DeliveryCommand) -> Answer {
    use Delivery::{
        Absent, Accepted, Cancelled, Delivered, Failed, Preparing, Requested, Returned, Returning, Shipped,
    };
    use DeliveryCommand::{
        AcceptDelivery, CancelDelivery, CancelForOrder, CancelReturn, CloseReturnWindow, CompleteDelivery,
        FailDelivery, ReceiveReturn, RequestDelivery, ShipDelivery, StartPreparation, StartReturn,
    };
    match (delivery, command) {
        (Absent, RequestDelivery { .. }) => request(command),
        (Cancelled(None), RequestDelivery { .. }) => Err(DeliveryError::CancelledBefore),
        (
            Requested(_)
            | Accepted(_)
            | Preparing(_)
            | Shipped(_)
            | Delivered(_)
            | Returning { .. }
            | Returned(_)
            | Failed(_)
            | Cancelled(Some(_)),
            RequestDelivery { .. },
        ) => already_applied(),

        (Requested(d), AcceptDelivery { by }) => {
            executed(DeliveryAccepted { order_id: d.order_id, by: by.clone() })
        }
        (Accepted(_), AcceptDelivery { .. }) => already_applied(),

        (Accepted(d), StartPreparation { by }) if d.needs_preparation => {
            executed(PreparationStarted { order_id: d.order_id, by: by.clone() })
        }
        (Accepted(_), StartPreparation { .. }) => Err(DeliveryError::NoPreparation),
        (Preparing(_), StartPreparation { .. }) => already_applied(),

        (Accepted(d), ShipDelivery { .. }) if d.needs_preparation => Err(DeliveryError::NotPrepared),
        (Accepted(d) | Preparing(d), ShipDelivery { by }) => {
            executed(DeliveryShipped { order_id: d.order_id, by: by.clone() })
        }
        (Shipped(_), ShipDelivery { .. }) => already_applied(),

        (Shipped(d), CompleteDelivery { by, at }) => executed(DeliveryCompleted {
            order_id: d.order_id,
            by: by.clone(),
            returnable_until: d.refund_window_secs.map(|secs| *at + Duration::seconds(i64::from(secs))),
        }),
        (Delivered(_) | Returning { .. } | Returned(_), CompleteDelivery { .. }) => already_applied(),

        (Shipped(d), FailDelivery { by, reason_id }) => {
            executed(DeliveryFailed { order_id: d.order_id, by: by.clone(), reason_id: *reason_id })
        }
        (Failed(_), FailDelivery { .. }) => already_applied(),

        (Requested(d) | Accepted(d) | Preparing(d), CancelDelivery { reason_id, .. }) => {
            executed(cancelled(d, CancelledBy::Shop, *reason_id))
        }
        (Cancelled(Some(_)), CancelDelivery { .. }) => already_applied(),

        // The order's cancellation overtook the request: it wins.
        (Absent, CancelForOrder { delivery_id, order_id, shop_id, customer_id }) => {
            executed(DeliveryCancelled {
                delivery_id: *delivery_id,
                order_id: *order_id,
                shop_id: shop_id.clone(),
                customer_id: customer_id.clone(),
                cancelled_by: CancelledBy::Order,
                reason_id: None,
            })
        }
        (Requested(d), CancelForOrder { .. }) => executed(cancelled(d, CancelledBy::Order, None)),
        (Accepted(d), CancelForOrder { .. }) if d.cancellable_until >= CancellableUntil::Accepted => {
            executed(cancelled(d, CancelledBy::Order, None))
        }
        (Preparing(d), CancelForOrder { .. }) if d.cancellable_until >= CancellableUntil::Preparing => {
            executed(cancelled(d, CancelledBy::Order, None))
        }
        (
            Accepted(d)
            | Preparing(d)
            | Shipped(d)
            | Delivered(d)
            | Returning { delivery: d, .. }
            | Returned(d),
            CancelForOrder { .. },
        ) => executed(DeliveryCancellationRefused { order_id: d.order_id }),
        (Failed(_) | Cancelled(_), CancelForOrder { .. }) => already_applied(),

        // A return of goods that nobody knows is answered too: the process that asked waits.
        (_, StartReturn { .. }) => returns::decide(delivery, command),
        (Absent | Cancelled(None), _) => Err(DeliveryError::NotFound),
        (_, ReceiveReturn { .. } | CancelReturn { .. } | CloseReturnWindow { .. }) => {
            returns::decide(delivery, command)
        }
        (state, command) => Err(illegal(state, command)),
    }
}

pub(super) fn illegal(delivery: &Delivery, command: &DeliveryCommand) -> DeliveryError {
    DeliveryError::IllegalTransition { state: status(delivery), command: verb(command) }
}

fn request(command: &DeliveryCommand) -> Answer {
    let DeliveryCommand::RequestDelivery {
        delivery_id,
        order_id,
        shop_id,
        customer_id,
        lines,
        needs_preparation,
        cancellable_until,
        refund_window_secs,
    } = command
    else {
        return Err(DeliveryError::NotFound);
    };
    executed(DeliveryRequested {
        delivery_id: *delivery_id,
        order_id: *order_id,
        shop_id: shop_id.clone(),
        customer_id: customer_id.clone(),
        lines: lines.clone(),
        needs_preparation: *needs_preparation,
        cancellable_until: *cancellable_until,
        refund_window_secs: *refund_window_secs,
    })
}

fn cancelled(delivery: &DeliveryDetails, by: CancelledBy, reason_id: Option<ContactId>) -> DeliveryCancelled {
    DeliveryCancelled {
        delivery_id: delivery.delivery_id,
        order_id: delivery.order_id,
        shop_id: delivery.shop_id.clone(),
        customer_id: delivery.customer_id.clone(),
        cancelled_by: by,
        reason_id,
    }
}

fn verb(command: &DeliveryCommand) -> &'static str {
    match command {
        DeliveryCommand::RequestDelivery { .. } => "be requested",
        DeliveryCommand::AcceptDelivery { .. } => "be accepted",
        DeliveryCommand::StartPreparation { .. } => "be prepared",
        DeliveryCommand::ShipDelivery { .. } => "be shipped",
        DeliveryCommand::CompleteDelivery { .. } => "be completed",
        DeliveryCommand::FailDelivery { .. } => "fail",
        DeliveryCommand::StartReturn { .. } => "go back",
        DeliveryCommand::ReceiveReturn { .. } => "be received back",
        DeliveryCommand::CancelReturn { .. } => "have its return cancelled",
        DeliveryCommand::CloseReturnWindow { .. } => "have its refund window closed",
        DeliveryCommand::CancelDelivery { .. } | DeliveryCommand::CancelForOrder { .. } => "be cancelled",
    }
}
