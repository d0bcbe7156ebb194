//! What a reconciliation found.

use std::{collections::BTreeMap, fmt};

use domain::{Money, PaymentId, Position};
use serde::{Deserialize, Serialize};

use crate::ports::{LedgerEntry, LedgerKind};

/// An amount as one of the sides has it. The books may hold a currency that we do not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// Minor units.
    pub amount_minor: i64,
    /// ISO 4217 code.
    pub currency: String,
}

impl From<Money> for Amount {
    fn from(money: Money) -> Self {
        Self { amount_minor: money.amount_minor, currency: money.currency.code().to_owned() }
    }
}
impl From<&LedgerEntry> for Amount {
    fn from(entry: &LedgerEntry) -> Self {
        Self { amount_minor: entry.amount_minor, currency: entry.currency.clone() }
    }
}
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount_minor, self.currency)
    }
}

/// In which way the two sides differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceKind {
    /// The books hold a charge of a payment or an attempt that the log does not know.
    UnknownCharge,
    /// The books hold a charge that the log calls declined, voided or expired, and it was not given back.
    OrphanCharge,
    /// The books hold more than one charge of a payment.
    ChargedTwice,
    /// The log holds a capture that the books do not.
    ChargeNotInBooks,
    /// A charge's amounts or currencies differ.
    ChargeAmountDiffers,
    /// A charge, or the charge that a refund is taken from, has another name.
    ProviderRefDiffers,
    /// The books hold a refund that the log does not.
    RefundNotOnLog,
    /// The log holds a refund that the books do not.
    RefundNotInBooks,
    /// A refund's amounts or currencies differ, or it was made more than once.
    RefundAmountDiffers,
}

impl fmt::Display for DifferenceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownCharge => "unknown charge",
            Self::OrphanCharge => "orphan charge",
            Self::ChargedTwice => "charged twice",
            Self::ChargeNotInBooks => "charge not in the books",
            Self::ChargeAmountDiffers => "charge amount differs",
            Self::ProviderRefDiffers => "provider_ref differs",
            Self::RefundNotOnLog => "refund not on the log",
            Self::RefundNotInBooks => "refund not in the books",
            Self::RefundAmountDiffers => "refund amount differs",
        })
    }
}

/// One thing in which the log and the books differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// In which way.
    pub kind: DifferenceKind,
    /// Which payment; none when nobody knows.
    pub payment_id: Option<PaymentId>,
    /// The idempotency key at the provider.
    pub key: String,
    /// The amount on the log, if it has one.
    pub log: Option<Amount>,
    /// The amount in the books, if they have one.
    pub books: Option<Amount>,
    /// The provider's name for the charge, where the books have one.
    pub provider_ref: Option<String>,
    /// What differs, in one sentence.
    pub what: String,
    /// Whether it was mended.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mended: bool,
}

/// What is under way: it was started on the log and is not decided there. No difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnderWay {
    /// A charge or a refund.
    pub kind: LedgerKind,
    /// Which payment.
    pub payment_id: PaymentId,
    /// The idempotency key at the provider.
    pub key: String,
    /// How much.
    pub amount: Amount,
    /// The provider's name for the charge, if the books have it already.
    pub provider_ref: Option<String>,
}

/// An entry of the books that is not ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignEntry {
    /// The idempotency key.
    pub key: String,
    /// What it was used for.
    pub kind: LedgerKind,
    /// How much.
    pub amount: Amount,
}

/// What one side holds in one currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// How many charges that took money.
    pub charges: u64,
    /// Their sum. Minor units.
    pub charged_minor: i64,
    /// How many refunds that gave money back.
    pub refunds: u64,
    /// Their sum. Minor units.
    pub refunded_minor: i64,
}

impl Side {
    pub(super) fn charge(&mut self, amount_minor: i64) {
        self.charges += 1;
        self.charged_minor = self.charged_minor.saturating_add(amount_minor);
    }

    pub(super) fn refund(&mut self, amount_minor: i64) {
        self.refunds += 1;
        self.refunded_minor = self.refunded_minor.saturating_add(amount_minor);
    }
}

/// Both sides in one currency. What is under way may stand on one of them only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sums {
    /// Our log.
    pub log: Side,
    /// The provider's books, without foreign entries.
    pub books: Side,
}

/// What came of trying to mend something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MendResult {
    /// The payment counts as made now.
    Captured,
    /// Nobody wants the money any more: it goes back.
    Refunding,
    /// The log knew it by now.
    Known,
    /// Nothing was done.
    NotMended,
}

/// What was done about a charge that the books hold and the log did not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mended {
    /// Which payment; none when nobody knows.
    pub payment_id: Option<PaymentId>,
    /// The idempotency key at the provider.
    pub key: String,
    /// What came of it.
    pub result: MendResult,
    /// The same in one sentence.
    pub what: String,
}

/// What a reconciliation found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReconcileReport {
    /// The log was read up to here.
    pub position: Position,
    /// Events read.
    pub events: u64,
    /// Entries of the books read.
    pub entries: u64,
    /// Payments on the log.
    pub payments: u64,
    /// Both sides by currency.
    pub sums: BTreeMap<String, Sums>,
    /// How many differences there are.
    pub differing: u64,
    /// The same by kind.
    pub by_kind: BTreeMap<DifferenceKind, u64>,
    /// The differences, the first [`MAX_LISTED`](super::MAX_LISTED) of them.
    pub differences: Vec<Difference>,
    /// How many charges and refunds are under way.
    pub under_way: u64,
    /// The first of them.
    pub open: Vec<UnderWay>,
    /// How many entries of the books are foreign: other systems may use the same account.
    pub foreign: u64,
    /// The first of them, if they were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub foreign_entries: Vec<ForeignEntry>,
    /// What was mended, if that was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mended: Vec<Mended>,
}

impl ReconcileReport {
    /// How many differences are left: those that were mended are not.
    #[must_use]
    pub fn left(&self) -> u64 {
        let mended = self.differences.iter().filter(|difference| difference.mended).count();
        self.differing.saturating_sub(mended as u64)
    }
}
