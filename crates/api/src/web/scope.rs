//! Whose rows a list shows.

use domain::ShopId;
use projections::ListQuery;

use crate::auth::{Principal, Role};

/// Narrows a list to what the principal may see: customers their own, a shop its own, others all. `shop_id` narrows
/// further.
#[must_use]
pub fn scope(principal: &Principal, shop_id: Option<ShopId>, rows: ListQuery) -> ListQuery {
    let rows = match (principal.role, &principal.shop) {
        (Role::Customer, _) => rows.filter("customer_id", principal.sub.as_str()),
        (Role::Shop, Some(shop)) => rows.filter("shop_id", shop.as_str()),
        _ => rows,
    };
    rows.filter_if("shop_id", shop_id.as_ref().map(ShopId::as_str))
}

/// The same for reservations and vouchers: customers their own, managers those of the resorts that they look after.
#[must_use]
pub fn scope_stays(principal: &Principal, rows: ListQuery) -> ListQuery {
    match principal.role {
        Role::Customer => rows.filter("customer_id", principal.sub.as_str()),
        Role::Manager => rows.filter("manager_id", principal.sub.as_str()),
        Role::Shop | Role::Courier | Role::Admin => rows,
    }
}
