//! Reservations that race each other, their payments and their cancellations.

use std::{sync::Arc, time::Duration};

use domain::{
    Actor, AnyCommand, Event, ReservationId, Stay,
    reservation::Reservation,
    resort::{NightsRefusal, ResortCommand, ResortEvent},
};
use eventlog::{Clock, CommandContext};
use gateway::method;
use orderstream_sagas::process_names;

use crate::support::{Trip, World, again, without};

/// No night is held twice.
async fn nobody_shares_a_night(world: &World) {
    let nights = world.held_nights().await;
    let twice = nights.windows(2).find(|pair| pair[0] == pair[1]);
    assert_eq!(twice, None, "a night is held twice");
}

#[tokio::test]
async fn of_two_hundred_reservations_at_once_no_two_get_the_same_night() {
    let world = World::new().await;
    let trips = (0..200).map(|number| Trip::on(30 + number % 20, 1 + number % 3));
    let reservations = futures::future::join_all(trips.map(|trip| world.request(trip))).await;
    world.settle().await;
    nobody_shares_a_night(&world).await;
    let held = world.held_nights().await;
    let mut nights = 0;
    for id in &reservations {
        match world.executor.load::<Reservation>(id).await.unwrap().state {
            Reservation::AwaitingPayment(details) => nights += details.stay.nights() as usize,
            Reservation::Refused { reason: NightsRefusal::Taken { night }, .. } => {
                assert!(held.contains(&night), "nobody has the night of {night}");
            }
            other => panic!("neither held nor refused: {other:?}"),
        }
    }
    assert_eq!(nights, held.len(), "who was confirmed has nights, and nobody else");
    assert!((7..=22).contains(&nights), "{nights} of 22 nights");
}

/// The resort alone, asked by as many threads as there are.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_hundred_holds_from_many_threads_no_two_get_the_same_night() {
    let world = World::with(&[]).await;
    let first = world.clock.now().date_naive() + chrono::Days::new(40);
    let start = Arc::new(tokio::sync::Barrier::new(200));
    let holds = (0..200_u64).map(|number| {
        let (executor, resort, start) = (world.executor.clone(), world.shelf.resort, start.clone());
        let id = ReservationId::from_uuid(world.ids.next_anywhere());
        let check_in = first + chrono::Days::new(number % 10);
        let context = CommandContext {
            command_id: world.ids.next_anywhere(),
            correlation_id: id.uuid(),
            causation_id: None,
            actor: Actor::System,
            at: world.clock.now(),
            traceparent: None,
        };
        let command = ResortCommand::HoldNights {
            reservation_id: id,
            stay: Stay::new(check_in, check_in + chrono::Days::new(2)).unwrap(),
            price: domain::Money::new(200, domain::Currency::KRW).unwrap(),
            at: context.at,
        };
        tokio::spawn(async move {
            start.wait().await;
            executor.execute_any(AnyCommand::Resort { id: resort, command }, context).await.unwrap();
        })
    });
    for hold in holds.collect::<Vec<_>>() {
        hold.await.unwrap();
    }
    let events = world.log.read_all(0, 100_000).await.unwrap();
    let answers = |wanted: fn(&ResortEvent) -> bool| {
        events.iter().filter(|event| matches!(&event.event, Event::Resort(event) if wanted(event))).count()
    };
    let held = answers(|event| matches!(event, ResortEvent::NightsHeld(_)));
    let refused = answers(|event| matches!(event, ResortEvent::NightsRefused(_)));
    assert_eq!(held + refused, 200, "everybody got one answer");
    assert!((4..=6).contains(&held), "{held} got two of eleven nights");
    assert_eq!(world.held_nights().await.len(), 2 * held);
    nobody_shares_a_night(&world).await;
}

