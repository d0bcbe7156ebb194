//! The edges of the platform: a provider over the real sandbox's books, payment tokens, a channel, a clock.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicI64, AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

use async_trait::async_trait;
use domain::{ContactId, Money, Subject, Timestamp, voucher::VoucherCode};
use eventlog::{Clock, SystemClock};
use gateway::{LedgerEntry, Sandbox, SandboxOptions};
use orderstream_sagas::{
    Channel, ChannelError, ChargeOutcome, GatewayError, Message, PaymentGateway, PortError, RefundAnswer,
    Tokens, VoidOutcome,
};
use tokio::{sync::watch, time::timeout};

use super::PATIENCE;

/// So many, for as long as the test wants.
pub const ALWAYS: u32 = u32::MAX;

fn take_one(left: &AtomicU32) -> bool {
    let fewer = |left| match left {
        0 => None,
        ALWAYS => Some(ALWAYS),
        left => Some(left - 1),
    };
    left.fetch_update(SeqCst, SeqCst, fewer).is_ok()
}

/// The sandbox, with faults by order.
pub struct Provider {
    books: Sandbox,
    /// So many calls do not reach it.
    pub unreachable: AtomicU32,
    /// So many calls are carried out, and the answer is lost.
    pub answers_lost: AtomicU32,
    /// So many refunds are refused, each for good under its key.
    pub refunds_refused: AtomicU32,
    /// So many charges are made and called declined: the provider finds them later.
    pub charges_denied: AtomicU32,
    refused: Mutex<HashSet<String>>,
    slow: watch::Sender<Option<String>>,
    asked: watch::Sender<u32>,
}

impl Provider {
    pub fn open(path: &Path) -> Self {
        Self {
            books: Sandbox::open(path, SandboxOptions::default()).unwrap(),
            unreachable: AtomicU32::new(0),
            answers_lost: AtomicU32::new(0),
            refunds_refused: AtomicU32::new(0),
            charges_denied: AtomicU32::new(0),
            refused: Mutex::default(),
            slow: watch::Sender::new(None),
            asked: watch::Sender::new(0),
        }
    }

    /// Charges with this token take until [`Provider::wake`].
    pub fn sleep(&self, token: &str) {
        self.slow.send_replace(Some(token.to_owned()));
    }

    pub fn wake(&self) {
        self.slow.send_replace(None);
    }

    /// Returns once so many charges and look-ups have been asked for.
    pub async fn charges_asked(&self, calls: u32) {
        let mut asked = self.asked.subscribe();
        let enough = timeout(PATIENCE, asked.wait_for(|asked| *asked >= calls)).await;
        enough.expect("the provider was not asked so often").unwrap();
    }

    /// How many charges and look-ups have been asked for.
    pub fn asked(&self) -> u32 {
        *self.asked.borrow()
    }

    /// What the books say, without the number of calls.
    pub async fn books(&self) -> Vec<LedgerEntry> {
        let entries = self.books.entries().await.unwrap();
        entries.into_iter().map(|entry| LedgerEntry { calls: 1, ..entry }).collect()
    }

    /// How often each key was used.
    pub async fn calls(&self) -> BTreeMap<String, u32> {
        let entries = self.books.entries().await.unwrap();
        entries.into_iter().map(|entry| (entry.key, entry.calls)).collect()
    }

    fn reached(&self) -> Result<(), GatewayError> {
        let failed = || GatewayError::Unavailable("no connection".to_owned());
        if take_one(&self.unreachable) { Err(failed()) } else { Ok(()) }
    }

    fn answered<T>(&self, answer: T) -> Result<T, GatewayError> {
        let lost = || GatewayError::Unknown("no answer".to_owned());
        if take_one(&self.answers_lost) { Err(lost()) } else { Ok(answer) }
    }
}

