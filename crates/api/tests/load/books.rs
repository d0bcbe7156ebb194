//! The books of the payment provider, and the audit of the log: what must agree with what the platform shows.

use std::{
    collections::{BTreeSet, HashMap},
    time::{Duration, Instant},
};

use gateway::{LedgerEntry, LedgerKind};
use serde_json::Value;

use super::{PATIENCE, Rest, text};

/// Every payment took at most once what it says, and gave back what it says.
pub fn agree_with_the_provider(entries: &[LedgerEntry], rest: &Rest) {
    let moved = |kind| entries.iter().any(|entry| entry.code.is_none() && entry.kind == kind);
    assert!(moved(LedgerKind::Charge) && moved(LedgerKind::Refund), "the load moved no money");
    books_agree(entries, rest);
}

/// Whatever moved under a key is done: no other key of the same charge or refund was asked for afterwards, or moved anything.
/// Keys are `ID:ATTEMPT`.
pub fn nothing_is_asked_for_twice(entries: &[LedgerEntry]) {
    let mut moved = HashMap::new();
    for entry in entries {
        let (kind, id) = (format!("{:?}", entry.kind), entry.key.split(':').next().unwrap_or_default());
        if let Some(before) = moved.get(&(kind.clone(), id)) {
            panic!("the {kind} of {id} moved money under {before}, and was doubled under {}", entry.key);
        }
        if entry.code.is_none() {
            moved.insert((kind, id), &entry.key);
        }
    }
}

/// [`agree_with_the_provider`], also when little happened.
pub fn books_agree(entries: &[LedgerEntry], rest: &Rest) {
    let (mut taken, mut given) = (HashMap::new(), HashMap::<_, i64>::new());
    for entry in entries.iter().filter(|entry| entry.code.is_none()) {
        let charge = entry.charge_ref.clone().unwrap();
        let payment = charge.trim_start_matches("ch_").split(':').next().unwrap().to_owned();
        match entry.kind {
            LedgerKind::Charge => {
                let before = taken.insert(payment.clone(), entry.amount_minor);
                assert_eq!(before, None, "the payment {payment} was charged twice");
            }
            LedgerKind::Refund => *given.entry(payment).or_default() += entry.amount_minor,
            LedgerKind::Void => {}
        }
    }
    for payment in &rest.payments {
        let id = text(payment, "payment_id");
        let (taken, given) = (taken.remove(id).unwrap_or(0), given.remove(id).unwrap_or(0));
        assert!(given <= taken, "{given} of {taken} were given back by {id}");
        let shown = ["captured", "refunded"].map(|name| payment[name]["amount_minor"].as_i64());
        assert_eq!(shown, [Some(taken), Some(given)], "the provider disagrees with {payment}");
    }
    assert!(taken.is_empty() && given.is_empty(), "money moved for nothing: {taken:?} {given:?}");
}

/// The audit finds no violation, and soon nothing that is under way but pieces that are put aside for these orders. It is
/// run by `audit`, and reports JSON.
pub async fn nothing_is_open(audit: impl Fn() -> String, held: &BTreeSet<&str>) {
    let begun = Instant::now();
    loop {
        let report: Value = serde_json::from_str(&audit()).unwrap();
        assert_eq!(report["violations"], Value::Array(Vec::new()));
        let put_aside = |open: &&Value| {
            let since = open["position"].as_u64().unwrap_or_default();
            since > 0 && open["invariant"] == "stock_never_oversold" && held.contains(text(open, "subject"))
        };
        let Some(open) = report["open"].as_array().unwrap().iter().find(|open| !put_aside(open)) else {
            return;
        };
        assert!(begun.elapsed() < PATIENCE, "still under way: {open}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
