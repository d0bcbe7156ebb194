//! Vouchers: one for each paid reservation, sent whatever the policy says, good as long as the reservation is.

use std::sync::atomic::Ordering::SeqCst;

use domain::{
    Actor, Aggregate as _, AnyCommand, Class,
    reservation::voucher_of,
    voucher::{Voucher, VoucherCode, VoucherCommand},
};
use eventlog::{Clock, CommandContext, Effect, Executor, ExecutorOptions};
use orderstream_sagas::process_names;

use crate::support::{ALWAYS, Trip, World, again, story, without};

story!(the_guest_gets_the_code_that_the_voucher_has, w => {
    let reservation = w.stay(Trip::default()).await;
    assert_eq!(w.mailbox.told_of(reservation), ["voucher_send_requested"]);
    assert_eq!(w.mailbox.codes(), [w.code_of(reservation).await.unwrap()]);
    reservation
}, ends "paid, captured, sent voucher; 2 nights held; kept 200; booking waits for the end of the stay");

story!(a_guest_who_asks_again_gets_the_same_code_again, w => {
    let reservation = w.stay(Trip::default()).await;
    w.send_again(reservation).await.unwrap();
    w.settle().await;
    let code = w.code_of(reservation).await.unwrap();
    assert_eq!(w.mailbox.codes(), [code.clone(), code]);
    reservation
}, ends "paid, captured, sent voucher; 2 nights held; kept 200; booking waits for the end of the stay");

story!(a_channel_that_takes_nothing_leaves_the_reservation_alone told_twice, w => {
    w.mailbox.busy.store(ALWAYS, SeqCst);
    let reservation = w.stay(Trip::default()).await;
    assert_eq!(w.notifications_of(reservation).await, ["voucher_send_requested failed"]);
    reservation
}, ends "paid, captured, issued voucher; 2 nights held; kept 200; booking waits for the end of the stay");

story!(a_voucher_that_did_not_arrive_can_be_asked_for_again told_twice, w => {
    w.mailbox.refuses.store(1, SeqCst);
    let reservation = w.stay(Trip::default()).await;
    w.send_again(reservation).await.unwrap();
    w.settle().await;
    let told = ["voucher_send_requested failed", "voucher_send_requested sent"];
    assert_eq!(w.notifications_of(reservation).await, told);
    reservation
}, ends "paid, captured, sent voucher; 2 nights held; kept 200; booking waits for the end of the stay");

story!(vouchers_that_are_down_hold_up_no_reservation told_twice, w => {
    w.only(&without("vouchers")).await;
    let reservation = w.stay(Trip::default()).await;
    assert_eq!(w.status_of_stay(reservation).await, ["paid", "captured", "absent"]);
    w.only(process_names()).await;
    reservation
}, ends "paid, captured, sent voucher; 2 nights held; kept 200; booking waits for the end of the stay");

story!(a_reservation_that_was_cancelled_while_vouchers_were_down_has_a_voucher_that_is_not_good told_twice, w => {
    w.only(&without("vouchers")).await;
    let reservation = w.stay(Trip::default()).await;
    w.call_back(reservation).await.unwrap();
    w.settle().await;
    assert_eq!(w.status_of_stay(reservation).await, ["cancelled", "refunded", "absent"]);
    w.only(process_names()).await;
    reservation
}, ends "cancelled, refunded, deactivated voucher; 0 nights held; kept 0");

story!(a_voucher_that_was_deactivated_before_its_message_left_is_not_sent told_twice, w => {
    w.only(&without("notifications")).await;
    let reservation = w.stay(Trip::default()).await;
    w.call_back(reservation).await.unwrap();
    w.seen(reservation, "voucher.deactivated", 1).await;
    w.only(process_names()).await;
    w.settle().await;
    assert_eq!(w.notifications_of(reservation).await, ["voucher_send_requested failed"]);
    assert!(w.mailbox.told_of(reservation).is_empty() && w.mailbox.codes().is_empty());
    let refused = w.send_again(reservation).await.unwrap_err();
    assert_eq!((refused.code, refused.class), ("voucher_deactivated", Class::Rejected));
    reservation
}, ends "cancelled, refunded, deactivated voucher; 0 nights held; kept 0");

