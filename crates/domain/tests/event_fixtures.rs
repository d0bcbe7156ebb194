//! Every stored event stays readable: `fixtures/` holds payloads as they stand in logs out there.
//!
//! A file is named `NAME.vVERSION.json`, or `NAME.vVERSION.VARIANT.json` for a second shape of the same event. A stored
//! event is never edited, so a fixture is never edited either: a changed shape is a new version with an upcaster, a new
//! sample in `samples/mod.rs`, and the old file stays. The files of new events are written by
//! `cargo test -p orderstream-domain --test event_fixtures -- --ignored`, which leaves those that exist as they are.
#![allow(clippy::unwrap_used, missing_docs)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use orderstream_domain::{AggregateKind, Event};
use serde_json::Value;

mod samples;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn file_name(variant: &str, event: &Event) -> String {
    let dot = if variant.is_empty() { "" } else { "." };
    format!("{}.v{}{dot}{variant}.json", event.name(), event.version())
}

/// A file's name, the stored name and version that it stands for, and its payload.
fn fixtures() -> Vec<(String, String, u32, Vec<u8>)> {
    let entries = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut fixtures: Vec<_> = entries
        .map(|path| {
            let file = path.file_name().unwrap().to_str().unwrap().to_owned();
            let parts: Vec<_> = file.split('.').collect();
            let [kind, what, version, ..] = parts[..] else { panic!("{file} names no event and version") };
            let version = version.strip_prefix('v').and_then(|number| number.parse().ok());
            let version = version.unwrap_or_else(|| panic!("{file} names no version"));
            (file.clone(), format!("{kind}.{what}"), version, fs::read(path).unwrap())
        })
        .collect();
    fixtures.sort();
    fixtures
}

fn decode(name: &str, version: u32, payload: &[u8]) -> Event {
    let kind = name.split('.').next().unwrap();
    let kind = AggregateKind::ALL.into_iter().find(|k| k.name() == kind).unwrap();
    Event::decode(kind, name, version, payload).unwrap_or_else(|e| {
        panic!("{e}\nlogs hold such events: give the new shape a new version and an upcaster")
    })
}

#[test]
fn every_event_has_a_fixture() {
    let fixtures = fixtures();
    let have: BTreeSet<_> = fixtures.iter().map(|(_, name, version, _)| (name.as_str(), *version)).collect();
    let missing: Vec<_> = Event::names().into_iter().filter(|event| !have.contains(event)).collect();
    assert!(missing.is_empty(), "no fixture for {missing:?}: the head of this file says how to write them");
}

#[test]
fn every_fixture_is_read_and_written_again_as_it_was() {
    let newest = Event::names();
    for (file, name, version, payload) in fixtures() {
        let event = decode(&name, version, &payload);
        // An older version is read as the newest one, so only that is written as it was read.
        if newest.contains(&(name.as_str(), version)) {
            let stored: Value = serde_json::from_slice(&payload).unwrap();
            let again: Value = serde_json::from_slice(&event.encode()).unwrap();
            assert_eq!(again, stored, "{file}: the stored shape changed, which needs a new version");
        }
    }
}

#[test]
fn every_fixture_means_what_its_sample_says() {
    let samples: BTreeMap<_, _> =
        samples::all().into_iter().map(|(variant, event)| (file_name(variant, &event), event)).collect();
    for (file, name, version, payload) in fixtures() {
        if let Some(sample) = samples.get(&file) {
            assert_eq!(decode(&name, version, &payload), *sample, "{file} is read with another meaning");
        }
    }
}

#[test]
fn an_event_of_a_newer_release_is_refused_and_says_so() {
    let error = Event::decode(AggregateKind::Order, "order.placed", 99, b"{}").unwrap_err();
    assert_eq!(
        error.to_string(),
        "event order.placed version 99 is not known to this release: it was written by a newer one"
    );
    assert!(Event::decode(AggregateKind::Order, "payment.voided", 1, b"{}").is_err());
    let error = Event::decode(AggregateKind::Order, "order.cancelled", 1, b"{}").unwrap_err();
    assert!(error.to_string().starts_with("event order.cancelled version 1 cannot be read: missing field"));
}

#[test]
#[ignore = "writes the files of new events"]
fn write_the_fixtures_that_are_missing() {
    for (variant, event) in samples::all() {
        let path = folder().join(file_name(variant, &event));
        if !path.exists() {
            let payload: Value = serde_json::from_slice(&event.encode()).unwrap();
            fs::write(path, format!("{payload:#}\n")).unwrap();
        }
    }
}
