//! What the past of a delivery comes to.

use serde::{Deserialize, Serialize};

use super::{DeliveryEvent, returns};
use crate::{
    CancellableUntil, CustomerId, DeliveryId, OrderId, RefundId, ShopId, Timestamp, order::ChargedLine,
    refund::ReturnedLine,
};

/// How many cancelled returns a delivery remembers. *Source*: ours; a repeated command comes long before so many others,
/// and a customer who starts and cancels for ever does not make the state grow.
const CANCELLED_RETURNS_KEPT: usize = 16;

/// What is known of a delivery that was requested.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeliveryDetails {
    /// Which delivery.
    pub delivery_id: DeliveryId,
    /// Of which order.
    pub order_id: OrderId,
    /// By which shop.
    pub shop_id: ShopId,
    /// To whom.
    pub customer_id: CustomerId,
    /// What.
    pub lines: Vec<ChargedLine>,
    /// Whether the goods are made first.
    pub needs_preparation: bool,
    /// Until when the order can be cancelled.
    pub cancellable_until: CancellableUntil,
    /// Seconds after the arrival within which goods may go back; none when they never may.
    pub refund_window_secs: Option<u32>,
    /// Until when goods may go back, once they arrived; none when they never may.
    pub returnable_until: Option<Timestamp>,
    /// Whether that is known to be over.
    pub window_closed: bool,
    /// Of each line, how many pieces the shop has back.
    pub returned: Vec<u32>,
    /// Returns that ended, oldest first; of the cancelled ones only the newest are kept.
    pub ended_returns: Vec<(RefundId, ReturnEnd)>,
}

/// How a return ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReturnEnd {
    /// The shop has the goods.
    Received,
    /// The customer keeps them.
    Cancelled,
}

/// A return that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenReturn {
    /// For which refund.
    pub refund_id: RefundId,
    /// What goes back.
    pub lines: Vec<ReturnedLine>,
}

impl DeliveryDetails {
    /// How the return for this refund ended, if it did.
    #[must_use]
    pub fn ended(&self, refund: RefundId) -> Option<ReturnEnd> {
        self.ended_returns.iter().rev().find(|(id, _)| *id == refund).map(|(_, end)| *end)
    }

    /// Refunds whose returns were called off, oldest first; only the newest are remembered.
    #[must_use]
    pub fn returns_called_off(&self) -> Vec<RefundId> {
        let cancelled = self.ended_returns.iter().filter(|(_, end)| *end == ReturnEnd::Cancelled);
        cancelled.map(|(refund, _)| *refund).collect()
    }

    /// How the last return ended, if there was one.
    #[must_use]
    pub fn last_ended(&self) -> Option<ReturnEnd> {
        self.ended_returns.last().map(|(_, end)| *end)
    }

    /// Whether the shop has every piece back.
    #[must_use]
    pub fn all_returned(&self) -> bool {
        self.lines.iter().zip(&self.returned).all(|(line, returned)| *returned == line.quantity.get())
    }

    fn end(&mut self, refund: RefundId, end: ReturnEnd) {
        self.ended_returns.push((refund, end));
        let is_cancelled = |(_, end): &(RefundId, ReturnEnd)| *end == ReturnEnd::Cancelled;
        if self.ended_returns.iter().filter(|entry| is_cancelled(entry)).count() > CANCELLED_RETURNS_KEPT
            && let Some(oldest) = self.ended_returns.iter().position(is_cancelled)
        {
            self.ended_returns.remove(oldest);
        }
    }
}

/// A delivery.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Delivery {
    /// No such delivery.
    #[default]
    Absent,
    /// At the shop.
    Requested(DeliveryDetails),
    /// Taken on.
    Accepted(DeliveryDetails),
    /// Being made.
    Preparing(DeliveryDetails),
    /// On its way.
    Shipped(DeliveryDetails),
    /// Arrived.
    Delivered(DeliveryDetails),
    /// Arrived; some or all of it is on its way back.
    Returning {
        /// The delivery.
        delivery: DeliveryDetails,
        /// What is on its way back.
        open: OpenReturn,
    },
    /// Arrived; the shop has everything back.
    Returned(DeliveryDetails),
    /// Did not arrive.
    Failed(DeliveryDetails),
    /// Called off; without details if it was never requested.
    Cancelled(Option<DeliveryDetails>),
}

impl Delivery {
    /// The details, of a delivery that was requested.
    #[must_use]
    pub fn details(&self) -> Option<&DeliveryDetails> {
        match self {
            Self::Absent | Self::Cancelled(None) => None,
            Self::Requested(details)
            | Self::Accepted(details)
            | Self::Preparing(details)
            | Self::Shipped(details)
            | Self::Delivered(details)
            | Self::Returning { delivery: details, .. }
            | Self::Returned(details)
            | Self::Failed(details)
            | Self::Cancelled(Some(details)) => Some(details),
        }
    }

