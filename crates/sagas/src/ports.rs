//! What process managers need of the world outside the log: a payment provider, payment tokens, a channel for messages.

use std::time::Duration;

use async_trait::async_trait;
use domain::{
    ContactId, CustomerId, Money, NotificationId, NotifiedChange, ShopId, Subject, VoucherId,
    voucher::VoucherCode,
};
use serde::{Deserialize, Serialize};

/// What a provider answers to a charge. Both are final.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChargeOutcome {
    /// The money was taken.
    Captured {
        /// The provider's name for the charge.
        provider_ref: String,
    },
    /// The money was not taken, and will not be under this key.
    Declined {
        /// The provider's word for it.
        code: String,
    },
}

/// What a provider answers when a key is voided. Both are final.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VoidOutcome {
    /// Nothing was taken, and a late charge under this key is refused.
    Voided,
    /// The money had been taken before.
    Captured {
        /// The provider's name for the charge.
        provider_ref: String,
    },
}

/// What a provider answers to a refund. Both are final for the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefundAnswer {
    /// The money was given back.
    Refunded {
        /// The provider's name for the refund.
        provider_ref: String,
    },
    /// The money was not given back.
    Failed {
        /// The provider's word for it.
        code: String,
    },
}

/// What a key was used for in a provider's books.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerKind {
    /// Money was asked for.
    Charge,
    /// The key was closed before it was used.
    Void,
    /// Money was to be given back.
    Refund,
}

/// What a provider's books say about one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LedgerEntry {
    /// The idempotency key.
    pub key: String,
    /// What it was used for.
    pub kind: LedgerKind,
    /// Minor units.
    pub amount_minor: i64,
    /// ISO 4217 code.
    pub currency: String,
    /// The charge, or the charge that a refund is taken from; none when no money moved.
    pub charge_ref: Option<String>,
    /// Why not, when no money moved.
    pub code: Option<String>,
    /// How often the key was used; 1 where a provider does not count.
    pub calls: u32,
}

/// A part of a provider's books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerPage {
    /// In the order in which they came in.
    pub entries: Vec<LedgerEntry>,
    /// Where the next page begins; none at the end.
    pub next: Option<String>,
}

/// Why a provider's answer is not known. Never a refusal: the same call under the same key is made again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GatewayError {
    /// It may or may not have done what was asked.
    #[error("the payment provider's answer is not known: {0}")]
    Unknown(String),
    /// It was not reached.
    #[error("the payment provider cannot be reached: {0}")]
    Unavailable(String),
}

/// Whether a call to the provider has a chance, as far as is known without making one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    /// Nothing is known that speaks against it.
    Available,
    /// A call now would fail without reaching the provider.
    Unavailable {
        /// So long it is not worth a try.
        retry_after: Duration,
    },
}

/// Whether a try is the first of its step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Try {
    /// Nothing was tried before.
    First,
    /// An earlier try failed.
    Again,
}

/// How a gateway is doing, whatever stands behind it: for metrics, the admin API and the log. Counters count since the
/// program's start.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GatewayFigures {
    /// The circuit breaker's state: `closed`, `open`, `half_open`.
    pub state: &'static str,
    /// How long it stays open; zero when it is not. Milliseconds.
    pub open_for_ms: u64,
    /// How often the breaker opened.
    pub opened: u64,
    /// How many calls the breaker refused.
    pub refused: u64,
    /// Calls that the breaker judges by: those since its last change of state, as many as its window has.
    pub window_calls: usize,
    /// Those of them that failed.
    pub window_failures: usize,
    /// Those of them that were slow.
    pub window_slow: usize,
    /// Calls under way.
    pub under_way: usize,
    /// How many calls may be under way; none where that is not bounded.
    pub places: Option<usize>,
    /// First tries that were let go ahead.
    pub first_tries: u64,
    /// Further tries that were let go ahead.
    pub retries: u64,
    /// How often a further try was told to wait, since there were too many already.
    pub retries_put_off: u64,
    /// How many further tries may be made at once now.
    pub retries_left: u64,
    /// What the last call that failed said, if one did.
    pub last_error: Option<String>,
}

