//! `/v1/deliveries`: what a shop has to send, and how far it is. A courier works for every shop.

use axum::{extract::State, http::StatusCode, response::Response};
use domain::{
    Actor, ContactId, DeliveryId, RefundId, ShopId,
    delivery::{Delivery, DeliveryCommand},
};
use eventlog::Effect;
use garde::Validate;
use projections::{Deliveries, DeliveryRow, View, views::DeliveryStatus};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    accounts::member_of,
    app::App,
    auth::{Principal, Role},
    problem::{Code, Problem},
    web::{
        Answer, Body, Command, NoBody, Page, PageQuery, Params, PathId, Reading, check, opaque, page_of,
        present, scope, single,
    },
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(read))
        .routes(routes!(accept))
        .routes(routes!(prepare))
        .routes(routes!(ship))
        .routes(routes!(complete))
        .routes(routes!(fail))
        .routes(routes!(cancel))
        .routes(routes!(receive_return))
        .routes(routes!(cancel_return))
}

/// Why a delivery fails or is cancelled.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct WithReason {
    /// In words. 1 to 500 characters. Kept apart from the delivery, and erasable.
    #[garde(custom(check::optional_label::<500>))]
    #[serde(default)]
    reason: Option<String>,
}
impl Body for WithReason {
    const OPTIONAL: bool = true;
}

/// Which return is meant.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct WhichReturn {
    /// The refund that the goods come back for; the return under way unless said. Say it: a click that comes late, or
    /// twice, then never ends the next return.
    #[garde(skip)]
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    refund_id: Option<RefundId>,
}
impl Body for WhichReturn {
    const OPTIONAL: bool = true;
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListDeliveries {
    /// 1 to 100; 20 unless said.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Only this shop's.
    #[param(value_type = Option<String>)]
    shop_id: Option<ShopId>,
    /// Only those in this state.
    #[param(inline)]
    status: Option<DeliveryStatus>,
}

/// One's shop's deliveries (shop), all (courier, admin) or one's own (customer), newest first.
#[utoipa::path(get, path = "/v1/deliveries", tag = "deliveries", params(ListDeliveries), security(("bearer" = [])),
    responses((status = 200, description = "A page of deliveries.", body = Page<DeliveryRow>)))]
async fn list(
    State(app): State<App>,
    principal: Principal,
    reading: Reading,
    Params(query): Params<ListDeliveries>,
) -> Result<Response, Problem> {
    principal.must_be(&[Role::Customer, Role::Shop, Role::Courier, Role::Admin])?;
    let rows = PageQuery::new(query.limit, query.cursor.as_deref())?.newest();
    let rows = scope(&principal, query.shop_id, rows).filter_if("status", query.status);
    app.ready_to_read(Deliveries::NAME, &reading).await?;
    let page = app.views().list::<Deliveries>(rows).await?;
    let shown = show(&app, page.rows).await?;
    Ok(page_of(projections::Page { rows: shown, next: page.next, has_more: page.has_more }, |value| value))
}

/// One delivery. It appears a moment after its order is confirmed.
#[utoipa::path(get, path = "/v1/deliveries/{delivery_id}", tag = "deliveries", params(("delivery_id" = Uuid, Path, description = "The delivery.")),
    security(("bearer" = [])), responses((status = 200, description = "The delivery.", body = DeliveryRow)))]
async fn read(
    State(app): State<App>,
    principal: Principal,
    reading: Reading,
    PathId(id): PathId<DeliveryId>,
) -> Result<Response, Problem> {
    app.ready_to_read(Deliveries::NAME, &reading).await?;
    let row = app.views().get::<Deliveries>(&id.to_string()).await?;
    let theirs = |row: &DeliveryRow| {
        principal.works_for(&row.shop_id) || principal.may_see(&row.customer_id, &row.shop_id)
    };
    let row = row.filter(theirs).ok_or_else(|| not_found(id))?;
    let (version, position) = (row.version, row.position);
    let body = show(&app, vec![row]).await?.remove(0);
    Ok(single(&reading.headers, version, position, body))
}

/// The shop takes the delivery on.
#[utoipa::path(post, path = "/v1/deliveries/{delivery_id}/accept", tag = "deliveries", params(("delivery_id" = Uuid, Path, description = "The delivery.")),
    security(("bearer" = [])), responses((status = 200, description = "The delivery as it is now.", body = DeliveryRow)))]
