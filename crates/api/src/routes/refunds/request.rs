//! `POST /v1/orders/{order_id}/refunds`: the delivery takes the goods back, or refuses, within the call.

use std::collections::BTreeMap;

use axum::{extract::State, http::StatusCode, response::Response};
use domain::{
    AggregateKind, CustomerId, Envelope, Event, MoneyError, OrderId, ProductId, Quantity, RefundId, StreamId,
    Version,
    delivery::{Delivery, ReturnRefusal},
    order::{Order, delivery_of},
    refund::{Refund, RefundCommand, RefundEvent, ReturnedLine, reason_of},
};
use eventlog::CommandContext;
use garde::Validate;
use projections::{RefundRow, Refunds};
use serde::Deserialize;
use serde_json::json;

use super::{must_match, read, refused, short};
use crate::{
    accounts::{ContactKind, NewContact},
    app::App,
    auth::Role,
    problem::{Code, Problem},
    routes::{ids::in_partition, orders},
    web::{Answer, Body, Command, Following, PathId, check as field, objects},
};

/// What goes back, and why.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRefund {
    /// In the customer's words. 1 to 500 characters. Kept apart from the refund, and erasable.
    #[garde(custom(field::label::<500>))]
    #[schema(example = "The pizza was cold")]
    reason: String,
    /// Which pieces; everything that is left of the order unless said.
    #[garde(length(min = 1, max = 100), dive)]
    #[serde(default, deserialize_with = "some_objects")]
    lines: Option<Vec<RefundLine>>,
}
impl Body for NewRefund {}

fn some_objects<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Vec<RefundLine>>, D::Error> {
    objects(from).map(Some)
}

/// Pieces of a product that go back.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct RefundLine {
    /// Which product.
    #[garde(skip)]
    #[schema(value_type = Uuid)]
    product_id: ProductId,
    /// How many.
    #[garde(skip)]
    #[schema(value_type = u32, minimum = 1, maximum = 10_000)]
    quantity: Quantity,
}

/// Asks for money back for some or all goods of a delivered order. 201 means that the goods are on their way back: the
/// money follows once the shop has received them. 409 means that they cannot go back; nothing was changed.
#[utoipa::path(post, path = "/v1/orders/{order_id}/refunds", tag = "refunds", params(("order_id" = Uuid, Path, description = "The order.")),
    request_body = NewRefund, security(("bearer" = [])),
    responses((status = 201, description = "The goods are on their way back.", body = RefundRow),
        (status = 202, description = "The delivery has not answered yet.", body = RefundRow)))]
pub(super) async fn request(
    State(app): State<App>,
    PathId(order_id): PathId<OrderId>,
    command: Command<NewRefund>,
) -> Result<Response, Problem> {
    command.principal.must_be(&[Role::Customer, Role::Admin])?;
    let (customer, _) = orders::must_see(&app, &command.principal, order_id).await?;
    let body = command.body;
    command
        .meta
        .once(&app.clone(), |ticket, meta| async move {
            let refund_id = RefundId::from_uuid(in_partition(ticket.ids.minted, order_id.partition()));
            let lines = merged(body.lines.unwrap_or_default())?;
            // What an earlier run of this request asked for is not checked again: it only waits for the delivery.
            let placed = ticket.again
                && app.inspect::<Refund, _>(&refund_id, |_, refund| refund.details().is_some()).await?;
            if !placed {
                check(&app, order_id, &lines, meta.expected()).await?;
            }
            let request = wish(&app, refund_id, order_id, lines).await?;
            let contact = NewContact {
                contact_id: reason_of(refund_id),
                owner: customer.clone(),
                kind: ContactKind::Reason,
                data: json!({"reason": body.reason}),
            };
            let context = meta.context(&app, ticket, order_id.uuid());
            let work = request_and_wait(app, refund_id, order_id, customer, request, context);
            Ok(ticket.then(work).with_contact(Some(contact)))
        })
        .await
}

