//! Whose rows a list shows.

use projections::ListQuery;

use crate::auth::{Principal, Role};

/// Narrows a list to what the principal may see: customers their own, a shop its own, others all. `shop_id` narrows
/// further.
#[must_use]
pub fn scope(principal: &Principal, shop_id: Option<String>, rows: ListQuery) -> ListQuery {
    let rows = match (principal.role, &principal.shop) {
        (Role::Customer, _) => rows.filter("customer_id", principal.sub.as_str()),
        (Role::Shop, Some(shop)) => rows.filter("shop_id", shop.as_str()),
        _ => rows,
    };
    match shop_id {
        Some(shop_id) => rows.filter("shop_id", shop_id),
        None => rows,
    }
}
