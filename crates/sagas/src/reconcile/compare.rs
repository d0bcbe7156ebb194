//! What differs between the two sides of one payment.
//!
//! | log | books | is |
//! |---|---|---|
//! | capture started | anything | under way |
//! | captured | the same charge | right |
//! | captured | another amount, another name | `charge_amount_differs`, `provider_ref_differs` |
//! | captured | nothing | `charge_not_in_books` |
//! | declined, voided, expired | a charge | right once it was given back there, else `orphan_charge` |
//! | any of these, of a payment that another attempt paid | a charge | the same, else `charged_twice` |
//! | no such attempt | a charge | the same, else `unknown_charge` |
//! | refund started, or failed and tried again later | nothing, or of its newest attempt anything | under way |
//! | refunded | once, the same | right |
//! | refunded | another amount, or twice | `refund_amount_differs` |
//! | refunded | from another charge | `provider_ref_differs` |
//! | refunded | nothing | `refund_not_in_books` |
//! | an attempt that failed, or no such refund | a refund | `refund_not_on_log` |

use domain::PaymentId;

use super::{
    account::{Account, OurCharge, Refund, RefundAttempt, Stage, Theirs},
    report::{Amount, Difference, DifferenceKind, UnderWay},
};
use crate::{
    payments::{charge_key, refund_key},
    ports::{LedgerEntry, LedgerKind},
};

/// What a comparison brings.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) differences: Vec<Difference>,
    pub(super) under_way: Vec<UnderWay>,
}

/// Compares both sides of a payment.
pub(super) fn compare(id: PaymentId, account: &Account) -> Findings {
    let mut found = Findings::default();
    let given_back = charges(id, account, &mut found);
    for refund in &account.refunds {
        // Nothing was given back, so the provider was not asked.
        if !refund.amount.is_zero() {
            one_refund(id, refund, &mut found);
        }
    }
    let by_hand = account.unknown_refunds.iter();
    for entry in by_hand.filter(|entry| !given_back.contains(&entry.charge_ref.as_deref())) {
        let what = format!("the books hold a refund of {} that the log does not know", Amount::from(entry));
        found.differences.push(only_in_books(DifferenceKind::RefundNotOnLog, Some(id), entry, what));
    }
    found
}

/// A difference that only the books know of.
pub(super) fn only_in_books(
    kind: DifferenceKind,
    payment_id: Option<PaymentId>,
    entry: &LedgerEntry,
    what: String,
) -> Difference {
    Difference {
        kind,
        payment_id,
        key: entry.key.clone(),
        log: None,
        books: Some(entry.into()),
        provider_ref: entry.charge_ref.clone(),
        what,
        mended: false,
    }
}

/// Compares the charges; the names of those that nobody wanted and that were given back in the books.
fn charges<'a>(id: PaymentId, account: &'a Account, found: &mut Findings) -> Vec<Option<&'a str>> {
    let mut given_back = Vec::new();
    // The charge that pays: the log's, or else the first that there is.
    let on_log = account.attempts.iter().position(|it| matches!(it.ours, OurCharge::Captured { .. }));
    let paying = on_log.or_else(|| account.attempts.iter().position(|it| it.theirs.moved()));
    for (number, (index, attempt)) in (1..).zip(account.attempts.iter().enumerate()) {
        let key = charge_key(id, number);
        match (&attempt.ours, &attempt.theirs) {
            (OurCharge::Started, theirs) => found.under_way.push(UnderWay {
                kind: LedgerKind::Charge,
                payment_id: id,
                key,
                amount: account.amount.into(),
                provider_ref: match theirs {
                    Theirs::Says(entry) => entry.charge_ref.clone(),
                    Theirs::Unseen | Theirs::Nothing | Theirs::Same => None,
                },
            }),
            (OurCharge::Captured { .. }, Theirs::Same)
            | (OurCharge::Declined, Theirs::Unseen | Theirs::Nothing | Theirs::Same) => {}
            (OurCharge::Captured { provider_ref }, Theirs::Says(entry)) => {
                found.differences.extend(captured_otherwise(id, account, provider_ref, entry));
            }
            (OurCharge::Captured { .. }, missing) => {
                let why = match missing {
                    Theirs::Nothing => "say that no money moved",
                    _ => "do not know the key",
                };
                found.differences.push(Difference {
                    kind: DifferenceKind::ChargeNotInBooks,
                    payment_id: Some(id),
                    key,
                    log: Some(account.amount.into()),
                    books: None,
                    provider_ref: None,
                    what: format!("the log says that attempt {number} was captured, and the books {why}"),
                    mended: false,
                });
            }
            (OurCharge::Declined, Theirs::Says(entry)) if is_given_back(account, entry) => {
                given_back.push(entry.charge_ref.as_deref());
            }
            (OurCharge::Declined, Theirs::Says(entry)) => {
                let (kind, what) = if paying == Some(index) {
                    let word = word(account.stage);
                    let what = format!(
                        "the books hold a charge, and the log says that attempt {number} was declined ({word})"
                    );
                    (DifferenceKind::OrphanCharge, what)
                } else {
                    let what = "the payment was charged a second time, and this charge was not given back"
                        .to_owned();
                    (DifferenceKind::ChargedTwice, what)
                };
                let log = Some(account.amount.into());
                found.differences.push(Difference { log, ..only_in_books(kind, Some(id), entry, what) });
            }
        }
    }
    for entry in &account.unknown_charges {
        if is_given_back(account, entry) {
            given_back.push(entry.charge_ref.as_deref());
            continue;
        }
        let what = "the books hold a charge of an attempt that the log does not know".to_owned();
        found.differences.push(only_in_books(DifferenceKind::UnknownCharge, Some(id), entry, what));
    }
    given_back
}

