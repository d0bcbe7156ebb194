//! What survives a stop, a death, and a long sleep.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, atomic::Ordering::SeqCst},
    time::Duration,
};

use domain::NotifiedChange;
use eventlog::{Clock, LogError};
use gateway::method;
use orderstream_sagas::{InstanceState, SagaError, SagaOptions, Sagas, WorkStore, process_names};

use crate::support::{ALWAYS, Wish, World, again, deferred};

const REJECTED: &str = "rejected, expired, absent; shelf 10+0 and 5+0; kept 0";

#[tokio::test]
async fn a_payment_that_falls_due_while_nobody_runs_expires_at_the_next_start() {
    let tell = async |w: &World| {
        let order = w.order(Wish::of(w).policy(deferred())).await;
        let which = w.stop().await;
        w.clock.advance(Duration::from_secs(3600));
        w.start(&which).await;
        order
    };
    again(tell, REJECTED).await;
}

#[tokio::test]
async fn timers_that_are_pending_survive_a_death() {
    let tell = async |w: &World| {
        let order = w.order(Wish::of(w).policy(deferred())).await;
        w.rebirth().await;
        w.settle().await;
        // The clock goes on by itself, too: a minute is more than a slow machine takes.
        w.later(3540).await;
        w.settle().await;
        assert_eq!(w.status_of(order).await, ["awaiting_payment", "requested", "absent"]);
        w.later(60).await;
        order
    };
    again(tell, REJECTED).await;
}

#[tokio::test]
async fn a_refund_that_is_to_be_tried_again_survives_a_death() {
    let tell = async |w: &World| {
        let order = w.order(Wish::of(w)).await;
        w.provider.refunds_refused.store(1, SeqCst);
        w.cancel(order).await.unwrap();
        w.seen(order, "payment.refund_failed", 1).await;
        w.settle().await;
        w.rebirth().await;
        w.later(10).await;
        w.seen(order, "order.cancelled", 1).await;
        order
    };
    again(tell, "cancelled, refunded, cancelled; shelf 10+0 and 5+0; kept 0").await;
}

#[tokio::test]
async fn a_payment_that_nobody_asked_for_in_time_is_never_charged() {
    let tell = async |w: &World| {
        w.only(&["checkout"]).await;
        let order = w.order(Wish::of(w)).await;
        w.clock.advance(Duration::from_secs(300));
        w.only(process_names()).await;
        w.settle().await;
        assert!(w.provider.books().await.is_empty());
        order
    };
    again(tell, REJECTED).await;
}

#[tokio::test]
async fn a_charge_that_was_under_way_in_an_earlier_life_is_asked_for_again_and_made_once() {
    let tell = async |w: &World| {
        w.provider.sleep(method::OK);
        let order = w.place(Wish::of(w)).await;
        w.provider.charges_asked(1).await;
        w.rebirth().await;
        w.provider.charges_asked(2).await;
        w.provider.wake();
        order
    };
    let end = "confirmed, captured, requested; shelf 9+1 and 3+2; kept 1000; \
        fulfilment waits for the shop to ship (DeliveryShipped)";
    again(tell, end).await;
}

#[tokio::test]
async fn steps_that_wait_for_a_retry_go_on_after_a_death() {
    let tell = async |w: &World| {
        w.provider.unreachable.store(ALWAYS, SeqCst);
        let order = w.place(Wish::of(w)).await;
        w.provider.charges_asked(2).await;
        w.rebirth().await;
        w.provider.charges_asked(4).await;
        w.provider.unreachable.store(0, SeqCst);
        order
    };
    let end = "confirmed, captured, requested; shelf 9+1 and 3+2; kept 1000; \
        fulfilment waits for the shop to ship (DeliveryShipped)";
    again(tell, end).await;
}

#[tokio::test]
async fn after_a_stop_in_good_order_nothing_is_done_again() {
    let world = World::new().await;
    let order = world.order(Wish::of(&world)).await;
    let calls = world.provider.calls().await;
    for _ in 0..3 {
        let which = world.stop().await;
        world.start(&which).await;
        world.settle().await;
    }
    assert_eq!(world.provider.calls().await, calls);
    assert_eq!(world.status_of(order).await, ["confirmed", "captured", "requested"]);
}

#[tokio::test]
async fn a_stop_waits_for_the_step_under_way_and_stores_it() {
    let world = World::new().await;
    world.provider.sleep(method::OK);
    let order = world.place(Wish::of(&world)).await;
    world.provider.charges_asked(1).await;
    let sagas = world.sagas();
    let (wake, stop) = (
        async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            world.provider.wake();
        },
        sagas.stop(),
    );
    tokio::join!(wake, stop);
    assert_eq!(world.status_of(order).await, ["awaiting_payment", "captured", "absent"]);
    let which = world.kill().await;
    world.start(&which).await;
    world.settle().await;
    assert_eq!(world.provider.calls().await, BTreeMap::from([(method_key(order), 1)]));
}

