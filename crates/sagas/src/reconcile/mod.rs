//! Compares our log with the provider's books, key by key, and says what differs.
//!
//! Both sides move meanwhile. What the log calls done was done at the provider before, and what the provider does was
//! intended on the log before; so the two are read in turn, and each is held against a reading of the other that is
//! newer:
//!
//! 1. the log up to its head, once, page by page; of a payment only what a comparison needs is kept
//! 2. the books, page by page; what the log does not know of is set aside
//! 3. the log's tail: now it knows of everything under way that the books of step 2 held
//! 4. the books' tail: now they hold everything that the log of step 3 calls done
//! 5. whatever differs still is looked at once more: 3 and 4 again, and captures that the books do not hold are looked up
//!    by key
//!
//! What was started on the log and is not decided there is under way, and no difference, whatever the books say.

mod account;
mod accounts;
mod compare;
mod mend;
mod report;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use domain::Position;
use eventlog::{Log, LogError};
use futures::{FutureExt, StreamExt, future::BoxFuture, stream};
use serde::{Deserialize, Serialize};

use self::{
    account::{OurCharge, moved},
    accounts::{Accounts, Key},
    compare::{Findings, compare, only_in_books},
};
use crate::ports::{ChargeOutcome, GatewayError, LedgerEntry, LedgerKind, LedgerPage, PaymentGateway};

pub use self::{
    mend::{MendError, mend},
    report::{
        Amount, Difference, DifferenceKind, ForeignEntry, MendResult, Mended, ReconcileReport, Side, Sums,
        UnderWay,
    },
};

/// So many differences (charges under way, foreign entries) are listed; the rest is only counted. *Source*: ours; who has
/// more reads the first, and mends what they have in common.
pub const MAX_LISTED: usize = 10_000;

/// Events read at once.
const PAGE: usize = 1_000;
/// How often a page or a key is asked for before the books count as closed, and how long to wait in between; it doubles.
const TRIES: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// How many keys are looked up at once.
const LOOK_UPS: usize = 16;

/// What to do beside comparing.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReconcileOptions {
    /// Whether to list the entries of other systems.
    pub list_foreign: bool,
}

/// How far a reconciliation is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReconcileProgress {
    /// Events read.
    pub events: u64,
    /// The log's last position.
    pub head: Position,
    /// Entries of the books read.
    pub entries: u64,
}

/// Why there is no result.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The books.
    #[error("the provider's books cannot be read: {0}")]
    Books(#[from] GatewayError),
    /// The books have no end.
    #[error("the provider's books cannot be read: the page {0:?} is followed by itself")]
    Circle(String),
}

/// Compares the log with the provider's books. Changes nothing. `progress` is told now and then.
///
/// # Errors
/// See [`ReconcileError`].
pub async fn reconcile(
    log: &Log,
    books: &dyn PaymentGateway,
    options: ReconcileOptions,
    progress: impl FnMut(ReconcileProgress) + Send,
) -> Result<ReconcileReport, ReconcileError> {
    let mut reading = Reading::new(log, books, options, progress);
    reading.log().await?;
    reading.books(false).await?;
    reading.log().await?;
    reading.settle();
    reading.books(true).await?;
    let mut found = reading.compare();
    if !found.differences.is_empty() || !reading.strays.is_empty() {
        let first: BTreeSet<_> = found.differences.into_iter().map(|it| (it.kind, it.key)).collect();
        reading.log().await?;
        reading.settle();
        reading.books(true).await?;
        found = reading.compare();
        found.differences.retain(|it| first.contains(&(it.kind, it.key.clone())));
        look_up(books, &mut found.differences).await?;
    }
    Ok(reading.report(found))
}

/// Where the last page of the books began, and how much of it was read.
#[derive(Default)]
struct Bookmark {
    after: Option<String>,
    read: usize,
}

struct Reading<'a, P> {
    log: &'a Log,
    provider: &'a dyn PaymentGateway,
    options: ReconcileOptions,
    progress: P,
    at: ReconcileProgress,
    position: Position,
    bookmark: Bookmark,
    accounts: Accounts,
    /// Entries of the books of which the log did not know when it was read last.
    unplaced: Vec<(Key, LedgerEntry)>,
    /// The same, read after the log: the log may know of them by now.
    late: Vec<(Key, LedgerEntry)>,
    /// Entries that moved money and that the log does not know of, although it should.
    strays: Vec<LedgerEntry>,
    report: ReconcileReport,
}

