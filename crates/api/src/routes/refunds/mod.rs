//! `/v1/refunds` and `/v1/orders/{order_id}/refunds`: goods that go back, and the money for them.

mod cancel;
mod read;
mod request;

use domain::{CustomerId, OrderId, RefundId, ShopId, delivery::ReturnRefusal, refund::Refund};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    auth::Principal,
    problem::{Code, Problem},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(read::list))
        .routes(routes!(read::read))
        .routes(routes!(request::request))
        .routes(routes!(cancel::cancel))
}

fn not_found(id: RefundId) -> Problem {
    Problem::new(Code::RefundNotFound, format!("there is no refund {id}"))
}

/// Whose refund it is, of which shop and order, if the principal may see it; else there is no such refund.
async fn must_see(
    app: &App,
    principal: &Principal,
    id: RefundId,
) -> Result<(CustomerId, ShopId, OrderId), Problem> {
    let owners = |_, refund: &Refund| {
        refund.details().map(|it| (it.customer_id.clone(), it.shop_id.clone(), it.order_id))
    };
    let owners = app.inspect::<Refund, _>(&id, owners).await?;
    owners.filter(|(customer, shop, _)| principal.may_see(customer, shop)).ok_or_else(|| not_found(id))
}

/// What a customer is told whose goods cannot go back.
fn refused(order_id: OrderId, reason: ReturnRefusal) -> Problem {
    let (code, detail) = match reason {
        ReturnRefusal::NotDelivered => (Code::NotDelivered, "has not arrived"),
        ReturnRefusal::NoReturns => (Code::NoReturns, "is of a shop that takes nothing back"),
        ReturnRefusal::WindowOver => (Code::WindowOver, "arrived too long ago"),
        ReturnRefusal::ReturnOpen => (Code::ReturnOpen, "has a return under way already"),
        ReturnRefusal::MoreThanDelivered => {
            (Code::MoreThanDelivered, "has fewer pieces left of a product than are to go back")
        }
    };
    Problem::new(code, format!("the order {order_id} {detail}")).with("order_id", order_id)
}
