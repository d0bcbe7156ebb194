//! What the past of a refund comes to.

use serde::{Deserialize, Serialize};

use super::{RefundEvent, RefundRequested, ReturnedLine};
use crate::{
    ContactId, CustomerId, DeliveryId, Money, OrderId, PaymentId, RefundId, ShopId, delivery::ReturnRefusal,
};

/// What is known of a refund that was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RefundDetails {
    /// Which refund.
    pub refund_id: RefundId,
    /// Of which order.
    pub order_id: OrderId,
    /// Of which shop.
    pub shop_id: ShopId,
    /// Whose.
    pub customer_id: CustomerId,
    /// The payment that gives the money back.
    pub payment_id: PaymentId,
    /// The delivery that takes the goods back.
    pub delivery_id: DeliveryId,
    /// What goes back; empty means everything that is left.
    pub lines: Vec<ReturnedLine>,
    /// Where the reason in the customer's words stands.
    pub reason_id: ContactId,
}

/// A refund.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Refund {
    /// No such refund.
    #[default]
    Absent,
    /// Asked for; the delivery has not answered.
    Requested(RefundDetails),
    /// The goods are on their way back.
    Returning {
        /// The refund.
        refund: RefundDetails,
        /// What the goods were charged with.
        amount: Money,
    },
    /// The money is given back.
    Completed {
        /// The refund.
        refund: RefundDetails,
        /// What was given back.
        amount: Money,
        /// What came off for a coupon.
        deducted: Money,
    },
    /// Called off.
    Cancelled(RefundDetails),
    /// Not possible.
    Refused {
        /// The refund.
        refund: RefundDetails,
        /// Why.
        reason: ReturnRefusal,
    },
}

impl Refund {
    /// The details, of a refund that was asked for.
    #[must_use]
    pub fn details(&self) -> Option<&RefundDetails> {
        match self {
            Self::Absent => None,
            Self::Requested(refund)
            | Self::Returning { refund, .. }
            | Self::Completed { refund, .. }
            | Self::Cancelled(refund)
            | Self::Refused { refund, .. } => Some(refund),
        }
    }

    fn into_details(self) -> Option<RefundDetails> {
        match self {
            Self::Absent => None,
            Self::Requested(refund)
            | Self::Returning { refund, .. }
            | Self::Completed { refund, .. }
            | Self::Cancelled(refund)
            | Self::Refused { refund, .. } => Some(refund),
        }
    }
}

pub(super) fn evolve(state: &mut Refund, event: &RefundEvent) {
    if let RefundEvent::RefundRequested(requested) = event {
        *state = Refund::Requested(details(requested));
        return;
    }
    let Some(refund) = std::mem::take(state).into_details() else { return };
    *state = match event {
        RefundEvent::RefundRequested(_) => Refund::Requested(refund),
        RefundEvent::RefundAccepted(event) => Refund::Returning { refund, amount: event.amount },
        RefundEvent::RefundRefused(event) => Refund::Refused { refund, reason: event.reason },
        RefundEvent::RefundCompleted(event) => {
            Refund::Completed { refund, amount: event.amount, deducted: event.deducted }
        }
        RefundEvent::RefundCancelled(_) => Refund::Cancelled(refund),
    };
}

fn details(requested: &RefundRequested) -> RefundDetails {
    RefundDetails {
        refund_id: requested.refund_id,
        order_id: requested.order_id,
        shop_id: requested.shop_id.clone(),
        customer_id: requested.customer_id.clone(),
        payment_id: requested.payment_id,
        delivery_id: requested.delivery_id,
        lines: requested.lines.clone(),
        reason_id: requested.reason_id,
    }
}

pub(super) fn status(refund: &Refund) -> &'static str {
    match refund {
        Refund::Absent => "absent",
        Refund::Requested(_) => "requested",
        Refund::Returning { .. } => "returning",
        Refund::Completed { .. } => "completed",
        Refund::Cancelled(_) => "cancelled",
        Refund::Refused { .. } => "refused",
    }
}
