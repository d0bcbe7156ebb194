//! Slots come and go with the processes that have them; no order notices.

use std::time::Duration;

use domain::{Aggregate as _, order::payment_of, payment::Payment};
use gateway::method;
use orderstream_sagas::process_names;
use tokio::time::Instant;

use crate::{
    crew::{Crew, LONG, PATIENCE, SHORT},
    support::{Wish, deferred},
};

#[tokio::test]
async fn one_process_becomes_three_while_orders_run_and_each_has_its_fair_share() {
    let Some(mut crew) = Crew::new(LONG).await else { return };
    let a = crew.join("a").await;
    crew.shared_by(&["a"]).await;
    crew.place(100).await;
    let (b, c) = (crew.join("b").await, crew.join("c").await);
    crew.place(200).await;
    let took = crew.shared_by(&["a", "b", "c"]).await;
    eprintln!("64 slots of 9 process managers were shared anew in {took:?}, leases last {LONG:?}");
    crew.settle().await;
    crew.all_confirmed_once().await;
    for member in [a, b, c] {
        member.leave().await;
    }
}

#[tokio::test]
async fn who_dies_is_replaced_within_the_time_that_a_lease_lasts() {
    let Some(mut crew) = Crew::new(SHORT).await else { return };
    let (a, b, c) = (crew.join("a").await, crew.join("b").await, crew.join("c").await);
    crew.shared_by(&["a", "b", "c"]).await;
    crew.place(60).await;
    b.die().await;
    let begun = Instant::now();
    crew.place(60).await;
    crew.shared_by(&["a", "c"]).await;
    let took = begun.elapsed();
    eprintln!("the slots of a process that died were taken over within {took:?}, leases last {SHORT:?}");
    assert!(took < SHORT + Duration::from_secs(5), "it took {took:?}");
    crew.place(30).await;
    crew.settle().await;
    crew.all_confirmed_once().await;
    a.leave().await;
    c.leave().await;
}

#[tokio::test]
async fn who_leaves_gives_its_slots_away_at_once() {
    let Some(mut crew) = Crew::new(LONG).await else { return };
    let (a, b) = (crew.join("a").await, crew.join("b").await);
    crew.shared_by(&["a", "b"]).await;
    crew.place(60).await;
    let begun = Instant::now();
    b.leave().await;
    let left = begun.elapsed();
    crew.shared_by(&["a"]).await;
    let took = begun.elapsed();
    eprintln!("a process left in {left:?} and its slots were taken after {took:?}, leases last {LONG:?}");
    assert!(took < LONG.mul_f64(0.7), "it took {took:?}");
    crew.settle().await;
    crew.all_confirmed_once().await;
    a.leave().await;
    assert!(crew.holders("checkout").await.is_empty(), "nobody is left");
}

