//! Races over goods, coupons and refunds: everybody at once, in tasks of their own, many times over.

use std::{sync::Arc, time::Duration};

use domain::{OrderId, ProductId};
use gateway::LedgerKind;
use orderstream_sagas::InstanceState;

use crate::support::{Wish, World, loyal, returnable};

/// How often each race is run.
const ROUNDS: usize = 24;

/// What all customers together have paid and not got back, by the provider's books.
async fn taken(world: &World) -> i64 {
    let books = world.provider.books().await;
    let signed = books.iter().filter(|entry| entry.charge_ref.is_some()).map(|entry| match entry.kind {
        LedgerKind::Charge => entry.amount_minor,
        LedgerKind::Refund => -entry.amount_minor,
        _ => 0,
    });
    signed.sum()
}

/// Waits until goods of the order are on their way back.
async fn going_back(world: &World, order: OrderId) {
    while !world.events_of(order).await.contains(&"delivery.return_started") {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Runs both at once, the second a little later every round, so that each is first now and then.
async fn at_once<A: Send + 'static, B: Send + 'static>(
    round: usize,
    first: impl Future<Output = A> + Send + 'static,
    second: impl Future<Output = B> + Send + 'static,
) -> (A, B) {
    let pause = Duration::from_micros(round as u64 / 2 * 100);
    let (late_first, late_second) = if round.is_multiple_of(2) { (false, true) } else { (true, false) };
    let after = move |late: bool| async move {
        if late {
            tokio::time::sleep(pause).await;
        }
    };
    let first = tokio::spawn(async move {
        after(late_first).await;
        first.await
    });
    let second = tokio::spawn(async move {
        after(late_second).await;
        second.await
    });
    (first.await.unwrap(), second.await.unwrap())
}

/// So many orders of one piece for 1000 that have arrived.
async fn delivered(world: &World, pizza: ProductId, orders: usize) -> Vec<OrderId> {
    let wish = || Wish::of(world).policy(loyal(1000)).lines(&[(pizza, 1, 1000)]);
    let orders = futures::future::join_all((0..orders).map(|_| world.place(wish()))).await;
    world.settle().await;
    for order in &orders {
        world.accept_and_ship(*order).await;
        world.complete(*order).await.unwrap();
    }
    world.settle().await;
    orders
}

async fn nobody_is_stuck(world: &World) {
    let open = world.open().await;
    assert!(open.iter().all(|instance| instance.state == InstanceState::Waiting), "{open:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_orders_for_the_last_ten_pieces_sell_exactly_ten() {
    let world = Arc::new(World::new().await);
    let pizza = world.list(700, Some(10)).await;
    let placed = (0..200).map(|_| {
        let world = world.clone();
        tokio::spawn(async move { world.place(Wish::of(&world).lines(&[(pizza, 1, 700)])).await })
    });
    let placed = futures::future::join_all(placed.collect::<Vec<_>>()).await;
    world.settle().await;
    let mut sold = 0;
    for order in placed {
        match world.status_of(order.unwrap()).await {
            ["confirmed", "captured", "requested"] => sold += 1,
            ["rejected", "absent", "absent"] => {}
            other => panic!("neither sold nor turned down: {other:?}"),
        }
    }
    assert_eq!(sold, 10);
    assert_eq!(world.stock_of(pizza).await, (0, 10));
    assert_eq!(taken(&world).await, 7000);
    nobody_is_stuck(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_refunds_for_one_line_at_once_pay_once() {
    let world = Arc::new(World::new().await);
    let pizza = world.list(1000, None).await;
    let orders = delivered(&world, pizza, ROUNDS).await;
    let mut refunds = Vec::new();
    for (round, order) in orders.iter().copied().enumerate() {
        let (one, other) = (world.clone(), world.clone());
        let first = async move { one.ask_back(order, &[(pizza, 1)]).await };
        // Now and then the shop has the first return before the second is asked for.
        let second = async move {
            if round.is_multiple_of(3) {
                going_back(&other, order).await;
                other.receive(order).await.unwrap();
            }
            other.ask_back(order, &[(pizza, 1)]).await
        };
        refunds.push(at_once(round, first, second).await);
    }
    world.settle().await;
    for (round, (order, refund)) in orders.iter().zip(&refunds).enumerate() {
        let mut statuses = [world.refund_status(refund.0).await, world.refund_status(refund.1).await];
        statuses.sort_unstable();
        if round.is_multiple_of(3) {
            assert_eq!(statuses, ["completed", "refused"], "round {round}");
        } else {
            assert_eq!(statuses, ["refused", "returning"], "round {round}");
            world.receive(*order).await.unwrap();
        }
    }
    world.settle().await;
    for order in &orders {
        let end = world.end_of(*order).await;
        assert!(end.starts_with("completed, refunded, returned; "), "{end}");
        assert!(end.contains("; kept 0; ") && end.contains("refund of 1000 less 0; "), "{end}");
    }
    assert_eq!(taken(&world).await, 0);
    nobody_is_stuck(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_coupon_that_two_orders_use_at_once_is_used_once() {
    let world = Arc::new(World::new().await);
    let pizza = world.list(1000, None).await;
    let cola = world.list(500, Some(100)).await;
    let earned = delivered(&world, pizza, ROUNDS).await;
    let before = taken(&world).await;
    let mut pairs = Vec::new();
    for (round, earlier) in earned.iter().copied().enumerate() {
        let place = |world: Arc<World>| async move {
            world.place(Wish::of(&world).lines(&[(cola, 1, 500)]).coupon_of(earlier)).await
        };
        pairs.push(at_once(round, place(world.clone()), place(world.clone())).await);
    }
    world.settle().await;
    for (earlier, (one, other)) in earned.iter().zip(&pairs) {
        let mut statuses = [world.status_of(*one).await[0], world.status_of(*other).await[0]];
        statuses.sort_unstable();
        assert_eq!(statuses, ["confirmed", "rejected"]);
        assert_eq!(world.coupon_status(*earlier).await, "redeemed");
    }
    let sold = ROUNDS as i64;
    assert_eq!(taken(&world).await - before, sold * 450, "each with its discount");
    assert_eq!(world.stock_of(cola).await, (100 - ROUNDS as u64, ROUNDS as u64));
    nobody_is_stuck(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_return_that_is_cancelled_and_received_at_once_ends_in_one_of_both_ways() {
    let world = Arc::new(World::new().await);
    let pizza = world.list(1000, None).await;
    let orders = delivered(&world, pizza, ROUNDS).await;
    let mut received = 0;
    for (round, order) in orders.iter().copied().enumerate() {
        let refund = world.ask_back(order, &[]).await;
        going_back(&world, order).await;
        let (customer, shop) = (world.clone(), world.clone());
        let cancel = async move { customer.keep_goods(order, refund).await.is_ok() };
        let receive = async move { shop.receive(order).await.is_ok() };
        let (is_kept, is_received) = at_once(round, cancel, receive).await;
        assert!(is_kept != is_received, "round {round}: {is_kept} and {is_received}");
        received += usize::from(is_received);
        world.settle().await;
        let end = world.end_of(order).await;
        let expected = if is_received {
            "completed, refunded, returned; shelf 10+0 and 5+0; kept 0; refund of 1000 less 0; \
                earned coupon revoked"
        } else {
            "completed, captured, delivered; shelf 10+0 and 5+0; kept 1000; refund cancelled; \
                earned coupon issued"
        };
        assert_eq!(end, expected, "round {round}");
    }
    assert_eq!(taken(&world).await, 1000 * (ROUNDS - received) as i64);
    nobody_is_stuck(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_with_a_coupon_that_is_cancelled_and_shipped_at_once_ends_in_one_of_both_ways() {
    let world = Arc::new(World::new().await);
    let pizza = world.list(1000, None).await;
    let cola = world.list(500, Some(100)).await;
    let earned = delivered(&world, pizza, ROUNDS).await;
    let before = taken(&world).await;
    let mut shipped = 0;
    for (round, earlier) in earned.iter().copied().enumerate() {
        let order = world.place(Wish::of(&world).lines(&[(cola, 1, 500)]).coupon_of(earlier)).await;
        world.seen(order, "delivery.requested", 1).await;
        world.accept(order).await.unwrap();
        let (customer, shop) = (world.clone(), world.clone());
        let cancel = async move { customer.cancel(order).await.unwrap() };
        let ship = async move { shop.ship(order).await.is_ok() };
        let (_, is_shipped) = at_once(round, cancel, ship).await;
        world.settle().await;
        let (expected, coupon) = if is_shipped {
            (["confirmed", "captured", "shipped"], "redeemed")
        } else {
            (["cancelled", "refunded", "cancelled"], "issued")
        };
        shipped += u64::from(is_shipped);
        assert_eq!(world.status_of(order).await, expected, "round {round}");
        assert_eq!(world.coupon_status(earlier).await, coupon, "round {round}");
    }
    assert_eq!(taken(&world).await - before, 450 * shipped as i64);
    assert_eq!(world.stock_of(cola).await, (100 - shipped, 0));
    nobody_is_stuck(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_coupon_that_is_used_and_taken_back_at_once_is_paid_for_by_one_of_both() {
    let world = Arc::new(World::new().await);
    let pizza = world.list(1000, None).await;
    let cola = world.list(500, Some(100)).await;
    let earned = delivered(&world, pizza, ROUNDS).await;
    let mut used = 0;
    for (round, earlier) in earned.iter().copied().enumerate() {
        let (customer, again) = (world.clone(), world.clone());
        let back = async move {
            customer.ask_back(earlier, &[]).await;
            going_back(&customer, earlier).await;
            customer.receive(earlier).await.unwrap();
        };
        let place =
            async move { again.place(Wish::of(&again).lines(&[(cola, 1, 500)]).coupon_of(earlier)).await };
        let ((), order) = at_once(round, back, place).await;
        world.settle().await;
        let is_used = match world.status_of(order).await[0] {
            "confirmed" => true,
            "rejected" => false,
            other => panic!("round {round}: {other}"),
        };
        used += i64::from(is_used);
        let end = world.end_of(earlier).await;
        let refund = if is_used { "refund of 950 less 50" } else { "refund of 1000 less 0" };
        assert!(end.contains(refund), "round {round}: {end}");
        assert_eq!(world.coupon_status(earlier).await, if is_used { "redeemed" } else { "revoked" });
    }
    // Who used a coupon has paid 450 and given up 50 of the refund: in the end the whole price.
    assert_eq!(taken(&world).await, 500 * used);
    nobody_is_stuck(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parts_that_are_asked_back_by_many_at_once_never_pay_more_than_was_paid() {
    let world = Arc::new(World::new().await);
    let pizza = world.list(333, None).await;
    let policy = returnable();
    let order = world.delivered(Wish::of(&world).policy(policy).lines(&[(pizza, 5, 333)])).await;
    let customers = (0..12).map(|number| {
        let world = world.clone();
        tokio::spawn(async move {
            for _ in 0..4 {
                let refund = world.ask_back(order, &[(pizza, 1 + number % 2)]).await;
                while world.refund_status(refund).await == "requested" {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                // Of whichever is open: only one can be.
                let _ = world.receive(order).await;
            }
        })
    });
    futures::future::join_all(customers.collect::<Vec<_>>()).await.into_iter().for_each(Result::unwrap);
    let _ = world.receive(order).await;
    world.settle().await;
    if world.status_of(order).await[2] == "delivered" {
        world.give_back(order, &[]).await;
    }
    assert_eq!(world.status_of(order).await, ["completed", "refunded", "returned"]);
    assert_eq!(taken(&world).await, 0);
    world.end_of(order).await;
    nobody_is_stuck(&world).await;
}
