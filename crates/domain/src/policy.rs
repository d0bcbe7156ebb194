//! A shop's policy: how it sells, as data. A new kind of shop is a new entry in `config/shops.toml`, never a new branch.

use serde::{Deserialize, Serialize};

use crate::{Money, coupon::CouponValue};

/// The longest time a policy may set, in seconds: one year.
pub const MAX_POLICY_SECS: u32 = 365 * 24 * 3600;
/// How long a payment at order may take to be decided, unless the policy says otherwise: five minutes.
pub const DEFAULT_DECIDE_WITHIN_SECS: u32 = 300;

/// When a customer pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "when", rename_all = "snake_case", deny_unknown_fields)]
pub enum PaymentTerms {
    /// Inside the order call: an unpaid order does not exist as a deal.
    AtOrder {
        /// Seconds after which an undecided payment is given up and the order rejected.
        #[serde(default = "default_decide_within")]
        decide_within_secs: u32,
    },
    /// Later, as a step of its own.
    Deferred {
        /// Seconds until the order is rejected for want of payment.
        pay_within_secs: u32,
    },
}

fn default_decide_within() -> u32 {
    DEFAULT_DECIDE_WITHIN_SECS
}

impl PaymentTerms {
    /// Seconds from the order to the payment's `due_at`.
    #[must_use]
    pub fn due_within_secs(self) -> u32 {
        match self {
            Self::AtOrder { decide_within_secs } => decide_within_secs,
            Self::Deferred { pay_within_secs } => pay_within_secs,
        }
    }
}

/// The last delivery state in which an order may still be cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancellableUntil {
    /// Until the shop accepts the delivery.
    Requested,
    /// Until the shop starts preparing (or ships, without preparation).
    Accepted,
    /// Until the goods leave the shop.
    Preparing,
}

/// A change that a customer may be told of. A closed list: notifications are never about notifications.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotifiedChange {
    /// The order is placed and waits for its payment.
    OrderPlaced,
    /// The order is paid and taken: the purchase message.
    OrderConfirmed,
    /// The order was turned down.
    OrderRejected,
    /// Somebody asked to cancel the order.
    OrderCancellationRequested,
    /// It was too late to cancel.
    OrderCancellationRefused,
    /// The order is cancelled: the cancellation message.
    OrderCancelled,
    /// The order is done.
    OrderCompleted,
    /// The money was taken.
    PaymentCaptured,
    /// The payment was declined.
    PaymentDeclined,
    /// The payment was not made in time.
    PaymentExpired,
    /// The payment was called off before any money moved.
    PaymentVoided,
    /// Money was given back.
    PaymentRefunded,
    /// The delivery reached the shop.
    DeliveryRequested,
    /// The shop accepted the delivery.
    DeliveryAccepted,
    /// The shop is making it.
    PreparationStarted,
    /// It is on its way.
    DeliveryShipped,
    /// It arrived.
    DeliveryCompleted,
    /// It did not arrive.
    DeliveryFailed,
    /// It was called off.
    DeliveryCancelled,
    /// A customer wants money back for goods.
    RefundRequested,
    /// The goods may go back.
    RefundAccepted,
    /// The goods cannot go back.
    RefundRefused,
    /// The refund is done.
    RefundCompleted,
    /// The refund was called off.
    RefundCancelled,
    /// The goods are on their way back.
    ReturnStarted,
    /// The shop has the goods back.
    ReturnReceived,
    /// The way back was called off.
    ReturnCancelled,
    /// The customer earned a coupon.
    CouponIssued,
    /// A coupon was taken back.
    CouponRevoked,
    /// A coupon that was taken back is good again.
    CouponReinstated,
    /// A reservation was asked for.
    ReservationRequested,
    /// The nights are held; the payment is awaited.
    ReservationConfirmed,
    /// The nights are not free.
    ReservationRefused,
    /// The reservation is paid.
    ReservationPaid,
    /// Somebody asked to cancel the reservation.
    ReservationCancellationRequested,
    /// The reservation is cancelled.
    ReservationCancelled,
    /// The reservation was not paid in time.
    ReservationExpired,
    /// The stay is over.
    ReservationCompleted,
    /// The voucher itself: sent whatever the policy says.
    VoucherSendRequested,
    /// The voucher is no longer good.
    VoucherDeactivated,
}

