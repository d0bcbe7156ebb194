//! The provider contract as JSON: what server and adapter say to each other. Additive changes only; a reader ignores
//! fields of answers that it does not know.

use domain::Money;
use sagas::ports::{ChargeOutcome, LedgerEntry, LedgerKind, LedgerPage, RefundAnswer, VoidOutcome};
use serde::{Deserialize, Serialize};

/// The header that makes a call repeatable: the same key never moves money twice.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// The code of the problem that says that nothing is known under a key. A 404 without it is not believed, since a wrong
/// address or a proxy answers so, too.
pub const UNKNOWN_CHARGE: &str = "charge_not_found";

/// An amount of money, as the document shows it; on the wire it is [`Money`].
#[derive(utoipa::ToSchema)]
#[schema(as = Money)]
#[expect(dead_code, reason = "it only describes")]
pub(crate) struct MoneySchema {
    /// Minor units: won for KRW, cents for EUR. 0 to 2^53 - 1.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64, example = 12_000)]
    amount_minor: i64,
    /// ISO 4217 code.
    #[schema(example = "KRW")]
    currency: String,
}

/// What a charge asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChargeRequest {
    /// How much.
    #[schema(value_type = MoneySchema)]
    pub amount: Money,
    /// From what: a token of the provider.
    #[schema(example = "tok_ok")]
    pub payment_method: String,
}

/// What became of a charge. Both are final.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum ChargeAnswer {
    /// The money was taken.
    Captured {
        /// The provider's name for the charge; refunds refer to it.
        provider_ref: String,
    },
    /// The money was not taken, and will not be under this key.
    Declined {
        /// Why: `card_declined`, `insufficient_funds`, `unknown_payment_method`, `voided`.
        code: String,
    },
}

/// What became of a void. Both are final.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum VoidAnswer {
    /// Nothing was taken, and a late charge under this key is declined.
    Voided,
    /// The money had been taken before.
    Captured {
        /// The provider's name for the charge.
        provider_ref: String,
    },
}

/// What a refund asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefundRequest {
    /// `provider_ref` of the charge.
    pub charge_ref: String,
    /// How much of it.
    #[schema(value_type = MoneySchema)]
    pub amount: Money,
}

/// What became of a refund. Both are final for the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum RefundReply {
    /// The money was given back.
    Refunded {
        /// The provider's name for the refund.
        provider_ref: String,
    },
    /// The money was not given back.
    Failed {
        /// Why: `unknown_charge`, `more_than_charged`.
        code: String,
    },
}

/// What a key was used for, as the document shows it; on the wire it is [`LedgerKind`].
#[derive(utoipa::ToSchema)]
#[schema(as = LedgerKind, rename_all = "snake_case")]
#[expect(dead_code, reason = "it only describes")]
pub(crate) enum LedgerKindSchema {
    /// Money was asked for.
    Charge,
    /// The key was closed before it was used.
    Void,
    /// Money was to be given back.
    Refund,
}

/// An entry of the provider's books.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LedgerRow {
    /// The idempotency key.
    pub key: String,
    /// What it was used for.
    #[schema(value_type = LedgerKindSchema)]
    pub kind: LedgerKind,
    /// How much.
    #[schema(value_type = MoneySchema)]
    pub amount: LedgerAmount,
    /// The charge, or the charge that a refund is taken from; null when no money moved.
    pub charge_ref: Option<String>,
    /// Why no money moved; null when it did.
    pub code: Option<String>,
    /// How often the key was used.
    pub calls: u32,
}

/// An amount as it stands in the books.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerAmount {
    /// Minor units.
    pub amount_minor: i64,
    /// ISO 4217 code.
    pub currency: String,
}

/// A page of the provider's books.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LedgerAnswer {
    /// Entries, in the order in which they came in.
    pub data: Vec<LedgerRow>,
    /// `after` of the next page; null at the end.
    #[serde(default)]
    pub next: Option<String>,
}

