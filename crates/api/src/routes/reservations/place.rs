//! `POST /v1/reservations`: the nights are held, or refused, within the call; the payment comes later.

use axum::{extract::State, http::StatusCode, response::Response};
use chrono::NaiveDate;
use domain::{
    AggregateKind, CustomerId, Envelope, Event, ReservationId, ResortId, Stay, StreamId,
    payment::PaymentEvent,
    reservation::{Reservation, ReservationCommand, ReservationEvent, contact_of, payment_of},
    resort::{NightsRefusal, Resort},
};
use eventlog::CommandContext;
use garde::Validate;
use projections::{ReservationRow, Reservations, views::MoneySchema};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::shown;
use crate::{
    accounts::{ContactKind, NewContact},
    app::App,
    auth::Role,
    problem::{Code, Problem},
    routes::{ids::in_partition, resorts},
    web::{Answer, Body, Command, Following, Price, check as field, object},
};

/// A new reservation.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewReservation {
    /// At which resort.
    #[garde(skip)]
    #[schema(value_type = Uuid)]
    resort_id: ResortId,
    /// The first night.
    #[garde(skip)]
    check_in: NaiveDate,
    /// The day of departure: its night is not included. At most 90 nights after `check_in`.
    #[garde(skip)]
    check_out: NaiveDate,
    /// Who stays.
    #[garde(dive)]
    #[serde(deserialize_with = "object")]
    guest: Guest,
    /// The total that the customer saw: if it costs something else now, the reservation is refused.
    #[garde(skip)]
    #[serde(default)]
    #[schema(value_type = Option<MoneySchema>)]
    expected_total: Option<Price>,
}
impl Body for NewReservation {}

/// Who stays. Kept apart from the reservation, and erasable.
#[derive(Debug, Serialize, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Guest {
    /// 1 to 200 characters.
    #[garde(custom(field::label::<200>))]
    #[schema(example = "Kim Min-ji")]
    name: String,
    /// 1 to 200 characters.
    #[garde(custom(field::label::<200>))]
    #[schema(example = "010-1234-5678")]
    phone: String,
    /// Where the voucher and other messages go when they are sent by e-mail.
    #[garde(custom(field::optional_email))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "minji@example.com")]
    email: Option<String>,
}

/// What became of the nights.
enum Held {
    AwaitingPayment,
    Refused(NightsRefusal),
    /// Called back before it was decided.
    Cancelled,
}

/// Reserves nights. 201 means that they are held until the payment is due: pay with `POST /v1/payments/{payment_id}/pay`.
/// 409 means that somebody else has one of them. 202 means that the resort has not answered yet: ask for the reservation
/// in a moment.
#[utoipa::path(post, path = "/v1/reservations", tag = "reservations", request_body = NewReservation, security(("bearer" = [])),
    responses((status = 201, description = "The nights are held; the payment is awaited.", body = ReservationRow),
        (status = 202, description = "The resort has not answered yet.", body = ReservationRow)))]
pub(super) async fn place(
    State(app): State<App>,
    command: Command<NewReservation>,
) -> Result<Response, Problem> {
    command.principal.must_be(&[Role::Customer])?;
    let (customer, body) = (command.principal.sub, command.body);
    let stay = Stay::new(body.check_in, body.check_out);
    let stay = stay.map_err(|error| Problem::new(Code::InvalidDates, error.to_string()))?;
    command
        .meta
        .once(&app.clone(), |ticket, meta| async move {
            let resort_id = body.resort_id;
            let id = ReservationId::from_uuid(in_partition(ticket.ids.minted, resort_id.partition()));
            let expected_total = body.expected_total.map(|Price(total)| total);
            // What an earlier run of this request holds is not held against it.
            let placed = ticket.again
                && app
                    .inspect::<Reservation, _>(&id, |_, reservation| reservation.details().is_some())
                    .await?;
            let command = request(&app, id, resort_id, &customer, stay, expected_total, placed).await?;
            let contact = NewContact {
                contact_id: contact_of(id),
                owner: customer.clone(),
                kind: ContactKind::Guest,
                data: json!({"guest": body.guest}),
            };
            let context = meta.context(&app, ticket, id.uuid());
            Ok(ticket.then(request_and_wait(app, id, customer, command, context)).with_contact(Some(contact)))
        })
        .await
}

/// The command, with the resort's price and policy of now. What can be known before anything is appended is checked; a
/// check that passes promises nothing.
async fn request(
    app: &App,
    reservation_id: ReservationId,
    resort_id: ResortId,
    customer_id: &CustomerId,
    stay: Stay,
    expected_total: Option<domain::Money>,
    placed: bool,
) -> Result<ReservationCommand, Problem> {
    let now = app.now();
    let look = |_, resort: &Resort| {
        resort.details().map(|it| {
            let command = ReservationCommand::RequestReservation {
                reservation_id,
                resort_id,
                resort_name: it.name.clone(),
                manager_id: it.manager_id.clone(),
                customer_id: customer_id.clone(),
                stay,
                nightly_price: it.nightly_price,
                expected_total,
                time_zone: it.time_zone,
                policy: it.policy.clone(),
                contact_id: contact_of(reservation_id),
                at: now,
            };
            (command, resort.check_stay(stay, now))
        })
    };
    let found = app.inspect::<Resort, _>(&resort_id, look).await?;
    let (command, free) = found.ok_or_else(|| resorts::not_found(resort_id))?;
    match free {
        Err(reason) if !placed => Err(shown::refused(reason)),
        _ => Ok(command),
    }
}

fn end(event: &Envelope) -> Option<Held> {
    match &event.event {
        Event::Payment(PaymentEvent::PaymentRequested(_)) => Some(Held::AwaitingPayment),
        Event::Reservation(ReservationEvent::ReservationRefused(refused)) => {
            Some(Held::Refused(refused.reason))
        }
        Event::Reservation(ReservationEvent::ReservationCancelled(_)) => Some(Held::Cancelled),
        _ => None,
    }
}

async fn request_and_wait(
    app: App,
    id: ReservationId,
    customer: CustomerId,
    command: ReservationCommand,
    context: CommandContext,
) -> Result<Answer, Problem> {
    let streams = [
        StreamId::new(AggregateKind::Reservation, id.uuid()),
        StreamId::new(AggregateKind::Payment, payment_of(id).uuid()),
    ];
    let following = Following { within: app.settings.order_wait(), streams: &streams, end: &end };
    let done = app.follow::<Reservation, _>(&id, None, command, context, following).await?;
    let location = format!("/v1/reservations/{id}");
    if let Some(Held::Refused(reason)) = done.ended {
        return Err(shown::refused(reason).with("reservation_id", id));
    }
    let status = if done.ended.is_some() { "awaiting_payment" } else { "requested" };
    let body = json!({"reservation_id": id, "payment": {"payment_id": payment_of(id)}, "status": status});
    let otherwise = Answer::new(StatusCode::CREATED, body);
    let key = id.to_string();
    let at = (StatusCode::CREATED, key.as_str(), done.position);
    let answer =
        app.answer_after::<Reservations, _>(at, async |row| shown::one(&app, row).await, otherwise).await?;
    let answer = answer.decided_if(done.ended.is_some());
    Ok(answer.about(&customer).located(&location))
}