impl NotifiedChange {
    /// All of them, in the order of their ways.
    pub const ALL: [Self; 40] = [
        Self::OrderPlaced,
        Self::OrderConfirmed,
        Self::OrderRejected,
        Self::OrderCancellationRequested,
        Self::OrderCancellationRefused,
        Self::OrderCancelled,
        Self::OrderCompleted,
        Self::PaymentCaptured,
        Self::PaymentDeclined,
        Self::PaymentExpired,
        Self::PaymentVoided,
        Self::PaymentRefunded,
        Self::DeliveryRequested,
        Self::DeliveryAccepted,
        Self::PreparationStarted,
        Self::DeliveryShipped,
        Self::DeliveryCompleted,
        Self::DeliveryFailed,
        Self::DeliveryCancelled,
        Self::RefundRequested,
        Self::RefundAccepted,
        Self::RefundRefused,
        Self::RefundCompleted,
        Self::RefundCancelled,
        Self::ReturnStarted,
        Self::ReturnReceived,
        Self::ReturnCancelled,
        Self::CouponIssued,
        Self::CouponRevoked,
        Self::CouponReinstated,
        Self::ReservationRequested,
        Self::ReservationConfirmed,
        Self::ReservationRefused,
        Self::ReservationPaid,
        Self::ReservationCancellationRequested,
        Self::ReservationCancelled,
        Self::ReservationExpired,
        Self::ReservationCompleted,
        Self::VoucherSendRequested,
        Self::VoucherDeactivated,
    ];

    /// Whether a resort's policy may name it: it is about a reservation, its payment or its voucher.
    #[must_use]
    pub fn is_of_reservations(self) -> bool {
        let name = self.name();
        ["reservation_", "voucher_", "payment_"].iter().any(|kind| name.starts_with(kind))
    }

    /// Whether a shop's policy may name it.
    #[must_use]
    pub fn is_of_orders(self) -> bool {
        !self.is_of_reservations() || self.name().starts_with("payment_")
    }

    /// The word that stands in policies and notifications.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OrderPlaced => "order_placed",
            Self::OrderConfirmed => "order_confirmed",
            Self::OrderRejected => "order_rejected",
            Self::OrderCancellationRequested => "order_cancellation_requested",
            Self::OrderCancellationRefused => "order_cancellation_refused",
            Self::OrderCancelled => "order_cancelled",
            Self::OrderCompleted => "order_completed",
            Self::PaymentCaptured => "payment_captured",
            Self::PaymentDeclined => "payment_declined",
            Self::PaymentExpired => "payment_expired",
            Self::PaymentVoided => "payment_voided",
            Self::PaymentRefunded => "payment_refunded",
            Self::DeliveryRequested => "delivery_requested",
            Self::DeliveryAccepted => "delivery_accepted",
            Self::PreparationStarted => "preparation_started",
            Self::DeliveryShipped => "delivery_shipped",
            Self::DeliveryCompleted => "delivery_completed",
            Self::DeliveryFailed => "delivery_failed",
            Self::DeliveryCancelled => "delivery_cancelled",
            Self::RefundRequested => "refund_requested",
            Self::RefundAccepted => "refund_accepted",
            Self::RefundRefused => "refund_refused",
            Self::RefundCompleted => "refund_completed",
            Self::RefundCancelled => "refund_cancelled",
            Self::ReturnStarted => "return_started",
            Self::ReturnReceived => "return_received",
            Self::ReturnCancelled => "return_cancelled",
            Self::CouponIssued => "coupon_issued",
            Self::CouponRevoked => "coupon_revoked",
            Self::CouponReinstated => "coupon_reinstated",
            Self::ReservationRequested => "reservation_requested",
            Self::ReservationConfirmed => "reservation_confirmed",
            Self::ReservationRefused => "reservation_refused",
            Self::ReservationPaid => "reservation_paid",
            Self::ReservationCancellationRequested => "reservation_cancellation_requested",
            Self::ReservationCancelled => "reservation_cancelled",
            Self::ReservationExpired => "reservation_expired",
            Self::ReservationCompleted => "reservation_completed",
            Self::VoucherSendRequested => "voucher_send_requested",
            Self::VoucherDeactivated => "voucher_deactivated",
        }
    }
}

