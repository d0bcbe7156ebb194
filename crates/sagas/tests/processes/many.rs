//! Many orders at once: each in order, none in the way of another.

use domain::NotifiedChange;
use gateway::method;
use orderstream_sagas::{InstanceFilter, InstanceState};

use crate::support::{Wish, World};

#[tokio::test]
async fn one_slow_charge_does_not_hold_up_a_hundred_other_orders() {
    let world = World::new().await;
    let pizza = world.list(700, Some(60)).await;
    world.provider.sleep(method::INSUFFICIENT_FUNDS);
    let slow = world.place(Wish::of(&world).token(method::INSUFFICIENT_FUNDS)).await;
    world.provider.charges_asked(1).await;
    let wish = || Wish::of(&world).lines(&[(pizza, 1, 700)]).notify(&NotifiedChange::ALL);
    let orders = futures::future::join_all((0..100).map(|_| world.place(wish()))).await;
    for order in &orders {
        world.until("decided", async || world.status_of(*order).await[0] != "awaiting_payment").await;
    }
    assert_eq!(world.status_of(slow).await, ["awaiting_payment", "capturing", "absent"]);
    let filter = InstanceFilter { process: Some("payments".to_owned()), ..InstanceFilter::default() };
    let open = world.sagas().list(filter).await.unwrap().instances;
    assert_eq!(open.len(), 1, "only the slow one is open");
    assert_eq!((open[0].state, open[0].step.as_deref()), (InstanceState::Running, Some("charge/1")));

    world.provider.wake();
    world.settle().await;
    assert_eq!(world.status_of(slow).await, ["rejected", "declined", "absent"]);
    let mut confirmed = 0;
    for order in &orders {
        let told: &[&str] = match world.status_of(*order).await {
            ["confirmed", "captured", "requested"] => {
                confirmed += 1;
                &["order_placed", "payment_captured", "order_confirmed", "delivery_requested"]
            }
            ["rejected", "absent", "absent"] => &["order_placed", "order_rejected"],
            other => panic!("{other:?}"),
        };
        assert_eq!(world.mailbox.told_of(*order), told, "the messages of one order leave in order");
    }
    assert_eq!(confirmed, 60, "as many as there were pieces");
    assert_eq!(world.stock_of(pizza).await, (0, 60));
}

#[tokio::test]
async fn many_orders_killed_again_and_again_end_as_one_would() {
    let world = World::new().await;
    let pizza = world.list(700, Some(1000)).await;
    let cards = [method::OK, method::DECLINED, method::TIMEOUT_THEN_CAPTURED, method::INSUFFICIENT_FUNDS];
    let mut orders = Vec::new();
    for round in 0..5 {
        for card in cards {
            orders.push((card, world.place(Wish::of(&world).token(card).lines(&[(pizza, 2, 700)])).await));
        }
        world.rebirth().await;
        if round % 2 == 1 {
            world.rebirth_from_nothing().await;
        }
    }
    world.settle().await;
    for (number, (card, order)) in orders.iter().enumerate() {
        let good = matches!(*card, method::OK | method::TIMEOUT_THEN_CAPTURED);
        let expected =
            if good { ["confirmed", "captured", "requested"] } else { ["rejected", "declined", "absent"] };
        assert_eq!(world.status_of(*order).await, expected, "order {number} with {card}");
        world.end_of(*order).await;
    }
    assert_eq!(world.stock_of(pizza).await, (980, 20));
}
