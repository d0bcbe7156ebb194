//! What an order answers to each command in each state.

use chrono::Duration;

use super::{
    CancellationCause, ChargedLine, Order, OrderCancellationRefused, OrderCancellationRequested,
    OrderCancelled, OrderCommand, OrderCompleted, OrderConfirmed, OrderDetails, OrderError, OrderEvent,
    OrderPlaced, OrderRejected, payment_of, spread, state::status, total_of,
};
use crate::{Actor, ContactId, Decision, Money, MoneyError, already_applied, executed, executed_all};

type Answer = Decision<OrderEvent, OrderError>;

pub(super) fn decide(order: &Order, command: &OrderCommand) -> Answer {
    use Order::{Absent, AwaitingPayment, Cancelled, Cancelling, Completed, Confirmed, Rejected};
    use OrderCommand::{
        CompleteOrder, ConfirmOrder, FinishCancellation, PlaceOrder, RefuseCancellation, RejectOrder,
        RequestCancellation,
    };
    match (order, command) {
        (Absent, PlaceOrder { .. }) => place(command),
        (
            AwaitingPayment(_)
            | Confirmed(_)
            | Cancelling { .. }
            | Cancelled(_)
            | Rejected { .. }
            | Completed(_),
            PlaceOrder { .. },
        ) => already_applied(),

        (AwaitingPayment(o), ConfirmOrder) => executed(confirmed(o)),
        (Confirmed(_) | Completed(_), ConfirmOrder) => already_applied(),

        (AwaitingPayment(o), RejectOrder { reason }) => {
            executed(OrderRejected { order_id: o.order_id, reason: reason.clone() })
        }
        (Rejected { .. }, RejectOrder { .. }) => already_applied(),

        (AwaitingPayment(o), RequestCancellation { by, cause, reason_id }) => {
            executed(cancellation(o, by, *cause, *reason_id, false))
        }
        (Confirmed(o), RequestCancellation { by, cause, reason_id }) => {
            executed(cancellation(o, by, *cause, *reason_id, true))
        }
        // The goods will not arrive whatever becomes of the customer's wish: from here on it cannot be refused.
        (
            Cancelling { order, was_confirmed: true, cause: CancellationCause::Requested },
            RequestCancellation { by, cause, reason_id },
        ) if *cause != CancellationCause::Requested => {
            executed(cancellation(order, by, *cause, *reason_id, true))
        }
        (Cancelling { .. } | Cancelled(_), RequestCancellation { .. }) => already_applied(),

        (
            Cancelling { order, was_confirmed: true, cause: CancellationCause::Requested },
            RefuseCancellation,
        ) => executed(OrderCancellationRefused { order_id: order.order_id }),
        (Confirmed(_) | Completed(_), RefuseCancellation) => already_applied(),

        (Cancelling { order, .. }, FinishCancellation) => {
            executed(OrderCancelled { order_id: order.order_id })
        }
        (Cancelled(_), FinishCancellation) => already_applied(),

        (Confirmed(o), CompleteOrder) => executed(completed(o)),
        // The goods arrived while somebody was still trying to call them back.
        (Cancelling { order, was_confirmed: true, .. }, CompleteOrder) => executed_all([
            OrderCancellationRefused { order_id: order.order_id }.into(),
            completed(order).into(),
        ]),
        (Completed(_), CompleteOrder) => already_applied(),

        (Absent, _) => Err(OrderError::NotFound),
        (state, command) => {
            Err(OrderError::IllegalTransition { state: status(state), command: verb(command) })
        }
    }
}

fn place(command: &OrderCommand) -> Answer {
    let OrderCommand::PlaceOrder {
        order_id,
        shop_id,
        customer_id,
        lines,
        coupon,
        expected_total,
        policy,
        contact_id,
        at,
    } = command
    else {
        return Err(OrderError::NotFound);
    };
    let subtotal = total_of(lines)?;
    let total = match coupon {
        Some(coupon) => discounted(subtotal, coupon.discount)?,
        None => subtotal,
    };
    if let Some(expected) = expected_total.filter(|expected| *expected != total) {
        return Err(OrderError::PriceChanged { expected, total });
    }
    executed(OrderPlaced {
        order_id: *order_id,
        shop_id: shop_id.clone(),
        customer_id: customer_id.clone(),
        lines: lines.clone(),
        total,
        coupon: *coupon,
        policy: policy.clone(),
        contact_id: *contact_id,
        payment_id: payment_of(*order_id),
        payment_due_at: *at + Duration::seconds(i64::from(policy.payment.due_within_secs())),
    })
}

/// The discount was worked out for these lines: one that exceeds them is refused, not cut.
fn discounted(subtotal: Money, discount: Money) -> Result<Money, OrderError> {
    match subtotal.minus(discount) {
        Ok(total) if discount.amount_minor >= 0 => Ok(total),
        Ok(_) => Err(MoneyError::OutOfRange.into()),
        Err(MoneyError::OutOfRange) => Err(OrderError::CouponExceedsOrder { discount, subtotal }),
        Err(error) => Err(error.into()),
    }
}

fn confirmed(order: &OrderDetails) -> OrderConfirmed {
    let costs: Vec<i64> = order.lines.iter().map(|(.., cost)| cost.amount_minor).collect();
    let charged = spread(order.total.amount_minor, &costs);
    OrderConfirmed {
        order_id: order.order_id,
        shop_id: order.shop_id.clone(),
        customer_id: order.customer_id.clone(),
        delivery_id: order.delivery_id,
        lines: order
            .lines
            .iter()
            .zip(charged)
            .map(|((product_id, quantity, _), amount_minor)| ChargedLine {
                product_id: *product_id,
                quantity: *quantity,
                charged: Money { amount_minor, currency: order.total.currency },
            })
            .collect(),
        policy: order.policy.clone(),
    }
}

fn cancellation(
    order: &OrderDetails,
    by: &Actor,
    cause: CancellationCause,
    reason_id: Option<ContactId>,
    was_confirmed: bool,
) -> OrderCancellationRequested {
    OrderCancellationRequested {
        order_id: order.order_id,
        by: by.clone(),
        cause,
        reason_id,
        was_confirmed,
        customer_id: order.customer_id.clone(),
        shop_id: order.shop_id.clone(),
        payment_id: order.payment_id,
        delivery_id: order.delivery_id,
        products: order.products(),
        amount: order.total,
        coupon_id: order.coupon.map(|coupon| coupon.coupon_id),
    }
}

fn completed(order: &OrderDetails) -> OrderCompleted {
    OrderCompleted {
        order_id: order.order_id,
        customer_id: order.customer_id.clone(),
        shop_id: order.shop_id.clone(),
        coupon: order.promised_coupon(),
    }
}

fn verb(command: &OrderCommand) -> &'static str {
    match command {
        OrderCommand::PlaceOrder { .. } => "be placed",
        OrderCommand::ConfirmOrder => "be confirmed",
        OrderCommand::RejectOrder { .. } => "be rejected",
        OrderCommand::RequestCancellation { .. } => "be cancelled",
        OrderCommand::RefuseCancellation => "have its cancellation refused",
        OrderCommand::FinishCancellation => "end its cancellation",
        OrderCommand::CompleteOrder => "be completed",
    }
}