/// What a shop promises for a completed order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CouponPolicy {
    /// What the coupon takes off a later order.
    pub value: CouponValue,
    /// What must be paid for the order, and kept of it, to earn the coupon.
    pub minimum: Money,
}

impl CouponPolicy {
    fn makes_sense(&self) -> bool {
        let one_currency = match self.value {
            CouponValue::Amount(amount) => amount.currency == self.minimum.currency,
            CouponValue::Percent(_) => true,
        };
        self.value.makes_sense() && self.minimum.amount_minor >= 0 && one_currency
    }
}

/// How a shop sells. An order carries the policy it was placed under to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShopPolicy {
    /// When the customer pays.
    pub payment: PaymentTerms,
    /// Whether the shop makes the goods before they are shipped.
    #[serde(default)]
    pub preparation: bool,
    /// Until when an order can be cancelled.
    pub cancellable_until: CancellableUntil,
    /// What customers are told of.
    #[serde(default)]
    pub notify: Vec<NotifiedChange>,
    /// Seconds after the arrival within which goods may go back; none when they never may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund_window_secs: Option<u32>,
    /// The coupon that a completed order earns, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coupon: Option<CouponPolicy>,
}

/// Why a policy makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum PolicyError {
    /// A time of zero or beyond a year.
    #[error("{field} is {secs} seconds: use 1 to {MAX_POLICY_SECS}")]
    TimeOutOfRange {
        /// Which field.
        field: String,
        /// Its value.
        secs: u32,
    },
    /// Cancellable while preparing, but there is no preparation.
    #[error("cancellable_until is \"preparing\", but the shop has no preparation step: use \"accepted\"")]
    NoPreparation,
    /// A coupon that is worth nothing, more than everything, or has a minimum below zero.
    #[error(
        "the coupon makes no sense: use a percentage of 1 to 100, or an amount above 0, and a minimum of 0 or more"
    )]
    Coupon,
    /// A change that no order comes to.
    #[error("notify names {}, which is about reservations", .0.name())]
    NotifiedElsewhere(NotifiedChange),
    /// The same change twice.
    #[error("notify names {} twice", .0.name())]
    NotifiedTwice(NotifiedChange),
}

impl ShopPolicy {
    /// Whether the policy makes sense.
    ///
    /// # Errors
    /// See [`PolicyError`].
    pub fn check(&self) -> Result<(), PolicyError> {
        let secs = self.payment.due_within_secs();
        if !(1..=MAX_POLICY_SECS).contains(&secs) {
            let field = match self.payment {
                PaymentTerms::AtOrder { .. } => "decide_within_secs",
                PaymentTerms::Deferred { .. } => "pay_within_secs",
            };
            return Err(PolicyError::TimeOutOfRange { field: field.to_owned(), secs });
        }
        if let Some(secs) = self.refund_window_secs.filter(|secs| !(1..=MAX_POLICY_SECS).contains(secs)) {
            return Err(PolicyError::TimeOutOfRange { field: "refund_window_secs".to_owned(), secs });
        }
        if self.coupon.is_some_and(|coupon| !coupon.makes_sense()) {
            return Err(PolicyError::Coupon);
        }
        if let Some(change) = self.notify.iter().find(|change| !change.is_of_orders()) {
            return Err(PolicyError::NotifiedElsewhere(*change));
        }
        if self.cancellable_until == CancellableUntil::Preparing && !self.preparation {
            return Err(PolicyError::NoPreparation);
        }
        match self.notify.iter().enumerate().find(|(i, change)| self.notify[..*i].contains(change)) {
            Some((_, twice)) => Err(PolicyError::NotifiedTwice(*twice)),
            None => Ok(()),
        }
    }
}

/// Whether `text` can be shown to people as a name: 1 to `max` characters, not only blanks, no control characters.
#[must_use]
pub fn is_label(text: &str, max: usize) -> bool {
    let length = text.chars().count();
    (1..=max).contains(&length) && !text.trim().is_empty() && !text.chars().any(char::is_control)
}