async fn accept(
    State(app): State<App>,
    PathId(id): PathId<DeliveryId>,
    command: Command<NoBody>,
) -> Result<Response, Problem> {
    let give = |by, _| DeliveryCommand::AcceptDelivery { by };
    act(app, id, bare(command), SHOP, Code::AlreadyAccepted, give).await
}

/// The shop starts making the goods.
#[utoipa::path(post, path = "/v1/deliveries/{delivery_id}/prepare", tag = "deliveries", params(("delivery_id" = Uuid, Path, description = "The delivery.")),
    security(("bearer" = [])), responses((status = 200, description = "The delivery as it is now.", body = DeliveryRow)))]
async fn prepare(
    State(app): State<App>,
    PathId(id): PathId<DeliveryId>,
    command: Command<NoBody>,
) -> Result<Response, Problem> {
    let give = |by, _| DeliveryCommand::StartPreparation { by };
    act(app, id, bare(command), SHOP, Code::AlreadyPreparing, give).await
}

/// The goods leave the shop.
#[utoipa::path(post, path = "/v1/deliveries/{delivery_id}/ship", tag = "deliveries", params(("delivery_id" = Uuid, Path, description = "The delivery.")),
    security(("bearer" = [])), responses((status = 200, description = "The delivery as it is now.", body = DeliveryRow)))]
async fn ship(
    State(app): State<App>,
    PathId(id): PathId<DeliveryId>,
    command: Command<NoBody>,
) -> Result<Response, Problem> {
    let give = |by, _| DeliveryCommand::ShipDelivery { by };
    act(app, id, bare(command), SHOP_OR_COURIER, Code::AlreadyShipped, give).await
}

/// The goods arrived.
#[utoipa::path(post, path = "/v1/deliveries/{delivery_id}/complete", tag = "deliveries", params(("delivery_id" = Uuid, Path, description = "The delivery.")),
    security(("bearer" = [])), responses((status = 200, description = "The delivery as it is now.", body = DeliveryRow)))]
async fn complete(
    State(app): State<App>,
    PathId(id): PathId<DeliveryId>,
    command: Command<NoBody>,
) -> Result<Response, Problem> {
    let at = app.now();
    let give = move |by, _| DeliveryCommand::CompleteDelivery { by, at };
    act(app, id, bare(command), SHOP_OR_COURIER, Code::AlreadyCompleted, give).await
}

/// The goods did not arrive: the order is cancelled with a full refund.
#[utoipa::path(post, path = "/v1/deliveries/{delivery_id}/fail", tag = "deliveries", params(("delivery_id" = Uuid, Path, description = "The delivery.")),
    request_body = Option<WithReason>, security(("bearer" = [])), responses((status = 200, description = "The delivery as it is now.", body = DeliveryRow)))]
async fn fail(
    State(app): State<App>,
    PathId(id): PathId<DeliveryId>,
    command: Command<WithReason>,
) -> Result<Response, Problem> {
    let give = |by, reason_id| DeliveryCommand::FailDelivery { by, reason_id };
    act(app, id, command, SHOP_OR_COURIER, Code::AlreadyFailed, give).await
}

/// The shop calls the delivery off: the order is cancelled with a full refund.
#[utoipa::path(post, path = "/v1/deliveries/{delivery_id}/cancel", tag = "deliveries", params(("delivery_id" = Uuid, Path, description = "The delivery.")),
    request_body = Option<WithReason>, security(("bearer" = [])), responses((status = 200, description = "The delivery as it is now.", body = DeliveryRow)))]
async fn cancel(
    State(app): State<App>,
    PathId(id): PathId<DeliveryId>,
    command: Command<WithReason>,
) -> Result<Response, Problem> {
    let give = |by, reason_id| DeliveryCommand::CancelDelivery { by, reason_id };
    act(app, id, command, SHOP, Code::AlreadyCancelled, give).await
}

/// The shop has the returned goods back: the money follows. With `refund_id` only the return for that refund is received;
/// without, the one under way, and a late click could receive goods that are still with the customer.
#[utoipa::path(post, path = "/v1/deliveries/{delivery_id}/receive-return", tag = "deliveries", params(("delivery_id" = Uuid, Path, description = "The delivery.")),
    request_body = Option<WhichReturn>, security(("bearer" = [])), responses((status = 200, description = "The delivery as it is now.", body = DeliveryRow)))]