impl<'a, P: FnMut(ReconcileProgress) + Send> Reading<'a, P> {
    fn new(log: &'a Log, provider: &'a dyn PaymentGateway, options: ReconcileOptions, progress: P) -> Self {
        Self {
            log,
            provider,
            options,
            progress,
            at: ReconcileProgress::default(),
            position: 0,
            bookmark: Bookmark::default(),
            accounts: Accounts::default(),
            unplaced: Vec::new(),
            late: Vec::new(),
            strays: Vec::new(),
            report: ReconcileReport::default(),
        }
    }

    /// Reads the log from where it was left up to its present head.
    async fn log(&mut self) -> Result<(), ReconcileError> {
        self.at.head = self.log.head().await?;
        while self.position < self.at.head {
            let events = self.log.read_all(self.position, PAGE).await?;
            let Some(last) = events.last() else { break };
            self.position = last.position;
            self.at.events += events.len() as u64;
            for event in &events {
                self.accounts.observe(event);
            }
            (self.progress)(self.at);
        }
        Ok(())
    }

    /// Reads the books from where they were left up to their present end. `after_log`: what the log does not know of may
    /// have happened since it was read.
    async fn books(&mut self, after_log: bool) -> Result<(), ReconcileError> {
        loop {
            let LedgerPage { entries, next } = self.page().await?;
            let (read, there) = (self.bookmark.read, entries.len());
            for entry in entries.into_iter().skip(read) {
                self.at.entries += 1;
                self.take(entry, after_log);
            }
            (self.progress)(self.at);
            match next {
                Some(next) if self.bookmark.after.as_deref() == Some(next.as_str()) => {
                    return Err(ReconcileError::Circle(next));
                }
                Some(next) => self.bookmark = Bookmark { after: Some(next), read: 0 },
                None => {
                    self.bookmark.read = read.max(there);
                    return Ok(());
                }
            }
        }
    }

    async fn page(&self) -> Result<LedgerPage, GatewayError> {
        let after = self.bookmark.after.as_deref();
        insistently(|| self.provider.ledger(after)).await
    }

    fn take(&mut self, entry: LedgerEntry, after_log: bool) {
        match Key::of(&entry) {
            Some(key) => {
                self.count(&entry);
                if let Err(entry) = self.accounts.place(key, entry) {
                    if after_log { self.late.push((key, entry)) } else { self.unplaced.push((key, entry)) }
                }
            }
            // Nobody but us gives our charges back, unless by hand.
            None if entry.kind == LedgerKind::Refund && moved(&entry) => {
                let counted = entry.clone();
                match self.accounts.adopt(None, entry) {
                    Ok(()) => self.count(&counted),
                    Err(entry) => self.foreign(&entry),
                }
            }
            None => self.foreign(&entry),
        }
    }

    fn foreign(&mut self, entry: &LedgerEntry) {
        self.report.foreign += 1;
        if self.options.list_foreign && self.report.foreign_entries.len() < MAX_LISTED {
            self.report.foreign_entries.push(ForeignEntry {
                key: entry.key.clone(),
                kind: entry.kind,
                amount: entry.into(),
            });
        }
    }

    fn count(&mut self, entry: &LedgerEntry) {
        if !moved(entry) {
            return;
        }
        let books = &mut self.report.sums.entry(entry.currency.clone()).or_default().books;
        match entry.kind {
            LedgerKind::Charge => books.charge(entry.amount_minor),
            LedgerKind::Refund => books.refund(entry.amount_minor),
            LedgerKind::Void => {}
        }
    }

    /// The log has been read once more: what it does not know of now was never intended there.
    fn settle(&mut self) {
        for (key, entry) in
            std::mem::take(&mut self.unplaced).into_iter().chain(std::mem::take(&mut self.late))
        {
            let Err(entry) = self.accounts.place(key, entry) else { continue };
            if !moved(&entry) {
                continue;
            }
            if let Err(entry) = self.accounts.adopt(Some(key), entry) {
                self.strays.push(entry);
            }
        }
    }

