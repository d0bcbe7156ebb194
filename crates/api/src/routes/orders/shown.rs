//! Orders as clients see them: the view's row, with what stands in the erasable table.

use std::{collections::HashMap, sync::Arc};

use domain::{
    AggregateId, AggregateKind, ContactId, Envelope, OrderId, StreamId,
    order::{OrderRejection, delivery_of, payment_of},
    product::RefusalReason,
};
use projections::{OrderRow, order_as_of};
use serde_json::{Value, json};

use crate::{
    accounts::Contact,
    app::App,
    problem::{Code, Problem},
    web::present,
};

/// Events read at once.
const PAGE: usize = 500;

/// Orders, each with its recipient and the reason of its cancellation.
pub(super) async fn many(app: &App, rows: Vec<OrderRow>) -> Result<Vec<Value>, Problem> {
    let ids = |row: &OrderRow| [Some(row.internal.contact_id), row.internal.cancellation_reason_id];
    let contacts = app.accounts.contacts(rows.iter().flat_map(ids).flatten().collect()).await?;
    Ok(rows.into_iter().map(|row| show(&row, &contacts)).collect())
}

/// One order.
pub(super) async fn one(app: &App, row: OrderRow) -> Result<Value, Problem> {
    Ok(many(app, vec![row]).await?.remove(0))
}

fn show(row: &OrderRow, contacts: &HashMap<ContactId, Contact>) -> Value {
    let member = |id: Option<ContactId>, name: &str, erased: Value| {
        id.and_then(|id| contacts.get(&id)).map_or(Value::Null, |contact| contact.member(name, &erased))
    };
    let mut value = present(row);
    value["recipient"] = member(Some(row.internal.contact_id), "recipient", json!({"erased": true}));
    if row.cancellation.is_some() {
        value["cancellation"]["reason"] =
            member(row.internal.cancellation_reason_id, "reason", json!("erased"));
    }
    value
}

/// The order as its events up to where `within` says make it; nothing if it was not placed by then.
pub(super) async fn fold(
    app: &App,
    id: OrderId,
    within: impl Fn(&Envelope) -> bool,
) -> Result<Option<OrderRow>, Problem> {
    let streams = [
        StreamId::new(AggregateKind::Order, AggregateId::uuid(&id)),
        StreamId::new(AggregateKind::Payment, payment_of(id).uuid()),
        StreamId::new(AggregateKind::Delivery, delivery_of(id).uuid()),
    ];
    let mut events: Vec<Arc<Envelope>> = Vec::new();
    for stream in streams {
        let mut after = 0;
        loop {
            let page = app.log().read_stream(stream, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.version;
            events.extend(page.into_iter().filter(|event| within(event)));
        }
    }
    Ok(order_as_of(&events))
}

/// What a customer is told whose order is no deal.
pub(super) fn rejected(id: OrderId, reason: &OrderRejection) -> Problem {
    let problem = match reason {
        OrderRejection::PaymentDeclined { decline_code } => {
            let detail = format!("the payment was declined ({decline_code}); nothing was charged");
            Problem::new(Code::PaymentDeclined, detail).with("decline_code", decline_code)
        }
        OrderRejection::PaymentExpired => {
            Problem::new(Code::PaymentExpired, "the payment was not decided in time; nothing was charged")
        }
        OrderRejection::StockRefused { product_id, refusal: RefusalReason::Withdrawn } => {
            let detail = format!("the product {product_id} was just taken off sale");
            Problem::new(Code::ProductWithdrawn, detail).with("product_id", product_id)
        }
        OrderRejection::StockRefused { product_id, refusal: RefusalReason::OutOfStock { available } } => {
            let detail = format!("others were faster: {available} of the product {product_id} are left");
            Problem::new(Code::OutOfStock, detail).with("product_id", product_id).with("available", available)
        }
    };
    problem.with("order_id", id)
}
