//! Each fault of its own: it happens, and money is taken once, or not at all.

use std::{sync::atomic::Ordering::SeqCst, time::Duration};

use domain::{
    PaymentId,
    payment::{Payment, PaymentTiming},
};
use gateway::{Behaviour, method};
use tokio::time::sleep;

use crate::{
    life::{Settings, World},
    oracle::Money,
};

const HOUR: Duration = Duration::from_secs(3600);

async fn world() -> World {
    World::new(Settings::default()).await
}

/// A world that waits for answers for longer than a busy machine makes it wait.
async fn patient() -> World {
    World::new(Settings { deadline: Duration::from_secs(10), ..Settings::default() }).await
}

impl World {
    async fn at_once(&self) -> PaymentId {
        self.ask(PaymentTiming::AtOrder, Some(method::OK), HOUR).await
    }

    async fn status(&self, id: PaymentId) -> &'static str {
        use domain::Aggregate as _;
        self.parts().executor.load::<Payment>(&id).await.unwrap().state.status()
    }

    /// Everything ends, and nothing is wrong.
    async fn over(&self) -> Money {
        self.ended().await.unwrap();
        self.audit().await.unwrap()
    }
}

#[tokio::test]
async fn in_the_normal_case_there_is_one_call_and_no_look_up() {
    let world = patient().await;
    for _ in 0..20 {
        world.at_once().await;
    }
    assert_eq!(world.over().await.kept, 20);
    let traffic = &world.network.traffic;
    assert_eq!((traffic.charges.load(SeqCst), traffic.look_ups.load(SeqCst)), (20, 0));
}

#[tokio::test]
async fn an_unknown_outcome_costs_one_look_up() {
    for behaviour in [
        Behaviour { late_answer_ms: 40, ..Behaviour::default() },
        Behaviour { garbage_rate: 1.0, ..Behaviour::default() },
        Behaviour { wrong_body_rate: 1.0, ..Behaviour::default() },
        Behaviour { drop_rate: 1.0, ..Behaviour::default() },
    ] {
        let world = world().await;
        world.behave(behaviour);
        let id = world.at_once().await;
        let books = async || !world.network.sandbox.entries().await.unwrap().is_empty();
        world.until("the books", books).await.unwrap();
        world.behave(Behaviour::default());
        assert_eq!((world.over().await.kept, world.status(id).await), (1, "captured"), "{behaviour:?}");
        let traffic = &world.network.traffic;
        assert_eq!(traffic.charges.load(SeqCst), 1, "{behaviour:?}: nothing is charged twice to find out");
        assert_eq!(traffic.found.load(SeqCst), 1, "{behaviour:?}");
    }
}

#[tokio::test]
async fn a_step_of_an_earlier_life_is_looked_up_before_anything_is_charged() {
    let mut world = world().await;
    world.behave(Behaviour { late_answer_ms: 10_000, ..Behaviour::default() });
    world.at_once().await;
    world
        .until("the books", async || !world.network.sandbox.entries().await.unwrap().is_empty())
        .await
        .unwrap();
    world.kill().await;
    world.behave(Behaviour::default());
    assert_eq!(world.over().await.kept, 1);
    assert_eq!(world.network.traffic.charges.load(SeqCst), 1);
}

#[tokio::test]
async fn a_key_that_nobody_knows_is_voided_once_the_payment_is_due() {
    let world = patient().await;
    world.behave(Behaviour { outage: true, ..Behaviour::default() });
    let id = world.at_once().await;
    // The charge was answered: no other is made while nobody can be asked about it.
    world.until("tried again", async || world.network.traffic.look_ups.load(SeqCst) > 0).await.unwrap();
    world.clock.jump(2 * 3_600_000);
    world.behave(Behaviour::default());
    let money = world.over().await;
    assert_eq!((money.captured, money.voided), (0, 1));
    assert_ne!(world.status(id).await, "captured");
}

#[tokio::test]
async fn a_clock_that_jumps_over_the_deadline_and_back_during_a_call_loses_no_money() {
    for jumps in [&[7_200_000_i64][..], &[7_200_000, -7_200_000], &[-7_200_000], &[-7_200_000, 14_400_000]] {
        let world = world().await;
        world.behave(Behaviour { latency_min_ms: 30, latency_max_ms: 40, ..Behaviour::default() });
        for _ in 0..5 {
            world.at_once().await;
        }
        for jump in jumps {
            sleep(Duration::from_millis(20)).await;
            world.clock.jump(*jump);
        }
        sleep(Duration::from_millis(30)).await;
        world.behave(Behaviour::default());
        let money = world.over().await;
        assert_eq!(money.captured, money.kept, "{jumps:?}: what came late counts");
    }
}

#[tokio::test]
async fn a_flapping_provider_charges_each_once() {
    let world = world().await;
    let mut ids = Vec::new();
    for turn in 0..60 {
        world.behave(Behaviour {
            outage: turn % 2 == 0,
            late_answer_ms: turn % 3 * 20,
            ..Behaviour::default()
        });
        ids.push(world.at_once().await);
        sleep(Duration::from_millis(3)).await;
    }
    world.behave(Behaviour::default());
    assert_eq!(world.over().await.kept, 60);
    assert!(world.guarded().0 > 0, "the breaker never opened");
}

#[tokio::test]
async fn callbacks_that_come_many_times_and_beside_the_answer_change_nothing() {
    let world = world().await;
    world.behave(Behaviour { late_answer_ms: 10, ..Behaviour::default() });
    let mut told = 0;
    for _ in 0..10 {
        world.at_once().await;
        told += world.call_back().await;
        told += world.call_back().await;
    }
    let before = world.over().await;
    told += world.call_back().await;
    assert!(told > 10, "{told}");
    let after = world.over().await;
    assert_eq!((before.kept, after.kept, after.refunded), (10, 10, 0));
}

#[tokio::test]
async fn a_refund_whose_answer_is_lost_is_made_once() {
    let world = world().await;
    let id = world.at_once().await;
    world.over().await;
    world.behave(Behaviour { drop_rate: 1.0, ..Behaviour::default() });
    world.cancel(id).await;
    world.until("tried again", async || world.network.traffic.refunds.load(SeqCst) > 1).await.unwrap();
    world.behave(Behaviour::default());
    let money = world.over().await;
    assert_eq!((money.captured, money.refunded, money.kept), (1, 1, 0));
}
