//! Streams whose id was minted a moment ago are taken to be new: right guesses, wrong ones, and looking on meanwhile.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::time::Duration;

use domain::{
    Actor, CancellableUntil, DeliveryId, Partition, ProductId,
    delivery::{Delivery, DeliveryCommand},
    ids::new_uuid,
    product::Product,
};
use orderstream_eventlog::{CommandContext, Effect, Log, LogOptions};
use support::{
    Faulty, available, ctx, ctx_of, executor, id, list, open, order_id, product_id, reserve, restock,
    stock_now,
};
use tempfile::tempdir;
use uuid::Uuid;

#[tokio::test]
async fn a_repeat_on_a_stream_that_was_taken_to_be_new_leaves_no_empty_state_behind() {
    let folder = tempdir().unwrap();
    let log = open(folder.path()).await;
    let (product, command) = (product_id(), id());
    let before = executor(&log);
    before.execute::<Product>(&product, list(product, 1), ctx()).await.unwrap();
    before.execute::<Product>(&product, restock(5), ctx_of(command)).await.unwrap();
    // As after a restart: nothing is cached, and the product's id is young.
    let after = executor(&log);
    let again = after.execute::<Product>(&product, restock(5), ctx_of(command)).await.unwrap();
    assert_eq!((again.effect, again.version), (Effect::Duplicate, 2));
    let loaded = after.load::<Product>(&product).await.unwrap();
    assert_eq!((loaded.version, available(&loaded.state)), (2, 6));
}

#[tokio::test]
async fn a_repeat_that_an_empty_stream_would_answer_otherwise_is_still_the_first_success() {
    let folder = tempdir().unwrap();
    let log = open(folder.path()).await;
    let (delivery_id, order, command) = (DeliveryId::from_uuid(id()), order_id(), id());
    let request = DeliveryCommand::RequestDelivery {
        delivery_id,
        order_id: order,
        shop_id: "phone".parse().unwrap(),
        customer_id: "alice".parse().unwrap(),
        lines: vec![],
        needs_preparation: false,
        cancellable_until: CancellableUntil::Requested,
        refund_window_secs: None,
    };
    let cancel = || DeliveryCommand::CancelForOrder {
        delivery_id,
        order_id: order,
        shop_id: "phone".parse().unwrap(),
        customer_id: "alice".parse().unwrap(),
    };
    let before = executor(&log);
    before.execute::<Delivery>(&delivery_id, request, ctx()).await.unwrap();
    let accept = DeliveryCommand::AcceptDelivery { by: Actor::System };
    before.execute::<Delivery>(&delivery_id, accept, ctx()).await.unwrap();
    // Too late, so refused; nothing to be called back would be cancelled.
    before.execute::<Delivery>(&delivery_id, cancel(), ctx_of(command)).await.unwrap();
    // As after a restart: nothing is cached, and the delivery's id is young.
    let again = executor(&log).execute::<Delivery>(&delivery_id, cancel(), ctx_of(command)).await.unwrap();
    assert_eq!((again.effect, again.version), (Effect::Duplicate, 3));
}

#[tokio::test]
async fn what_is_only_assumed_of_a_young_stream_is_not_shown() {
    let folder = tempdir().unwrap();
    let store = Faulty::open(folder.path(), false).await;
    let log = Log::start(store.clone(), LogOptions::default()).await.unwrap();
    let now = chrono::Utc::now();
    let young = ProductId::from_uuid(new_uuid(now, 7, Partition::of(Uuid::nil())));
    let at_now = || CommandContext { at: now, ..ctx() };
    executor(&log).execute::<Product>(&young, list(young, 5), at_now()).await.unwrap();
    // Another process, as after a restart: its first command takes the stream to be new, and waits for the disk.
    let restarted = executor(&log);
    let held = store.gate.lock().await;
    let waiting = tokio::spawn({
        let (restarted, context) = (restarted.clone(), at_now());
        async move { restarted.execute::<Product>(&young, reserve(order_id()), context).await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let seen = restarted.inspect::<Product, _>(&young, |version, _| version).await.unwrap();
    assert_eq!(seen, 1, "the product is on disk, whatever is assumed meanwhile");
    drop(held);
    waiting.await.unwrap().unwrap();
}

#[tokio::test]
async fn looking_at_a_young_stream_while_it_is_written_does_not_hide_what_is_written() {
    let folder = tempdir().unwrap();
    let store = Faulty::open(folder.path(), false).await;
    let log = Log::start(store.clone(), LogOptions::default()).await.unwrap();
    let (executor, product) = (executor(&log), product_id());
    let held = store.gate.lock().await;
    let waiting = tokio::spawn({
        let executor = executor.clone();
        async move { executor.execute::<Product>(&product, list(product, 5), ctx()).await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let seen = executor.inspect::<Product, _>(&product, |version, _| version).await.unwrap();
    assert_eq!(seen, 0, "it is not on disk yet");
    drop(held);
    waiting.await.unwrap().unwrap();
    assert_eq!(stock_now(&executor, &product).await, 5);
}
