//! The views and their registry. Each is a folder: `mod` (purpose, version, columns), `row`, `fold`, `tests`.

#[macro_use]
mod words;

mod deliveries;
mod notifications;
mod orders;
mod payments;
mod products;
mod schema;
mod shops;
mod timeline;

pub use deliveries::{Deliveries, DeliveryInternal, DeliveryLine, DeliveryRow, DeliveryStatus};
pub use notifications::{NotificationRow, NotificationStatus, Notifications};
pub use orders::{
    OrderCancellation, OrderCoupon, OrderDelivery, OrderInternal, OrderPayment, OrderRefund, OrderRejected,
    OrderRow, OrderRowLine, OrderStatus, Orders, RejectionCode, order_as_of,
};
pub use payments::{PaymentRefund, PaymentRow, PaymentStatus, Payments, RefundStatus};
pub use products::{ProductRow, ProductStatus, Products};
pub use schema::MoneySchema;
pub use shops::{ShopRow, ShopStatus, Shops};
pub use timeline::{StepDetails, Timeline, TimelineStep};

use crate::spec::Spec;

/// Every view. A new one is a folder beside this file and a line here.
pub(crate) static REGISTRY: [Spec; 7] = [
    Spec::of::<Orders>(),
    Spec::of::<Payments>(),
    Spec::of::<Deliveries>(),
    Spec::of::<Products>(),
    Spec::of::<Notifications>(),
    Spec::of::<Timeline>(),
    Spec::of::<Shops>(),
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
