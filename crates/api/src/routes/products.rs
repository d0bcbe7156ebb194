//! `/v1/products` and `/v1/shops/{shop_id}/products`: what is sold.

use axum::{extract::State, http::StatusCode, response::Response};
use domain::{
    Position, ProductId, ShopId, Version,
    product::{Product, ProductCommand},
    shop::Shop,
};
use eventlog::Effect;
use garde::Validate;
use projections::{
    ProductRow, Products, View,
    views::{MoneySchema, ProductStatus},
};
use serde::Deserialize;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{ids::in_partition, shops};
use crate::{
    app::App,
    auth::{Principal, Role},
    problem::{Code, Problem},
    web::{
        Answer, Body, Command, CommandMeta, NoBody, OrAll, Page, PageQuery, Params, PathId, Price, Reading,
        bare, check, page_of, present, single,
    },
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(register))
        .routes(routes!(list))
        .routes(routes!(read, revise, withdraw))
        .routes(routes!(restock))
}

/// A new product.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewProduct {
    /// The name customers see. 1 to 120 characters.
    #[garde(custom(check::label::<120>))]
    name: String,
    /// Price of one piece.
    #[garde(skip)]
    #[schema(value_type = MoneySchema)]
    price: Price,
    /// Pieces in stock; nothing for a product that is made to order.
    #[garde(skip)]
    #[serde(default)]
    stock: Option<u64>,
}
impl Body for NewProduct {}

/// What is to change; the rest stays.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[garde(context(()))]
struct ReviseProduct {
    /// A new name. 1 to 120 characters.
    #[garde(custom(check::optional_label::<120>))]
    #[serde(default)]
    name: Option<String>,
    /// A new price, in the same currency.
    #[garde(custom(something_changes(&self.name)))]
    #[serde(default)]
    #[schema(value_type = Option<MoneySchema>)]
    price: Option<Price>,
}
impl Body for ReviseProduct {}

fn something_changes(name: &Option<String>) -> impl FnOnce(&Option<Price>, &()) -> garde::Result + '_ {
    move |price, ()| match (name, price) {
        (None, None) => Err(garde::Error::new("give a name, a price or both")),
        _ => Ok(()),
    }
}

/// More pieces.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Restock {
    /// How many, at least 1.
    #[garde(range(min = 1))]
    quantity: u64,
}
impl Body for Restock {}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListProducts {
    /// 1 to 100; 20 unless said.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Only this shop's.
    #[param(value_type = Option<String>)]
    shop_id: Option<ShopId>,
    /// `listed` unless said; `all` for those in any state.
    #[param(required = false, schema_with = OrAll::<ProductStatus>::schema)]
    status: Option<OrAll<ProductStatus>>,
}

/// Registers a product of a shop.
#[utoipa::path(post, path = "/v1/shops/{shop_id}/products", tag = "products", params(("shop_id" = String, Path, description = "The shop's slug.")),
    request_body = NewProduct, security(("bearer" = [])),
    responses((status = 201, description = "The product.", body = ProductRow)))]
async fn register(
    State(app): State<App>,
    PathId(shop_id): PathId<ShopId>,
    command: Command<NewProduct>,
) -> Result<Response, Problem> {
    command.principal.must_be(&[Role::Shop, Role::Admin])?;
    if !command.principal.works_for(&shop_id) {
        let detail = format!("the shop {:?} is not yours", shop_id.as_str());
        return Err(Problem::new(Code::Forbidden, detail));
    }
    let NewProduct { name, price: Price(price), stock } = command.body;
    command
        .meta
        .once(&app.clone(), |ticket, meta| async move {
            if app.inspect::<Shop, _>(&shop_id, |_, shop| shop.details().is_none()).await? {
                return Err(shops::not_found(&shop_id));
            }
            let product_id = ProductId::from_uuid(in_partition(ticket.ids.minted, shop_id.partition()));
            let context = meta.context(&app, ticket, product_id.uuid());
            let command = ProductCommand::ListProduct { product_id, shop_id, name, price, stock };
            Ok(ticket.then(async move {
                let done = app.execute::<Product>(&product_id, None, command, context).await?;
                let answer =
                    shown(&app, StatusCode::CREATED, product_id, done.version, done.position).await?;
                Ok(answer.located(&format!("/v1/products/{product_id}")))
            }))
        })
        .await
}

/// All products, newest first.
#[utoipa::path(get, path = "/v1/products", tag = "products", params(ListProducts), security(()),
    responses((status = 200, description = "A page of products.", body = Page<ProductRow>)))]
