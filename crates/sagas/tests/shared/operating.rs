//! Operators, and whoever takes orders, in a process that does not do the work.

use std::{sync::Arc, time::Duration};

use domain::{OrderId, ProductId};
use gateway::{Behaviour, Sandbox, SandboxOptions};
use orderstream_sagas::{Availability, Effects, InstanceState, SagaError};
use tokio::time::Instant;

use crate::{
    crew::{Crew, LONG, SHORT},
    support::Wish,
};

/// Orders of a product that is not there (yet), so many that every process has some.
async fn stuck(crew: &Crew) -> (Vec<OrderId>, ProductId) {
    let missing = crew.world.new_product();
    let mut orders = Vec::new();
    for _ in 0..8 {
        orders.push(crew.world.place(Wish::of(&crew.world).lines(&[(missing, 1, 700)])).await);
    }
    crew.settle().await;
    (orders, missing)
}

#[tokio::test]
async fn what_is_stuck_in_another_process_is_retried_there() {
    let Some(crew) = Crew::new(SHORT).await else { return };
    let (a, b) = (crew.join("a").await, crew.join("b").await);
    crew.shared_by(&["a", "b"]).await;
    let (orders, missing) = stuck(&crew).await;
    let again = a.sagas.retry("checkout", orders[0].uuid()).await.unwrap();
    assert_eq!(again.key, orders[0].uuid());
    crew.settle().await;
    let shown = b.sagas.show("checkout", orders[0].uuid()).await.unwrap().unwrap();
    assert_eq!(
        (shown.summary.state, shown.summary.attempts),
        (InstanceState::Stuck, 2),
        "tried and stuck again"
    );
    crew.world.list_as(missing, 700, Some(100)).await;
    for (number, order) in orders.iter().enumerate() {
        // From one of the two, and from a process that runs no process manager.
        let asked = if number % 2 == 0 { &a.sagas } else { &crew.world.sagas() };
        asked.retry("checkout", order.uuid()).await.unwrap();
    }
    crew.settle().await;
    for order in orders {
        assert_eq!(crew.world.status_of(order).await, ["confirmed", "captured", "requested"]);
    }
    assert_eq!(crew.world.stock_of(missing).await, (92, 8));
    a.leave().await;
    b.leave().await;
}

#[tokio::test]
async fn a_wish_about_a_step_that_is_over_does_nothing_to_the_next() {
    let Some(crew) = Crew::new(SHORT).await else { return };
    let a = crew.join("a").await;
    let (orders, _) = stuck(&crew).await;
    let slots =
        "SELECT 'checkout', key, slot, 'skip', gen_random_uuid() FROM instances WHERE process = 'checkout'";
    crew.schema.run(&format!("INSERT INTO wishes (process, key, slot, operation, step) {slots}")).await;
    let left = async || {
        let left = sqlx::query("SELECT FROM wishes").fetch_all(crew.schema.database.pool()).await;
        left.unwrap().len()
    };
    crew.world.until("the wishes are read", async || left().await == 0).await;
    for order in orders {
        let shown = crew.world.sagas().show("checkout", order.uuid()).await.unwrap().unwrap();
        assert_eq!((shown.summary.state, shown.summary.attempts), (InstanceState::Stuck, 1));
    }
    a.leave().await;
}

#[tokio::test]
async fn what_is_stuck_while_nobody_runs_is_retried_or_skipped_in_the_store() {
    let Some(crew) = Crew::new(LONG).await else { return };
    let a = crew.join("a").await;
    let (orders, missing) = stuck(&crew).await;
    a.leave().await;
    crew.world.list_as(missing, 700, Some(100)).await;
    let sagas = crew.world.sagas();
    let retried = sagas.retry("checkout", orders[0].uuid()).await.unwrap();
    assert_eq!(retried.state, InstanceState::Retrying);
    assert!(matches!(sagas.retry("checkout", orders[0].uuid()).await, Err(SagaError::NotStuck { .. })));
    let skipped = sagas.skip("checkout", orders[1].uuid()).await.unwrap();
    assert_eq!(skipped.state, InstanceState::Waiting);
    let a = crew.join("a").await;
    crew.settle().await;
    assert_eq!(crew.world.status_of(orders[0]).await, ["confirmed", "captured", "requested"]);
    assert_eq!(crew.world.status_of(orders[1]).await, ["awaiting_payment", "absent", "absent"]);
    let shown = sagas.show("checkout", orders[2].uuid()).await.unwrap().unwrap();
    assert_eq!((shown.summary.state, shown.summary.attempts), (InstanceState::Stuck, 1));
    a.leave().await;
}

