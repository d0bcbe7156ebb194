//! What can be asked of a delivery.

use serde::{Deserialize, Serialize};

use crate::{
    Actor, CancellableUntil, ContactId, CustomerId, DeliveryId, OrderId, RefundId, ShopId, Timestamp,
    order::ChargedLine, refund::ReturnedLine,
};

/// A command to a delivery.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryCommand {
    /// A paid order reaches the shop.
    RequestDelivery {
        /// The new delivery's id.
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
        refund_window_secs: Option<u32>,
    },
    /// The shop takes it on.
    AcceptDelivery {
        /// Who.
        by: Actor,
    },
    /// The shop starts making it.
    StartPreparation {
        /// Who.
        by: Actor,
    },
    /// It leaves the shop.
    ShipDelivery {
        /// Who.
        by: Actor,
    },
    /// It arrived.
    CompleteDelivery {
        /// Who.
        by: Actor,
        /// Now; the end of the refund window follows from it.
        at: Timestamp,
    },
    /// It did not arrive.
    FailDelivery {
        /// Who says so.
        by: Actor,
        /// Where the reason in their words stands.
        reason_id: Option<ContactId>,
    },
    /// The shop calls it off.
    CancelDelivery {
        /// Who.
        by: Actor,
        /// Where the reason in their words stands.
        reason_id: Option<ContactId>,
    },
    /// The order is being cancelled. Too late gives an event, not an error.
    CancelForOrder {
        /// The delivery's id: it may not exist yet.
        delivery_id: DeliveryId,
        /// Of which order.
        order_id: OrderId,
        /// By which shop.
        shop_id: ShopId,
        /// To whom.
        customer_id: CustomerId,
    },
    /// Goods are to go back. A refusal is an event, since the returns process waits for it.
    StartReturn {
        /// For which refund.
        refund_id: RefundId,
        /// Of which order: the delivery may not exist.
        order_id: OrderId,
        /// What goes back; empty means everything that is left.
        lines: Vec<ReturnedLine>,
        /// Now.
        at: Timestamp,
    },
    /// The shop has the goods back.
    ReceiveReturn {
        /// For which refund; the one under way when it is not said.
        refund_id: Option<RefundId>,
        /// Who.
        by: Actor,
    },
    /// The way back is called off.
    CancelReturn {
        /// For which refund; the one under way when it is not said.
        refund_id: Option<RefundId>,
        /// Who.
        by: Actor,
    },
    /// The refund window may be over.
    CloseReturnWindow {
        /// Now.
        at: Timestamp,
    },
}
