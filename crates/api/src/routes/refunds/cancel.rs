//! `POST /v1/refunds/{refund_id}/cancel`: the delivery calls the return off, if it was not received just now.

use axum::{extract::State, http::StatusCode, response::Response};
use domain::{
    Aggregate, AggregateKind, CustomerId, DeliveryId, Envelope, Event, RefundId, StreamId, Version,
    delivery::{Delivery, DeliveryCommand, ReturnEnd},
    refund::{Refund, RefundEvent},
};
use eventlog::{CommandContext, Effect};
use projections::{RefundRow, Refunds};
use serde_json::json;

use super::{must_match, must_see, not_found, read};
use crate::{
    app::App,
    auth::Role,
    problem::{Code, Problem},
    web::{Answer, Command, Following, NoBody, PathId, opaque},
};

/// Calls a refund off: the customer keeps the goods, and a coupon that was taken back is good again.
#[utoipa::path(post, path = "/v1/refunds/{refund_id}/cancel", tag = "refunds", params(("refund_id" = Uuid, Path, description = "The refund.")),
    security(("bearer" = [])),
    responses((status = 200, description = "The refund, cancelled.", body = RefundRow),
        (status = 202, description = "It is being cancelled: ask for the refund in a moment.", body = RefundRow)))]
pub(super) async fn cancel(
    State(app): State<App>,
    PathId(id): PathId<RefundId>,
    command: Command<NoBody>,
) -> Result<Response, Problem> {
    let (principal, meta) = (command.principal, command.meta);
    principal.must_be(&[Role::Customer, Role::Admin])?;
    let (customer, _, order_id) = must_see(&app, &principal, id).await?;
    meta.once(&app.clone(), |ticket, meta| async move {
        let delivery =
            app.inspect::<Refund, _>(&id, |_, refund| refund.details().map(|it| it.delivery_id)).await?;
        let delivery_id = delivery.ok_or_else(|| not_found(id))?;
        let ended = |_, delivery: &Delivery| delivery.details().and_then(|it| it.ended(id));
        let called_off = ticket.again
            && app.inspect::<Delivery, _>(&delivery_id, ended).await? == Some(ReturnEnd::Cancelled);
        // What an earlier run of this request called off is not checked again.
        if !called_off {
            check(&app, id, meta.expected()).await?;
        }
        let command = DeliveryCommand::CancelReturn { refund_id: Some(id), by: principal.actor() };
        let context = meta.context(&app, ticket, order_id.uuid());
        Ok(ticket.then(cancel_and_wait(app, id, delivery_id, customer, command, context)))
    })
    .await
}

/// What can be known before anything is appended.
async fn check(app: &App, id: RefundId, expected: Option<Version>) -> Result<(), Problem> {
    let look = |actual, refund: &Refund| {
        // The command is one to the delivery, so that the refund's version is compared here.
        must_match(expected, actual)?;
        match refund {
            Refund::Returning { .. } => Ok(()),
            Refund::Cancelled(_) => Err(already(id)),
            _ => {
                let detail = format!("a refund that is {} cannot be cancelled", refund.status());
                Err(Problem::new(Code::IllegalTransition, detail))
            }
        }
    };
    app.inspect::<Refund, _>(&id, look).await?
}

fn already(id: RefundId) -> Problem {
    Problem::new(
        Code::AlreadyCancelled,
        format!("the refund {id} is cancelled, or is being cancelled, already"),
    )
}

async fn cancel_and_wait(
    app: App,
    id: RefundId,
    delivery_id: DeliveryId,
    customer: CustomerId,
    command: DeliveryCommand,
    context: CommandContext,
) -> Result<Answer, Problem> {
    let own = StreamId::new(AggregateKind::Refund, id.uuid());
    let end = move |event: &Envelope| {
        let cancelled = matches!(event.event, Event::Refund(RefundEvent::RefundCancelled(_)));
        (event.stream == own && cancelled).then_some(())
    };
    let following = Following { within: app.settings.cancel_wait(), streams: &[own], end: &end };
    let done = app.follow::<Delivery, _>(&delivery_id, None, command, context, following).await?;
    if done.effect == Effect::AlreadyApplied {
        return Err(already(id));
    }
    let otherwise = Answer::new(StatusCode::OK, json!({"refund_id": id, "position": opaque(done.position)}));
    let key = id.to_string();
    let at = (StatusCode::OK, key.as_str(), done.position);
    let answer =
        app.answer_after::<Refunds, _>(at, async |row| read::shown(&app, row).await, otherwise).await?;
    let answer = answer.decided_if(done.ended.is_some());
    Ok(answer.about(&customer).located(&format!("/v1/refunds/{id}")))
}