/// Each product once.
fn merged(lines: Vec<RefundLine>) -> Result<Vec<ReturnedLine>, Problem> {
    let mut pieces: BTreeMap<ProductId, i64> = BTreeMap::new();
    for line in lines {
        *pieces.entry(line.product_id).or_default() += i64::from(line.quantity.get());
    }
    let line = |(product_id, pieces)| {
        let quantity = Quantity::try_from(pieces);
        let quantity =
            quantity.map_err(|error: MoneyError| Problem::new(Code::InvalidQuantity, error.to_string()))?;
        Ok(ReturnedLine { product_id, quantity })
    };
    pieces.into_iter().map(line).collect()
}

/// What can be known before anything is appended. A check that passes promises nothing: the delivery decides.
async fn check(
    app: &App,
    order_id: OrderId,
    lines: &[ReturnedLine],
    expected: Option<Version>,
) -> Result<(), Problem> {
    // The command is one to a new refund, so that the order's version is compared here.
    let version = app.inspect::<Order, _>(&order_id, |version, _| version).await?;
    must_match(expected, version)?;
    let now = app.now();
    let look = |_, delivery: &Delivery| {
        let answer = delivery.check_return(lines, now).map(drop);
        answer.map_err(|reason| refused(order_id, reason, short(delivery, lines)))
    };
    app.inspect::<Delivery, _>(&delivery_of(order_id), look).await?
}

async fn wish(
    app: &App,
    refund_id: RefundId,
    order_id: OrderId,
    lines: Vec<ReturnedLine>,
) -> Result<RefundCommand, Problem> {
    let look = |_, order: &Order| {
        order.details().map(|it| RefundCommand::RequestRefund {
            refund_id,
            order_id,
            shop_id: it.shop_id.clone(),
            customer_id: it.customer_id.clone(),
            payment_id: it.payment_id,
            delivery_id: it.delivery_id,
            lines,
            coupon: it.promised_coupon(),
            used_coupon_id: it.coupon.map(|used| used.coupon_id),
            reason_id: reason_of(refund_id),
        })
    };
    let command = app.inspect::<Order, _>(&order_id, look).await?;
    command.ok_or_else(|| Problem::new(Code::OrderNotFound, format!("there is no order {order_id}")))
}

/// What the delivery said.
enum Taken {
    Returning,
    Refused(ReturnRefusal),
    /// It went on meanwhile.
    Over,
}

async fn request_and_wait(
    app: App,
    id: RefundId,
    order_id: OrderId,
    customer: CustomerId,
    request: RefundCommand,
    context: CommandContext,
) -> Result<Answer, Problem> {
    let own = StreamId::new(AggregateKind::Refund, id.uuid());
    let wanted = match &request {
        RefundCommand::RequestRefund { lines, .. } => lines.clone(),
        _ => Vec::new(),
    };
    let end = move |event: &Envelope| match &event.event {
        _ if event.stream != own => None,
        Event::Refund(RefundEvent::RefundAccepted(_)) => Some(Taken::Returning),
        Event::Refund(RefundEvent::RefundRefused(refused)) => Some(Taken::Refused(refused.reason)),
        Event::Refund(RefundEvent::RefundCompleted(_) | RefundEvent::RefundCancelled(_)) => Some(Taken::Over),
        _ => None,
    };
    let following = Following { within: app.settings.order_wait(), streams: &[own], end: &end };
    let done = app.follow::<Refund, _>(&id, None, request, context, following).await?;
    if let Some(Taken::Refused(reason)) = done.ended {
        let look = |_, delivery: &Delivery| short(delivery, &wanted);
        let short = app.inspect::<Delivery, _>(&delivery_of(order_id), look).await?;
        return Err(refused(order_id, reason, short).with("refund_id", id));
    }
    let status = if done.ended.is_some() { "returning" } else { "requested" };
    let otherwise =
        Answer::new(StatusCode::CREATED, json!({"refund_id": id, "order_id": order_id, "status": status}));
    let key = id.to_string();
    let at = (StatusCode::CREATED, key.as_str(), done.position);
    let answer =
        app.answer_after::<Refunds, _>(at, async |row| read::shown(&app, row).await, otherwise).await?;
    let answer = answer.decided_if(done.ended.is_some());
    Ok(answer.about(&customer).located(&format!("/v1/refunds/{id}")))
}
