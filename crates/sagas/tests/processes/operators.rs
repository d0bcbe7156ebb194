//! Operators: why is it stuck, and what can be done about it.

use std::{
    sync::{Arc, atomic::Ordering::SeqCst},
    time::{Duration, Instant},
};

use domain::{
    Actor, AnyCommand, OrderId, ProductId,
    order::{CancellationCause, OrderCommand},
};
use eventlog::Clock;
use orderstream_sagas::{
    InstanceFilter, InstanceState, SagaError, SagaOptions, Sagas, WorkStore, process_names,
};
use uuid::Uuid;

use crate::support::{ALWAYS, Wish, World, deferred};

fn only(process: &str, state: InstanceState) -> InstanceFilter {
    InstanceFilter { process: Some(process.to_owned()), state: Some(state), ..InstanceFilter::default() }
}

/// A world with an order of a product that is not there (yet), and one whose delivery waits for the shop.
async fn stuck() -> (World, OrderId, ProductId) {
    let world = World::new().await;
    let missing = world.new_product();
    let order = world.order(Wish::of(&world).lines(&[(missing, 2, 700)])).await;
    (world, order, missing)
}

#[tokio::test]
async fn a_product_that_is_not_there_leaves_its_order_stuck_with_a_reason_and_no_other() {
    let (world, order, missing) = stuck().await;
    let listed = world.sagas().list(only("checkout", InstanceState::Stuck)).await.unwrap().instances;
    assert_eq!(listed.len(), 1);
    let step = format!("reserve_stock/{missing}");
    assert_eq!((listed[0].key, listed[0].step.as_deref()), (order.uuid(), Some(step.as_str())));
    assert_eq!((listed[0].attempts, listed[0].next_retry_at), (1, None));
    let reason = listed[0].last_error.clone().unwrap();
    assert!(reason.starts_with(&step) && reason.ends_with("(product_not_found)"), "{reason}");
    assert_eq!(listed[0].awaiting.as_deref(), Some("stock of 1 product(s)"));

    let other = world.order(Wish::of(&world)).await;
    assert_eq!(world.status_of(other).await, ["confirmed", "captured", "requested"]);
    let shown = world.sagas().show("checkout", order.uuid()).await.unwrap().unwrap();
    assert_eq!(shown.summary, listed[0]);
    assert_eq!((shown.version, shown.pending.len(), shown.timers.len()), (1, 1, 0));
    assert_eq!(shown.stage["stage"], "reserving");
    assert!(shown.pending[0].stuck);
    let status = world.sagas().status().await.unwrap();
    let checkout = status.iter().find(|process| process.name == "checkout").unwrap();
    assert!(checkout.running && checkout.trouble.is_none());
    assert!(checkout.holders.is_empty(), "one process has all of the work: {:?}", checkout.holders);
    assert_eq!((checkout.lag, checkout.open.clone()), (0, vec![(InstanceState::Stuck, 1)]));
}

#[tokio::test]
async fn a_retry_of_what_cannot_work_yet_is_stuck_again_and_later_goes_on() {
    let (world, order, missing) = stuck().await;
    let retried = world.sagas().retry("checkout", order.uuid()).await.unwrap();
    assert_eq!(retried.key, order.uuid());
    world.settle().await;
    let shown = world.sagas().show("checkout", order.uuid()).await.unwrap().unwrap();
    assert_eq!((shown.summary.state, shown.summary.attempts), (InstanceState::Stuck, 2));
    world.list_as(missing, 700, Some(5)).await;
    world.sagas().retry("checkout", order.uuid()).await.unwrap();
    world.settle().await;
    assert_eq!(world.status_of(order).await, ["confirmed", "captured", "requested"]);
    assert_eq!(world.stock_of(missing).await, (3, 2));
    assert_eq!(world.sagas().list(only("checkout", InstanceState::Stuck)).await.unwrap().instances, []);
}

#[tokio::test]
async fn what_is_stuck_stays_so_over_a_death_and_can_be_retried_while_nothing_runs() {
    let (world, order, missing) = stuck().await;
    world.rebirth().await;
    world.settle().await;
    world.list_as(missing, 700, Some(5)).await;
    world.settle().await;
    let stuck = world.sagas().show("checkout", order.uuid()).await.unwrap().unwrap();
    assert_eq!((stuck.summary.state, stuck.summary.attempts), (InstanceState::Stuck, 1));

    world.stop().await;
    let path = world.work_db();
    let work = tokio::task::spawn_blocking(move || WorkStore::open(&path)).await.unwrap().unwrap();
    let clock: Arc<dyn Clock> = world.clock.clone();
    let (executor, options) = (world.executor.clone(), SagaOptions::default());
    let offline = Sagas::open(work.clone(), executor, world.effects(), clock, options).await.unwrap();
    assert_eq!(
        offline.list(only("checkout", InstanceState::Stuck)).await.unwrap().instances,
        [stuck.summary]
    );
    let retried = offline.retry("checkout", order.uuid()).await.unwrap();
    assert_eq!(retried.state, InstanceState::Retrying);
    assert!(matches!(offline.retry("checkout", order.uuid()).await, Err(SagaError::NotStuck { .. })));
    work.close().await;

    world.start(process_names()).await;
    world.settle().await;
    assert_eq!(world.status_of(order).await, ["confirmed", "captured", "requested"]);
}

