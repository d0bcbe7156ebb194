//! Good histories pass, and every invariant has histories that violate it and are found.

mod details;
mod people;
mod story;

use std::collections::BTreeSet;

use uuid::Uuid;

use self::people::{Booking, Purchase, WORTH, capture, coupons, give_back, resort, shop};
use super::invariant_names;
use crate::{
    Event, Subject,
    coupon::CouponEvent,
    delivery::{DeliveryEvent, ReturnWindowClosed},
    order::OrderEvent,
    payment::{LateCaptureFound, PaymentEvent, full_refund_of},
    product::{ProductEvent, StockReleased},
    refund::{RefundCancelled, RefundEvent},
    reservation::{ReservationCancelled, ReservationEvent, ReservationExpired, ReservationRefused},
    resort::{NightsHeld, NightsRefusal, ResortEvent},
    testing::{at, krw, product_id},
};

#[test]
fn good_histories_violate_nothing_and_leave_nothing_open() {
    shop().is_good(0);
    coupons().is_good(0);
    resort().is_good(0);
}

#[test]
fn every_invariant_is_checked_by_some_good_history() {
    let reports = [shop().audit(), coupons().audit(), resort().audit()];
    let checked: BTreeSet<String> = reports
        .iter()
        .flat_map(|report| {
            report.invariants.iter().filter(|i| i.checked > 0).map(|i| i.invariant.to_string())
        })
        .collect();
    assert_eq!(checked, invariant_names().iter().map(ToString::to_string).collect());
}

#[test]
fn work_under_way_is_open_and_no_violation() {
    // An order that is not paid: its money is not decided and its pieces are put aside.
    shop().until("payment.capture_started", 0).is_good(2);
    // A return that the shop has not received: the money, and the refund.
    shop().until("delivery.return_received", 0).is_good(2);
    // Cancelled, and the voucher not deactivated yet; the money is on its way.
    resort().until("voucher.deactivated", 0).is_good(2);
    shop().until("coupon.issued", 0).is_good(1);
}

#[test]
fn money_that_turns_up_late_goes_back() {
    let mut story = shop();
    let late = Purchase::new(4, None);
    let (payment_id, subject) = (late.payment, Subject::Order(late.order));
    let provider_ref = "late".to_owned();
    let found = LateCaptureFound { payment_id, subject, amount: krw(900), attempt: 1, provider_ref };
    story.say(payment_id, subject.uuid(), PaymentEvent::from(found));
    story.is_good(1);
    let kept = story.clone();
    give_back(&mut story, payment_id, subject, full_refund_of(payment_id), krw(900));
    story.is_good(0);
    // Less than all goes back.
    let mut less = kept;
    give_back(&mut less, payment_id, subject, full_refund_of(payment_id), krw(899));
    less.violates("money_balances");
}

#[test]
fn goods_asked_back_in_time_go_back_even_if_their_window_was_closed_before_that_was_written_down() {
    let mut story = shop().until("refund.requested", 0);
    let first = Purchase::new(1, None);
    first.goods(&mut story, ReturnWindowClosed { order_id: first.order });
    story.is_good(0);
    first.refunded(&mut story, "1", WORTH);
    story.is_good(0);
}

#[test]
fn a_gap_in_the_log_is_found() {
    shop().with("order.confirmed", 0, |event| event.position += 1).violates("positions_gapless");
    shop().with("order.confirmed", 0, |event| event.version += 1).violates("stream_versions_gapless");
    let mut story = shop();
    story.events.remove(0);
    story.violates("positions_gapless");
    story.violates("stream_versions_gapless");
}

#[test]
fn a_command_that_wrote_twice_and_an_event_that_stands_there_twice_are_found() {
    let first = shop().events[1].metadata.clone();
    let id = first.command_id;
    shop().with("order.confirmed", 0, |event| event.metadata.command_id = id).violates("command_id_once");
    shop()
        .with("order.confirmed", 0, |event| event.metadata.event_id = first.event_id)
        .violates("event_id_unique");
}

#[test]
fn the_events_of_one_commit_share_their_command() {
    let mut story = shop();
    let place = story.events.iter().position(|event| event.event.name() == "payment.captured").unwrap();
    let id = story.events[place - 1].metadata.command_id;
    story.events[place].metadata.command_id = id;
    story.is_good(0);
    // Decided at another time, so it is another commit.
    story.events[place].metadata.recorded_at = at(1);
    story.violates("command_id_once");
}