#[tokio::test]
async fn who_leaves_while_a_charge_is_slow_keeps_only_the_slot_of_that() {
    let Some(crew) = Crew::new(LONG).await else { return };
    let a = crew.join("a").await;
    crew.shared_by(&["a"]).await;
    let b = crew.join("b").await;
    crew.shared_by(&["a", "b"]).await;
    // Enough that each of them has some.
    crew.world.provider.sleep(method::INSUFFICIENT_FUNDS);
    let line = [(crew.pizza, 1, 700)];
    for _ in 0..6 {
        crew.world.place(Wish::of(&crew.world).token(method::INSUFFICIENT_FUNDS).lines(&line)).await;
    }
    crew.world.provider.charges_asked(6).await;
    let leaving = tokio::spawn(b.leave());
    let begun = Instant::now();
    while crew.holders("payments").await.get("a").is_none_or(|slots| *slots < 64 - 6) {
        assert!(begun.elapsed() < PATIENCE, "{:?}", crew.holders("payments").await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    eprintln!("slots without work under way were given away {:?} after the stop began", begun.elapsed());
    assert!(!leaving.is_finished(), "it waits for the charges");
    crew.world.provider.wake();
    leaving.await.unwrap();
    crew.settle().await;
    a.leave().await;
}

#[tokio::test]
async fn timers_fire_once_wherever_their_slots_have_gone() {
    let Some(mut crew) = Crew::new(SHORT).await else { return };
    let a = crew.join("a").await;
    let world = &crew.world;
    let mut orders = Vec::new();
    for _ in 0..40 {
        let wish = Wish::of(world).policy(deferred()).lines(&[(crew.pizza, 1, 700)]);
        orders.push(world.place(wish).await);
    }
    let (b, c) = (crew.join("b").await, crew.join("c").await);
    crew.shared_by(&["a", "b", "c"]).await;
    crew.settle().await;
    // All due at once, with slots on the way from one to another.
    a.die().await;
    crew.world.later(3600).await;
    let d = crew.join("d").await;
    for order in &orders {
        crew.world.until("expired", async || crew.world.status_of(*order).await[0] == "rejected").await;
    }
    crew.shared_by(&["b", "c", "d"]).await;
    crew.settle().await;
    crew.orders = orders;
    for (order, events) in crew.events_by_subject().await {
        let expected = [
            "order.placed",
            "order.rejected",
            "payment.expired",
            "payment.requested",
            "product.stock_released",
            "product.stock_reserved",
        ];
        assert_eq!(events, expected, "{order}");
    }
    assert_eq!(crew.world.stock_of(crew.pizza).await, (1_000_000, 0));
    let left = sqlx::query("SELECT FROM timers").fetch_all(crew.schema.database.pool()).await.unwrap();
    assert_eq!(left.len(), 0, "no timer is left");
    for member in [b, c, d] {
        member.leave().await;
    }
}

#[tokio::test]
async fn processes_that_come_and_go_and_die_and_stand_still_lose_and_double_nothing() {
    use rand::{Rng, SeedableRng};
    let Some(mut crew) = Crew::new(SHORT).await else { return };
    let seed = rand::rng().random();
    eprintln!("seed {seed}");
    let mut dice = rand::rngs::SmallRng::seed_from_u64(seed);
    let mut members = vec![crew.join("0").await];
    for turn in 1..=12 {
        let which = dice.random_range(0..members.len());
        match dice.random_range(0..6) {
            0 | 1 if members.len() < 4 => members.push(crew.join(&turn.to_string()).await),
            2 => members.swap_remove(which).die().await,
            3 => members.swap_remove(which).leave().await,
            _ => {
                let paused = members[which].pause();
                crew.place(5).await;
                tokio::time::sleep(SHORT.mul_f64(dice.random_range(0.1..2.0))).await;
                drop(paused);
            }
        }
        if members.is_empty() {
            members.push(crew.join(&format!("{turn} alone")).await);
        }
        crew.place(10).await;
        tokio::time::sleep(Duration::from_millis(dice.random_range(0..300))).await;
        // It may be too early or too late for that.
        let _ = crew.world.cancel(crew.orders[dice.random_range(0..crew.orders.len())]).await;
    }
    crew.settle().await;
    let labels: Vec<&str> = members.iter().map(|member| member.label.as_str()).collect();
    crew.shared_by(&labels).await;
    crew.settle().await;
    for (order, events) in crew.events_by_subject().await {
        assert!(events.iter().is_sorted_by(|a, b| a < b), "{order}: a step took effect twice: {events:?}");
    }
    let mut confirmed = 0;
    for order in &crew.orders {
        match crew.world.status_of(*order).await {
            ["confirmed", "captured", "requested"] => confirmed += 1,
            ["cancelled", ..] => drop(crew.world.end_of(*order).await),
            other => panic!("{order}: {other:?}"),
        }
    }
    eprintln!("{confirmed} of {} orders were not cancelled", crew.orders.len());
    assert_eq!(crew.world.stock_of(crew.pizza).await, (1_000_000 - confirmed, confirmed));
}

#[tokio::test]
#[ignore = "a measurement; run it by name, with --release"]
async fn figures_of_one_process_and_of_three() {
    let Some(mut crew) = Crew::new(LONG).await else { return };
    let mut members = Vec::new();
    for labels in [&["a"][..], &["a", "b", "c"]] {
        for label in &labels[members.len()..] {
            members.push(crew.join(label).await);
        }
        crew.shared_by(labels).await;
        let begun = Instant::now();
        crew.place(1_000).await;
        let placed = begun.elapsed();
        crew.settle().await;
        let took = begun.elapsed();
        let rate = 1_000.0 / took.as_secs_f64();
        eprintln!(
            "{} processes: 1,000 orders placed in {placed:?}, confirmed in {took:?}: {rate:.0}/s",
            labels.len()
        );
    }
    crew.all_confirmed_once().await;
}

#[tokio::test]
async fn a_process_runs_some_process_managers_and_another_the_rest() {
    let Some(mut crew) = Crew::new(SHORT).await else { return };
    let rest: Vec<_> = process_names().iter().copied().filter(|name| *name != "payments").collect();
    let most = crew.join_to_run("most", &rest).await;
    crew.place(20).await;
    let order = crew.orders[0];
    crew.world.seen(order, "payment.requested", 1).await;
    let payment = crew.world.executor.load::<Payment>(&payment_of(order)).await.unwrap().state;
    assert_eq!(payment.status(), "requested", "nobody charges");
    let cashier = crew.join_to_run("cashier", &["payments"]).await;
    crew.settle().await;
    crew.all_confirmed_once().await;
    assert_eq!(crew.holders("payments").await.into_iter().collect::<Vec<_>>(), [("cashier".to_owned(), 64)]);
    most.leave().await;
    cashier.leave().await;
}