#[tokio::test]
async fn what_is_stuck_is_retried_by_a_process_that_does_not_know_yet_that_it_lost_the_slot() {
    let Some(crew) = Crew::new(LONG).await else { return };
    let a = crew.join("a").await;
    let (orders, _) = stuck(&crew).await;
    crew.steal("checkout", Duration::from_secs(1)).await;
    let shown = a.sagas.show("checkout", orders[0].uuid()).await.unwrap().unwrap();
    assert_eq!(shown.summary.attempts, 1);
    a.sagas.retry("checkout", orders[0].uuid()).await.unwrap();
    crew.shared_by(&["a"]).await;
    crew.settle().await;
    let attempts = async |order: OrderId| {
        let shown = crew.world.sagas().show("checkout", order.uuid()).await.unwrap().unwrap();
        shown.summary.attempts
    };
    assert_eq!([attempts(orders[0]).await, attempts(orders[1]).await], [2, 1]);
    a.leave().await;
}

#[tokio::test]
async fn a_wish_that_its_process_died_with_is_done_all_the_same() {
    let Some(crew) = Crew::new(SHORT * 3).await else { return };
    let a = crew.join("a").await;
    crew.shared_by(&["a"]).await;
    let (orders, missing) = stuck(&crew).await;
    crew.world.list_as(missing, 700, Some(100)).await;
    let standing_still = a.pause();
    let sagas = crew.world.sagas();
    let key = orders[0].uuid();
    let wish = tokio::spawn(async move { sagas.retry("checkout", key).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    a.die().await;
    drop(standing_still);
    // Nobody has taken over: once the lease has ended it is done in the store.
    assert_eq!(wish.await.unwrap().unwrap().state, InstanceState::Retrying);
    let b = crew.join("b").await;
    crew.world.until("confirmed", async || crew.world.status_of(orders[0]).await[0] == "confirmed").await;
    b.leave().await;
}

#[tokio::test]
async fn whether_payments_can_be_made_is_known_in_other_processes_and_not_longer_than_somebody_makes_them() {
    let Some(crew) = Crew::new(SHORT).await else { return };
    let sagas = crew.world.sagas();
    let available = async || sagas.payments_availability().await.unwrap() == Availability::Available;
    assert!(!available().await, "nobody makes payments");
    let cashier = crew.join_to_run("cashier", &["payments"]).await;
    crew.world.until("somebody makes payments", available).await;
    cashier.die().await;
    let begun = Instant::now();
    crew.world.until("nobody makes payments any more", async || !available().await).await;
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let cashier = crew.join_to_run("cashier", &["payments"]).await;
    crew.world.until("somebody makes payments", available).await;
    // It stops because of something that does not pass, and does not say any more that it makes payments.
    crew.schema.run("UPDATE leases SET holder = NULL; INSERT INTO checkpoints SELECT 'payments', slot, gen_random_uuid(), 1 \
        FROM generate_series(0, 63) AS slot ON CONFLICT (process, slot) DO UPDATE SET log_id = excluded.log_id").await;
    crew.world.until("nobody makes payments", async || !available().await).await;
    let here = cashier.sagas.payments_availability().await.unwrap();
    assert!(matches!(here, Availability::Unavailable { .. }), "not in its own process either");
    cashier.leave().await;
}

#[tokio::test]
async fn payments_can_be_made_while_one_of_those_who_make_them_can() {
    let Some(crew) = Crew::new(SHORT).await else { return };
    let sagas = crew.world.sagas();
    let now = async || sagas.payments_availability().await.unwrap();
    let effects = |gateway: &Arc<Sandbox>| Effects { gateway: gateway.clone(), ..crew.world.effects() };
    let folder = tempfile::tempdir().unwrap();
    let sandbox =
        |name: &str| Arc::new(Sandbox::open(&folder.path().join(name), SandboxOptions::default()).unwrap());
    let (cut_off, well) = (sandbox("a.db"), sandbox("b.db"));
    cut_off.behave(Behaviour { outage: true, ..Behaviour::default() }).unwrap();
    let join = async |label: &str, gateway: &Arc<Sandbox>| {
        crew.join_with(&crew.schema.url, label, &["payments"], effects(gateway)).await.unwrap()
    };
    let [a, b] = [join("a", &cut_off).await, join("b", &well).await];
    crew.world.until("one can", async || now().await == Availability::Available).await;
    // Longer than it takes for both to have said it again.
    for _ in 0..60 {
        assert_eq!(now().await, Availability::Available, "the other one does not overrule him");
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    well.behave(Behaviour { outage: true, ..Behaviour::default() }).unwrap();
    crew.world.until("none can", async || now().await != Availability::Available).await;
    well.behave(Behaviour::default()).unwrap();
    crew.world.until("one can again", async || now().await == Availability::Available).await;
    // Whoever leaves takes his word back, and is not waited for.
    let begun = Instant::now();
    b.leave().await;
    crew.world.until("none can", async || now().await != Availability::Available).await;
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    a.leave().await;
}
