//! What can have happened to a delivery.

use serde::{Deserialize, Serialize};

use crate::{
    Actor, CancellableUntil, ContactId, CustomerId, DeliveryId, Money, OrderId, RefundId, ShopId, Timestamp,
    order::ChargedLine, refund::ReturnedLine,
};

/// Who called a delivery off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelledBy {
    /// The order's cancellation.
    Order,
    /// The shop.
    Shop,
}

/// Why goods are not taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReturnRefusal {
    /// They have not arrived, or never will.
    NotDelivered,
    /// The shop takes nothing back.
    NoReturns,
    /// They arrived too long ago.
    WindowOver,
    /// Another return is under way.
    ReturnOpen,
    /// More than was delivered and is still kept.
    MoreThanDelivered,
}

impl ReturnRefusal {
    /// The word that stands in answers and views.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NotDelivered => "not_delivered",
            Self::NoReturns => "no_returns",
            Self::WindowOver => "window_over",
            Self::ReturnOpen => "return_open",
            Self::MoreThanDelivered => "more_than_delivered",
        }
    }
}

events! {
    /// Facts about one delivery.
    pub enum DeliveryEvent {
        /// A paid order reached the shop.
        "delivery.requested" @ 1 => DeliveryRequested {
            /// Which delivery.
            delivery_id: DeliveryId,
            /// Of which order.
            order_id: OrderId,
            /// By which shop.
            shop_id: ShopId,
            /// To whom.
            customer_id: CustomerId,
            /// What.
            lines: Vec<ChargedLine>,
            /// Whether the goods are made first.
            needs_preparation: bool,
            /// Until when the order can be cancelled.
            cancellable_until: CancellableUntil,
            /// Seconds after the arrival within which goods may go back; none when they never may.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            refund_window_secs: Option<u32>,
        },
        /// The shop took it on.
        "delivery.accepted" @ 1 => DeliveryAccepted {
            /// Of which order.
            order_id: OrderId,
            /// Who.
            by: Actor,
        },
        /// The shop is making it.
        "delivery.preparation_started" @ 1 => PreparationStarted {
            /// Of which order.
            order_id: OrderId,
            /// Who.
            by: Actor,
        },
        /// It left the shop.
        "delivery.shipped" @ 1 => DeliveryShipped {
            /// Of which order.
            order_id: OrderId,
            /// Who.
            by: Actor,
        },
        /// It arrived.
        "delivery.completed" @ 1 => DeliveryCompleted {
            /// Of which order.
            order_id: OrderId,
            /// Who.
            by: Actor,
            /// Until when goods may go back; none when they never may.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            returnable_until: Option<Timestamp>,
        },
        /// It did not arrive.
        "delivery.failed" @ 1 => DeliveryFailed {
            /// Of which order.
            order_id: OrderId,
            /// Who said so.
            by: Actor,
            /// Where the reason in their words stands.
            reason_id: Option<ContactId>,
        },
        /// It was called off.
        "delivery.cancelled" @ 1 => DeliveryCancelled {
            /// Which delivery: it may never have been requested.
            delivery_id: DeliveryId,
            /// Of which order.
            order_id: OrderId,
            /// By which shop.
            shop_id: ShopId,
            /// To whom.
            customer_id: CustomerId,
            /// Who called it off.
            cancelled_by: CancelledBy,
            /// Where the reason in their words stands.
            reason_id: Option<ContactId>,
        },
        /// The order's cancellation came too late for it.
        "delivery.cancellation_refused" @ 1 => DeliveryCancellationRefused {
            /// Of which order.
            order_id: OrderId,
        },
        /// Goods are on their way back.
        "delivery.return_started" @ 1 => ReturnStarted {
            /// Of which order.
            order_id: OrderId,
            /// For which refund.
            refund_id: RefundId,
            /// What goes back.
            lines: Vec<ReturnedLine>,
            /// What it was charged with.
            amount: Money,
            /// What the rest was charged with: what the customer keeps once the return is received.
            kept: Money,
            /// Refunds whose returns were called off before: what they took back is on its way to the customer again.
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            called_off: Vec<RefundId>,
        },
        /// Goods are not taken back.
        "delivery.return_refused" @ 1 => ReturnRefused {
            /// Of which order.
            order_id: OrderId,
            /// For which refund.
            refund_id: RefundId,
            /// Why.
            reason: ReturnRefusal,
        },
        /// The shop has the goods back.
        "delivery.return_received" @ 1 => ReturnReceived {
            /// Of which order.
            order_id: OrderId,
            /// For which refund.
            refund_id: RefundId,
            /// Who says so.
            by: Actor,
        },
        /// The way back was called off: the customer keeps the goods.
        "delivery.return_cancelled" @ 1 => ReturnCancelled {
            /// Of which order.
            order_id: OrderId,
            /// For which refund.
            refund_id: RefundId,
            /// Who.
            by: Actor,
        },
        /// From here on nothing goes back any more.
        "delivery.return_window_closed" @ 1 => ReturnWindowClosed {
            /// Of which order.
            order_id: OrderId,
        },
    }
}
