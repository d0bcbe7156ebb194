//! `/v1/resorts`: where one can stay, and which nights are free.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use chrono::NaiveDate;
use domain::{
    NotifiedChange, Position, ResortId, TimeZone, Version,
    resort::{Resort, ResortCommand, ResortPolicy},
};
use eventlog::Effect;
use garde::Validate;
use projections::{
    ResortRow, Resorts, View,
    views::{MoneySchema, NightStatus, ResortStatus},
};
use serde::{Deserialize, Serialize};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    auth::{Principal, Role},
    problem::{Code, Problem},
    web::{
        Answer, Body, Command, CommandMeta, NoBody, OrAll, Page, PageQuery, Params, PathId, Price, Reading,
        bare, check, page_of, present, single,
    },
};

/// How long a reservation waits for its payment unless the resort says otherwise: a day.
const PAY_WITHIN_SECS: u32 = 24 * 3600;
/// Until how many days before the first night a reservation can be cancelled unless the resort says otherwise.
const CANCEL_DAYS_BEFORE: u16 = 1;
/// What customers are told of unless the resort says otherwise.
const NOTIFY: &[NotifiedChange] = &[
    NotifiedChange::ReservationConfirmed,
    NotifiedChange::ReservationPaid,
    NotifiedChange::ReservationCancelled,
    NotifiedChange::ReservationExpired,
];

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, register))
        .routes(routes!(read, revise, retire))
        .routes(routes!(nights))
}

/// A new resort.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewResort {
    /// The name customers see. 1 to 100 characters.
    #[garde(custom(check::label::<100>))]
    #[schema(example = "Seaside House")]
    name: String,
    /// What kind of place it is. 1 to 100 characters.
    #[garde(custom(check::label::<100>))]
    #[schema(example = "pension")]
    kind: String,
    /// Price of one night.
    #[garde(skip)]
    #[schema(value_type = MoneySchema)]
    nightly_price: Price,
    /// The first night on offer.
    #[garde(skip)]
    open_from: NaiveDate,
    /// The day after the last night on offer.
    #[garde(skip)]
    open_until: NaiveDate,
    /// Where its days begin: an IANA name; `Asia/Seoul` unless said.
    #[garde(skip)]
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    time_zone: Option<TimeZone>,
    /// Seconds until a reservation that is not paid expires; a day unless said.
    #[garde(skip)]
    #[serde(default)]
    pay_within_secs: Option<u32>,
    /// Until how many days before the first night a reservation can be cancelled; 1 unless said.
    #[garde(skip)]
    #[serde(default)]
    cancel_days_before: Option<u16>,
    /// What customers are told of. The voucher is sent whatever stands here.
    #[garde(skip)]
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    notify: Option<Vec<NotifiedChange>>,
}
impl Body for NewResort {}

/// What is to change; the rest stays. Reservations that were made keep what they were made under.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ReviseResort {
    /// A new name. 1 to 100 characters.
    #[garde(custom(check::optional_label::<100>))]
    #[serde(default)]
    name: Option<String>,
    /// A new kind. 1 to 100 characters.
    #[garde(custom(check::optional_label::<100>))]
    #[serde(default)]
    kind: Option<String>,
    /// A new price of one night.
    #[garde(skip)]
    #[serde(default)]
    #[schema(value_type = Option<MoneySchema>)]
    nightly_price: Option<Price>,
    /// The first night on offer from here on.
    #[garde(skip)]
    #[serde(default)]
    open_from: Option<NaiveDate>,
    /// The day after the last night on offer from here on.
    #[garde(skip)]
    #[serde(default)]
    open_until: Option<NaiveDate>,
    /// Seconds until a reservation that is not paid expires.
    #[garde(skip)]
    #[serde(default)]
    pay_within_secs: Option<u32>,
    /// Until how many days before the first night a reservation can be cancelled.
    #[garde(skip)]
    #[serde(default)]
    cancel_days_before: Option<u16>,
    /// What customers are told of.
    #[garde(skip)]
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    notify: Option<Vec<NotifiedChange>>,
}
impl Body for ReviseResort {}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListResorts {
    /// 1 to 100; 20 unless said.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// `open` unless said; `all` for those in any state.
    #[param(required = false, schema_with = OrAll::<ResortStatus>::schema)]
    status: Option<OrAll<ResortStatus>>,
    /// Only those that this manager looks after.
    manager_id: Option<String>,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListNights {
    /// The first night.
    from: NaiveDate,
    /// The day after the last night; at most 366 days later.
    to: NaiveDate,
}

/// Registers a resort. Whoever registers it looks after it.
#[utoipa::path(post, path = "/v1/resorts", tag = "resorts", request_body = NewResort, security(("bearer" = [])),
    responses((status = 201, description = "The resort.", body = ResortRow)))]