    /// Compares every payment.
    fn compare(&self) -> Findings {
        let mut all = Findings::default();
        for (id, account) in self.accounts.iter() {
            let found = compare(id, account);
            all.differences.extend(found.differences);
            all.under_way.extend(found.under_way);
        }
        all
    }

    fn report(mut self, found: Findings) -> ReconcileReport {
        let Findings { mut differences, under_way: mut open } = found;
        for entry in &self.strays {
            let (kind, what) = match entry.kind {
                LedgerKind::Refund => (
                    DifferenceKind::RefundNotOnLog,
                    "the books hold a refund, and the log knows neither it nor the charge it is taken from",
                ),
                LedgerKind::Charge | LedgerKind::Void => (
                    DifferenceKind::UnknownCharge,
                    "the books hold a charge of a payment that the log does not know",
                ),
            };
            let payment_id = match Key::of(entry) {
                Some(Key::Charge(id, _)) => Some(id),
                _ => None,
            };
            differences.push(only_in_books(kind, payment_id, entry, what.to_owned()));
        }
        self.sum_up_log();
        differences.sort_by(|a, b| (a.kind, &a.key).cmp(&(b.kind, &b.key)));
        open.sort_by(|a, b| a.key.cmp(&b.key));
        let mut by_kind = BTreeMap::new();
        for difference in &differences {
            *by_kind.entry(difference.kind).or_default() += 1;
        }
        let (differing, under_way) = (differences.len() as u64, open.len() as u64);
        differences.truncate(MAX_LISTED);
        open.truncate(MAX_LISTED);
        ReconcileReport {
            position: self.position,
            events: self.at.events,
            entries: self.at.entries,
            payments: self.accounts.len() as u64,
            differing,
            by_kind,
            differences,
            under_way,
            open,
            ..self.report
        }
    }

    fn sum_up_log(&mut self) {
        let sums = &mut self.report.sums;
        for (_, account) in self.accounts.iter() {
            let currency = account.amount.currency.code();
            let captured = account.attempts.iter().filter(|it| matches!(it.ours, OurCharge::Captured { .. }));
            let given_back = account.refunds.iter().filter(|refund| refund.done && !refund.amount.is_zero());
            for _ in captured {
                sums.entry(currency.to_owned()).or_default().log.charge(account.amount.amount_minor);
            }
            for refund in given_back {
                sums.entry(currency.to_owned()).or_default().log.refund(refund.amount.amount_minor);
            }
        }
    }
}

/// Leaves out captures that the provider knows of although its books do not show them (yet).
async fn look_up(
    provider: &dyn PaymentGateway,
    differences: &mut Vec<Difference>,
) -> Result<(), ReconcileError> {
    let missing = |it: &Difference| it.kind == DifferenceKind::ChargeNotInBooks;
    let keys: Vec<String> = differences.iter().filter(|it| missing(it)).map(|it| it.key.clone()).collect();
    let mut asked =
        stream::iter(keys).map(|key| knows_capture(provider, key).boxed()).buffer_unordered(LOOK_UPS);
    let mut there = BTreeSet::new();
    while let Some(answer) = asked.next().await {
        let (key, is_there) = answer?;
        if is_there {
            there.insert(key);
        }
    }
    differences.retain(|it| !(missing(it) && there.contains(&it.key)));
    Ok(())
}

/// Whether the provider knows of a capture under the key.
async fn knows_capture(provider: &dyn PaymentGateway, key: String) -> Result<(String, bool), GatewayError> {
    let known = insistently(|| provider.look_up(&key)).await?;
    Ok((key, matches!(known, Some(ChargeOutcome::Captured { .. }))))
}

/// Asks again, with growing pauses, while there is hope.
async fn insistently<'a, T>(
    mut ask: impl FnMut() -> BoxFuture<'a, Result<T, GatewayError>>,
) -> Result<T, GatewayError> {
    let (mut tries, mut pause) = (1, FIRST_PAUSE);
    loop {
        match ask().await {
            Err(error) if tries < TRIES => {
                tracing::debug!(%error, "the provider is asked again");
                tokio::time::sleep(pause).await;
                (tries, pause) = (tries + 1, pause * 2);
            }
            answer => return answer,
        }
    }
}
