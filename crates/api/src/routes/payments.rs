//! `/v1/payments`: what was charged, and paying later.

use std::time::Duration;

use axum::{extract::State, http::StatusCode, response::Response};
use domain::{
    Aggregate, AggregateKind, ContactId, CustomerId, Envelope, Event, PaymentId, ShopId, StreamId, Subject,
    payment::{
        Payment, PaymentCommand, PaymentDetails, PaymentError, PaymentEvent, PaymentStage, PaymentTiming,
    },
};
use eventlog::CommandContext;
use garde::Validate;
use projections::{PaymentRow, Payments, View, views::PaymentStatus};
use sagas::Availability;
use serde::Deserialize;
use serde_json::json;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    accounts::{ContactKind, NewContact},
    app::App,
    auth::{Principal, Role},
    problem::{Code, Problem, refusal},
    web::{
        Answer, Body, Class, Command, Following, Page, PageQuery, Params, PathId, Place, Reading, Refused,
        check, page_of, place_to_pay, present, scope, single,
    },
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(read)).routes(routes!(pay))
}

/// How a payment is made.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Pay {
    /// The payment method's token, such as `tok_ok`.
    #[garde(custom(check::payment_method))]
    #[schema(example = "tok_ok")]
    payment_method: String,
}
impl Body for Pay {}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListPayments {
    /// 1 to 100; 20 unless said.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Only those in this state.
    #[param(inline)]
    status: Option<PaymentStatus>,
    /// Only this shop's.
    #[param(value_type = Option<String>)]
    shop_id: Option<ShopId>,
}

/// One's own payments (customer), those to one's shop (shop), or all (admin), newest first.
#[utoipa::path(get, path = "/v1/payments", tag = "payments", params(ListPayments), security(("bearer" = [])),
    responses((status = 200, description = "A page of payments.", body = Page<PaymentRow>)))]
async fn list(
    State(app): State<App>,
    principal: Principal,
    reading: Reading,
    Params(query): Params<ListPayments>,
) -> Result<Response, Problem> {
    principal.must_be(&[Role::Customer, Role::Shop, Role::Admin])?;
    let rows = PageQuery::new(query.limit, query.cursor.as_deref())?.newest();
    let rows = scope(&principal, query.shop_id, rows).filter_if("status", query.status);
    app.ready_to_read(Payments::NAME, &reading).await?;
    Ok(page_of(app.views().list::<Payments>(rows).await?, |row| present(&row)))
}

/// One payment.
#[utoipa::path(get, path = "/v1/payments/{payment_id}", tag = "payments", params(("payment_id" = Uuid, Path, description = "The payment.")),
    security(("bearer" = [])), responses((status = 200, description = "The payment.", body = PaymentRow)))]
async fn read(
    State(app): State<App>,
    principal: Principal,
    reading: Reading,
    PathId(id): PathId<PaymentId>,
) -> Result<Response, Problem> {
    app.ready_to_read(Payments::NAME, &reading).await?;
    let row = app.views().get::<Payments>(&id.to_string()).await?;
    let theirs = |row: &PaymentRow| principal.may_see(&row.customer_id, row.shop_id.as_ref());
    let row = row.filter(theirs).ok_or_else(|| not_found(id))?;
    Ok(single(&reading.headers, row.version, row.position, present(&row)))
}

/// Pays a reservation, or an order of a shop that lets customers pay later. May be tried again with another method until `due_at`.
#[utoipa::path(post, path = "/v1/payments/{payment_id}/pay", tag = "payments", params(("payment_id" = Uuid, Path, description = "The payment.")),
    request_body = Pay, security(("bearer" = [])),
    responses((status = 200, description = "The payment, made.", body = PaymentRow),
        (status = 202, description = "The outcome is not known yet: ask for the payment in a moment.", body = PaymentRow),
        (status = 402, description = "The payment was declined.", body = crate::problem::ProblemSchema, content_type = "application/problem+json")))]
async fn pay(
    State(app): State<App>,
    PathId(id): PathId<PaymentId>,
    command: Command<Pay>,
) -> Result<Response, Problem> {
    command.principal.must_be(&[Role::Customer])?;
    let (principal, method) = (command.principal, command.body.payment_method);
    let owners = |_, payment: &Payment| {
        payment.details().map(|it| (it.customer_id.clone(), it.shop_id.clone(), it.subject))
    };
    let owners = app.inspect::<Payment, _>(&id, owners).await?;
    let owners = owners.filter(|(customer, shop, _)| principal.may_see(customer, shop.as_ref()));
    let (customer, _, subject) = owners.ok_or_else(|| not_found(id))?;
    command
        .meta
        .once(&app.clone(), |ticket, meta| async move {
            let mut place = None;
            if !ticket.again {
                check_payable(&app, id).await?;
                place = Some(can_be_made(&app).await?);
            }
            let contact_id = ContactId::derived(id.uuid(), "method", &ticket.ids.command_id.to_string());
            let contact = NewContact {
                contact_id,
                owner: customer.clone(),
                kind: ContactKind::Method,
                data: json!({"payment_method": method}),
            };
            let command = PaymentCommand::StartCapture { method: contact_id, at: app.now() };
            let (context, expected) = (meta.context(&app, ticket, subject.uuid()), meta.expected());
            let work = start_and_wait(app, id, subject, customer, command, expected, context);
            let work = async move {
                let _place = place;
                work.await
            };
            Ok(ticket.then(work).with_contact(Some(contact)))
        })
        .await
}