/// What a callback tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallbackStatus {
    /// A charge: the money was taken.
    Captured,
    /// A charge: the money was not taken, and will not be under this key.
    Declined,
    /// A refund: the money was given back.
    Refunded,
    /// A refund: the money was not given back.
    Failed,
}

/// What a provider posts of its own accord when a charge or a refund is final: the same as its answer to the call, which
/// may have been lost. It may come more than once, before the answer, and in any order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Callback {
    /// The provider's name for what it tells; the same in every repeat.
    pub event_id: String,
    /// The idempotency key of the charge or the refund.
    pub key: String,
    /// What became of it.
    pub status: CallbackStatus,
    /// The provider's name for the charge or the refund, if money moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_ref: Option<String>,
    /// Why not, if none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Of a refund: the idempotency key of the charge that it is taken from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charge_key: Option<String>,
}

/// An error as `application/problem+json` (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ProblemDocument {
    /// `about:blank`: the code says all.
    pub r#type: String,
    /// The name of the status.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What was wrong, with which value, and what to do.
    pub detail: String,
    /// A word for programs.
    pub code: String,
}

impl From<ChargeOutcome> for ChargeAnswer {
    fn from(outcome: ChargeOutcome) -> Self {
        match outcome {
            ChargeOutcome::Captured { provider_ref } => Self::Captured { provider_ref },
            ChargeOutcome::Declined { code } => Self::Declined { code },
        }
    }
}
impl From<ChargeAnswer> for ChargeOutcome {
    fn from(answer: ChargeAnswer) -> Self {
        match answer {
            ChargeAnswer::Captured { provider_ref } => Self::Captured { provider_ref },
            ChargeAnswer::Declined { code } => Self::Declined { code },
        }
    }
}
impl From<VoidOutcome> for VoidAnswer {
    fn from(outcome: VoidOutcome) -> Self {
        match outcome {
            VoidOutcome::Voided => Self::Voided,
            VoidOutcome::Captured { provider_ref } => Self::Captured { provider_ref },
        }
    }
}
impl From<VoidAnswer> for VoidOutcome {
    fn from(answer: VoidAnswer) -> Self {
        match answer {
            VoidAnswer::Voided => Self::Voided,
            VoidAnswer::Captured { provider_ref } => Self::Captured { provider_ref },
        }
    }
}
impl From<RefundAnswer> for RefundReply {
    fn from(answer: RefundAnswer) -> Self {
        match answer {
            RefundAnswer::Refunded { provider_ref } => Self::Refunded { provider_ref },
            RefundAnswer::Failed { code } => Self::Failed { code },
        }
    }
}
impl From<RefundReply> for RefundAnswer {
    fn from(answer: RefundReply) -> Self {
        match answer {
            RefundReply::Refunded { provider_ref } => Self::Refunded { provider_ref },
            RefundReply::Failed { code } => Self::Failed { code },
        }
    }
}
impl From<LedgerPage> for LedgerAnswer {
    fn from(page: LedgerPage) -> Self {
        Self { data: page.entries.into_iter().map(Into::into).collect(), next: page.next }
    }
}
impl From<LedgerAnswer> for LedgerPage {
    fn from(answer: LedgerAnswer) -> Self {
        Self { entries: answer.data.into_iter().map(Into::into).collect(), next: answer.next }
    }
}
impl From<LedgerEntry> for LedgerRow {
    fn from(entry: LedgerEntry) -> Self {
        let LedgerEntry { key, kind, amount_minor, currency, charge_ref, code, calls } = entry;
        Self { key, kind, amount: LedgerAmount { amount_minor, currency }, charge_ref, code, calls }
    }
}
impl From<LedgerRow> for LedgerEntry {
    fn from(row: LedgerRow) -> Self {
        let LedgerRow { key, kind, amount, charge_ref, code, calls } = row;
        let LedgerAmount { amount_minor, currency } = amount;
        Self { key, kind, amount_minor, currency, charge_ref, code, calls }
    }
}