/// A fulfilment whose order was cancelled by hand and cannot be completed.
async fn cancelled_by_hand(world: &World) -> OrderId {
    let order = world.order(Wish::of(world)).await;
    world.accept_and_ship(order).await;
    world.settle().await;
    let without_cancellation: Vec<_> =
        process_names().iter().copied().filter(|name| *name != "cancellation").collect();
    world.only(&without_cancellation).await;
    let by = Actor::Admin("root".parse().unwrap());
    let cause = CancellationCause::Requested;
    let request = OrderCommand::RequestCancellation { by, cause, reason_id: None };
    for command in [request, OrderCommand::FinishCancellation] {
        world.give(order.uuid(), AnyCommand::Order { id: order, command }).await.unwrap();
    }
    world.complete(order).await.unwrap();
    world.settle().await;
    order
}

#[tokio::test]
async fn a_step_that_can_never_work_is_skipped() {
    let world = World::new().await;
    let order = cancelled_by_hand(&world).await;
    let stuck = world.sagas().list(only("fulfilment", InstanceState::Stuck)).await.unwrap().instances;
    let reason = stuck[0].last_error.as_deref();
    let expected = "complete_order: an order that is cancelled cannot be completed (illegal_transition)";
    assert_eq!((stuck.len(), reason), (1, Some(expected)));
    let skipped = world.sagas().skip("fulfilment", order.uuid()).await.unwrap();
    assert_eq!((skipped.state, skipped.step), (InstanceState::Ended, None));
    world.rebirth().await;
    world.settle().await;
    assert_eq!(world.sagas().list(only("fulfilment", InstanceState::Stuck)).await.unwrap().instances, []);
    let ended = world.sagas().list(only("fulfilment", InstanceState::Ended)).await.unwrap().instances;
    assert_eq!(ended.len(), 1);
}

#[tokio::test]
async fn only_what_is_stuck_or_waits_for_a_retry_can_be_retried_or_skipped() {
    let world = World::new().await;
    let order = world.order(Wish::of(&world)).await;
    let sagas = world.sagas();
    let at_rest = sagas.retry("fulfilment", order.uuid()).await;
    assert!(matches!(at_rest, Err(SagaError::NotStuck { .. })), "{at_rest:?}");
    let ended = sagas.skip("checkout", order.uuid()).await;
    assert!(matches!(ended, Err(SagaError::NotStuck { .. })), "{ended:?}");
    let unknown = sagas.skip("cancellation", world.ids.next_anywhere()).await;
    assert!(matches!(unknown, Err(SagaError::UnknownInstance { .. })), "{unknown:?}");
    let no_process = sagas.retry("chekcout", order.uuid()).await.unwrap_err();
    assert!(matches!(&no_process, SagaError::UnknownProcess { name } if name == "chekcout"));
    assert!(no_process.to_string().contains("checkout, payments, fulfilment"), "{no_process}");
    assert!(sagas.show("nonsense", order.uuid()).await.is_err());
    assert_eq!(sagas.show("payments", order.uuid()).await.unwrap(), None, "its instances are payments");
}

#[tokio::test]
async fn a_provider_that_is_down_shows_as_retrying_with_the_reason_and_the_next_try() {
    let world = World::new().await;
    world.provider.unreachable.store(ALWAYS, SeqCst);
    let order = world.place(Wish::of(&world)).await;
    world.provider.charges_asked(3).await;
    world
        .until("retrying", async || {
            let retrying =
                world.sagas().list(only("payments", InstanceState::Retrying)).await.unwrap().instances;
            retrying.len() == 1 && retrying[0].attempts >= 2 && retrying[0].next_retry_at.is_some()
        })
        .await;
    let payment = domain::order::payment_of(order).uuid();
    let shown = world.sagas().show("payments", payment).await.unwrap().unwrap().summary;
    assert_eq!(shown.step.as_deref(), Some("charge/1"));
    let reason = "the payment provider cannot be reached: no connection";
    assert_eq!(shown.last_error.as_deref(), Some(reason));
    assert_eq!(shown.awaiting.as_deref(), Some("the provider's answer"));
    assert!(shown.deadline.is_some());
    world.provider.unreachable.store(0, SeqCst);
    world.settle().await;
    assert_eq!(world.status_of(order).await, ["confirmed", "captured", "requested"]);
}

