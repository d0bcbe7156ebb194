//! What a shop answers to each command in each state.

use super::{
    Shop, ShopClosed, ShopCommand, ShopDetails, ShopError, ShopEvent, ShopOpened, ShopPolicyChanged,
    ShopReopened,
};
use crate::{Decision, already_applied, executed};

pub(super) fn decide(shop: &Shop, command: &ShopCommand) -> Decision<ShopEvent, ShopError> {
    use Shop::{Absent, Closed, Open};
    use ShopCommand::{CloseShop, PutShop, ReopenShop};
    match (shop, command) {
        (Absent, PutShop { shop_id, name, policy }) => {
            check(name, policy)?;
            executed(ShopOpened { shop_id: shop_id.clone(), name: name.clone(), policy: policy.clone() })
        }
        (Open(shop) | Closed(shop), PutShop { name, policy, .. }) => replace(shop, name, policy),
        (Open(shop), CloseShop) => executed(ShopClosed { shop_id: shop.shop_id.clone() }),
        (Closed(_), CloseShop) => already_applied(),
        (Closed(shop), ReopenShop) => executed(ShopReopened { shop_id: shop.shop_id.clone() }),
        (Open(_), ReopenShop) => already_applied(),
        (Absent, CloseShop | ReopenShop) => Err(ShopError::NotFound),
    }
}

fn replace(shop: &ShopDetails, name: &str, policy: &crate::ShopPolicy) -> Decision<ShopEvent, ShopError> {
    check(name, policy)?;
    if shop.name == name && shop.policy == *policy {
        return already_applied();
    }
    executed(ShopPolicyChanged {
        shop_id: shop.shop_id.clone(),
        name: name.to_owned(),
        policy: policy.clone(),
    })
}

fn check(name: &str, policy: &crate::ShopPolicy) -> Result<(), ShopError> {
    if !crate::policy::is_label(name, 80) {
        return Err(ShopError::Name);
    }
    Ok(policy.check()?)
}
