//! The scenes.

use std::{collections::HashSet, time::Duration};

use serde_json::{Value, json};

use super::{
    crowd::{self, Placed},
    parts::Parts,
};
use crate::demo::{
    Actor, DemoError, Stage,
    call::{act, field, get, post},
    steps::{finds_product, id},
};

/// Who answers later than this has not refused quickly.
const QUICKLY: Duration = Duration::from_millis(500);
/// What most of them order.
const BOOK: &str = "Sagas and How to Undo Them";
/// Orders of the first scenes.
const SOME: usize = 20;
/// Orders of the scene that scales.
const MANY: usize = 200;

/// Fails the demo unless it is so.
fn holds(is_so: bool, what: &'static str, found: impl std::fmt::Display) -> Result<(), DemoError> {
    if is_so { Ok(()) } else { Err(DemoError::NotSo { what, found: found.to_string() }) }
}

fn all_confirmed(placed: &[Placed]) -> Result<(), DemoError> {
    let other = placed.iter().find(|placed| placed.status != 201 || placed.body["status"] != "confirmed");
    let found = other.map(|placed| format!("{} {}", placed.status, placed.body)).unwrap_or_default();
    holds(other.is_none(), "every order is answered 201 confirmed", found)
}

pub(super) async fn fulfilment_is_down(stage: &mut Stage, parts: &mut Parts) -> Result<(), DemoError> {
    stage.scenario(1, "Fulfilment is down: orders are taken all the same, and caught up with later");
    let alice = stage.customer("alice")?;
    let phone = finds_product(&alice, "books", BOOK).await?;
    parts.kill("fulfilment").await?;
    stage.remark("fulfilment is killed");
    let placed = crowd::order(&alice, "books", &phone, SOME, 4).await?;
    all_confirmed(&placed)?;
    let orders = crowd::ids(&placed)?;
    let waiting =
        crowd::until(&alice, &orders, "no order has a delivery", |order| order["delivery"].is_null()).await?;
    stage.remark(&format!(
        "{} orders are taken and paid meanwhile, the slowest in {} ms; none has a delivery",
        waiting.len(),
        crowd::slowest(&placed).as_millis()
    ));
    parts.start_part("fulfilment").await?;
    stage.remark("fulfilment is started again");
    let requested = |order: &Value| field(order, "delivery.status") == "requested";
    let delivered = crowd::until(&alice, &orders, "every order has a delivery", requested).await?;
    let deliveries: HashSet<&str> =
        delivered.iter().filter_map(|order| field(order, "delivery.delivery_id").as_str()).collect();
    holds(deliveries.len() == SOME, "every order has a delivery of its own", deliveries.len())?;
    stage.remark(&format!("each of the {SOME} orders has its delivery now, and one only"));
    Ok(())
}

pub(super) async fn loyalty_is_down(stage: &mut Stage, parts: &mut Parts) -> Result<(), DemoError> {
    stage.scenario(2, "The coupons' part is down: neither orders nor refunds wait for it");
    let (erin, seller, courier) =
        (stage.customer("erin")?, stage.shop("pizzeria", "pizza")?, stage.courier("chul")?);
    let pizza = finds_product(&erin, "pizza", "Four Cheese").await?;
    parts.kill("loyalty").await?;
    stage.remark("loyalty is killed");
    let placed = crowd::order(&erin, "pizza", &pizza, 4, 4).await?;
    all_confirmed(&placed)?;
    let orders = crowd::ids(&placed)?;
    let requested = |order: &Value| field(order, "delivery.status") == "requested";
    let placed = crowd::until(&erin, &orders, "every order has a delivery", requested).await?;
    let deliveries: Vec<String> =
        placed.iter().map(|order| id(order, "delivery.delivery_id")).collect::<Result<_, _>>()?;
    for (who, step) in [(&seller, "accept"), (&seller, "prepare"), (&courier, "ship"), (&courier, "complete")]
    {
        for delivery in &deliveries {
            who.quietly_does(act(format!("/v1/deliveries/{delivery}/{step}"))).await?;
        }
    }
    stage.remark("four orders are baked, brought and handed over");
    let (kept, given_back) = orders.split_at(2);
    for (order, delivery) in given_back.iter().zip(&deliveries[2..]) {
        give_back(&erin, &seller, order, delivery).await?;
    }
    crowd::until(&erin, kept, "no coupon is there yet", |order| order["coupon_issued"].is_null()).await?;
    parts.start_part("loyalty").await?;
    stage.remark("loyalty is started again");
    let issued = |order: &Value| field(order, "coupon_issued.status") == "issued";
    crowd::until(&erin, kept, "who kept the pizza has a coupon", issued).await?;
    let not_issued = crowd::until(&erin, given_back, "the money is back", |order| {
        field(order, "refunds.0.status") == "completed"
    });
    let none = not_issued.await?.iter().all(|order| !issued(order));
    holds(none, "who gave the pizza back has no coupon", "a coupon that can be used")?;
    stage.remark(
        "two orders that were kept earned their coupons; two that went back got their money and no coupon",
    );
    Ok(())
}

