//! `POST /v1/orders/{order_id}/cancel`.

use axum::{extract::State, http::StatusCode, response::Response};
use domain::{
    Aggregate, AggregateKind, CancellableUntil, CustomerId, Envelope, Event, OrderId, StreamId,
    delivery::Delivery,
    order::{CancellationCause, Order, OrderCommand, OrderEvent, delivery_of},
};
use eventlog::{CommandContext, Effect};
use garde::Validate;
use projections::{OrderRow, Orders};
use serde::Deserialize;
use serde_json::json;

use super::{must_see, shown};
use crate::{
    app::App,
    auth::Role,
    problem::{Code, Problem},
    web::{Answer, Body, Command, Following, PathId, check as field, opaque},
};

/// Why an order is cancelled.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CancelOrder {
    /// In the customer's words. 1 to 500 characters. Kept apart from the order, and erasable.
    #[garde(custom(field::optional_label::<500>))]
    #[serde(default)]
    reason: Option<String>,
}
impl Body for CancelOrder {
    const OPTIONAL: bool = true;
}

/// Cancels an order: the delivery is stopped, the money is given back, the stock is put back.
#[utoipa::path(post, path = "/v1/orders/{order_id}/cancel", tag = "orders", params(("order_id" = Uuid, Path, description = "The order.")),
    request_body = Option<CancelOrder>, security(("bearer" = [])),
    responses((status = 200, description = "The order, cancelled.", body = OrderRow),
        (status = 202, description = "It is being cancelled: ask for the order in a moment.", body = OrderRow)))]
pub(super) async fn cancel(
    State(app): State<App>,
    PathId(id): PathId<OrderId>,
    command: Command<CancelOrder>,
) -> Result<Response, Problem> {
    command.principal.must_be(&[Role::Customer, Role::Admin])?;
    let (customer, _) = must_see(&app, &command.principal, id).await?;
    let (by, reason) = (command.principal.actor(), command.body.reason);
    command
        .meta
        .once(&app.clone(), |ticket, meta| async move {
            if !ticket.again {
                check(&app, id).await?;
            }
            let contact = ticket.reason(id.uuid(), &customer, reason);
            let reason_id = contact.as_ref().map(|contact| contact.contact_id);
            let wish =
                OrderCommand::RequestCancellation { by, cause: CancellationCause::Requested, reason_id };
            let (context, expected) = (meta.context(&app, ticket, id.uuid()), meta.expected());
            Ok(ticket
                .then(request_and_wait(app, id, customer, wish, expected, context))
                .with_contact(contact))
        })
        .await
}

/// What can be known before anything is appended.
async fn check(app: &App, id: OrderId) -> Result<(), Problem> {
    let look = |_, order: &Order| (order.status(), order.details().map(|it| it.policy.cancellable_until));
    let (status, until) = app.inspect::<Order, _>(&id, look).await?;
    match status {
        "cancelling" | "cancelled" => return Err(already(id)),
        "rejected" => {
            let detail = format!("the order {id} was rejected: there is nothing to cancel");
            return Err(Problem::new(Code::OrderRejected, detail));
        }
        "completed" => return Err(too_late(id, "delivered")),
        _ => {}
    }
    let delivery = app.inspect::<Delivery, _>(&delivery_of(id), |_, delivery| delivery.status()).await?;
    let until = until.unwrap_or(CancellableUntil::Requested);
    let late = match delivery {
        "accepted" => until < CancellableUntil::Accepted,
        "preparing" => until < CancellableUntil::Preparing,
        "shipped" | "delivered" | "returning" | "returned" => true,
        _ => false,
    };
    if late { Err(too_late(id, delivery)) } else { Ok(()) }
}

fn already(id: OrderId) -> Problem {
    Problem::new(
        Code::AlreadyCancelled,
        format!("the order {id} is cancelled, or is being cancelled, already"),
    )
}

fn too_late(id: OrderId, delivery: &str) -> Problem {
    let detail = format!("it is too late to cancel the order {id}: its delivery is {delivery}");
    Problem::new(Code::TooLateToCancel, detail).with("order_id", id)
}

async fn request_and_wait(
    app: App,
    id: OrderId,
    customer: CustomerId,
    wish: OrderCommand,
    expected: Option<domain::Version>,
    context: CommandContext,
) -> Result<Answer, Problem> {
    let streams = [StreamId::new(AggregateKind::Order, id.uuid())];
    let following = Following { within: app.settings.cancel_wait(), streams: &streams, end: &end };
    let done = app.follow::<Order, _>(&id, expected, wish, context, following).await?;
    if done.effect == Effect::AlreadyApplied {
        return Err(already(id));
    }
    if done.ended == Some(false) {
        return Err(too_late(id, "on its way"));
    }
    let position = done.position;
    let row = match app.row_after::<Orders>(&id.to_string(), position).await? {
        Some(row) => Some(row),
        None => shown::fold(&app, id, |_| true).await?,
    };
    let answer = match row {
        Some(row) => {
            let (version, at) = (row.version, row.position);
            Answer::new(StatusCode::OK, shown::one(&app, row).await?).tagged(version, at)
        }
        None => Answer::new(StatusCode::OK, json!({"order_id": id, "position": opaque(position)})),
    };
    let answer = answer.decided_if(done.ended.is_some());
    Ok(answer.about(&customer).at(position).located(&format!("/v1/orders/{id}")))
}

/// Whether the event ends a cancellation, and if so, whether the order is cancelled.
fn end(event: &Envelope) -> Option<bool> {
    match &event.event {
        Event::Order(OrderEvent::OrderCancelled(_)) => Some(true),
        Event::Order(OrderEvent::OrderCancellationRefused(_)) => Some(false),
        _ => None,
    }
}
