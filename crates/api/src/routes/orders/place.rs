//! `POST /v1/orders`: the order is placed and, within the call, decided.

use axum::{extract::State, http::StatusCode, response::Response};
use domain::{
    CouponId, CustomerId, OrderId, ProductId, Quantity, ShopId,
    order::{MAX_LINES, MAX_OPTION_CHARS, Order, OrderCommand, contact_of},
};
use eventlog::CommandContext;
use garde::Validate;
use projections::{OrderRow, views::MoneySchema};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{
    check,
    decision::{Decision, Waiting},
    shown,
};
use crate::{
    accounts::{ContactKind, NewContact},
    app::App,
    auth::Role,
    problem::{Code, Problem},
    routes::ids::in_partition,
    web::{Answer, Body, Command, Place, Price, check as field, object, objects},
};

/// A new order.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PlaceOrder {
    /// From which shop.
    #[garde(skip)]
    #[schema(value_type = String, example = "phone")]
    pub(super) shop_id: ShopId,
    /// What: 1 to 100 lines.
    #[garde(length(min = 1, max = MAX_LINES), dive)]
    #[serde(deserialize_with = "objects")]
    pub(super) lines: Vec<NewLine>,
    /// Who gets it.
    #[garde(dive)]
    #[serde(deserialize_with = "object")]
    pub(super) recipient: Recipient,
    /// The payment method's token, such as `tok_ok`.
    #[garde(custom(field::payment_method))]
    #[schema(example = "tok_ok")]
    pub(super) payment_method: String,
    /// A coupon of one's own for this shop.
    #[garde(skip)]
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    pub(super) coupon_id: Option<CouponId>,
    /// The total that the customer saw, the discount taken off: if it costs something else now, the order is refused.
    #[garde(skip)]
    #[serde(default)]
    #[schema(value_type = Option<MoneySchema>)]
    pub(super) expected_total: Option<Price>,
}
impl Body for PlaceOrder {}

/// One line of a new order.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewLine {
    /// Which product.
    #[garde(skip)]
    #[schema(value_type = Uuid)]
    pub(super) product_id: ProductId,
    /// How many: 1 to 10,000.
    #[garde(skip)]
    #[schema(value_type = u32, minimum = 1, maximum = 10_000)]
    pub(super) quantity: Quantity,
    /// A menu option. 1 to 40 characters.
    #[garde(custom(field::optional_label::<MAX_OPTION_CHARS>))]
    #[serde(default)]
    pub(super) option: Option<String>,
}

/// Who gets an order. Kept apart from it, and erasable.
#[derive(Debug, Serialize, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Recipient {
    /// 1 to 200 characters.
    #[garde(custom(field::label::<200>))]
    #[schema(example = "Kim Min-ji")]
    name: String,
    /// 1 to 200 characters.
    #[garde(custom(field::label::<200>))]
    #[schema(example = "010-1234-5678")]
    phone: String,
    /// 1 to 200 characters.
    #[garde(custom(field::label::<200>))]
    #[schema(example = "12 Sejong-daero, Seoul")]
    address: String,
    /// Where messages go when they are sent by e-mail.
    #[garde(custom(field::optional_email))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "minji@example.com")]
    email: Option<String>,
}

/// An order whose payment is not decided yet.
#[derive(Serialize, utoipa::ToSchema)]
#[allow(dead_code, reason = "describes an answer")]
pub(super) struct Undecided {
    /// Which order: ask for it in a moment.
    order_id: Uuid,
    /// `awaiting_payment`.
    status: String,
}

/// Places an order. Payment is decided inside the call: 201 for a deal, 402 when it is declined, 409 when goods or price
/// are not there any more. 202 means that the payment's outcome is not known yet: ask for the order in a moment.
#[utoipa::path(post, path = "/v1/orders", tag = "orders", request_body = PlaceOrder, security(("bearer" = [])),
    responses((status = 201, description = "The order is a deal (or, in a deferred shop, waits for its payment).", body = OrderRow),
        (status = 202, description = "The outcome is not known yet.", body = Undecided),
        (status = 402, description = "The payment was declined.", body = crate::problem::ProblemSchema, content_type = "application/problem+json")))]
pub(super) async fn place(State(app): State<App>, command: Command<PlaceOrder>) -> Result<Response, Problem> {
    command.principal.must_be(&[Role::Customer])?;
    let (customer, body) = (command.principal.sub, command.body);
    command
        .meta
        .once(&app.clone(), |ticket, meta| async move {
            let order_id = OrderId::from_uuid(in_partition(ticket.ids.minted, body.shop_id.partition()));
            let placed = ticket.again
                && app.inspect::<Order, _>(&order_id, |_, order| order.details().is_some()).await?;
            let contact = NewContact {
                contact_id: contact_of(order_id),
                owner: customer.clone(),
                kind: ContactKind::Recipient,
                data: json!({"recipient": body.recipient, "payment_method": body.payment_method}),
            };
            // What an earlier run of this request placed is not checked again: it only waits for the decision.
            let order =
                if placed { None } else { Some(check::order(&app, order_id, &customer, body).await?) };
            let context = meta.context(&app, ticket, order_id.uuid());
            Ok(ticket
                .then(place_and_wait(app, order_id, customer, order, context))
                .with_contact(Some(contact)))
        })
        .await
}

async fn place_and_wait(
    app: App,
    order_id: OrderId,
    customer: CustomerId,
    order: Option<(OrderCommand, Option<Place>)>,
    context: CommandContext,
) -> Result<Answer, Problem> {
    // Before the append, so that no event is missed.
    let mut waiting = Waiting::begin(&app, order_id);
    let fresh = order.is_some();
    // The place to wait for the payment in is held to the end.
    let (order, _place) = order.map_or((None, None), |(order, place)| (Some(order), place));
    if let Some(order) = order {
        app.execute::<Order>(&order_id, None, order, context).await?;
    }
    let decision = waiting.decision(&app, !fresh).await?;
    let location = format!("/v1/orders/{order_id}");
    match decision {
        Some(Decision::Rejected(reason)) => Err(shown::rejected(order_id, &reason)),
        Some(Decision::Deal | Decision::AwaitingPayment) => {
            let row = match waiting.row() {
                Some(row) => row,
                None => {
                    shown::fold(&app, order_id, |_| true).await?.ok_or_else(|| super::not_found(order_id))?
                }
            };
            let position = row.position;
            let tag = (row.version, row.position);
            let body = shown::one(&app, row).await?;
            Ok(Answer::new(StatusCode::CREATED, body)
                .about(&customer)
                .tagged(tag.0, tag.1)
                .at(position)
                .located(&location))
        }
        None => {
            let body = json!({"order_id": order_id, "status": "awaiting_payment"});
            let answer = Answer::new(StatusCode::ACCEPTED, body).undecided();
            Ok(answer.at(app.head()).located(&location))
        }
    }
}

/// 409 for a shop that takes no orders.
pub(super) fn closed(shop_id: &ShopId) -> Problem {
    Problem::new(Code::ShopClosed, format!("the shop {:?} takes no orders now", shop_id.as_str()))
}
