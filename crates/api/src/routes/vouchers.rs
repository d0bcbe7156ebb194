//! `/v1/vouchers`: what guests show.

use axum::{extract::State, http::StatusCode, response::Response};
use domain::{
    VoucherId,
    voucher::{Voucher, VoucherCommand},
};
use projections::{View, VoucherRow, Vouchers, views::VoucherStatus};
use serde::Deserialize;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::reservations::may_see;
use crate::{
    app::App,
    auth::{Principal, Role},
    problem::{Code, Problem},
    web::{
        Command, NoBody, Page, PageQuery, Params, PathId, Reading, bare, page_of, present, scope_stays,
        single,
    },
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(read)).routes(routes!(send))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListVouchers {
    /// 1 to 100; 20 unless said.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Only those in this state.
    #[param(inline)]
    status: Option<VoucherStatus>,
    /// Only the one of this reservation.
    reservation_id: Option<uuid::Uuid>,
}

/// One's own vouchers (customer), those for one's resorts (manager), or all (admin), newest first.
#[utoipa::path(get, path = "/v1/vouchers", tag = "vouchers", params(ListVouchers), security(("bearer" = [])),
    responses((status = 200, description = "A page of vouchers.", body = Page<VoucherRow>)))]
async fn list(
    State(app): State<App>,
    principal: Principal,
    reading: Reading,
    Params(query): Params<ListVouchers>,
) -> Result<Response, Problem> {
    principal.must_be(&[Role::Customer, Role::Manager, Role::Admin])?;
    let rows = PageQuery::new(query.limit, query.cursor.as_deref())?.newest();
    let rows = scope_stays(&principal, rows)
        .filter_if("reservation_id", query.reservation_id.map(|id| id.to_string()))
        .filter_if("status", query.status);
    app.ready_to_read(Vouchers::NAME, &reading).await?;
    Ok(page_of(app.views().list::<Vouchers>(rows).await?, |row| present(&row)))
}

/// One voucher, with the code that the guest shows.
#[utoipa::path(get, path = "/v1/vouchers/{voucher_id}", tag = "vouchers", params(("voucher_id" = Uuid, Path, description = "The voucher.")),
    security(("bearer" = [])), responses((status = 200, description = "The voucher.", body = VoucherRow)))]
async fn read(
    State(app): State<App>,
    principal: Principal,
    reading: Reading,
    PathId(id): PathId<VoucherId>,
) -> Result<Response, Problem> {
    app.ready_to_read(Vouchers::NAME, &reading).await?;
    let row = app.views().get::<Vouchers>(&id.to_string()).await?;
    let row = row.filter(|row| may_see(&principal, &row.customer_id, &row.manager_id));
    let row = row.ok_or_else(|| not_found(id))?;
    Ok(single(&reading.headers, row.version, row.position, present(&row)))
}

/// Sends the voucher to the customer once more. It was sent by itself when the reservation was paid.
#[utoipa::path(post, path = "/v1/vouchers/{voucher_id}/send", tag = "vouchers", params(("voucher_id" = Uuid, Path, description = "The voucher.")),
    security(("bearer" = [])), responses((status = 200, description = "The voucher; it is being sent.", body = VoucherRow)))]
async fn send(
    State(app): State<App>,
    PathId(id): PathId<VoucherId>,
    command: Command<NoBody>,
) -> Result<Response, Problem> {
    let (principal, meta) = (command.principal, command.meta);
    principal.must_be(&[Role::Manager, Role::Admin])?;
    let look = |_, voucher: &Voucher| {
        voucher.details().map(|it| (it.manager_id.clone(), it.customer_id.clone(), it.reservation_id))
    };
    let owners = app.inspect::<Voucher, _>(&id, look).await?;
    let owners =
        owners.filter(|(manager, ..)| principal.looks_after(manager)).ok_or_else(|| not_found(id))?;
    let (_, customer, reservation_id) = owners;
    meta.once(&app.clone(), |ticket, meta| async move {
        let command = VoucherCommand::RequestSend { by: principal.actor() };
        let (context, expected) = (meta.context(&app, ticket, reservation_id.uuid()), meta.expected());
        Ok(ticket.then(async move {
            let done = app.execute::<Voucher>(&id, expected, command, context).await?;
            let otherwise = bare(StatusCode::OK, "voucher_id", &id, done.version, done.position);
            let key = id.to_string();
            let at = (StatusCode::OK, key.as_str(), done.position);
            let answer =
                app.answer_after::<Vouchers, _>(at, async |row| Ok(present(&row)), otherwise).await?;
            Ok(answer.about(&customer))
        }))
    })
    .await
}

fn not_found(id: VoucherId) -> Problem {
    Problem::new(Code::VoucherNotFound, format!("there is no voucher {id}"))
}
