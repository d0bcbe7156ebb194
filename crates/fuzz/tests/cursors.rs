//! Cursors, positions and times that clients hand back: taken as they were given out, and refused in order otherwise.
#![allow(clippy::unwrap_used, missing_docs)]

use axum::{
    body::Body,
    http::{Request, Uri, header},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bolero::{TypeGenerator, check};
use orderstream::{
    auth::Role,
    web::{opaque, parse_position},
};
use orderstream_fuzz::{edit::Scratch, scratch::Platforms, time};
use projections::Cursor;
use sagas::InstanceCursor;
use serde_json::json;

/// Lists, and who reads them.
const LISTS: &[(&str, Role)] = &[
    ("/v1/orders", Role::Customer),
    ("/v1/orders", Role::Admin),
    ("/v1/payments", Role::Customer),
    ("/v1/deliveries", Role::Shop),
    ("/v1/notifications", Role::Customer),
    ("/v1/products", Role::Customer),
    ("/v1/shops", Role::Customer),
    ("/v1/resorts", Role::Customer),
    ("/v1/reservations", Role::Customer),
    ("/v1/vouchers", Role::Customer),
    ("/v1/coupons", Role::Customer),
    ("/v1/refunds", Role::Customer),
    ("/v1/customers/alice/page", Role::Customer),
    ("/v1/customers/alice/timeline", Role::Customer),
    ("/v1/orders/{order_id}/timeline", Role::Customer),
    ("/v1/admin/figures", Role::Admin),
    ("/v1/admin/sagas", Role::Admin),
    ("/v1/admin/events", Role::Admin),
];
const PARAMETERS: &[&str] =
    &["cursor", "min_position", "after", "at", "at_position", "limit", "stream", "state", "process"];

/// Something handed back.
#[derive(Clone, Debug, TypeGenerator)]
enum Given {
    /// Any text.
    Text(String),
    /// A cursor of a list, with any place.
    Cursor(i64, String),
    /// The same with another version, and fields that it does not have.
    Later(u8, i64, String),
    /// A position.
    Position(u64),
    /// A bare number.
    Number(i64),
    /// A cursor of instances.
    Instance(u8, u128),
    /// A cursor that was changed.
    Changed(i64, Vec<Scratch>),
}

impl Given {
    fn text(&self) -> String {
        let written = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let cursor = |sort: i64, key: &str| Cursor { sort, key: key.to_owned() }.to_opaque();
        match self {
            Self::Text(text) => text.clone(),
            Self::Cursor(sort, key) => cursor(*sort, key),
            Self::Later(version, sort, key) => written(json!({"v": version, "s": sort, "k": key, "x": 1})),
            Self::Position(position) => opaque(*position),
            Self::Number(number) => number.to_string(),
            Self::Instance(process, key) => {
                let names = sagas::process_names();
                format!("{}.{}", names[usize::from(*process) % names.len()], uuid::Uuid::from_u128(*key))
            }
            Self::Changed(sort, scratches) => {
                let mut text = cursor(*sort, "0190").into_bytes();
                scratches.iter().take(3).for_each(|scratch| scratch.apply(&mut text));
                String::from_utf8_lossy(&text).into_owned()
            }
        }
    }
}

fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[test]
fn what_is_read_as_a_cursor_or_a_position_is_written_as_it_was_read() {
    check!().with_test_time(time()).with_type::<Given>().for_each(|given| {
        let text = given.text();
        if let Ok(cursor) = Cursor::from_opaque(&text) {
            assert_eq!(Cursor::from_opaque(&cursor.to_opaque()), Ok(cursor));
        }
        if let Ok(cursor) = text.parse::<InstanceCursor>() {
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        if let Ok(position) = parse_position(&text) {
            assert_eq!(parse_position(&opaque(position)), Ok(position));
        }
        if let Given::Cursor(sort, key) = given {
            assert_eq!(Cursor::from_opaque(&text), Ok(Cursor { sort: *sort, key: key.clone() }));
        }
    });
}

#[test]
fn a_list_is_answered_in_order_whatever_is_handed_back() {
    let all = Platforms::the();
    check!().with_test_time(time()).with_type::<(u8, u8, Given)>().for_each(|(list, parameter, given)| {
        let (path, role) = LISTS[usize::from(*list) % LISTS.len()];
        let parameter = PARAMETERS[usize::from(*parameter) % PARAMETERS.len()];
        let path = path.replace("{order_id}", &all.ids["order_id"]);
        let path = format!("{path}?{parameter}={}", escaped(&given.text()));
        // Longer than an address may be.
        if path.parse::<Uri>().is_ok() {
            all.ask_as(role, "GET", &path, Vec::new()).is_in_order();
        }
    });
}

#[test]
fn a_stream_begins_or_is_refused_whatever_the_last_event_was() {
    let all = Platforms::the();
    let path = format!("/v1/orders/{}/stream", all.ids["order_id"]);
    check!().with_test_time(time() / 2).with_type::<(Option<u8>, Given)>().for_each(|(other, given)| {
        let name = if other.is_some() { "orderstream-min-position" } else { "last-event-id" };
        let request = Request::get(&path)
            .header(header::AUTHORIZATION, format!("Bearer {}", all.token(Role::Customer)))
            .header(name, given.text().as_bytes())
            .body(Body::empty());
        // A text that no header can have never arrives.
        if let Ok(request) = request {
            all.ask(request).is_in_order();
        }
    });
}

#[test]
fn the_log_is_read_from_any_position_and_a_stream_from_any_version() {
    let all = Platforms::the();
    let head = all.head();
    check!().with_test_time(time() / 2).with_type::<(u64, u64, u8)>().for_each(|(after, version, limit)| {
        let limit = usize::from(*limit);
        let events = all.run(all.log().read_all(*after, limit)).unwrap();
        assert!(events.len() <= limit && events.iter().all(|event| event.position > *after));
        assert!(*after < head || events.is_empty() || all.head() > head);
        let stream = format!("order/{}", all.ids["order_id"]).parse().unwrap();
        let events = all.run(all.log().read_stream(stream, *version, limit)).unwrap();
        assert!(events.len() <= limit && events.iter().all(|event| event.version > *version));
    });
}
