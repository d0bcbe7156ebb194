//! `/v1/shops`: who sells, and how.

use axum::{extract::State, http::StatusCode, response::Response};
use domain::{
    ShopId, ShopPolicy,
    shop::{Shop, ShopCommand},
};
use eventlog::Effect;
use garde::Validate;
use projections::{ShopRow, Shops, View, views::ShopStatus};
use serde::Deserialize;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    auth::Role,
    problem::{Code, Problem},
    web::{
        Body, Command, NoBody, Page, PageQuery, Params, PathId, Reading, bare, check, object, page_of,
        present, single,
    },
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(read, put))
        .routes(routes!(close))
        .routes(routes!(reopen))
}

/// A shop as it is to be.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct PutShop {
    /// The name customers see. 1 to 80 characters.
    #[garde(custom(check::label::<80>))]
    name: String,
    /// The whole policy.
    #[garde(skip)]
    #[serde(deserialize_with = "object")]
    #[schema(value_type = Object, example = json!({
        "payment": {"when": "at_order"}, "preparation": false, "cancellable_until": "accepted",
        "notify": ["order_confirmed"],
    }))]
    policy: ShopPolicy,
}
impl Body for PutShop {}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListShops {
    /// 1 to 100; 20 unless said.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Only those in this state.
    #[param(inline)]
    status: Option<ShopStatus>,
}

/// All shops, in the order in which they were opened.
#[utoipa::path(get, path = "/v1/shops", tag = "shops", params(ListShops), security(()),
    responses((status = 200, description = "A page of shops.", body = Page<ShopRow>)))]
async fn list(
    State(app): State<App>,
    reading: Reading,
    Params(query): Params<ListShops>,
) -> Result<Response, Problem> {
    let rows =
        PageQuery::new(query.limit, query.cursor.as_deref())?.oldest().filter_if("status", query.status);
    app.ready_to_read(Shops::NAME, &reading).await?;
    Ok(page_of(app.views().list::<Shops>(rows).await?, |row| present(&row)))
}

/// One shop.
#[utoipa::path(get, path = "/v1/shops/{shop_id}", tag = "shops", params(("shop_id" = String, Path, description = "The shop's slug.")),
    security(()), responses((status = 200, description = "The shop.", body = ShopRow)))]
async fn read(
    State(app): State<App>,
    reading: Reading,
    PathId(id): PathId<ShopId>,
) -> Result<Response, Problem> {
    app.ready_to_read(Shops::NAME, &reading).await?;
    let row = app.views().get::<Shops>(id.as_str()).await?.ok_or_else(|| not_found(&id))?;
    Ok(single(&reading.headers, row.version, row.position, present(&row)))
}

/// Opens a shop, or replaces the name and the whole policy of one. Orders placed before keep their policy.
#[utoipa::path(put, path = "/v1/shops/{shop_id}", tag = "shops", params(("shop_id" = String, Path, description = "The shop's slug.")),
    request_body = PutShop, security(("bearer" = [])),
    responses((status = 200, description = "The shop was changed, or is so already.", body = ShopRow),
        (status = 201, description = "The shop was opened.", body = ShopRow)))]
async fn put(
    State(app): State<App>,
    PathId(id): PathId<ShopId>,
    command: Command<PutShop>,
) -> Result<Response, Problem> {
    command.principal.must_be(&[Role::Admin])?;
    let PutShop { name, policy } = command.body;
    give(&app, id.clone(), command.meta, ShopCommand::PutShop { shop_id: id, name, policy }, None).await
}

/// Closes a shop: it takes no new orders and finishes the old ones.
#[utoipa::path(post, path = "/v1/shops/{shop_id}/close", tag = "shops", params(("shop_id" = String, Path, description = "The shop's slug.")),
    security(("bearer" = [])), responses((status = 200, description = "The shop, closed.", body = ShopRow)))]
async fn close(
    State(app): State<App>,
    PathId(id): PathId<ShopId>,
    command: Command<NoBody>,
) -> Result<Response, Problem> {
    command.principal.must_be(&[Role::Admin])?;
    give(&app, id, command.meta, ShopCommand::CloseShop, Some(Code::AlreadyClosed)).await
}

/// Reopens a shop.
#[utoipa::path(post, path = "/v1/shops/{shop_id}/reopen", tag = "shops", params(("shop_id" = String, Path, description = "The shop's slug.")),
    security(("bearer" = [])), responses((status = 200, description = "The shop, open.", body = ShopRow)))]
async fn reopen(
    State(app): State<App>,
    PathId(id): PathId<ShopId>,
    command: Command<NoBody>,
) -> Result<Response, Problem> {
    command.principal.must_be(&[Role::Admin])?;
    give(&app, id, command.meta, ShopCommand::ReopenShop, Some(Code::AlreadyOpen)).await
}

pub(super) fn not_found(id: &ShopId) -> Problem {
    Problem::new(Code::ShopNotFound, format!("there is no shop {:?}", id.as_str()))
}

/// Gives the command; `already` is what a repeat is answered, if a repeat is not simply fine.
async fn give(
    app: &App,
    id: ShopId,
    meta: crate::web::CommandMeta,
    command: ShopCommand,
    already: Option<Code>,
) -> Result<Response, Problem> {
    let app = app.clone();
    meta.once(&app.clone(), |ticket, meta| async move {
        let context = meta.context(&app, ticket, id.uuid());
        let expected = meta.expected();
        Ok(ticket.then(async move {
            let done = app.execute::<Shop>(&id, expected, command, context).await?;
            if let (Effect::AlreadyApplied, Some(code)) = (done.effect, already) {
                return Err(Problem::new(code, format!("the shop {:?}: {}", id.as_str(), code.title())));
            }
            let opened = done.version == 1 && done.effect != Effect::AlreadyApplied;
            let status = if opened { StatusCode::CREATED } else { StatusCode::OK };
            let otherwise = bare(status, "shop_id", &id, done.version, done.position);
            let at = (status, id.as_str(), done.position);
            let answer = app.answer_after::<Shops, _>(at, async |row| Ok(present(&row)), otherwise).await?;
            Ok(answer.located(&format!("/v1/shops/{id}")))
        }))
    })
    .await
}