fn method_key(order: domain::OrderId) -> String {
    orderstream_sagas::payments::charge_key(domain::order::payment_of(order), 1)
}

/// The work store is not written to disk with every commit, so a power loss takes it back some way.
#[tokio::test]
async fn a_work_store_that_went_back_catches_up_and_does_nothing_twice() {
    let world = World::new().await;
    let wish = Wish::of(&world).policy(deferred()).notify(&NotifiedChange::ALL);
    let order = world.order(wish).await;
    let mut copies = vec![copy_of_work(&world).await];
    world.pay(order, method::DECLINED).await.unwrap();
    world.settle().await;
    copies.push(copy_of_work(&world).await);
    world.pay(order, method::OK).await.unwrap();
    world.settle().await;
    copies.push(copy_of_work(&world).await);
    world.accept_and_ship(order).await;
    // In the middle of whatever is being done.
    copies.push(copy_of_work(&world).await);
    world.cancel(order).await.unwrap();
    world.fail(order).await.unwrap();
    world.settle().await;
    let (end, head, books) =
        (world.end_of(order).await, world.log.head().await.unwrap(), world.provider.books().await);
    assert_eq!(end, "cancelled, refunded, failed; shelf 9+0 and 3+0; kept 0");
    for copy in copies {
        let which = world.kill().await;
        world.forget().await;
        for (path, content) in copy {
            std::fs::write(path, content).unwrap();
        }
        world.start(&which).await;
        world.settle().await;
        assert_eq!(world.end_of(order).await, end);
        assert_eq!(world.log.head().await.unwrap(), head, "something was appended");
        assert_eq!(world.provider.books().await, books, "the provider did something");
    }
}

/// The work store's files after a death; the process managers live again afterwards.
async fn copy_of_work(world: &World) -> Vec<(PathBuf, Vec<u8>)> {
    let which = world.kill().await;
    let files = [world.work_db(), world.work_db().with_extension("db-wal")];
    let copies = files.into_iter().filter(|path| path.exists());
    let copies = copies.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect();
    world.start(&which).await;
    copies
}

#[tokio::test]
async fn process_managers_end_when_the_log_shuts_down() {
    let world = World::new().await;
    let order = world.order(Wish::of(&world)).await;
    world.log.shutdown().await;
    world
        .until("all have ended", async || {
            let status = world.sagas().status().await.unwrap();
            status.iter().all(|process| !process.running && process.trouble.is_none())
        })
        .await;
    let shown = world.sagas().show("fulfilment", order.uuid()).await.unwrap().unwrap();
    assert_eq!(shown.summary.state, InstanceState::Waiting, "what they did is stored");
}

/// Opens the work of a world that was stopped over the log of a world.
async fn opened_over(log: &World, stopped: &World) -> Result<Sagas, SagaError> {
    let path = stopped.work_db();
    let work = tokio::task::spawn_blocking(move || WorkStore::open(&path)).await.unwrap().unwrap();
    let clock: Arc<dyn Clock> = stopped.clock.clone();
    Sagas::open(work, log.executor.clone(), log.effects(), clock, SagaOptions::default()).await
}

#[tokio::test]
async fn what_meant_nothing_to_a_process_manager_is_not_read_again_after_a_stop() {
    let world = World::new().await;
    world.order(Wish::of(&world)).await;
    // Nobody waits for a product.
    world.list(700, Some(60)).await;
    world.settle().await;
    world.stop().await;
    let head = world.log.head().await.unwrap();
    for process in opened_over(&world, &world).await.unwrap().status().await.unwrap() {
        assert_eq!((process.position, process.lag), (head, 0), "{}", process.name);
    }
}

#[tokio::test]
async fn a_work_store_of_another_log_is_refused() {
    let (world, other) = (World::new().await, World::new().await);
    world.order(Wish::of(&world)).await;
    world.stop().await;
    let error = opened_over(&other, &world).await.err().expect("it was taken");
    assert!(matches!(error, SagaError::Log(LogError::WentBack { .. })), "{error:?}");
}

#[tokio::test]
async fn an_outage_of_the_log_in_the_middle_of_a_step_is_waited_for() {
    let world = World::new().await;
    for event in ["product.stock_reserved", "payment.capture_started", "payment.captured", "order.confirmed"]
    {
        world.store.hold_before(event);
        let order = world.place(Wish::of(&world).lines(&[(world.shelf.first, 1, 900)])).await;
        world.held().await;
        // The commit is lost and its writer is told so: it is tried again by itself.
        world.store.release(false);
        world.settle().await;
        assert_eq!(world.status_of(order).await, ["confirmed", "captured", "requested"], "at {event}");
    }
}