#[test]
fn an_event_that_is_correlated_with_something_else_is_found() {
    for name in
        ["order.confirmed", "payment.captured", "delivery.shipped", "coupon.redeemed", "refund.accepted"]
    {
        let other = Uuid::from_u128(5);
        shop()
            .with(name, 0, |event| event.metadata.correlation_id = other)
            .violates("correlated_with_subject");
    }
}

#[test]
fn an_event_that_the_diagram_does_not_allow_is_found() {
    for name in
        ["order.confirmed", "order.completed", "delivery.shipped", "refund.completed", "payment.requested"]
    {
        shop().twice(name, 0).violates("statuses_follow_diagrams");
    }
    for name in ["order.placed", "delivery.accepted", "refund.accepted"] {
        shop().without(name, 0).violates("statuses_follow_diagrams");
    }
    resort().twice("voucher.deactivated", 0).violates("statuses_follow_diagrams");
    resort().twice("reservation.paid", 0).violates("statuses_follow_diagrams");
    coupons().twice("coupon.issued", 0).violates("statuses_follow_diagrams");
}

#[test]
fn money_that_is_kept_or_given_away_is_found() {
    // Cancelled and not refunded; rejected though captured; refunded though delivered.
    shop().without("payment.refunded", 1).violates("money_balances");
    let mut kept = shop();
    let fourth = Purchase::new(4, None);
    capture(&mut kept, fourth.payment, fourth.order.into(), krw(900));
    kept.violates("money_balances");
    shop().without("payment.captured", 1).violates("money_balances");
    // What was clawed back comes off, so giving it back as well is too much.
    shop().without("coupon.clawed_back", 0).violates("money_balances");
    resort().without("payment.refunded", 0).violates("money_balances");
}

#[test]
fn a_refund_that_is_too_large_or_paid_out_twice_is_found() {
    let larger = |event: &mut crate::Envelope| {
        if let Event::Payment(PaymentEvent::RefundStarted(e)) = &mut event.event {
            e.amount = krw(901);
        }
    };
    shop().with("payment.refund_started", 1, larger).violates("refund_never_exceeds_capture");
    shop().twice("payment.refunded", 0).violates("refund_never_exceeds_capture");
    shop().without("payment.refund_started", 0).violates("refund_never_exceeds_capture");
}

#[test]
fn a_refund_that_gives_back_something_else_than_the_goods_were_worth_is_found() {
    let more = |event: &mut crate::Envelope| {
        if let Event::Refund(RefundEvent::RefundCompleted(e)) = &mut event.event {
            e.amount = krw(300);
        }
    };
    shop().with("refund.completed", 0, more).violates("refund_matches_return");
    for name in
        ["delivery.return_received", "payment.refunded", "coupon.clawed_back", "delivery.return_started"]
    {
        shop().without(name, 0).violates("refund_matches_return");
    }
}

#[test]
fn money_that_is_taken_twice_or_for_nothing_is_found() {
    shop().twice("payment.captured", 0).violates("captured_once");
    shop().without("order.placed", 0).violates("no_charge_without_order_or_reservation");
    resort().without("reservation.requested", 0).violates("no_charge_without_order_or_reservation");
    let more = |event: &mut crate::Envelope| {
        if let Event::Payment(PaymentEvent::CaptureStarted(e)) = &mut event.event {
            e.amount = krw(901);
        }
    };
    shop().with("payment.capture_started", 0, more).violates("no_charge_without_order_or_reservation");
}

#[test]
fn pieces_that_are_sold_twice_or_lost_are_found() {
    let two = |event: &mut crate::Envelope| {
        if let Event::Product(ProductEvent::ProductListed(e)) = &mut event.event {
            e.stock = Some(2);
        }
    };
    shop().with("product.listed", 0, two).violates("stock_never_oversold");
    for name in ["product.stock_reserved", "product.stock_committed", "product.stock_released"] {
        shop().twice(name, 0).violates("stock_never_oversold");
        shop().without(name, 0).violates("stock_never_oversold");
    }
}