async fn receive_return(
    State(app): State<App>,
    PathId(id): PathId<DeliveryId>,
    command: Command<WhichReturn>,
) -> Result<Response, Problem> {
    let refund_id = command.body.refund_id;
    let give = |by, _| DeliveryCommand::ReceiveReturn { refund_id, by };
    act(app, id, bare(command), SHOP, Code::AlreadyReceived, give).await
}

/// The return is called off, and the refund with it: the customer keeps the goods. With `refund_id` only the return for
/// that refund is called off; without, the one under way, which may be a later one than was meant.
#[utoipa::path(post, path = "/v1/deliveries/{delivery_id}/cancel-return", tag = "deliveries", params(("delivery_id" = Uuid, Path, description = "The delivery.")),
    request_body = Option<WhichReturn>, security(("bearer" = [])), responses((status = 200, description = "The delivery as it is now.", body = DeliveryRow)))]
async fn cancel_return(
    State(app): State<App>,
    PathId(id): PathId<DeliveryId>,
    command: Command<WhichReturn>,
) -> Result<Response, Problem> {
    let refund_id = command.body.refund_id;
    let give = |by, _| DeliveryCommand::CancelReturn { refund_id, by };
    act(app, id, bare(command), SHOP_OR_COURIER, Code::AlreadyCancelled, give).await
}

const SHOP: &[Role] = &[Role::Shop, Role::Admin];
const SHOP_OR_COURIER: &[Role] = &[Role::Shop, Role::Courier, Role::Admin];

fn bare<T>(command: Command<T>) -> Command<WithReason> {
    Command { principal: command.principal, body: WithReason { reason: None }, meta: command.meta }
}

fn not_found(id: DeliveryId) -> Problem {
    Problem::new(Code::DeliveryNotFound, format!("there is no delivery {id}"))
}

/// One step of a delivery, by somebody of these roles; `already` is what a repeat is answered.
async fn act(
    app: App,
    id: DeliveryId,
    command: Command<WithReason>,
    roles: &[Role],
    already: Code,
    give: impl FnOnce(Actor, Option<ContactId>) -> DeliveryCommand + Send,
) -> Result<Response, Problem> {
    let Command { principal, body, meta } = command;
    principal.must_be(roles)?;
    let look = |_, delivery: &Delivery| {
        delivery.details().map(|it| (it.shop_id.clone(), it.customer_id.clone(), it.order_id))
    };
    let owners = app.inspect::<Delivery, _>(&id, look).await?;
    let owners = owners.filter(|(shop, ..)| principal.works_for(shop)).ok_or_else(|| not_found(id))?;
    let (_, customer, order_id) = owners;
    meta.once(&app.clone(), |ticket, meta| async move {
        let contact = ticket.reason(id.uuid(), &customer, body.reason);
        let reason_id = contact.as_ref().map(|contact| contact.contact_id);
        let command = give(principal.actor(), reason_id);
        let (context, expected) = (meta.context(&app, ticket, order_id.uuid()), meta.expected());
        let work = async move {
            let done = app.execute::<Delivery>(&id, expected, command, context).await?;
            if done.effect == Effect::AlreadyApplied {
                return Err(Problem::new(already, format!("the delivery {id}: {}", already.title())));
            }
            let body = json!({"delivery_id": id, "order_id": order_id, "version": done.version, "position": opaque(done.position)});
            let otherwise = Answer::new(StatusCode::OK, body).tagged(done.version, done.position);
            let key = id.to_string();
            let at = (StatusCode::OK, key.as_str(), done.position);
            let shown = async |row| Ok(show(&app, vec![row]).await?.remove(0));
            let answer = app.answer_after::<Deliveries, _>(at, shown, otherwise).await?;
            Ok(answer.about(&customer))
        };
        Ok(ticket.then(work).with_contact(contact))
    })
    .await
}

/// Deliveries, each with the reason of its failure or cancellation.
async fn show(app: &App, rows: Vec<DeliveryRow>) -> Result<Vec<Value>, Problem> {
    let ids = rows.iter().filter_map(|row| row.internal.reason_id).collect();
    let contacts = app.accounts.contacts(ids).await?;
    let shown = rows.iter().map(|row| {
        let mut value = present(row);
        value["reason"] = member_of(&contacts, row.internal.reason_id, "reason", &json!("erased"));
        value
    });
    Ok(shown.collect())
}