async fn register(State(app): State<App>, command: Command<NewResort>) -> Result<Response, Problem> {
    command.principal.must_be(&[Role::Manager, Role::Admin])?;
    let (manager_id, body) = (command.principal.sub, command.body);
    let policy = ResortPolicy {
        pay_within_secs: body.pay_within_secs.unwrap_or(PAY_WITHIN_SECS),
        cancel_days_before: body.cancel_days_before.unwrap_or(CANCEL_DAYS_BEFORE),
        notify: body.notify.unwrap_or_else(|| NOTIFY.to_vec()),
    };
    command
        .meta
        .once(&app.clone(), |ticket, meta| async move {
            let resort_id = ResortId::from_uuid(ticket.ids.minted);
            let context = meta.context(&app, ticket, resort_id.uuid());
            let command = ResortCommand::RegisterResort {
                resort_id,
                manager_id,
                name: body.name,
                kind: body.kind,
                nightly_price: body.nightly_price.0,
                time_zone: body.time_zone.unwrap_or(TimeZone::SEOUL),
                open_from: body.open_from,
                open_until: body.open_until,
                policy,
            };
            Ok(ticket.then(async move {
                let done = app.execute::<Resort>(&resort_id, None, command, context).await?;
                let answer = shown(&app, StatusCode::CREATED, resort_id, done.version, done.position).await?;
                Ok(answer.located(&format!("/v1/resorts/{resort_id}")))
            }))
        })
        .await
}

/// All resorts that take reservations, newest first.
#[utoipa::path(get, path = "/v1/resorts", tag = "resorts", params(ListResorts), security(()),
    responses((status = 200, description = "A page of resorts.", body = Page<ResortRow>)))]
async fn list(
    State(app): State<App>,
    reading: Reading,
    Params(query): Params<ListResorts>,
) -> Result<Response, Problem> {
    let rows = PageQuery::new(query.limit, query.cursor.as_deref())?
        .newest()
        .filter_if("manager_id", query.manager_id)
        .filter_if("status", OrAll::given_or(query.status, ResortStatus::Open));
    app.ready_to_read(Resorts::NAME, &reading).await?;
    Ok(page_of(app.views().list::<Resorts>(rows).await?, |row| present(&row)))
}

/// One resort.
#[utoipa::path(get, path = "/v1/resorts/{resort_id}", tag = "resorts", params(("resort_id" = Uuid, Path, description = "The resort.")),
    security(()), responses((status = 200, description = "The resort.", body = ResortRow)))]
async fn read(
    State(app): State<App>,
    reading: Reading,
    PathId(id): PathId<ResortId>,
) -> Result<Response, Problem> {
    app.ready_to_read(Resorts::NAME, &reading).await?;
    let row = app.views().get::<Resorts>(&id.to_string()).await?.ok_or_else(|| not_found(id))?;
    Ok(single(&reading.headers, row.version, row.position, present(&row)))
}

/// One night of a resort.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Night {
    /// The date on which it begins.
    date: NaiveDate,
    /// Whether it is to be had. Nights before the resort's today are `past`, whoever had them.
    status: NightStatus,
}

/// The nights of a resort.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Nights {
    /// One entry for each night asked for, in order.
    data: Vec<Night>,
}

/// Which nights are free, as the resort's calendar goes. A free night promises nothing: reserving it decides.
#[utoipa::path(get, path = "/v1/resorts/{resort_id}/nights", tag = "resorts", params(("resort_id" = Uuid, Path, description = "The resort."), ListNights),
    security(()), responses((status = 200, description = "The nights.", body = Nights)))]