/// A worker that is killed behind the commit and before the answer draws another code the next time.
#[tokio::test]
async fn an_issue_that_is_tried_again_with_another_code_keeps_the_first() {
    let world = World::with(&without("vouchers")).await;
    let reservation = world.stay(Trip::default()).await;
    let id = voucher_of(reservation);
    let context = CommandContext {
        command_id: world.ids.next_anywhere(),
        correlation_id: reservation.uuid(),
        causation_id: None,
        actor: Actor::System,
        at: world.clock.now(),
        traceparent: None,
    };
    let issue = |bits| {
        let command = VoucherCommand::IssueVoucher {
            voucher_id: id,
            reservation_id: reservation,
            resort_id: world.shelf.resort,
            customer_id: "alice".parse().unwrap(),
            manager_id: "mina".parse().unwrap(),
            code: Some(VoucherCode::from_random(bits)),
        };
        AnyCommand::Voucher { id, command }
    };
    let first = world.executor.execute_any(issue(1), context.clone()).await.unwrap();
    assert_eq!(first.effect, Effect::Applied);
    // The same program; one that was started anew and takes the voucher to be new; one that looks first.
    let looking =
        ExecutorOptions { assume_new_within: std::time::Duration::ZERO, ..ExecutorOptions::default() };
    let young = CommandContext { at: minted_at(id.uuid()), ..context.clone() };
    for (executor, context) in [
        (world.executor.clone(), context.clone()),
        (Executor::new(world.log.clone(), None, ExecutorOptions::default()), young),
        (Executor::new(world.log.clone(), None, looking), context.clone()),
    ] {
        let again = executor.execute_any(issue(2), context).await.unwrap();
        assert_eq!((again.effect, again.version), (Effect::Duplicate, first.version));
    }
    assert_eq!(world.code_of(reservation).await, Some(VoucherCode::from_random(1)));
}

fn minted_at(id: uuid::Uuid) -> domain::Timestamp {
    let millis = i64::try_from(id.as_u128() >> 80).unwrap();
    domain::Timestamp::from_timestamp_millis(millis).unwrap()
}

#[tokio::test]
async fn a_thousand_codes_are_a_thousand_codes() {
    let world = World::with(&["vouchers"]).await;
    let reservation = |_| domain::ReservationId::from_uuid(world.ids.next_anywhere());
    let issue = |id| VoucherCommand::IssueVoucher {
        voucher_id: voucher_of(id),
        reservation_id: id,
        resort_id: world.shelf.resort,
        customer_id: "alice".parse().unwrap(),
        manager_id: "mina".parse().unwrap(),
        code: None,
    };
    let drawn = (0..1000).map(reservation).map(|id| {
        let command = AnyCommand::Voucher { id: voucher_of(id), command: issue(id) };
        match orderstream_sagas::completed(command, world.clock.now()) {
            AnyCommand::Voucher {
                command: VoucherCommand::IssueVoucher { code: Some(code), .. }, ..
            } => code.as_str().to_owned(),
            other => panic!("no code was drawn: {other:?}"),
        }
    });
    assert_eq!(drawn.collect::<std::collections::HashSet<_>>().len(), 1000);
}

/// Nothing that waits in the work store holds a code: it stands on the log alone.
#[tokio::test]
async fn the_work_store_holds_no_code() {
    let tell = async |w: &World| {
        let reservation = w.stay(Trip::default()).await;
        let code = w.code_of(reservation).await.unwrap();
        w.stop().await;
        let mut stored = Vec::new();
        for file in ["work.db", "work.db-wal"] {
            let path = w.work_db().with_file_name(file);
            stored.extend(std::fs::read(path).unwrap_or_default());
        }
        assert!(!stored.is_empty());
        assert!(!stored.windows(19).any(|window| window == code.as_str().as_bytes()));
        w.start(process_names()).await;
        reservation
    };
    let end = "paid, captured, sent voucher; 2 nights held; kept 200; booking waits for the end of the stay";
    again(tell, end).await;
}

#[tokio::test]
async fn a_voucher_that_nobody_was_promised_is_absent() {
    let world = World::new().await;
    let reservation = world.reserve(Trip::default()).await;
    let voucher = world.executor.load::<Voucher>(&voucher_of(reservation)).await.unwrap().state;
    assert_eq!(voucher.status(), "absent");
    assert_eq!(world.send_again(reservation).await.unwrap_err().code, "voucher_not_found");
}
