//! `/v1/orders`: placing, reading, cancelling and following orders.

mod cancel;
mod check;
mod decision;
mod place;
mod read;
mod shown;
mod stream;

pub(super) use shown::many as shown;

use domain::{CustomerId, OrderId, ShopId, order::Order};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    auth::Principal,
    problem::{Code, Problem},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(read::list, place::place))
        .routes(routes!(read::read))
        .routes(routes!(cancel::cancel))
        .routes(routes!(stream::stream))
}

fn not_found(id: OrderId) -> Problem {
    Problem::new(Code::OrderNotFound, format!("there is no order {id}"))
}

/// Whose order it is and of which shop, if the principal may see it; else there is no such order.
pub(super) async fn must_see(
    app: &App,
    principal: &Principal,
    id: OrderId,
) -> Result<(CustomerId, ShopId), Problem> {
    let owners = |_, order: &Order| order.details().map(|it| (it.customer_id.clone(), it.shop_id.clone()));
    let owners = app.inspect::<Order, _>(&id, owners).await?;
    owners.filter(|(customer, shop)| principal.may_see(customer, shop)).ok_or_else(|| not_found(id))
}
