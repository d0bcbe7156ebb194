//! Messages for the tests of the channels.

use domain::{NotificationId, NotifiedChange, OrderId, ReservationId, VoucherId, voucher::VoucherCode};
use sagas::{CarriedVoucher, Message};
use uuid::Uuid;

/// A change of an order in the shop `books`.
pub(super) fn order_message(change: NotifiedChange) -> Message {
    Message {
        notification_id: NotificationId::from_uuid(Uuid::from_u128(1)),
        subject: OrderId::from_uuid(Uuid::from_u128(2)).into(),
        customer_id: "alice".parse().unwrap(),
        shop_id: Some("books".parse().unwrap()),
        change,
        voucher: None,
    }
}

/// The voucher of a reservation.
pub(super) fn voucher_message() -> Message {
    Message {
        subject: ReservationId::from_uuid(Uuid::from_u128(3)).into(),
        shop_id: None,
        voucher: Some(CarriedVoucher {
            voucher_id: VoucherId::from_uuid(Uuid::from_u128(4)),
            code: VoucherCode::from_random(0x0123_4567_89ab_cdef_0123),
        }),
        ..order_message(NotifiedChange::VoucherSendRequested)
    }
}