#[tokio::test]
async fn payments_and_cancellations_at_once_end_in_one_of_both_ways_with_money_and_nights_right() {
    let world = World::new().await;
    let mut reservations = Vec::new();
    for number in 0..12 {
        reservations.push(world.request(Trip::on(30 + 2 * number, 2)).await);
    }
    world.settle().await;
    let race = reservations.iter().enumerate().map(async |(number, reservation)| {
        let pause = Duration::from_micros(number as u64 * 400);
        let cancel = async {
            tokio::time::sleep(pause).await;
            world.call_back(*reservation).await.unwrap();
        };
        // A payment that was voided before cannot be made.
        let _ = tokio::join!(world.pay(*reservation, method::OK), cancel);
    });
    futures::future::join_all(race).await;
    world.settle().await;
    for reservation in &reservations {
        match world.status_of_stay(*reservation).await {
            ["cancelled", "voided" | "refunded", "absent" | "deactivated"] => {}
            other => panic!("not undone: {other:?}"),
        }
        let end = world.end_of(*reservation).await;
        assert!(end.ends_with("0 nights held; kept 0"), "{end}");
    }
}

/// The guest cancels at the moment before the event would be written.
async fn overtaken(w: &World, event: &'static str, pays: bool) -> ReservationId {
    let reservation = if pays {
        let reservation = w.reserve(Trip::default()).await;
        w.store.hold_before(event);
        w.pay(reservation, method::OK).await.unwrap();
        reservation
    } else {
        w.store.hold_before(event);
        w.request(Trip::default()).await
    };
    w.held().await;
    let which = w.kill().await;
    w.store.release(false);
    w.call_back(reservation).await.unwrap();
    w.start(&which).await;
    reservation
}

#[tokio::test]
async fn a_cancellation_that_overtakes_the_record_of_the_payment_gives_the_money_back() {
    let tell = async |w: &World| overtaken(w, "reservation.paid", true).await;
    again(tell, "cancelled, refunded, absent voucher; 0 nights held; kept 0").await;
}

#[tokio::test]
async fn a_cancellation_that_overtakes_the_confirmation_voids_the_payment() {
    let tell = async |w: &World| overtaken(w, "reservation.confirmed", false).await;
    again(tell, "cancelled, voided, absent voucher; 0 nights held; kept 0").await;
}

#[tokio::test]
async fn a_cancellation_that_overtakes_the_resorts_answer_is_finished() {
    let tell = async |w: &World| overtaken(w, "resort.nights_held", false).await;
    again(tell, "cancelled, absent, absent voucher; 0 nights held; kept 0").await;
}

#[tokio::test]
async fn a_cancellation_that_overtakes_the_refusal_or_the_expiry_ends_as_cancelled() {
    let refused = async |w: &World| {
        w.retire_resort().await;
        overtaken(w, "reservation.refused", false).await
    };
    again(refused, "cancelled, absent, absent voucher; 0 nights held; kept 0").await;
    let expired = async |w: &World| {
        let reservation = w.reserve(Trip::default()).await;
        w.store.hold_before("reservation.expired");
        w.later(3600).await;
        w.held().await;
        let which = w.kill().await;
        w.store.release(false);
        w.call_back(reservation).await.unwrap();
        w.start(&which).await;
        reservation
    };
    again(expired, "cancelled, expired, absent voucher; 0 nights held; kept 0").await;
}

#[tokio::test]
async fn a_cancellation_that_overtakes_the_voucher_deactivates_it() {
    for event in ["voucher.issued", "voucher.send_requested", "voucher.sent"] {
        let tell = async |w: &World| overtaken(w, event, true).await;
        again(tell, "cancelled, refunded, deactivated voucher; 0 nights held; kept 0").await;
    }
}

#[tokio::test]
async fn nights_that_a_slow_booking_frees_late_are_held_by_one_at_a_time() {
    let tell = async |w: &World| {
        w.only(&without("booking")).await;
        let early = w.request(Trip::default()).await;
        let late = w.request(Trip::on(31, 2)).await;
        w.call_back(early).await.unwrap();
        w.only(process_names()).await;
        w.settle().await;
        nobody_shares_a_night(w).await;
        match w.status_of_stay(late).await {
            // Asked for before the first were free again, or after.
            ["refused", "absent", "absent"] => {}
            ["awaiting_payment", "requested", "absent"] => w.later(3600).await,
            other => panic!("neither held nor refused: {other:?}"),
        }
        w.settle().await;
        assert!(!w.events_of(early).await.contains(&"payment.requested"));
        early
    };
    again(tell, "cancelled, absent, absent voucher; 0 nights held; kept 0").await;
}