#[async_trait]
impl PaymentGateway for Provider {
    async fn charge(&self, key: &str, amount: Money, token: &str) -> Result<ChargeOutcome, GatewayError> {
        self.asked.send_modify(|asked| *asked += 1);
        self.reached()?;
        let mut slow = self.slow.subscribe();
        slow.wait_for(|slow| slow.as_deref() != Some(token)).await.unwrap();
        let outcome = self.books.charge(key, amount, token).await?;
        if take_one(&self.charges_denied) {
            return self.answered(ChargeOutcome::Declined { code: "mistaken".to_owned() });
        }
        self.answered(outcome)
    }
    async fn void(&self, key: &str) -> Result<VoidOutcome, GatewayError> {
        self.reached()?;
        self.answered(self.books.void(key).await?)
    }
    async fn refund(&self, key: &str, charge_ref: &str, amount: Money) -> Result<RefundAnswer, GatewayError> {
        self.reached()?;
        let known = self.refused.lock().unwrap().contains(key);
        if known || take_one(&self.refunds_refused) {
            self.refused.lock().unwrap().insert(key.to_owned());
            return self.answered(RefundAnswer::Failed { code: "closed_account".to_owned() });
        }
        self.answered(self.books.refund(key, charge_ref, amount).await?)
    }
    async fn look_up(&self, key: &str) -> Result<Option<ChargeOutcome>, GatewayError> {
        self.asked.send_modify(|asked| *asked += 1);
        self.reached()?;
        self.answered(self.books.look_up(key).await?)
    }
}

/// Payment tokens.
#[derive(Default)]
pub struct Purse {
    pub tokens: Mutex<HashMap<ContactId, String>>,
    /// So many questions are not answered.
    pub unreachable: AtomicU32,
}

#[async_trait]
impl Tokens for Purse {
    async fn payment_token(&self, contact: ContactId) -> Result<Option<String>, PortError> {
        if take_one(&self.unreachable) {
            return Err(PortError("the accounts store does not answer".to_owned()));
        }
        Ok(self.tokens.lock().unwrap().get(&contact).cloned())
    }
}

/// A channel that keeps what it takes.
#[derive(Default)]
pub struct Mailbox {
    taken: Mutex<Vec<Message>>,
    tries: AtomicU32,
    /// So many messages are not taken now.
    pub busy: AtomicU32,
    /// So many messages are not taken for good.
    pub refuses: AtomicU32,
}

impl Mailbox {
    /// The changes that customers were told of, in the order in which they were told for the first time.
    pub fn told(&self) -> Vec<&'static str> {
        self.told_if(|_| true)
    }

    /// The same about one order or reservation.
    pub fn told_of(&self, about: impl Into<Subject>) -> Vec<&'static str> {
        let about = about.into();
        self.told_if(|message| message.subject == about)
    }

    /// The codes of the vouchers that were brought, one for each message.
    pub fn codes(&self) -> Vec<VoucherCode> {
        let mut seen = HashSet::new();
        let taken = self.taken.lock().unwrap();
        let new = taken.iter().filter(|message| seen.insert(message.notification_id));
        new.filter_map(|message| message.voucher.as_ref().map(|voucher| voucher.code.clone())).collect()
    }

    fn told_if(&self, wanted: impl Fn(&Message) -> bool) -> Vec<&'static str> {
        let mut seen = HashSet::new();
        let taken = self.taken.lock().unwrap();
        let new = taken.iter().filter(|message| wanted(message) && seen.insert(message.notification_id));
        new.map(|message| message.change.name()).collect()
    }

    /// How often somebody tried to hand a message over.
    pub fn tries(&self) -> u32 {
        self.tries.load(SeqCst)
    }
}

#[async_trait]
impl Channel for Mailbox {
    fn name(&self) -> &'static str {
        "mailbox"
    }
    async fn deliver(&self, message: Message) -> Result<(), ChannelError> {
        self.tries.fetch_add(1, SeqCst);
        if take_one(&self.busy) {
            return Err(ChannelError::Transient("full".to_owned()));
        }
        if take_one(&self.refuses) {
            return Err(ChannelError::Permanent("no_address".to_owned()));
        }
        self.taken.lock().unwrap().push(message);
        Ok(())
    }
}

/// The machine's clock, which a test can put forward.
#[derive(Default)]
pub struct MovingClock {
    machine: SystemClock,
    ahead_micros: AtomicI64,
}

impl MovingClock {
    pub fn advance(&self, by: Duration) {
        self.ahead_micros.fetch_add(i64::try_from(by.as_micros()).unwrap(), SeqCst);
    }
}

impl Clock for MovingClock {
    fn now(&self) -> Timestamp {
        self.machine.now() + chrono::Duration::microseconds(self.ahead_micros.load(SeqCst))
    }
}