#[test]
fn goods_that_leave_unpaid_are_found() {
    shop().without("payment.captured", 0).violates("delivered_only_if_paid");
    shop().without("order.confirmed", 0).violates("delivered_only_if_paid");
    // An order that nobody placed is not confirmed for nothing.
    let found = shop().without("order.placed", 0).audit().violations;
    let first = found.iter().find(|found| found.invariant == "delivered_only_if_paid").unwrap();
    assert_eq!(first.what, "confirmed with 0 of 1 captured");
    let mut story = shop().until("delivery.shipped", 0);
    let first = Purchase::new(1, None);
    give_back(&mut story, first.payment, first.order.into(), full_refund_of(first.payment), krw(900));
    first.goods(&mut story, crate::delivery::DeliveryShipped { order_id: first.order, by: people::by() });
    story.violates("delivered_only_if_paid");
}

#[test]
fn a_second_delivery_is_found() {
    shop().twice("delivery.requested", 0).violates("one_delivery_per_order");
    let other = |event: &mut crate::Envelope| event.stream.id = Uuid::from_u128(3);
    shop().with("delivery.requested", 0, other).violates("one_delivery_per_order");
}

#[test]
fn goods_that_go_back_twice_are_found() {
    let mut story = shop();
    let first = Purchase::new(1, None);
    for number in ["2", "3", "4"] {
        first.refunded(&mut story, number, 0);
    }
    story.violates("returns_within_delivery");
    shop().without("delivery.return_started", 0).violates("returns_within_delivery");
    let kept = |event: &mut crate::Envelope| {
        if let Event::Delivery(DeliveryEvent::ReturnStarted(e)) = &mut event.event {
            e.kept = krw(601);
        }
    };
    shop().with("delivery.return_started", 0, kept).violates("returns_within_delivery");
}

#[test]
fn a_coupon_that_was_not_earned_or_is_used_twice_is_found() {
    shop().without("order.completed", 0).violates("coupon_only_for_completed");
    shop().without("coupon.issued", 0).violates("coupon_used_once");
    coupons().without("coupon.released", 0).violates("coupon_used_once");
    coupons().twice("coupon.redeemed", 0).violates("coupon_used_once");
}

#[test]
fn a_coupon_that_is_kept_though_its_goods_went_back_is_found() {
    shop().without("coupon.clawed_back", 0).violates("coupon_only_while_deserved");
}

#[test]
fn a_coupon_that_an_order_off_keeps_is_found() {
    coupons().without("coupon.released", 0).violates("coupon_given_back");
    coupons().without("coupon.released", 1).violates("coupon_given_back");
}

#[test]
fn a_discount_that_was_not_placed_is_found() {
    let more = |event: &mut crate::Envelope| {
        if let Event::Coupon(CouponEvent::CouponRedeemed(e)) = &mut event.event {
            e.discount = krw(101);
        }
    };
    shop().with("coupon.redeemed", 0, more).violates("coupon_discount_matches_order");
    shop().without("coupon.redeemed", 0).violates("coupon_discount_matches_order");
    let free = |event: &mut crate::Envelope| {
        if let Event::Order(OrderEvent::OrderPlaced(e)) = &mut event.event {
            e.total = krw(1);
        }
    };
    shop().with("order.placed", 0, free).violates("coupon_discount_matches_order");
}

#[test]
fn more_clawed_back_than_was_enjoyed_is_found() {
    let mut story = shop();
    Purchase::new(1, None).refunded(&mut story, "2", 1);
    story.violates("clawback_never_exceeds_discount");
    shop().without("coupon.redeemed", 0).violates("clawback_never_exceeds_discount");
}

#[test]
fn a_night_that_is_given_twice_or_not_given_back_is_found() {
    resort().without("resort.nights_released", 0).violates("night_given_once");
    resort().twice("resort.nights_released", 0).violates("night_given_once");
    let mut story = resort();
    Booking::new(3).paid(&mut story);
    story.violates("night_given_once");
}