async fn nights(
    State(app): State<App>,
    reading: Reading,
    PathId(id): PathId<ResortId>,
    Params(query): Params<ListNights>,
) -> Result<Response, Problem> {
    let until = query.to;
    let days = until.signed_duration_since(query.from).num_days();
    if !(1..=MAX_NIGHTS_SHOWN).contains(&days) {
        let detail =
            format!("from {} to {until} are {days} nights: ask for 1 to {MAX_NIGHTS_SHOWN}", query.from);
        return Err(Problem::new(Code::InvalidQuery, detail));
    }
    app.ready_to_read(Resorts::NAME, &reading).await?;
    let row = app.views().get::<Resorts>(&id.to_string()).await?.ok_or_else(|| not_found(id))?;
    let today = row.time_zone.date_at(app.now());
    let data = row.nights(query.from, until, today).into_iter().map(|(date, status)| Night { date, status });
    Ok(Json(Nights { data: data.collect() }).into_response())
}

/// The most nights in one answer: a year.
const MAX_NIGHTS_SHOWN: i64 = 366;

/// Changes a resort. Reservations that were made keep their price, deadline and nights.
#[utoipa::path(patch, path = "/v1/resorts/{resort_id}", tag = "resorts", params(("resort_id" = Uuid, Path, description = "The resort.")),
    request_body = ReviseResort, security(("bearer" = [])),
    responses((status = 200, description = "The resort as it is now.", body = ResortRow)))]
async fn revise(
    State(app): State<App>,
    PathId(id): PathId<ResortId>,
    command: Command<ReviseResort>,
) -> Result<Response, Problem> {
    let body = command.body;
    let revise = ResortCommand::ReviseResort {
        name: body.name,
        kind: body.kind,
        nightly_price: body.nightly_price.map(|Price(price)| price),
        open_from: body.open_from,
        open_until: body.open_until,
        pay_within_secs: body.pay_within_secs,
        cancel_days_before: body.cancel_days_before,
        notify: body.notify,
    };
    give(app, id, command.principal, command.meta, revise, false).await
}

/// Takes no more reservations. Those that were made stand.
#[utoipa::path(delete, path = "/v1/resorts/{resort_id}", tag = "resorts", params(("resort_id" = Uuid, Path, description = "The resort.")),
    security(("bearer" = [])), responses((status = 204, description = "It takes no more reservations.")))]
async fn retire(
    State(app): State<App>,
    PathId(id): PathId<ResortId>,
    command: Command<NoBody>,
) -> Result<Response, Problem> {
    give(app, id, command.principal, command.meta, ResortCommand::RetireResort, true).await
}

pub(super) fn not_found(id: ResortId) -> Problem {
    Problem::new(Code::ResortNotFound, format!("there is no resort {id}"))
}

/// Gives the command, if they look after the resort.
async fn give(
    app: App,
    id: ResortId,
    principal: Principal,
    meta: CommandMeta,
    command: ResortCommand,
    retires: bool,
) -> Result<Response, Problem> {
    principal.must_be(&[Role::Manager, Role::Admin])?;
    let manager =
        app.inspect::<Resort, _>(&id, |_, resort| resort.details().map(|it| it.manager_id.clone())).await?;
    if !manager.is_some_and(|manager| principal.looks_after(&manager)) {
        return Err(not_found(id));
    }
    meta.once(&app.clone(), |ticket, meta| async move {
        let (context, expected) = (meta.context(&app, ticket, id.uuid()), meta.expected());
        Ok(ticket.then(async move {
            let done = app.execute::<Resort>(&id, expected, command, context).await?;
            if retires && done.effect == Effect::AlreadyApplied {
                return Err(Problem::new(
                    Code::AlreadyRetired,
                    format!("the resort {id} is retired already"),
                ));
            }
            if retires {
                return Ok(Answer::no_content().at(done.position));
            }
            shown(&app, StatusCode::OK, id, done.version, done.position).await
        }))
    })
    .await
}

/// The resort as it is after the event at `position`.
async fn shown(
    app: &App,
    status: StatusCode,
    id: ResortId,
    version: Version,
    position: Position,
) -> Result<Answer, Problem> {
    let otherwise = bare(status, "resort_id", &id, version, position);
    let key = id.to_string();
    app.answer_after::<Resorts, _>((status, &key, position), async |row| Ok(present(&row)), otherwise).await
}
