//! What can be checked before an order is placed, on the aggregates as they are now. A check that passes promises
//! nothing: checkout decides.

use std::collections::BTreeMap;

use domain::{
    CouponId, CustomerId, Money, OrderId, PaymentTerms, ProductId, ShopId, ShopPolicy,
    coupon::Coupon,
    order::{AppliedCoupon, OrderCommand, OrderError, OrderLine, contact_of, total_of},
    product::Product,
    shop::Shop,
};

use super::{
    place::{PlaceOrder, closed},
    shown::coupon_refused,
};
use crate::{
    app::App,
    problem::{Code, Problem, refusal},
    routes::{payments, shops},
    web::{Place, Price},
};

/// What is known of a product when it is ordered.
struct Offer {
    name: String,
    price: Money,
    /// Pieces on the shelf; none for a product that is made to order.
    available: Option<u64>,
    listed: bool,
}

/// The command that places the order, with names and prices of now; and the place to wait for its payment in, if it is
/// paid now.
pub(super) async fn order(
    app: &App,
    order_id: OrderId,
    customer_id: &CustomerId,
    body: PlaceOrder,
) -> Result<(OrderCommand, Option<Place>), Problem> {
    let policy = policy(app, &body.shop_id).await?;
    let place = match policy.payment {
        PaymentTerms::AtOrder { .. } => Some(payments::can_be_made(app).await?),
        PaymentTerms::Deferred { .. } => None,
    };
    let mut wanted: BTreeMap<ProductId, u64> = BTreeMap::new();
    for line in &body.lines {
        *wanted.entry(line.product_id).or_default() += u64::from(line.quantity.get());
    }
    let mut offers = BTreeMap::new();
    for (product_id, quantity) in &wanted {
        offers.insert(*product_id, offer(app, &body.shop_id, *product_id, *quantity).await?);
    }
    let lines: Vec<OrderLine> = body
        .lines
        .into_iter()
        .map(|line| {
            let offer = &offers[&line.product_id];
            OrderLine {
                product_id: line.product_id,
                name: offer.name.clone(),
                option: line.option,
                quantity: line.quantity,
                unit_price: offer.price,
            }
        })
        .collect();
    let subtotal = total_of(&lines).map_err(|error| refusal(&error))?;
    let coupon = match body.coupon_id {
        Some(id) => Some(coupon(app, id, &body.shop_id, customer_id, subtotal).await?),
        None => None,
    };
    let total = coupon.map_or(Ok(subtotal), |coupon| subtotal.minus(coupon.discount));
    let total = total.map_err(|error| refusal(&OrderError::from(error)))?;
    let expected_total = body.expected_total.map(|Price(expected)| expected);
    if let Some(expected) = expected_total.filter(|expected| *expected != total) {
        return Err(refusal(&OrderError::PriceChanged { expected, total }).with("total", total));
    }
    let command = OrderCommand::PlaceOrder {
        order_id,
        shop_id: body.shop_id,
        customer_id: customer_id.clone(),
        lines,
        coupon,
        expected_total,
        policy,
        contact_id: contact_of(order_id),
        at: app.now(),
    };
    Ok((command, place))
}

async fn policy(app: &App, shop_id: &ShopId) -> Result<ShopPolicy, Problem> {
    let look = |_, shop: &Shop| match shop {
        Shop::Absent => None,
        Shop::Open(details) => Some((true, details.policy.clone())),
        Shop::Closed(details) => Some((false, details.policy.clone())),
    };
    match app.inspect::<Shop, _>(shop_id, look).await? {
        None => Err(shops::not_found(shop_id)),
        Some((false, _)) => Err(closed(shop_id)),
        Some((true, policy)) => Ok(policy),
    }
}

/// What the coupon takes off.
async fn coupon(
    app: &App,
    coupon_id: CouponId,
    shop_id: &ShopId,
    customer_id: &CustomerId,
    subtotal: Money,
) -> Result<AppliedCoupon, Problem> {
    let look = |_, coupon: &Coupon| coupon.check_redemption(shop_id, customer_id, subtotal);
    match app.inspect::<Coupon, _>(&coupon_id, look).await? {
        Ok(discount) => Ok(AppliedCoupon { coupon_id, discount }),
        Err(reason) => Err(coupon_refused(coupon_id, reason)),
    }
}

async fn offer(app: &App, shop_id: &ShopId, id: ProductId, quantity: u64) -> Result<Offer, Problem> {
    let look = |_, product: &Product| {
        let details = product.details().filter(|details| details.shop_id == *shop_id)?;
        Some(Offer {
            name: details.name.clone(),
            price: details.price,
            available: details.stock.as_ref().map(|stock| stock.available),
            listed: matches!(product, Product::Listed(_)),
        })
    };
    let Some(offer) = app.inspect::<Product, _>(&id, look).await? else {
        let detail = format!("the shop {:?} has no product {id}", shop_id.as_str());
        return Err(Problem::new(Code::UnknownProduct, detail).with("product_id", id));
    };
    if !offer.listed {
        let detail = format!("{:?} ({id}) is not on sale any more", offer.name);
        return Err(Problem::new(Code::ProductWithdrawn, detail).with("product_id", id));
    }
    match offer.available {
        Some(available) if available < quantity => {
            let detail = format!("{quantity} of {:?} are wanted, {available} are left", offer.name);
            Err(Problem::new(Code::OutOfStock, detail).with("product_id", id).with("available", available))
        }
        _ => Ok(offer),
    }
}
