//! From events to rows of `shops`.

use domain::{Envelope, Event, ShopId, ShopPolicy, shop::ShopEvent};

use super::{ShopRow, ShopStatus, Shops};
use crate::{Key, Rows};

pub(super) fn keys(event: &Envelope, keys: &mut Vec<Key>) {
    if let Event::Shop(change) = &event.event {
        keys.push(Key::of(shop_of(change).as_str()));
    }
}

pub(super) fn apply(event: &Envelope, rows: &mut Rows<'_, Shops>) {
    let Event::Shop(change) = &event.event else { return };
    let key = shop_of(change).as_str();
    match change {
        ShopEvent::ShopOpened(opened) => {
            let row = new_row(event, &opened.shop_id, &opened.name, &opened.policy);
            return rows.insert(key, row);
        }
        ShopEvent::ShopPolicyChanged(changed) if rows.peek(key).is_none() => {
            let row = new_row(event, &changed.shop_id, &changed.name, &changed.policy);
            return rows.insert(key, row);
        }
        _ => {}
    }
    let Some(row) = rows.get(key) else { return };
    match change {
        ShopEvent::ShopOpened(_) => {}
        ShopEvent::ShopPolicyChanged(changed) => {
            row.name.clone_from(&changed.name);
            row.policy.clone_from(&changed.policy);
        }
        ShopEvent::ShopClosed(_) => row.status = ShopStatus::Closed,
        ShopEvent::ShopReopened(_) => row.status = ShopStatus::Open,
    }
    row.version = event.version;
    row.position = event.position;
}

fn shop_of(change: &ShopEvent) -> &ShopId {
    match change {
        ShopEvent::ShopOpened(event) => &event.shop_id,
        ShopEvent::ShopPolicyChanged(event) => &event.shop_id,
        ShopEvent::ShopClosed(event) => &event.shop_id,
        ShopEvent::ShopReopened(event) => &event.shop_id,
    }
}

fn new_row(event: &Envelope, shop_id: &ShopId, name: &str, policy: &ShopPolicy) -> ShopRow {
    ShopRow {
        shop_id: shop_id.clone(),
        name: name.to_owned(),
        status: ShopStatus::Open,
        policy: policy.clone(),
        version: event.version,
        position: event.position,
    }
}