fn word(stage: Stage) -> &'static str {
    match stage {
        Stage::Open => "the payment waits for the customer",
        Stage::Captured => "the payment is captured",
        Stage::Declined => "the payment is declined",
        Stage::Voided => "the payment is voided",
        Stage::Expired => "the payment is expired",
    }
}

fn captured_otherwise(
    id: PaymentId,
    account: &Account,
    provider_ref: &str,
    entry: &LedgerEntry,
) -> Vec<Difference> {
    let (log, books) = (Amount::from(account.amount), Amount::from(entry));
    let of = |kind, what| Difference { log: Some(log.clone()), ..only_in_books(kind, Some(id), entry, what) };
    let mut all = Vec::new();
    if log != books {
        let what = format!("the log has captured {log}, the books have charged {books}");
        all.push(of(DifferenceKind::ChargeAmountDiffers, what));
    }
    let name = entry.charge_ref.as_deref().unwrap_or_default();
    if name != provider_ref {
        let what = format!("the charge is called {provider_ref:?} on the log and {name:?} in the books");
        all.push(of(DifferenceKind::ProviderRefDiffers, what));
    }
    all
}

/// Whether a charge that nobody wanted went back in the books, whoever saw to it.
fn is_given_back(account: &Account, charge: &LedgerEntry) -> bool {
    let of_it =
        |entry: &&LedgerEntry| entry.charge_ref == charge.charge_ref && entry.currency == charge.currency;
    let sum: i64 = account
        .unknown_refunds
        .iter()
        .filter(of_it)
        .map(|entry| entry.amount_minor)
        .fold(0, i64::saturating_add);
    sum >= charge.amount_minor
}

fn one_refund(id: PaymentId, refund: &Refund, found: &mut Findings) {
    let key =
        |index: usize| refund_key(refund.id, u32::try_from(index).unwrap_or(u32::MAX).saturating_add(1));
    let newest = refund.attempts.len().saturating_sub(1);
    let log = Amount::from(refund.amount);
    let made: Vec<(usize, &RefundAttempt)> =
        refund.attempts.iter().enumerate().filter(|(_, attempt)| attempt.theirs.moved()).collect();
    let of = |kind, index, books: Option<Amount>, what| Difference {
        kind,
        payment_id: Some(id),
        key: key(index),
        log: Some(log.clone()),
        books,
        provider_ref: None,
        what,
        mended: false,
    };
    if !refund.done {
        // An attempt that failed on the log is final there; only the newest may still be under way.
        for (index, attempt) in made.iter().filter(|(_, attempt)| attempt.failed) {
            let what = format!("the books hold a refund, and the log says that attempt {} failed", index + 1);
            let books = Some(amount_of(attempt, &log));
            found.differences.push(of(DifferenceKind::RefundNotOnLog, *index, books, what));
        }
        found.under_way.push(UnderWay {
            kind: LedgerKind::Refund,
            payment_id: id,
            key: key(newest),
            amount: log.clone(),
            provider_ref: Some(refund.charge_ref.to_string()),
        });
        return;
    }
    match made.as_slice() {
        [] => {
            let what =
                "the log says that the money was given back, and the books do not know of it".to_owned();
            found.differences.push(of(DifferenceKind::RefundNotInBooks, newest, None, what));
        }
        [(index, attempt)] => {
            let Theirs::Says(entry) = &attempt.theirs else { return };
            let books = Amount::from(&**entry);
            if books != log {
                let what = format!("the log has given back {log}, the books {books}");
                let kind = DifferenceKind::RefundAmountDiffers;
                found.differences.push(of(kind, *index, Some(books.clone()), what));
            }
            let name = entry.charge_ref.as_deref().unwrap_or_default();
            if name != &*refund.charge_ref {
                let what = format!(
                    "the refund is taken from {:?} on the log and from {name:?} in the books",
                    refund.charge_ref
                );
                found.differences.push(of(DifferenceKind::ProviderRefDiffers, *index, Some(books), what));
            }
        }
        [.., (index, _)] => {
            let sums = made.iter().map(|(_, attempt)| amount_of(attempt, &log).amount_minor);
            let books = Amount { amount_minor: sums.fold(0, i64::saturating_add), ..log.clone() };
            let what = format!("the log has given back {log} once, the books {} times", made.len());
            found.differences.push(of(DifferenceKind::RefundAmountDiffers, *index, Some(books), what));
        }
    }
}

/// What moved in an attempt.
fn amount_of(attempt: &RefundAttempt, log: &Amount) -> Amount {
    match &attempt.theirs {
        Theirs::Says(entry) => Amount::from(&**entry),
        Theirs::Same | Theirs::Unseen | Theirs::Nothing => log.clone(),
    }
}