async fn list(
    State(app): State<App>,
    reading: Reading,
    Params(query): Params<ListProducts>,
) -> Result<Response, Problem> {
    let rows = PageQuery::new(query.limit, query.cursor.as_deref())?
        .newest()
        .filter_if("shop_id", query.shop_id.as_ref().map(ShopId::as_str))
        .filter_if("status", OrAll::given_or(query.status, ProductStatus::Listed));
    app.ready_to_read(Products::NAME, &reading).await?;
    Ok(page_of(app.views().list::<Products>(rows).await?, |row| present(&row)))
}

/// One product.
#[utoipa::path(get, path = "/v1/products/{product_id}", tag = "products", params(("product_id" = Uuid, Path, description = "The product.")),
    security(()), responses((status = 200, description = "The product.", body = ProductRow)))]
async fn read(
    State(app): State<App>,
    reading: Reading,
    PathId(id): PathId<ProductId>,
) -> Result<Response, Problem> {
    app.ready_to_read(Products::NAME, &reading).await?;
    let row = app.views().get::<Products>(&id.to_string()).await?.ok_or_else(|| not_found(id))?;
    Ok(single(&reading.headers, row.version, row.position, present(&row)))
}

/// Changes a product's name or price. Orders placed before keep theirs.
#[utoipa::path(patch, path = "/v1/products/{product_id}", tag = "products", params(("product_id" = Uuid, Path, description = "The product.")),
    request_body = ReviseProduct, security(("bearer" = [])),
    responses((status = 200, description = "The product as it is now.", body = ProductRow)))]
async fn revise(
    State(app): State<App>,
    PathId(id): PathId<ProductId>,
    command: Command<ReviseProduct>,
) -> Result<Response, Problem> {
    let ReviseProduct { name, price } = command.body;
    let revise = ProductCommand::ReviseProduct { name, price: price.map(|Price(price)| price) };
    give(app, id, command.principal, command.meta, revise, None, false).await
}

/// Adds pieces to a product's stock.
#[utoipa::path(post, path = "/v1/products/{product_id}/restock", tag = "products", params(("product_id" = Uuid, Path, description = "The product.")),
    request_body = Restock, security(("bearer" = [])),
    responses((status = 200, description = "The product as it is now.", body = ProductRow)))]
async fn restock(
    State(app): State<App>,
    PathId(id): PathId<ProductId>,
    command: Command<Restock>,
) -> Result<Response, Problem> {
    let restock = ProductCommand::Restock { quantity: command.body.quantity };
    give(app, id, command.principal, command.meta, restock, None, false).await
}

/// Takes a product off sale. Orders placed before go on.
#[utoipa::path(delete, path = "/v1/products/{product_id}", tag = "products", params(("product_id" = Uuid, Path, description = "The product.")),
    security(("bearer" = [])), responses((status = 204, description = "It is off sale.")))]
async fn withdraw(
    State(app): State<App>,
    PathId(id): PathId<ProductId>,
    command: Command<NoBody>,
) -> Result<Response, Problem> {
    let already = Some(Code::AlreadyWithdrawn);
    give(app, id, command.principal, command.meta, ProductCommand::WithdrawProduct, already, true).await
}

fn not_found(id: ProductId) -> Problem {
    Problem::new(Code::ProductNotFound, format!("there is no product {id}"))
}

/// Gives the command, if the product is theirs.
async fn give(
    app: App,
    id: ProductId,
    principal: Principal,
    meta: CommandMeta,
    command: ProductCommand,
    already: Option<Code>,
    silent: bool,
) -> Result<Response, Problem> {
    principal.must_be(&[Role::Shop, Role::Admin])?;
    let shop =
        app.inspect::<Product, _>(&id, |_, product| product.details().map(|it| it.shop_id.clone())).await?;
    if !shop.is_some_and(|shop| principal.works_for(&shop)) {
        return Err(not_found(id));
    }
    meta.once(&app.clone(), |ticket, meta| async move {
        let (context, expected) = (meta.context(&app, ticket, id.uuid()), meta.expected());
        Ok(ticket.then(async move {
            let done = app.execute::<Product>(&id, expected, command, context).await?;
            if let (Effect::AlreadyApplied, Some(code)) = (done.effect, already) {
                return Err(Problem::new(code, format!("the product {id}: {}", code.title())));
            }
            if silent {
                return Ok(Answer::no_content().at(done.position));
            }
            shown(&app, StatusCode::OK, id, done.version, done.position).await
        }))
    })
    .await
}

/// The product as it is after the event at `position`.
async fn shown(
    app: &App,
    status: StatusCode,
    id: ProductId,
    version: Version,
    position: Position,
) -> Result<Answer, Problem> {
    let otherwise = bare(status, "product_id", &id, version, position);
    let key = id.to_string();
    app.answer_after::<Products, _>((status, &key, position), async |row| Ok(present(&row)), otherwise).await
}
