//! `docs/INVARIANTS.md` and the code name the same invariants; and what two of them take for right, event by event.
#![allow(clippy::unwrap_used, missing_docs)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::Path,
};

use orderstream_domain::{
    Actor, AggregateKind, Envelope, Event, Metadata, StreamId, Timestamp,
    audit::{Audit, invariant_names, next_status},
    order::{CancellationCause, OrderEvent},
    reservation::ReservationEvent,
};
use uuid::Uuid;

mod samples;

/// The first cell of every row whose first cell is code.
fn documented(text: &str) -> Vec<&str> {
    text.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`').map(|(name, _)| name)).collect()
}

#[test]
fn every_invariant_is_documented_and_every_documented_one_is_checked() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/INVARIANTS.md");
    let text = fs::read_to_string(path).unwrap();
    let mut documented = documented(&text);
    let mut checked = invariant_names();
    documented.sort_unstable();
    checked.sort_unstable();
    assert_eq!(documented, checked, "left: docs/INVARIANTS.md, right: crates/domain/src/audit");
}

#[test]
fn names_are_stable_words() {
    let names = invariant_names();
    assert!(names.iter().all(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '_')));
    let mut unique = names.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), names.len());
}

/// Every event with a name of its own, in all shapes that a diagram tells apart.
fn events() -> Vec<(String, Event)> {
    let mut events = Vec::new();
    for (variant, event) in samples::all() {
        let dot = if variant.is_empty() { "" } else { "." };
        let name = format!("{}{dot}{variant}", event.name());
        match event {
            Event::Order(OrderEvent::OrderCancellationRequested(e)) if variant.is_empty() => {
                for was_confirmed in [false, true] {
                    for cause in [
                        CancellationCause::Requested,
                        CancellationCause::ShopCancelledDelivery,
                        CancellationCause::DeliveryFailed,
                    ] {
                        let mut e = e.clone();
                        (e.was_confirmed, e.cause) = (was_confirmed, cause);
                        let what = if was_confirmed { "confirmed" } else { "unconfirmed" };
                        let name = format!("{name}.{what}.{}", cause.name());
                        events.push((name, Event::from(OrderEvent::from(e))));
                    }
                }
            }
            Event::Reservation(ReservationEvent::ReservationCancellationRequested(e))
                if variant.is_empty() =>
            {
                for was_paid in [false, true] {
                    let mut e = e.clone();
                    e.was_paid = was_paid;
                    let name = format!("{name}.{}", if was_paid { "paid" } else { "unpaid" });
                    events.push((name, Event::from(ReservationEvent::from(e))));
                }
            }
            event => events.push((name, event)),
        }
    }
    events.sort_by(|(a, _), (b, _)| a.cmp(b));
    events
}

#[test]
fn every_event_leads_from_each_status_where_its_diagram_says() {
    let events = events();
    let of_kind = |kind: AggregateKind| events.iter().filter(move |(_, event)| event.kind() == kind);
    let mut grid = String::new();
    for kind in AggregateKind::ALL {
        let mut statuses = BTreeSet::from(["absent"]);
        loop {
            let next: BTreeSet<_> = statuses
                .iter()
                .flat_map(|status| of_kind(kind).filter_map(|(_, event)| next_status(status, event)))
                .collect();
            let before = statuses.len();
            statuses.extend(next);
            if statuses.len() == before {
                break;
            }
        }
        for (name, event) in of_kind(kind) {
            let steps: Vec<String> = statuses
                .iter()
                .filter_map(|from| next_status(from, event).map(|to| format!("{from} -> {to}")))
                .collect();
            writeln!(grid, "{name}: {}", steps.join(", ")).unwrap();
            let nowhere = next_status("no such status", event);
            assert!(nowhere.is_none() || kind == AggregateKind::Coupon, "{name}");
        }
    }
    insta::assert_snapshot!("statuses", grid);
}

/// An event alone in a log, correlated with something that nobody knows.
fn alone(event: &Event) -> Envelope {
    let stranger = Uuid::from_u128(5);
    Envelope {
        position: 1,
        stream: StreamId::new(event.kind(), Uuid::from_u128(9)),
        version: 1,
        metadata: Metadata {
            event_id: Uuid::from_u128(6),
            command_id: Uuid::from_u128(7),
            correlation_id: stranger,
            causation_id: None,
            actor: Actor::System,
            recorded_at: Timestamp::UNIX_EPOCH,
            traceparent: None,
        },
        event: event.clone(),
    }
}

#[test]
fn every_event_that_names_its_subject_must_be_correlated_with_it() {
    let mut subjects: BTreeMap<String, String> = BTreeMap::new();
    for (name, event) in events() {
        let mut audit = Audit::new();
        audit.observe(&alone(&event));
        let found = audit.finish().violations.into_iter().find(|v| v.invariant == "correlated_with_subject");
        let what = found.map(|violation| violation.what).unwrap_or_default();
        subjects.insert(name, what.split(" and is correlated").next().unwrap().to_owned());
    }
    let lines: Vec<String> = subjects.iter().map(|(name, what)| format!("{name}: {what}")).collect();
    insta::assert_snapshot!("subjects", lines.join("\n"));
}