#[test]
fn stays_that_follow_upon_each_other_share_no_night_and_those_of_the_past_are_forgotten() {
    let day = |day| chrono::NaiveDate::from_ymd_opt(2026, 2, day).unwrap();
    let hold = |story: &mut story::Story, number, nights: (u32, u32), today| {
        let reservation_id = Booking::new(number).id;
        let stay = crate::Stay::new(day(nights.0), day(nights.1)).unwrap();
        let (resort_id, price) = (people::resort_id(), krw(1));
        let held = NightsHeld { resort_id, reservation_id, stay, price, today: day(today) };
        story.say(resort_id, reservation_id.uuid(), ResortEvent::from(held));
    };
    let with = |nights| {
        let mut story = resort();
        hold(&mut story, 7, nights, 1);
        story
    };
    // The nights of the 10th and the 11th are taken.
    for nights in [(12, 14), (8, 10)] {
        with(nights).is_good(0);
    }
    for nights in [(11, 14), (8, 11), (9, 14), (10, 11)] {
        with(nights).violates("night_given_once");
    }
    // Nobody minds who cancels when the stay is over, which it is on the day of departure.
    for (today, is_past) in [(11, false), (12, true), (13, true)] {
        let mut story = resort();
        hold(&mut story, 7, (14, 15), today);
        let reservation_id = Booking::new(2).id;
        story.say(
            reservation_id,
            reservation_id.uuid(),
            ReservationEvent::from(ReservationCancelled { reservation_id }),
        );
        let found = story.audit().violations;
        assert_eq!(!found.iter().any(|found| found.invariant == "night_given_once"), is_past, "{today}");
    }
}

#[test]
fn each_end_of_a_reservation_that_keeps_its_nights_is_found() {
    let reservation_id = Booking::new(2).id;
    let ends: [ReservationEvent; 3] = [
        ReservationRefused { reservation_id, reason: NightsRefusal::Retired }.into(),
        ReservationExpired { reservation_id }.into(),
        ReservationCancelled { reservation_id }.into(),
    ];
    for end in ends {
        let mut story = resort();
        story.say(reservation_id, reservation_id.uuid(), end);
        story.violates("night_given_once");
    }
}

#[test]
fn pieces_that_are_moved_for_an_order_that_has_none_are_found() {
    let mut story = shop();
    let order_id = Purchase::new(9, None).order;
    let nothing = StockReleased { order_id, quantity: 0 };
    story.say(product_id(1), order_id.uuid(), ProductEvent::from(nothing));
    story.violates("stock_never_oversold");
}

#[test]
fn a_return_that_was_accepted_for_another_worth_or_called_off_too_late_is_found() {
    let other = |event: &mut crate::Envelope| {
        if let Event::Refund(RefundEvent::RefundAccepted(e)) = &mut event.event {
            e.amount = krw(299);
        }
    };
    shop().with("refund.accepted", 0, other).violates("refund_matches_return");
    let first = Purchase::new(1, None);
    let order_id = first.order;
    let call_off = |before: &str| {
        let mut story = shop().until(before, 0);
        story.say(first.refund("1"), order_id.uuid(), RefundEvent::from(RefundCancelled { order_id }));
        let found = story.audit().violations;
        found.iter().any(|found| found.invariant == "refund_matches_return")
    };
    assert!(!call_off("coupon.clawed_back"), "nothing has moved yet");
    assert!(call_off("delivery.return_received"), "the coupon is clawed back");
    assert!(call_off("refund.completed"), "the money is paid out");
}

#[test]
fn a_voucher_without_payment_or_after_the_cancellation_is_found() {
    resort().without("payment.captured", 0).violates("reservation_paid_only_if_captured");
    resort().without("reservation.paid", 0).violates("voucher_only_for_paid");
    resort().twice("voucher.issued", 0).violates("voucher_only_for_paid");
    resort().without("reservation.cancellation_requested", 0).violates("voucher_deactivated_after_cancel");
    let mut story = resort();
    let asked = story.events.iter().find(|e| e.event.name() == "voucher.send_requested").cloned().unwrap();
    story.say(Booking::new(1).voucher, Booking::new(1).id.uuid(), asked.event);
    story.violates("voucher_deactivated_after_cancel");
}

#[test]
fn violations_are_counted_when_there_are_too_many_to_list() {
    let mut story = shop();
    for event in &mut story.events {
        event.position += 1;
    }
    let many = 5 * super::LISTED as u64;
    let again = story.events[0].clone();
    for number in 0..many {
        let mut event = again.clone();
        event.position = 1_000 + 2 * number;
        story.events.push(event);
    }
    let report = story.audit();
    assert!(report.violated() > many);
    let of_positions = report.violations.iter().filter(|v| v.invariant == "positions_gapless");
    assert_eq!(of_positions.count(), super::LISTED);
}
