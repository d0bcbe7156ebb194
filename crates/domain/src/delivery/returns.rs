//! Goods on their way back: what may go back, what it was charged with, and the answers to the commands about it.

use super::{
    Delivery, DeliveryCommand, DeliveryDetails, DeliveryError, OpenReturn, ReturnCancelled, ReturnEnd,
    ReturnReceived, ReturnRefusal, ReturnRefused, ReturnStarted, ReturnWindowClosed,
    decide::{Answer, illegal},
};
use crate::{
    Actor, Money, OrderId, Quantity, RefundId, Timestamp, already_applied, executed, refund::ReturnedLine,
};

impl Delivery {
    /// What `lines` were charged with, and what the customer keeps once they are back; empty lines mean all that is
    /// left. This is what a return that starts at `at` is decided by.
    ///
    /// # Errors
    /// Why the goods are not taken back.
    pub fn check_return(
        &self,
        lines: &[ReturnedLine],
        at: Timestamp,
    ) -> Result<(Money, Money), ReturnRefusal> {
        let plan = plan(self, lines, at)?;
        Ok((plan.amount, plan.kept))
    }
}

/// A return that can start.
struct Plan {
    lines: Vec<ReturnedLine>,
    amount: Money,
    kept: Money,
}

/// Answers the four commands about returns; `decide` has dealt with deliveries that were never requested.
pub(super) fn decide(delivery: &Delivery, command: &DeliveryCommand) -> Answer {
    use Delivery::{Delivered, Returned, Returning};
    use DeliveryCommand::{CancelReturn, CloseReturnWindow, ReceiveReturn, StartReturn};
    match (delivery, command) {
        (_, StartReturn { refund_id, order_id, lines, at }) => {
            start(delivery, *refund_id, *order_id, lines, *at)
        }

        (Returning { delivery: d, open }, ReceiveReturn { refund_id, by })
            if refund_id.is_none_or(|refund| refund == open.refund_id) =>
        {
            executed(ReturnReceived { order_id: d.order_id, refund_id: open.refund_id, by: by.clone() })
        }
        (
            Delivered(d) | Returned(d) | Returning { delivery: d, .. },
            ReceiveReturn { refund_id: Some(refund), .. },
        ) => match d.ended(*refund) {
            Some(ReturnEnd::Received) => already_applied(),
            Some(ReturnEnd::Cancelled) => Err(illegal(delivery, command)),
            None => Err(DeliveryError::NoOpenReturn),
        },
        (Delivered(d) | Returned(d), ReceiveReturn { refund_id: None, .. })
            if d.last_ended() == Some(ReturnEnd::Received) =>
        {
            already_applied()
        }
        (Delivered(_) | Returned(_), ReceiveReturn { refund_id: None, .. }) => {
            Err(DeliveryError::NoOpenReturn)
        }

        (Returning { delivery: d, open }, CancelReturn { refund_id, by })
            if refund_id.is_none_or(|refund| refund == open.refund_id) =>
        {
            executed(cancelled(d, open, by))
        }
        (
            Delivered(d) | Returned(d) | Returning { delivery: d, .. },
            CancelReturn { refund_id: Some(refund), .. },
        ) => match d.ended(*refund) {
            Some(ReturnEnd::Cancelled) => already_applied(),
            Some(ReturnEnd::Received) => Err(illegal(delivery, command)),
            None => Err(DeliveryError::NoOpenReturn),
        },
        (Delivered(d) | Returned(d), CancelReturn { refund_id: None, .. })
            if d.last_ended() == Some(ReturnEnd::Cancelled) =>
        {
            already_applied()
        }
        (Delivered(_) | Returned(_), CancelReturn { refund_id: None, .. }) => {
            Err(DeliveryError::NoOpenReturn)
        }

        (Delivered(d) | Returning { delivery: d, .. } | Returned(d), CloseReturnWindow { at }) => {
            close(delivery, command, d, *at)
        }
        (_, command) => Err(illegal(delivery, command)),
    }
}

/// A refusal is an event: the returns process waits for it.
fn start(
    delivery: &Delivery,
    refund_id: RefundId,
    order_id: OrderId,
    lines: &[ReturnedLine],
    at: Timestamp,
) -> Answer {
    let is_open = delivery.open_return().is_some_and(|open| open.refund_id == refund_id);
    if is_open || delivery.details().is_some_and(|details| details.ended(refund_id).is_some()) {
        return already_applied();
    }
    match plan(delivery, lines, at) {
        Ok(Plan { lines, amount, kept }) => {
            let called_off = delivery.details().map(DeliveryDetails::returns_called_off).unwrap_or_default();
            executed(ReturnStarted { order_id, refund_id, lines, amount, kept, called_off })
        }
        Err(reason) => executed(ReturnRefused { order_id, refund_id, reason }),
    }
}