/// Refuses, before anything is written, what would have to be paid now while nobody can make payments, or too many wait
/// for theirs; else a place to wait in.
pub(super) async fn can_be_made(app: &App) -> Result<Place, Problem> {
    match app.sagas.payments_availability().await? {
        Availability::Available if is_being_tried(app) => {
            let detail =
                "payments cannot be made at the moment: it is being tried whether their provider is back";
            Err(unavailable(app, detail, Duration::ZERO))
        }
        Availability::Available => place_to_pay(app),
        Availability::Unavailable { retry_after } => {
            let detail = "payments cannot be made at the moment: their provider does not answer, or no process makes them";
            Err(unavailable(app, detail, retry_after))
        }
    }
}

/// Whether the breaker is half open and has as many payments to try as it lets through: more would wait for their result,
/// and for the next outage if it is a bad one.
fn is_being_tried(app: &App) -> bool {
    let enough = app.admission.waiting_for_payment.taken() >= app.settings.gateway.breaker.probes;
    enough && app.gateway.figures().is_some_and(|figures| figures.state == "half_open")
}

fn unavailable(app: &App, detail: &str, retry_after: Duration) -> Problem {
    app.meters.refused(Class::Commands, Refused::PaymentUnavailable);
    let secs = u32::try_from(retry_after.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
    Problem::new(Code::PaymentUnavailable, detail).retry_after(secs)
}

fn not_found(id: PaymentId) -> Problem {
    Problem::new(Code::PaymentNotFound, format!("there is no payment {id}"))
}

async fn check_payable(app: &App, id: PaymentId) -> Result<(), Problem> {
    let now = app.now();
    let look = |_, payment: &Payment| match payment {
        Payment::Absent => Err(not_found(id)),
        Payment::Existing { details, stage: PaymentStage::Requested } => match details.timing {
            PaymentTiming::Deferred if details.due_at <= now => {
                Err(refusal(&PaymentError::Overdue { due_at: details.due_at }))
            }
            PaymentTiming::Deferred => Ok(()),
            PaymentTiming::AtOrder => {
                Err(Problem::new(Code::IllegalTransition, "this payment is made within the order call"))
            }
        },
        Payment::Existing { stage: PaymentStage::Captured { .. }, .. } => {
            Err(Problem::new(Code::AlreadyCaptured, format!("the payment {id} is made already")))
        }
        Payment::Existing { details, stage: PaymentStage::Expired } => Err(expired(details)),
        Payment::Existing { .. } => {
            let detail = format!("a payment that is {} cannot be made", payment.status());
            Err(Problem::new(Code::IllegalTransition, detail))
        }
    };
    app.inspect::<Payment, _>(&id, look).await?
}

/// What a customer is told who pays after the deadline has ended the payment.
fn expired(details: &PaymentDetails) -> Problem {
    let anew = match details.subject {
        Subject::Order(_) => "the order is off: order anew",
        Subject::Reservation(_) => "the nights are given back: reserve anew",
    };
    let (id, due_at) = (details.payment_id, details.due_at.to_rfc3339());
    let detail = format!("the payment {id} was to be made by {due_at}; nothing was charged, and {anew}");
    Problem::new(Code::PaymentExpired, detail).with("payment_id", id).about(details.subject)
}

/// How an attempt ended.
enum Ended {
    Captured,
    Declined(String),
}

fn outcome(event: &Envelope) -> Option<Ended> {
    match &event.event {
        Event::Payment(PaymentEvent::PaymentCaptured(_)) => Some(Ended::Captured),
        Event::Payment(PaymentEvent::CaptureDeclined(it)) => Some(Ended::Declined(it.decline_code.clone())),
        Event::Payment(PaymentEvent::PaymentDeclined(it)) => Some(Ended::Declined(it.decline_code.clone())),
        _ => None,
    }
}

async fn start_and_wait(
    app: App,
    id: PaymentId,
    subject: Subject,
    customer: CustomerId,
    command: PaymentCommand,
    expected: Option<domain::Version>,
    context: CommandContext,
) -> Result<Answer, Problem> {
    let streams = [StreamId::new(AggregateKind::Payment, id.uuid())];
    let following = Following { within: app.settings.order_wait(), streams: &streams, end: &outcome };
    let done = match app.follow::<Payment, _>(&id, expected, command, context, following).await {
        // It went on since it was checked, or was not checked: say where it is now.
        Err(problem) if problem.code() == Code::IllegalTransition => {
            return Err(check_payable(&app, id).await.err().unwrap_or(problem));
        }
        done => done?,
    };
    if let Some(Ended::Declined(code)) = done.ended {
        let detail = format!("the payment was declined ({code}); nothing was charged");
        let problem = Problem::new(Code::PaymentDeclined, detail).with("decline_code", code);
        return Err(problem.with("payment_id", id).about(subject));
    }
    let otherwise = Answer::new(StatusCode::OK, json!({"payment_id": id}));
    let key = id.to_string();
    let at = (StatusCode::OK, key.as_str(), done.position);
    let answer = app.answer_after::<Payments, _>(at, async |row| Ok(present(&row)), otherwise).await?;
    let answer = answer.decided_if(done.ended.is_some());
    Ok(answer.about(&customer).located(&format!("/v1/payments/{id}")))
}