#[tokio::test]
async fn what_failed_rests_before_it_is_tried_again_unless_an_operator_is_faster() {
    let world = World::new().await;
    world.stop().await;
    let path = world.work_db();
    let work = tokio::task::spawn_blocking(move || WorkStore::open(&path)).await.unwrap().unwrap();
    let (executor, clock) = (world.executor.clone(), world.clock.clone());
    let first_retry = Duration::from_secs(2);
    let options = SagaOptions { first_retry, ..SagaOptions::default() };
    let sagas = Sagas::open(work.clone(), executor, world.effects(), clock, options).await.unwrap();
    sagas.start(process_names());
    world.provider.unreachable.store(ALWAYS, SeqCst);
    let begun = Instant::now();
    let order = world.place(Wish::of(&world)).await;
    let payment = domain::order::payment_of(order).uuid();
    world.provider.charges_asked(1).await;
    let resting = async || {
        let shown = sagas.show("payments", payment).await.unwrap().unwrap().summary;
        (shown.state == InstanceState::Retrying).then_some((shown.attempts, shown.next_retry_at))
    };
    world.until("resting", async || resting().await.is_some()).await;
    let (attempts, next) = resting().await.unwrap();
    // The pause is between half of what it is called and all of it.
    assert_eq!(attempts, 1);
    assert!((next.unwrap() - world.clock.now()).to_std().unwrap() <= first_retry);
    world.provider.charges_asked(2).await;
    assert!(begun.elapsed() >= first_retry / 2, "asked again after {:?}", begun.elapsed());
    // Twice as long the second time; an operator does not wait for it.
    world.until("resting", async || resting().await.is_some_and(|(attempts, _)| attempts == 2)).await;
    let again = Instant::now();
    sagas.retry("payments", payment).await.unwrap();
    world.provider.charges_asked(3).await;
    assert!(again.elapsed() < first_retry, "an operator waited for {:?}", again.elapsed());
    sagas.stop().await;
    work.close().await;
}

#[tokio::test]
async fn an_instance_that_waits_for_people_shows_its_deadline_and_its_timer() {
    let world = World::new().await;
    let order = world.order(Wish::of(&world).policy(deferred())).await;
    let payment = domain::order::payment_of(order).uuid();
    let shown = world.sagas().show("payments", payment).await.unwrap().unwrap();
    assert_eq!(shown.summary.awaiting.as_deref(), Some("the customer's payment"));
    assert_eq!(shown.summary.state, InstanceState::Waiting);
    let timers: Vec<_> = shown.timers.iter().map(|timer| (timer.name.as_str(), Some(timer.due_at))).collect();
    assert_eq!(timers, [("due", shown.summary.deadline)]);
}

/// All instances, read so many at a time; each page but the last is full and says that there is more.
async fn pages_of(limit: usize, world: &World, filter: InstanceFilter) -> Vec<(String, Uuid)> {
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = world.sagas().list(InstanceFilter { limit, after, ..filter.clone() }).await.unwrap();
        seen.extend(page.instances.iter().map(|instance| (instance.process.clone(), instance.key)));
        if page.next.is_none() {
            return seen;
        }
        assert_eq!(page.instances.len(), limit);
        after = page.next;
    }
}

#[tokio::test]
async fn a_long_list_is_read_page_by_page() {
    let world = World::new().await;
    let pizza = world.list(700, None).await;
    for _ in 0..7 {
        world.place(Wish::of(&world).lines(&[(pizza, 1, 700)])).await;
    }
    world.settle().await;
    // Of one process manager, whose instances fill the last page; and of all, in the middle of which pages end.
    let one = pages_of(7, &world, only("fulfilment", InstanceState::Waiting)).await;
    assert_eq!(one.len(), 7);
    assert!(one.is_sorted_by(|a, b| a.1 < b.1));
    let ended = InstanceFilter { state: Some(InstanceState::Ended), ..InstanceFilter::default() };
    let all = pages_of(5, &world, ended.clone()).await;
    let place = |name: &str| process_names().iter().position(|known| *known == name);
    assert!(all.is_sorted_by(|a, b| (place(&a.0), a.1) < (place(&b.0), b.1)), "{all:?}");
    let at_once = world.sagas().list(InstanceFilter { limit: 1_000, ..ended }).await.unwrap();
    assert_eq!((at_once.instances.len(), at_once.next), (all.len(), None));
    assert_eq!(all.len(), 14, "checkout and payments have ended: {all:?}");
}
