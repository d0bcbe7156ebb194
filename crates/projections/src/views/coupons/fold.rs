//! From events to rows of `coupons`.

use domain::{
    CouponId, CustomerId, Envelope, Event, OrderId, ShopId,
    coupon::{CouponEvent, CouponValue},
};

use super::{CouponInternal, CouponRow, CouponUse, Coupons};
use crate::{Key, Rows, views::CouponStatus};

pub(super) fn keys(event: &Envelope, keys: &mut Vec<Key>) {
    if let Event::Coupon(_) = &event.event {
        let first = event.version == 1;
        keys.push(if first { Key::fresh(event.stream.id) } else { Key::of(event.stream.id) });
    }
}

pub(super) fn apply(event: &Envelope, rows: &mut Rows<'_, Coupons>) {
    let Event::Coupon(change) = &event.event else { return };
    let coupon = event.stream.id;
    if rows.peek(coupon).is_none() {
        match change {
            CouponEvent::CouponIssued(e) => {
                let row = new_row(event, e.coupon_id, &e.shop_id, &e.customer_id, e.order_id, e.value);
                rows.insert(coupon, row);
            }
            CouponEvent::CouponWithheld(e) => {
                let row = new_row(event, e.coupon_id, &e.shop_id, &e.customer_id, e.order_id, e.value);
                rows.insert(coupon, row);
            }
            // Somebody wanted to use a coupon that is not there.
            _ => return,
        }
    }
    let Some(row) = rows.get(coupon) else { return };
    changed(row, change);
    if row.internal.standing.issued && row.issued_at.is_none() {
        row.issued_at = Some(event.metadata.recorded_at);
    }
    row.updated_at = event.metadata.recorded_at;
    row.version = event.version;
    row.position = event.position;
}

fn changed(row: &mut CouponRow, change: &CouponEvent) {
    match change {
        CouponEvent::CouponRedeemed(e) => {
            row.used_by = Some(CouponUse { order_id: e.order_id, discount: e.discount });
        }
        CouponEvent::CouponReleased(_) => row.used_by = None,
        _ => {}
    }
    let standing = &mut row.internal.standing;
    standing.after(change);
    row.status = standing.status();
    row.revoked_by = match row.status {
        CouponStatus::Withheld | CouponStatus::Revoked => {
            standing.taken_back.last().map(|taken| taken.refund_id)
        }
        CouponStatus::Issued | CouponStatus::Redeemed => None,
    };
}

fn new_row(
    event: &Envelope,
    coupon_id: CouponId,
    shop_id: &ShopId,
    customer_id: &CustomerId,
    order_id: OrderId,
    value: CouponValue,
) -> CouponRow {
    let (kind, value) = CouponRow::worth(value);
    CouponRow {
        coupon_id,
        shop_id: shop_id.clone(),
        customer_id: customer_id.clone(),
        order_id,
        status: CouponStatus::Issued,
        kind,
        value,
        used_by: None,
        revoked_by: None,
        issued_at: None,
        updated_at: event.metadata.recorded_at,
        version: event.version,
        position: event.position,
        internal: CouponInternal::default(),
    }
}
