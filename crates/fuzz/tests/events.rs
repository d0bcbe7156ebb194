//! What stands in a log is read without a panic, and what is read is written as it was read.
#![allow(clippy::unwrap_used, missing_docs)]

use std::{fs, path::Path};

use bolero::check;
use domain::{AggregateKind, Event};
use eventlog::RawEvent;
use orderstream_fuzz::{
    edit::{Edit, Scratch, changed},
    time,
};
use serde_json::Value;
use uuid::Uuid;

fn kind_of(name: &str) -> AggregateKind {
    let kind = name.split('.').next().unwrap();
    AggregateKind::ALL.into_iter().find(|one| one.name() == kind).unwrap()
}

/// A row of the log, as its stores hand it out.
fn row(name: &str, version: u32, payload: Vec<u8>) -> RawEvent {
    RawEvent {
        position: 1,
        kind: kind_of(name).code(),
        stream_id: Uuid::from_u128(0x0190_0000_0000_7abc_8def_0123_4567_89ab),
        version: 1,
        name: name.to_owned(),
        type_version: version,
        event_id: Uuid::from_u128(1),
        command_id: Uuid::from_u128(2),
        correlation_id: Uuid::from_u128(3),
        causation_id: None,
        actor: "customer:alice".to_owned(),
        recorded_at: 1_700_000_000_000_000,
        traceparent: None,
        payload,
    }
}

/// Whatever can be read is written in today's version, and that reads as the same.
fn comes_back(raw: RawEvent) -> bool {
    let Ok(envelope) = raw.decode() else { return false };
    let event = &envelope.event;
    let again = Event::decode(event.kind(), event.name(), event.version(), &event.encode());
    assert_eq!(again.as_ref(), Ok(event), "{}", String::from_utf8_lossy(&event.encode()));
    true
}

/// The events that logs hold: stored name, version, payload.
fn fixtures() -> Vec<(String, u32, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../domain/tests/fixtures");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let read = |path: &std::path::PathBuf| {
        let file = path.file_name().unwrap().to_str().unwrap().to_owned();
        let parts: Vec<_> = file.split('.').collect();
        let version = parts[2].strip_prefix('v').unwrap().parse().unwrap();
        let payload = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        (format!("{}.{}", parts[0], parts[1]), version, payload)
    };
    paths.iter().map(read).collect()
}

#[test]
fn any_payload_of_any_event_is_read_or_refused() {
    let names = Event::names();
    check!().with_test_time(time()).with_type::<(u16, u8, Vec<u8>)>().for_each(|(name, version, payload)| {
        let (name, newest) = names[usize::from(*name) % names.len()];
        // Mostly a version that there is.
        let version = if *version < 200 { newest } else { u32::from(*version) - 200 };
        comes_back(row(name, version, payload.clone()));
    });
}

#[test]
fn a_changed_event_is_read_or_refused_and_what_is_read_comes_back() {
    let fixtures = fixtures();
    assert!(fixtures.iter().all(|(name, version, payload)| {
        comes_back(row(name, *version, payload.to_string().into_bytes()))
    }));
    check!().with_test_time(time()).with_type::<(u16, Vec<Edit>, Vec<Scratch>)>().for_each(
        |(number, edits, scratches)| {
            let (name, version, payload) = &fixtures[usize::from(*number) % fixtures.len()];
            comes_back(row(name, *version, changed(payload, edits, scratches)));
        },
    );
}

#[test]
fn one_value_changed_in_a_good_event_comes_back_if_it_is_read() {
    let fixtures = fixtures();
    let mut read = 0_u64;
    check!().with_test_time(time()).with_type::<(u16, Edit)>().for_each(|(number, edit)| {
        let (name, version, payload) = &fixtures[usize::from(*number) % fixtures.len()];
        let text = changed(payload, std::slice::from_ref(edit), &[]);
        read += u64::from(comes_back(row(name, *version, text)));
    });
    assert!(read > 0, "no changed event was read: the changes are too coarse");
}

#[test]
fn a_row_with_damaged_columns_is_refused_and_never_a_panic() {
    type Columns = (u8, u32, i64, String, Option<String>, [u64; 2], String);
    let (name, version, payload) = fixtures().swap_remove(0);
    check!().with_test_time(time()).with_type::<Columns>().for_each(
        |(kind, type_version, at, actor, trace, [position, place], other)| {
            let good = row(&name, version, payload.to_string().into_bytes());
            let damaged = [
                RawEvent { kind: *kind, ..good.clone() },
                RawEvent { type_version: *type_version, ..good.clone() },
                RawEvent { recorded_at: *at, ..good.clone() },
                RawEvent { actor: actor.clone(), ..good.clone() },
                RawEvent { name: other.clone(), ..good.clone() },
                RawEvent { position: *position, version: *place, traceparent: trace.clone(), ..good },
            ];
            for raw in damaged {
                if let Ok(envelope) = raw.clone().decode() {
                    assert_eq!(envelope.metadata.actor.to_string(), raw.actor);
                    assert_eq!(envelope.metadata.recorded_at.timestamp_micros(), raw.recorded_at);
                    // What prints a row must not end on a time that no calendar has.
                    serde_json::to_vec(&envelope).unwrap();
                }
            }
        },
    );
}