fn cancelled(delivery: &DeliveryDetails, open: &OpenReturn, by: &Actor) -> ReturnCancelled {
    ReturnCancelled { order_id: delivery.order_id, refund_id: open.refund_id, by: by.clone() }
}

fn close(delivery: &Delivery, command: &DeliveryCommand, details: &DeliveryDetails, at: Timestamp) -> Answer {
    match details.returnable_until {
        _ if details.window_closed => already_applied(),
        Some(until) if at < until => Err(DeliveryError::ReturnWindowOpen { until }),
        Some(_) => executed(ReturnWindowClosed { order_id: details.order_id }),
        None => Err(illegal(delivery, command)),
    }
}

fn plan(delivery: &Delivery, lines: &[ReturnedLine], at: Timestamp) -> Result<Plan, ReturnRefusal> {
    let d = match delivery {
        Delivery::Delivered(details) | Delivery::Returned(details) => details,
        Delivery::Returning { .. } => return Err(ReturnRefusal::ReturnOpen),
        Delivery::Absent
        | Delivery::Requested(_)
        | Delivery::Accepted(_)
        | Delivery::Preparing(_)
        | Delivery::Shipped(_)
        | Delivery::Failed(_)
        | Delivery::Cancelled(_) => return Err(ReturnRefusal::NotDelivered),
    };
    let until = d.returnable_until.ok_or(ReturnRefusal::NoReturns)?;
    // Whether the window is closed on the log is not asked: who asked in time is in time, even if we were slow.
    if at >= until {
        return Err(ReturnRefusal::WindowOver);
    }
    let taken = if lines.is_empty() {
        d.lines.iter().zip(&d.returned).map(|(line, returned)| line.quantity.get() - returned).collect()
    } else {
        allocate(d, lines).ok_or(ReturnRefusal::MoreThanDelivered)?
    };
    let goes_back: Vec<ReturnedLine> = d
        .lines
        .iter()
        .zip(&taken)
        .filter_map(|(line, pieces)| {
            // No pieces of a line are no quantity.
            let quantity = Quantity::try_from(i64::from(*pieces)).ok()?;
            Some(ReturnedLine { product_id: line.product_id, quantity })
        })
        .collect();
    let first = d.lines.first().filter(|_| !goes_back.is_empty()).ok_or(ReturnRefusal::MoreThanDelivered)?;
    let (mut amount, mut kept) = (0, 0);
    for ((line, returned), pieces) in d.lines.iter().zip(&d.returned).zip(&taken) {
        let charged = line.charged.amount_minor;
        let before = share(charged, *returned, line.quantity);
        let after = share(charged, *returned + *pieces, line.quantity);
        amount += after - before;
        kept += charged - after;
    }
    let money = |amount_minor| Money { amount_minor, currency: first.charged.currency };
    Ok(Plan { lines: goes_back, amount: money(amount), kept: money(kept) })
}

/// What so many pieces of a line were charged with, rounded down: differences of it sum up to the charge exactly.
fn share(charged: i64, pieces: u32, of: Quantity) -> i64 {
    let share = i128::from(charged) * i128::from(pieces) / i128::from(of.get());
    i64::try_from(share).expect("a share is not larger than the charge")
}

/// How many pieces `lines` take of each line of the delivery: of a product in several lines the first line's go first.
/// None when there are not so many.
fn allocate(delivery: &DeliveryDetails, lines: &[ReturnedLine]) -> Option<Vec<u32>> {
    let mut taken = vec![0; delivery.lines.len()];
    for wanted in lines {
        let mut missing = wanted.quantity.get();
        for (i, line) in delivery.lines.iter().enumerate() {
            if line.product_id == wanted.product_id {
                let left = line.quantity.get() - delivery.returned[i] - taken[i];
                let take = missing.min(left);
                taken[i] += take;
                missing -= take;
            }
        }
        if missing > 0 {
            return None;
        }
    }
    Some(taken)
}

/// The pieces that a return which was started takes of each line.
pub(super) fn taken(delivery: &DeliveryDetails, lines: &[ReturnedLine]) -> Vec<u32> {
    allocate(delivery, lines).unwrap_or_else(|| vec![0; delivery.lines.len()])
}
