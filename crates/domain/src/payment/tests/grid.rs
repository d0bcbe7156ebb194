//! Every command to a payment in every state.

use super::{
    DUE, expire, full, part, record_captured, record_declined, record_refund_failed, record_refunded, refund,
    request, request_for_reservation, retry, start,
};
use crate::{
    payment::{Payment, PaymentCommand, PaymentTiming},
    testing::{Grid, eur, krw},
};

fn histories() -> Vec<(&'static str, Vec<PaymentCommand>)> {
    use PaymentCommand::VoidPayment;
    let at_order = || request(PaymentTiming::AtOrder, krw(1000));
    let deferred = || request(PaymentTiming::Deferred, krw(1000));
    let taken = |more: Vec<PaymentCommand>| [vec![at_order(), start(10), record_captured(1)], more].concat();
    vec![
        ("absent", vec![]),
        ("requested", vec![at_order()]),
        ("requested, of nothing", vec![request(PaymentTiming::AtOrder, krw(0))]),
        ("capturing", vec![at_order(), start(10)]),
        ("capturing, void requested", vec![at_order(), start(10), VoidPayment]),
        ("declined", vec![at_order(), start(10), record_declined(1, 20)]),
        ("voided, never charged", vec![at_order(), VoidPayment]),
        ("voided, charge declined", vec![at_order(), start(10), VoidPayment, record_declined(1, 20)]),
        ("expired, never charged", vec![at_order(), expire(DUE)]),
        ("deferred, capturing", vec![deferred(), start(10)]),
        ("deferred, declined once", vec![deferred(), start(10), record_declined(1, 20)]),
        ("deferred, second attempt", vec![deferred(), start(10), record_declined(1, 20), start(30)]),
        ("deferred, expired", vec![deferred(), start(10), record_declined(1, 20), expire(DUE)]),
        ("captured", taken(vec![])),
        ("captured, of nothing", vec![request(PaymentTiming::AtOrder, krw(0)), start(10)]),
        ("refund 1 started", taken(vec![refund(part(1), krw(300))])),
        ("refund 1 failed", taken(vec![refund(part(1), krw(300)), record_refund_failed(part(1), 1)])),
        (
            "refund 1 tried again",
            taken(vec![refund(part(1), krw(300)), record_refund_failed(part(1), 1), retry(part(1), 1)]),
        ),
        ("refund 1 done", taken(vec![refund(part(1), krw(300)), record_refunded(part(1), 1)])),
        ("full refund started", taken(vec![VoidPayment])),
        ("all given back", taken(vec![VoidPayment, record_refunded(full(), 1)])),
        ("for a reservation, requested", vec![request_for_reservation()]),
        ("for a reservation, captured", vec![request_for_reservation(), start(10), record_captured(1)]),
        ("for a reservation, expired", vec![request_for_reservation(), expire(DUE)]),
        ("late capture", vec![at_order(), start(10), record_declined(1, 20), record_captured(1)]),
    ]
}

#[test]
fn every_command_in_every_state() {
    let grid = Grid::<Payment> {
        histories: histories(),
        commands: vec![
            ("request", request(PaymentTiming::AtOrder, krw(1000))),
            ("request for a reservation", request_for_reservation()),
            ("start capture", start(10)),
            ("start capture when due", start(DUE)),
            ("record capture 1", record_captured(1)),
            ("record capture 2", record_captured(2)),
            ("record decline 1", record_declined(1, 20)),
            ("record decline 1 when due", record_declined(1, DUE)),
            ("void", PaymentCommand::VoidPayment),
            ("expire early", expire(DUE - 1)),
            ("expire when due", expire(DUE)),
            ("refund 1, 300", refund(part(1), krw(300))),
            ("refund 1, 301", refund(part(1), krw(301))),
            ("refund 2, 800", refund(part(2), krw(800))),
            ("refund 2, nothing", refund(part(2), krw(0))),
            ("refund 2, other currency", refund(part(2), eur(1))),
            ("retry refund 1", retry(part(1), 1)),
            ("record refund 1", record_refunded(part(1), 1)),
            ("record refund 1 failed", record_refund_failed(part(1), 1)),
            ("record refund 1, attempt 2", record_refunded(part(1), 2)),
            ("record full refund", record_refunded(full(), 1)),
        ],
        repeatable: &[],
    };
    insta::with_settings!({ snapshot_path => "../snapshots" }, {
        insta::assert_snapshot!("grid", grid.run());
    });
}