    /// The return that is under way, if one is.
    #[must_use]
    pub fn open_return(&self) -> Option<&OpenReturn> {
        match self {
            Self::Returning { open, .. } => Some(open),
            _ => None,
        }
    }

    fn into_details(self) -> Option<DeliveryDetails> {
        match self {
            Self::Absent | Self::Cancelled(None) => None,
            Self::Requested(details)
            | Self::Accepted(details)
            | Self::Preparing(details)
            | Self::Shipped(details)
            | Self::Delivered(details)
            | Self::Returning { delivery: details, .. }
            | Self::Returned(details)
            | Self::Failed(details)
            | Self::Cancelled(Some(details)) => Some(details),
        }
    }
}

pub(super) fn evolve(state: &mut Delivery, event: &DeliveryEvent) {
    let before = std::mem::take(state);
    *state = match event {
        DeliveryEvent::DeliveryRequested(e) => Delivery::Requested(DeliveryDetails {
            delivery_id: e.delivery_id,
            order_id: e.order_id,
            shop_id: e.shop_id.clone(),
            customer_id: e.customer_id.clone(),
            lines: e.lines.clone(),
            needs_preparation: e.needs_preparation,
            cancellable_until: e.cancellable_until,
            refund_window_secs: e.refund_window_secs,
            returnable_until: None,
            window_closed: false,
            returned: vec![0; e.lines.len()],
            ended_returns: Vec::new(),
        }),
        DeliveryEvent::DeliveryCancelled(_) => Delivery::Cancelled(before.into_details()),
        DeliveryEvent::DeliveryAccepted(_) => moved(before, Delivery::Accepted),
        DeliveryEvent::PreparationStarted(_) => moved(before, Delivery::Preparing),
        DeliveryEvent::DeliveryShipped(_) => moved(before, Delivery::Shipped),
        DeliveryEvent::DeliveryCompleted(e) => {
            let arrived = |details| {
                Delivery::Delivered(DeliveryDetails { returnable_until: e.returnable_until, ..details })
            };
            before.into_details().map_or(Delivery::Absent, arrived)
        }
        DeliveryEvent::DeliveryFailed(_) => moved(before, Delivery::Failed),
        DeliveryEvent::ReturnStarted(e) => {
            let open = OpenReturn { refund_id: e.refund_id, lines: e.lines.clone() };
            let delivery = before.into_details();
            delivery.map_or(Delivery::Absent, |delivery| Delivery::Returning { delivery, open })
        }
        DeliveryEvent::ReturnReceived(_) => ended(before, ReturnEnd::Received),
        DeliveryEvent::ReturnCancelled(_) => ended(before, ReturnEnd::Cancelled),
        DeliveryEvent::ReturnWindowClosed(_) => closed(before),
        DeliveryEvent::DeliveryCancellationRefused(_) | DeliveryEvent::ReturnRefused(_) => before,
    };
}

/// The return that was under way has ended.
fn ended(before: Delivery, end: ReturnEnd) -> Delivery {
    let Delivery::Returning { mut delivery, open } = before else { return before };
    if end == ReturnEnd::Received {
        let back = returns::taken(&delivery, &open.lines);
        delivery.returned.iter_mut().zip(back).for_each(|(returned, more)| *returned += more);
    }
    delivery.end(open.refund_id, end);
    if delivery.all_returned() { Delivery::Returned(delivery) } else { Delivery::Delivered(delivery) }
}

fn closed(mut delivery: Delivery) -> Delivery {
    if let Delivery::Delivered(details)
    | Delivery::Returning { delivery: details, .. }
    | Delivery::Returned(details) = &mut delivery
    {
        details.window_closed = true;
    }
    delivery
}

fn moved(before: Delivery, to: fn(DeliveryDetails) -> Delivery) -> Delivery {
    before.into_details().map_or(Delivery::Absent, to)
}

pub(super) fn status(delivery: &Delivery) -> &'static str {
    match delivery {
        Delivery::Absent => "absent",
        Delivery::Requested(_) => "requested",
        Delivery::Accepted(_) => "accepted",
        Delivery::Preparing(_) => "preparing",
        Delivery::Shipped(_) => "shipped",
        Delivery::Delivered(_) => "delivered",
        Delivery::Returning { .. } => "returning",
        Delivery::Returned(_) => "returned",
        Delivery::Failed(_) => "failed",
        Delivery::Cancelled(_) => "cancelled",
    }
}