/// A payment provider. Every call carries an idempotency key: the same key never moves money twice.
#[async_trait]
pub trait PaymentGateway: Send + Sync + 'static {
    /// Takes `amount` from the method behind `token`.
    ///
    /// # Errors
    /// The outcome is not known; call again with the same key.
    async fn charge(&self, key: &str, amount: Money, token: &str) -> Result<ChargeOutcome, GatewayError>;

    /// Makes sure that nothing is charged under `key` from here on; tells what was charged before.
    ///
    /// # Errors
    /// The outcome is not known; call again.
    async fn void(&self, key: &str) -> Result<VoidOutcome, GatewayError>;

    /// Gives `amount` of the charge `charge_ref` back.
    ///
    /// # Errors
    /// The outcome is not known; call again with the same key.
    async fn refund(&self, key: &str, charge_ref: &str, amount: Money) -> Result<RefundAnswer, GatewayError>;

    /// What became of the charge under `key`, if the provider knows of it. "Not found" is never final.
    ///
    /// # Errors
    /// The provider does not answer.
    async fn look_up(&self, key: &str) -> Result<Option<ChargeOutcome>, GatewayError>;

    /// A page of the provider's books: the first, or the one that begins at `after`.
    ///
    /// # Errors
    /// The provider does not answer, or shows no books.
    async fn ledger(&self, after: Option<&str>) -> Result<LedgerPage, GatewayError> {
        let _ = after;
        Err(GatewayError::Unavailable("this provider does not show its books".to_owned()))
    }

    /// Whether a call now would reach the provider, as far as is known. Asks nobody, so it can be asked for every order.
    fn availability(&self) -> Availability {
        Availability::Available
    }

    /// Asked before every try of a charge or a refund, which may be several calls. A refusal says how long to wait before
    /// asking again; it is no failure, since nothing was tried.
    ///
    /// # Errors
    /// How long to wait.
    fn permit(&self, which: Try) -> Result<(), Duration> {
        let _ = which;
        match self.availability() {
            Availability::Available => Ok(()),
            Availability::Unavailable { retry_after } => Err(retry_after),
        }
    }

    /// How it is doing; none for a gateway that does not count.
    fn figures(&self) -> Option<GatewayFigures> {
        None
    }
}

/// A store that does not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PortError(pub String);

/// Payment tokens: personal, erasable, never in an event.
#[async_trait]
pub trait Tokens: Send + Sync + 'static {
    /// The token that stands in a contact row; none if the row was erased.
    ///
    /// # Errors
    /// The store does not answer.
    async fn payment_token(&self, contact: ContactId) -> Result<Option<String>, PortError>;
}

/// A voucher that goes with a message. Whoever has the code has the room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarriedVoucher {
    /// Which voucher.
    pub voucher_id: VoucherId,
    /// What the guest shows.
    pub code: VoucherCode,
}

/// A message to a customer: what changed, about which order or reservation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Which notification; a receiver drops what it has seen, since delivery is at least once.
    pub notification_id: NotificationId,
    /// About what.
    pub subject: Subject,
    /// Whom.
    pub customer_id: CustomerId,
    /// Of which shop; none for a reservation.
    pub shop_id: Option<ShopId>,
    /// Of what.
    pub change: NotifiedChange,
    /// The voucher that it brings, if it brings one.
    pub voucher: Option<CarriedVoucher>,
}

/// Why a channel did not take a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    /// Try again later.
    #[error("the channel does not answer: {0}")]
    Transient(String),
    /// It never will.
    #[error("the channel refuses: {0}")]
    Permanent(String),
}

/// A way to tell customers something. At least once: a receiver may see a message twice after a crash.
#[async_trait]
pub trait Channel: Send + Sync + 'static {
    /// The name that stands in notifications.
    fn name(&self) -> &str;
    /// Hands a message over.
    ///
    /// # Errors
    /// See [`ChannelError`].
    async fn deliver(&self, message: Message) -> Result<(), ChannelError>;
}
