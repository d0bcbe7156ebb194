//! Many orders at once, and what became of them.

use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use serde_json::Value;
use uuid::Uuid;

use crate::demo::{
    Actor, DemoError,
    call::get,
    steps::{Basket, id},
};

/// How long what is to happen may take.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(100);

/// One answer to an order.
pub(super) struct Placed {
    pub(super) status: u16,
    pub(super) body: Value,
    pub(super) took: Duration,
    pub(super) retry_after: bool,
}

/// Places `count` orders, `at_once` at a time.
pub(super) async fn order(
    who: &Actor,
    shop: &str,
    product_id: &str,
    count: usize,
    at_once: usize,
) -> Result<Vec<Placed>, DemoError> {
    let place = |_| async move {
        let begun = Instant::now();
        let call = Basket::of(shop, product_id, 1).order("tok_ok");
        let answer = who.send_once(&call, &format!("outage-{}", Uuid::now_v7())).await?;
        let (status, retry_after, body) = answer;
        Ok::<_, DemoError>(Placed { status, body, took: begun.elapsed(), retry_after })
    };
    let placed: Vec<Result<Placed, DemoError>> =
        stream::iter(0..count).map(place).buffer_unordered(at_once).collect().await;
    placed.into_iter().collect()
}

/// Places an order, again and again as long as the answer says that it may be tried later.
pub(super) async fn order_again(who: &Actor, shop: &str, product_id: &str) -> Result<Placed, DemoError> {
    let give_up = Instant::now() + PATIENCE;
    loop {
        let mut placed = order(who, shop, product_id, 1, 1).await?;
        match placed.pop() {
            Some(later) if later.retry_after && Instant::now() < give_up => tokio::time::sleep(PAUSE).await,
            Some(placed) => return Ok(placed),
            None => {}
        }
    }
}

/// The ids of those that were placed.
pub(super) fn ids(placed: &[Placed]) -> Result<Vec<String>, DemoError> {
    placed.iter().map(|placed| id(&placed.body, "order_id")).collect()
}

/// Reads the orders until `is_so` holds for each; gives them.
pub(super) async fn until(
    who: &Actor,
    orders: &[String],
    what: &'static str,
    is_so: impl Fn(&Value) -> bool,
) -> Result<Vec<Value>, DemoError> {
    let give_up = Instant::now() + PATIENCE;
    let mut found = Vec::with_capacity(orders.len());
    for order in orders {
        loop {
            let (status, _, body) = who.send_once(&get(format!("/v1/orders/{order}")), "").await?;
            if status == 200 && is_so(&body) {
                found.push(body);
                break;
            }
            if Instant::now() > give_up {
                return Err(DemoError::NotSo { what, found: body.to_string() });
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
    Ok(found)
}

/// The slowest of the answers.
pub(super) fn slowest(placed: &[Placed]) -> Duration {
    placed.iter().map(|placed| placed.took).max().unwrap_or_default()
}
