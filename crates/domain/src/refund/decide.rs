//! What a refund answers to each command in each state.

use super::{
    Refund, RefundAccepted, RefundCancelled, RefundCommand, RefundCompleted, RefundError, RefundEvent,
    RefundRefused, RefundRequested, state::status,
};
use crate::{Decision, already_applied, executed, order::MAX_LINES};

type Answer = Decision<RefundEvent, RefundError>;

pub(super) fn decide(refund: &Refund, command: &RefundCommand) -> Answer {
    use Refund::{Absent, Cancelled, Completed, Refused, Requested, Returning};
    use RefundCommand::{AcceptRefund, CancelRefund, CompleteRefund, RefuseRefund, RequestRefund};
    match (refund, command) {
        (Absent, RequestRefund { .. }) => request(command),
        (
            Requested(_) | Returning { .. } | Completed { .. } | Cancelled(_) | Refused { .. },
            RequestRefund { .. },
        ) => already_applied(),

        (Requested(r), AcceptRefund { amount }) => {
            executed(RefundAccepted { order_id: r.order_id, amount: *amount })
        }
        (Returning { .. } | Completed { .. }, AcceptRefund { .. }) => already_applied(),

        (Requested(r), RefuseRefund { reason }) => {
            executed(RefundRefused { order_id: r.order_id, reason: *reason })
        }
        (Refused { .. }, RefuseRefund { .. }) => already_applied(),

        (Returning { refund, amount: accepted }, CompleteRefund { amount, deducted }) => {
            if amount.plus(*deducted) != Ok(*accepted) {
                return Err(RefundError::DoesNotAddUp {
                    accepted: *accepted,
                    amount: *amount,
                    deducted: *deducted,
                });
            }
            executed(RefundCompleted { order_id: refund.order_id, amount: *amount, deducted: *deducted })
        }
        (Completed { .. }, CompleteRefund { .. }) => already_applied(),

        (Requested(r) | Returning { refund: r, .. }, CancelRefund) => {
            executed(RefundCancelled { order_id: r.order_id })
        }
        (Cancelled(_), CancelRefund) => already_applied(),

        (Absent, _) => Err(RefundError::NotFound),
        (state, command) => {
            Err(RefundError::IllegalTransition { state: status(state), command: verb(command) })
        }
    }
}

fn request(command: &RefundCommand) -> Answer {
    let RefundCommand::RequestRefund {
        refund_id,
        order_id,
        shop_id,
        customer_id,
        payment_id,
        delivery_id,
        lines,
        coupon,
        used_coupon_id,
        reason_id,
    } = command
    else {
        return Err(RefundError::NotFound);
    };
    if lines.len() > MAX_LINES {
        return Err(RefundError::TooManyLines { lines: lines.len() });
    }
    executed(RefundRequested {
        refund_id: *refund_id,
        order_id: *order_id,
        shop_id: shop_id.clone(),
        customer_id: customer_id.clone(),
        payment_id: *payment_id,
        delivery_id: *delivery_id,
        lines: lines.clone(),
        coupon: *coupon,
        used_coupon_id: *used_coupon_id,
        reason_id: *reason_id,
    })
}

fn verb(command: &RefundCommand) -> &'static str {
    match command {
        RefundCommand::RequestRefund { .. } => "be requested",
        RefundCommand::AcceptRefund { .. } => "be accepted",
        RefundCommand::RefuseRefund { .. } => "be refused",
        RefundCommand::CompleteRefund { .. } => "be completed",
        RefundCommand::CancelRefund => "be cancelled",
    }
}