async fn give_back(erin: &Actor, seller: &Actor, order: &str, delivery: &str) -> Result<(), DemoError> {
    let ask = post(format!("/v1/orders/{order}/refunds"), json!({"reason": "it was cold"}));
    let wish = erin.does("asks for a refund", ask.answers(201).with("status", "returning")).await?;
    let call = act(format!("/v1/deliveries/{delivery}/receive-return")).with("status", "returned");
    seller.does("has the pizza back", call).await?;
    let refund = get(format!("/v1/refunds/{}", id(&wish, "refund_id")?)).with("status", "completed").soon();
    erin.does("has the money", refund.shows(&["amount"])).await.map(drop)
}

pub(super) async fn views_are_down(stage: &mut Stage, parts: &mut Parts) -> Result<(), DemoError> {
    stage.scenario(3, "The views are down: orders go on; then the views are rebuilt to the same content");
    let dora = stage.customer("dora")?;
    let book = finds_product(&dora, "books", BOOK).await?;
    parts.kill("views").await?;
    stage.remark("the views are killed");
    let placed = crowd::order(&dora, "books", &book, SOME, 4).await?;
    let orders = crowd::ids(&placed)?;
    let taken = placed.iter().filter(|placed| placed.status == 201).count();
    holds(taken == SOME, "every order is answered 201", taken)?;
    stage.remark(&format!(
        "{taken} orders are taken, the slowest in {} ms",
        crowd::slowest(&placed).as_millis()
    ));
    parts.start_part("views").await?;
    stage.remark("the views are started again and catch up");
    crowd::until(&dora, &orders, "every order is in the view", |order| order["status"] == "confirmed")
        .await?;
    let list = get("/v1/orders?limit=100");
    let before = dora.does("reads the orders", list.clone().shows(&["has_more"])).await?;
    parts.command(&["projections", "rebuild", "--all"]).await?;
    let same = |now: &Value| now["data"] == before["data"];
    let after = dora.does("reads them again from views folded anew", list.shows(&["has_more"])).await?;
    holds(same(&after), "the rebuilt view says the same", &after)?;
    let verified = parts.command(&["projections", "verify", "--all"]).await?;
    stage.print(&verified);
    stage.remark("every view was folded anew from the log and says the same, row by row");
    Ok(())
}

pub(super) async fn payments_are_down(stage: &mut Stage, parts: &mut Parts) -> Result<(), DemoError> {
    stage.scenario(4, "The payment provider is down: orders are refused quickly, and none is left half done");
    let carol = stage.customer("carol")?;
    let book = finds_product(&carol, "books", BOOK).await?;
    parts.kill_sandbox().await?;
    stage.remark("the payment sandbox is killed");
    // Those that are under way when it happens find out; after them the breaker is open.
    let mut caught = crowd::order(&carol, "books", &book, 16, 16).await?;
    caught.retain(|placed| placed.status != 503);
    stage.remark(&format!("{} orders were just being paid: their outcome is pursued", caught.len()));
    // Every few seconds the breaker lets a call through, to find out whether the provider is back.
    let (refused, probes): (Vec<Placed>, Vec<Placed>) =
        crowd::order(&carol, "books", &book, SOME, 4).await?.into_iter().partition(|p| p.status == 503);
    caught.extend(probes);
    holds(refused.len() > SOME / 2, "most orders are refused", refused.len())?;
    let right = refused.iter().all(|placed| placed.retry_after && placed.took < QUICKLY);
    let slowest = crowd::slowest(&refused).as_millis();
    holds(right, "who is refused is told within half a second when to try again", format!("{slowest} ms"))?;
    let placed = orders_of(&carol).await?;
    holds(placed == caught.len(), "what was refused left no order", placed)?;
    stage.remark(&format!(
        "{} orders are refused with 503 and Retry-After, the slowest in {slowest} ms",
        refused.len()
    ));
    parts.start_sandbox().await?;
    stage.remark("the payment sandbox is started again");
    let caught: Vec<String> = caught.iter().filter_map(|placed| id(&placed.body, "order_id").ok()).collect();
    crowd::until(&carol, &caught, "what was under way is paid", |order| order["status"] == "confirmed")
        .await?;
    charged_once(parts, &carol, &caught).await?;
    let again = crowd::order_again(&carol, "books", &book).await?;
    all_confirmed(&[again])?;
    stage.remark(&format!(
        "the {} orders under way are paid, each once; new orders are taken again",
        caught.len()
    ));
    Ok(())
}

