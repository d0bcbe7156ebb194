//! Orders as clients see them: the view's row, with what stands in the erasable table.

use std::{collections::HashMap, sync::Arc};

use domain::{
    AggregateId, AggregateKind, ContactId, CouponId, Envelope, Event, OrderId, RefundId, StreamId,
    coupon::{CouponRefusal, coupon_of},
    delivery::DeliveryEvent,
    order::{OrderRejection, delivery_of, payment_of},
    product::RefusalReason,
};
use projections::{OrderRow, order_as_of};
use serde_json::{Value, json};

use crate::{
    accounts::{Contact, member_of},
    app::App,
    problem::{Code, Problem},
    web::present,
};

/// Events read at once.
const PAGE: usize = 500;

/// Orders, each with its recipient and the reason of its cancellation.
pub(in crate::routes) async fn many(app: &App, rows: Vec<OrderRow>) -> Result<Vec<Value>, Problem> {
    let ids = |row: &OrderRow| {
        let own = [Some(row.internal.contact_id), row.internal.cancellation_reason_id];
        let of_refunds = row.refunds.iter().map(|refund| refund.reason_id);
        own.into_iter().flatten().chain(of_refunds).collect::<Vec<_>>()
    };
    let contacts = app.accounts.contacts(rows.iter().flat_map(ids).collect()).await?;
    Ok(rows.into_iter().map(|row| show(&row, &contacts)).collect())
}

/// One order.
pub(super) async fn one(app: &App, row: OrderRow) -> Result<Value, Problem> {
    Ok(many(app, vec![row]).await?.remove(0))
}

fn show(row: &OrderRow, contacts: &HashMap<ContactId, Contact>) -> Value {
    let member = |id: Option<ContactId>, name: &str, erased: Value| member_of(contacts, id, name, &erased);
    let mut value = present(row);
    value["recipient"] = member(Some(row.internal.contact_id), "recipient", json!({"erased": true}));
    if row.cancellation.is_some() {
        value["cancellation"]["reason"] =
            member(row.internal.cancellation_reason_id, "reason", json!("erased"));
    }
    for (shown, refund) in value["refunds"].as_array_mut().into_iter().flatten().zip(&row.refunds) {
        shown["reason"] = member(Some(refund.reason_id), "reason", json!("erased"));
        shown.as_object_mut().map(|fields| fields.remove("reason_id"));
    }
    value
}

/// The order as its events up to where `within` says make it; nothing if it was not placed by then.
pub(super) async fn fold(
    app: &App,
    id: OrderId,
    within: impl Fn(&Envelope) -> bool,
) -> Result<Option<OrderRow>, Problem> {
    let mut streams = vec![
        StreamId::new(AggregateKind::Order, AggregateId::uuid(&id)),
        StreamId::new(AggregateKind::Payment, payment_of(id).uuid()),
        StreamId::new(AggregateKind::Coupon, coupon_of(id).uuid()),
        StreamId::new(AggregateKind::Delivery, delivery_of(id).uuid()),
    ];
    let mut events: Vec<Arc<Envelope>> = Vec::new();
    while let Some(stream) = streams.pop() {
        let mut after = 0;
        loop {
            let page = app.log().read_stream(stream, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.version;
            let page = page.into_iter().filter(|event| within(event)).inspect(|event| {
                // The delivery knows what goes back, and for which refund.
                streams.extend(refund_of(event).map(|id| StreamId::new(AggregateKind::Refund, id.uuid())));
            });
            events.extend(page);
        }
    }
    Ok(order_as_of(&events))
}

fn refund_of(event: &Envelope) -> Option<RefundId> {
    match &event.event {
        Event::Delivery(DeliveryEvent::ReturnStarted(started)) => Some(started.refund_id),
        Event::Delivery(DeliveryEvent::ReturnRefused(refused)) => Some(refused.refund_id),
        _ => None,
    }
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
        OrderRejection::CouponRefused { coupon_id, refusal } => coupon_refused(*coupon_id, *refusal),
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

/// What a customer is told whose coupon cannot be used. Somebody else's is not there for them.
pub(super) fn coupon_refused(coupon_id: CouponId, reason: CouponRefusal) -> Problem {
    let why = match reason {
        CouponRefusal::NotIssued | CouponRefusal::OtherCustomer => {
            return Problem::new(Code::CouponNotFound, format!("there is no coupon {coupon_id}"));
        }
        CouponRefusal::AlreadyRedeemed => "is used by another order",
        CouponRefusal::Revoked => "was taken back",
        CouponRefusal::OtherShop => "is another shop's",
        CouponRefusal::NoDiscount => "takes nothing off this order",
        CouponRefusal::OtherDiscount => "takes off something else now",
    };
    Problem::new(Code::CouponRefused, format!("the coupon {coupon_id} {why}"))
        .with("coupon_id", coupon_id)
        .with("reason", reason.name())
}
