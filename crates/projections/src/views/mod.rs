//! The views and their registry. Each is a folder: `mod` (purpose, version, columns), `row`, `fold`, `tests`.

#[macro_use]
mod words;

mod coupon_standing;
mod coupons;
mod daily_figures;
mod deliveries;
mod notifications;
mod orders;
mod payment_standing;
mod payments;
mod products;
mod refunds;
mod reservations;
mod resorts;
mod returns;
mod schema;
mod shops;
mod timeline;
mod vouchers;

pub use coupon_standing::{CouponStanding, CouponStatus, CouponTaken};
pub use coupons::{CouponInternal, CouponKind, CouponRow, CouponUse, CouponWorth, Coupons};
pub use daily_figures::{CouponFigures, DailyFigures, FiguresRow, OrderFigures, ReservationFigures};
pub use deliveries::{
    Deliveries, DeliveryInternal, DeliveryLine, DeliveryRow, DeliveryStatus, OpenReturn, ReturnLine,
};
pub use notifications::{NotificationRow, NotificationStatus, Notifications};
pub use orders::{
    OrderCancellation, OrderCoupon, OrderCouponUsed, OrderDelivery, OrderInternal, OrderPayment, OrderRefund,
    OrderRefundStatus, OrderRejected, OrderRow, OrderRowLine, OrderStatus, Orders, RejectionCode,
    order_as_of,
};
pub use payments::{PaymentRefund, PaymentRow, PaymentStatus, Payments, RefundStatus};
pub use products::{ProductRow, ProductStatus, Products};
pub use refunds::{RefundInternal, RefundRow, Refunds};
pub use reservations::{
    ReservationCancellation, ReservationInternal, ReservationPayment, ReservationRefusal,
    ReservationRefusalCode, ReservationRow, ReservationStatus, ReservationVoucher, Reservations,
};
pub use resorts::{HeldNights, NightStatus, ResortInternal, ResortRow, ResortStatus, Resorts};
pub use schema::{CouponWorthSchema, MoneySchema};
pub use shops::{ShopRow, ShopStatus, Shops};
pub use timeline::{StepDetails, Timeline, TimelineStep};
pub use vouchers::{VoucherRow, VoucherStatus, Vouchers};
pub use words::Word;

use crate::spec::Spec;

/// Every view. A new one is a folder beside this file and a line here.
pub(crate) static REGISTRY: [Spec; 13] = [
    Spec::of::<Orders>(),
    Spec::of::<Payments>(),
    Spec::of::<Deliveries>(),
    Spec::of::<Products>(),
    Spec::of::<Notifications>(),
    Spec::of::<Timeline>(),
    Spec::of::<Shops>(),
    Spec::of::<Refunds>(),
    Spec::of::<Coupons>(),
    Spec::of::<Resorts>(),
    Spec::of::<Reservations>(),
    Spec::of::<Vouchers>(),
    Spec::of::<DailyFigures>(),
];

static NAMES: [&str; REGISTRY.len()] = {
    let mut names = [""; REGISTRY.len()];
    let mut place = 0;
    while place < names.len() {
        names[place] = REGISTRY[place].name;
        place += 1;
    }
    names
};

/// The names of all views.
#[must_use]
pub fn view_names() -> &'static [&'static str] {
    &NAMES
}
