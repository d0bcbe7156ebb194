//! `/v1/refunds` and `/v1/orders/{order_id}/refunds`: goods that go back, and the money for them.

mod cancel;
mod read;
mod request;

use domain::{
    CustomerId, OrderId, ProductId, RefundId, ShopId, Version,
    delivery::{Delivery, ReturnRefusal},
    refund::{Refund, RefundError, ReturnedLine},
};
use eventlog::ExecuteError;
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

/// 412 unless the thing is at the version that If-Match asks for. For commands that go to another aggregate than the one
/// whose version the client has seen.
fn must_match(expected: Option<Version>, actual: Version) -> Result<(), Problem> {
    match expected {
        Some(expected) if expected != actual => {
            Err(ExecuteError::<RefundError>::VersionMismatch { expected, actual }.into())
        }
        _ => Ok(()),
    }
}

/// The first product of which more pieces are to go back than the customer has left, and how many those are. None if
/// there is no such product, as when everything is to go back.
fn short(delivery: &Delivery, wanted: &[ReturnedLine]) -> Option<(ProductId, u32)> {
    let details = delivery.details()?;
    let left = |product: ProductId| {
        let lines = details.lines.iter().zip(&details.returned);
        let of_it = lines.filter(|(line, _)| line.product_id == product);
        of_it.map(|(line, returned)| line.quantity.get().saturating_sub(*returned)).sum::<u32>()
    };
    let left = wanted.iter().map(|line| (line, left(line.product_id)));
    left.filter(|(line, left)| line.quantity.get() > *left).map(|(line, left)| (line.product_id, left)).next()
}

/// What a customer is told whose goods cannot go back; `short` is the product that there are too few pieces of.
fn refused(order_id: OrderId, reason: ReturnRefusal, short: Option<(ProductId, u32)>) -> Problem {
    if let (ReturnRefusal::MoreThanDelivered, Some((product_id, left))) = (reason, short) {
        let detail = format!(
            "the order {order_id} has {left} pieces of the product {product_id} left that can go back"
        );
        let problem = Problem::new(Code::MoreThanDelivered, detail).with("order_id", order_id);
        return problem.with("product_id", product_id).with("left", left);
    }
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
