//! `POST /v1/reservations/{reservation_id}/cancel`.

use axum::{extract::State, http::StatusCode, response::Response};
use domain::{
    Aggregate, AggregateKind, CustomerId, Envelope, Event, ReservationId, StreamId, Version,
    reservation::{Reservation, ReservationCommand, ReservationError, ReservationEvent},
};
use eventlog::{CommandContext, Effect};
use garde::Validate;
use projections::{ReservationRow, Reservations};
use serde::Deserialize;
use serde_json::json;

use super::{must_see, shown};
use crate::{
    app::App,
    auth::Role,
    problem::{Code, Problem, refusal},
    web::{Answer, Body, Command, Following, PathId, check as field, opaque},
};

/// Why a reservation is cancelled.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CancelReservation {
    /// In the customer's words. 1 to 500 characters. Kept apart from the reservation, and erasable.
    #[garde(custom(field::optional_label::<500>))]
    #[serde(default)]
    reason: Option<String>,
}
impl Body for CancelReservation {
    const OPTIONAL: bool = true;
}

/// Cancels a reservation: the voucher is deactivated, the money is given back, the nights are free again.
#[utoipa::path(post, path = "/v1/reservations/{reservation_id}/cancel", tag = "reservations",
    params(("reservation_id" = Uuid, Path, description = "The reservation.")),
    request_body = Option<CancelReservation>, security(("bearer" = [])),
    responses((status = 200, description = "The reservation, cancelled.", body = ReservationRow),
        (status = 202, description = "It is being cancelled: ask for the reservation in a moment.", body = ReservationRow)))]
pub(super) async fn cancel(
    State(app): State<App>,
    PathId(id): PathId<ReservationId>,
    command: Command<CancelReservation>,
) -> Result<Response, Problem> {
    command.principal.must_be(&[Role::Customer, Role::Manager, Role::Admin])?;
    let customer = must_see(&app, &command.principal, id).await?;
    let (by, reason) = (command.principal.actor(), command.body.reason);
    command
        .meta
        .once(&app.clone(), |ticket, meta| async move {
            if !ticket.again {
                check(&app, id).await?;
            }
            let contact = ticket.reason(id.uuid(), &customer, reason);
            let reason_id = contact.as_ref().map(|contact| contact.contact_id);
            let wish = ReservationCommand::RequestCancellation { by, reason_id, at: app.now() };
            let (context, expected) = (meta.context(&app, ticket, id.uuid()), meta.expected());
            Ok(ticket
                .then(request_and_wait(app, id, customer, wish, expected, context))
                .with_contact(contact))
        })
        .await
}

/// What can be known before anything is appended.
async fn check(app: &App, id: ReservationId) -> Result<(), Problem> {
    let now = app.now();
    let look = |_, reservation: &Reservation| match reservation {
        Reservation::Cancelling { .. } | Reservation::Cancelled(_) => Err(already(id)),
        Reservation::Paid(it) if now >= it.cancellable_until => {
            Err(refusal(&ReservationError::TooLateToCancel { until: it.cancellable_until }))
        }
        Reservation::Expired(_) => {
            let detail = format!("the reservation {id} was not paid in time: there is nothing to cancel");
            Err(Problem::new(Code::ReservationExpired, detail))
        }
        Reservation::Refused { .. } | Reservation::Completed(_) => {
            let detail = format!("a reservation that is {} cannot be cancelled", reservation.status());
            Err(Problem::new(Code::IllegalTransition, detail))
        }
        _ => Ok(()),
    };
    app.inspect::<Reservation, _>(&id, look).await?
}

fn already(id: ReservationId) -> Problem {
    let detail = format!("the reservation {id} is cancelled, or is being cancelled, already");
    Problem::new(Code::AlreadyCancelled, detail)
}

fn end(event: &Envelope) -> Option<()> {
    matches!(event.event, Event::Reservation(ReservationEvent::ReservationCancelled(_))).then_some(())
}

async fn request_and_wait(
    app: App,
    id: ReservationId,
    customer: CustomerId,
    wish: ReservationCommand,
    expected: Option<Version>,
    context: CommandContext,
) -> Result<Answer, Problem> {
    let streams = [StreamId::new(AggregateKind::Reservation, id.uuid())];
    let following = Following { within: app.settings.cancel_wait(), streams: &streams, end: &end };
    let done = app.follow::<Reservation, _>(&id, expected, wish, context, following).await?;
    if done.effect == Effect::AlreadyApplied {
        return Err(already(id));
    }
    let otherwise =
        Answer::new(StatusCode::OK, json!({"reservation_id": id, "position": opaque(done.position)}));
    let key = id.to_string();
    let at = (StatusCode::OK, key.as_str(), done.position);
    let answer =
        app.answer_after::<Reservations, _>(at, async |row| shown::one(&app, row).await, otherwise).await?;
    let answer = answer.decided_if(done.ended.is_some());
    Ok(answer.about(&customer).located(&format!("/v1/reservations/{id}")))
}
