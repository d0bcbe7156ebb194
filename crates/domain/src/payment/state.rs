//! What the past of a payment comes to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{PaymentEvent, PaymentTiming};
use crate::{ContactId, CustomerId, Money, PaymentId, RefundId, ShopId, Subject, Timestamp};

/// How far a refund is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundProgress {
    /// The provider is being asked.
    Started,
    /// The money is back.
    Done,
    /// The last attempt failed.
    Failed,
}

/// One refund inside a payment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RefundState {
    /// How much.
    pub amount: Money,
    /// The newest attempt.
    pub attempt: u32,
    /// How far it is.
    pub progress: RefundProgress,
}

/// What every payment that exists knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PaymentDetails {
    /// Which payment.
    pub payment_id: PaymentId,
    /// What is paid for.
    pub subject: Subject,
    /// From whom.
    pub customer_id: CustomerId,
    /// The shop that gets it; none for a reservation.
    pub shop_id: Option<ShopId>,
    /// How much.
    pub amount: Money,
    /// Within the order call, or later.
    pub timing: PaymentTiming,
    /// Where the payment token stands, when it was known from the start.
    pub method: Option<ContactId>,
    /// After this nothing new is charged.
    pub due_at: Timestamp,
    /// The newest attempt to charge; 0 before the first.
    pub attempt: u32,
    /// Refunds by id.
    pub refunds: BTreeMap<RefundId, RefundState>,
}

/// How far a payment is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum PaymentStage {
    /// Asked for.
    Requested,
    /// The provider is being asked.
    Capturing {
        /// Whether it is to be called off (or given back) as soon as the outcome is known.
        void_requested: bool,
    },
    /// Taken; refunds may have been made.
    Captured {
        /// The provider's name for the charge.
        charge_ref: String,
    },
    /// Failed for good.
    Declined,
    /// Called off.
    Voided,
    /// Not made in time.
    Expired,
}

/// A payment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Payment {
    /// No such payment.
    #[default]
    Absent,
    /// One that was asked for.
    Existing {
        /// What it is about.
        details: PaymentDetails,
        /// How far it is.
        stage: PaymentStage,
    },
}

impl Payment {
    /// The details, of a payment that exists.
    #[must_use]
    pub fn details(&self) -> Option<&PaymentDetails> {
        match self {
            Self::Absent => None,
            Self::Existing { details, .. } => Some(details),
        }
    }
}

impl PaymentDetails {
    /// What is still there to be given back: captured minus refunds that are started or done. A failed one can be tried
    /// again, so its amount stays set aside.
    #[must_use]
    pub fn refundable(&self) -> i64 {
        self.amount.amount_minor - self.refunds.values().map(|refund| refund.amount.amount_minor).sum::<i64>()
    }

    /// What was given back.
    #[must_use]
    pub fn refunded(&self) -> i64 {
        let done = self.refunds.values().filter(|refund| refund.progress == RefundProgress::Done);
        done.map(|refund| refund.amount.amount_minor).sum()
    }
}

pub(super) fn evolve(state: &mut Payment, event: &PaymentEvent) {
    if let PaymentEvent::PaymentRequested(e) = event {
        *state = Payment::Existing {
            details: PaymentDetails {
                payment_id: e.payment_id,
                subject: e.subject,
                customer_id: e.customer_id.clone(),
                shop_id: e.shop_id.clone(),
                amount: e.amount,
                timing: e.timing,
                method: e.method,
                due_at: e.due_at,
                attempt: 0,
                refunds: BTreeMap::new(),
            },
            stage: PaymentStage::Requested,
        };
        return;
    }
    let Payment::Existing { details, stage } = state else { return };
    match event {
        PaymentEvent::PaymentRequested(_) => {}
        PaymentEvent::CaptureStarted(e) => {
            details.attempt = e.attempt;
            *stage = PaymentStage::Capturing { void_requested: false };
        }
        PaymentEvent::PaymentVoidRequested(_) => *stage = PaymentStage::Capturing { void_requested: true },
        PaymentEvent::PaymentCaptured(e) => {
            *stage = PaymentStage::Captured { charge_ref: e.provider_ref.clone() };
        }
        PaymentEvent::LateCaptureFound(e) => {
            *stage = PaymentStage::Captured { charge_ref: e.provider_ref.clone() };
        }
        PaymentEvent::CaptureDeclined(_) => *stage = PaymentStage::Requested,
        PaymentEvent::PaymentDeclined(_) => *stage = PaymentStage::Declined,
        PaymentEvent::PaymentVoided(_) => *stage = PaymentStage::Voided,
        PaymentEvent::PaymentExpired(_) => *stage = PaymentStage::Expired,
        PaymentEvent::RefundStarted(e) => {
            let refund =
                RefundState { amount: e.amount, attempt: e.attempt, progress: RefundProgress::Started };
            details.refunds.insert(e.refund_id, refund);
        }
        PaymentEvent::PaymentRefunded(e) => progress(details, e.refund_id, RefundProgress::Done),
        PaymentEvent::RefundFailed(e) => progress(details, e.refund_id, RefundProgress::Failed),
    }
}

fn progress(details: &mut PaymentDetails, refund_id: RefundId, progress: RefundProgress) {
    if let Some(refund) = details.refunds.get_mut(&refund_id) {
        refund.progress = progress;
    }
}

pub(super) fn status(payment: &Payment) -> &'static str {
    let Payment::Existing { details, stage } = payment else { return "absent" };
    match stage {
        PaymentStage::Requested => "requested",
        PaymentStage::Capturing { .. } => "capturing",
        PaymentStage::Declined => "declined",
        PaymentStage::Voided => "voided",
        PaymentStage::Expired => "expired",
        PaymentStage::Captured { .. } if details.refunds.is_empty() => "captured",
        PaymentStage::Captured { .. }
            if details.refunds.values().any(|r| r.progress != RefundProgress::Done) =>
        {
            "refunding"
        }
        PaymentStage::Captured { .. } if details.refunded() == details.amount.amount_minor => "refunded",
        // A refund of nothing leaves the payment as it was.
        PaymentStage::Captured { .. } if details.refunded() == 0 => "captured",
        PaymentStage::Captured { .. } => "partially_refunded",
    }
}