pub(super) async fn three_instead_of_one(stage: &mut Stage, parts: &mut Parts) -> Result<(), DemoError> {
    stage.scenario(5, "Payments are made by three processes instead of one, and one of them is killed");
    let (bob, owner) = (stage.customer("bob")?, stage.shop("bookseller", "books")?);
    let book = finds_product(&bob, "books", BOOK).await?;
    let restock = post(format!("/v1/products/{book}/restock"), json!({"quantity": MANY}));
    owner.does("fills the shelf", restock).await?;
    parts.start_part("payments 2").await?;
    parts.start_part("payments 3").await?;
    parts.ready("payments 2").await?;
    parts.ready("payments 3").await?;
    let three = stage.admin("operator")?;
    let shares = shared_by(&three, 3).await?;
    stage.remark(&format!("three share the work: {shares}"));
    let crowd = crowd::order(&bob, "books", &book, MANY, 16);
    let killing = async {
        tokio::time::sleep(Duration::from_millis(600)).await;
        parts.kill("payments 2").await
    };
    let (placed, killed) = tokio::join!(crowd, killing);
    killed?;
    stage.remark("one of them is killed while the orders come in");
    let orders = crowd::ids(&placed?)?;
    crowd::until(&bob, &orders, "every order is paid", |order| order["status"] == "confirmed").await?;
    charged_once(parts, &bob, &orders).await?;
    let shares = shared_by(&three, 2).await?;
    stage.remark(&format!("all {MANY} orders are paid, each charged once; two share the work: {shares}"));
    let audited = parts.command(&["events", "verify"]).await?;
    stage.remark(audited.lines().last().unwrap_or_default());
    Ok(())
}

/// Waits until so many processes share the payments; says who has how much.
async fn shared_by(operator: &Actor, holders: usize) -> Result<String, DemoError> {
    let give_up = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        let (_, _, body) = operator.send_once(&get("/v1/admin/processes"), "").await?;
        let processes = body["data"].as_array().into_iter().flatten();
        let payments = processes.into_iter().find(|process| process["name"] == "payments").cloned();
        let shares = payments.unwrap_or_default()["holders"].clone();
        let found = shares.as_array().map_or(0, Vec::len);
        let slots: u64 = shares.as_array().into_iter().flatten().filter_map(|share| share[1].as_u64()).sum();
        let even =
            shares.as_array().into_iter().flatten().all(|share| share[1].as_u64().is_some_and(|n| n > 0));
        if found == holders && slots == 64 && even {
            return Ok(shares.to_string());
        }
        holds(tokio::time::Instant::now() < give_up, "the work is shared", shares)?;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Compares with the provider's books: each order's payment was captured, and once.
async fn charged_once(parts: &Parts, who: &Actor, orders: &[String]) -> Result<(), DemoError> {
    let books = parts.books()?.ledger().await.map_err(super::PartError::from)?;
    let captured = |payment: &str| {
        let of = |entry: &&gateway::LedgerEntry| {
            entry.kind == gateway::LedgerKind::Charge
                && entry.charge_ref.is_some()
                && entry.key.starts_with(payment)
        };
        books.iter().filter(of).count()
    };
    for order in crowd::until(who, orders, "every order can be read", |_| true).await? {
        let payment = id(&order, "payment.payment_id")?;
        let times = captured(&payment);
        holds(times == 1, "every order is charged once", format!("{payment}: {times} times"))?;
    }
    Ok(())
}

/// How many orders somebody has, up to 100.
async fn orders_of(who: &Actor) -> Result<usize, DemoError> {
    let (_, _, body) = who.send_once(&get("/v1/orders?limit=100"), "").await?;
    Ok(body["data"].as_array().map_or(0, Vec::len))
}
