//! Every event and every command of the platform as one type each, and how an event is read back from the log.

use serde::{Deserialize, Serialize};

use crate::{
    AggregateId, AggregateKind, CouponId, DeliveryId, NotificationId, OrderId, PaymentId, ProductId,
    RefundId, ReservationId, ResortId, ShopId, StreamId, VoucherId,
    coupon::{CouponCommand, CouponEvent},
    delivery::{DeliveryCommand, DeliveryEvent},
    notification::{NotificationCommand, NotificationEvent},
    order::{OrderCommand, OrderEvent},
    payment::{PaymentCommand, PaymentEvent},
    product::{ProductCommand, ProductEvent},
    refund::{RefundCommand, RefundEvent},
    reservation::{ReservationCommand, ReservationEvent},
    resort::{ResortCommand, ResortEvent},
    shop::{ShopCommand, ShopEvent},
    voucher::{VoucherCommand, VoucherEvent},
};

/// Why a stored event cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The name and version are not known to this release.
    #[error("event {name} version {version} is not known to this release: it was written by a newer one")]
    Unknown {
        /// Stored name.
        name: String,
        /// Stored version.
        version: u32,
    },
    /// The payload is not of the shape that its version promises.
    #[error("event {name} version {version} cannot be read: {reason}")]
    Payload {
        /// Stored name.
        name: &'static str,
        /// Stored version.
        version: u32,
        /// What the JSON reader said.
        reason: String,
    },
}

macro_rules! all {
    ($($kind:ident($event:ident, $command:ident, $id:ident)),* $(,)?) => {
        /// Anything that can have happened.
        #[derive(Clone, Debug, PartialEq, Serialize)]
        #[serde(untagged)]
        pub enum Event { $( #[doc = concat!("To a ", stringify!($kind), ".")] $kind($event) ),* }

        impl Event {
            /// Whose event it is.
            #[must_use]
            pub fn kind(&self) -> AggregateKind { match self { $( Self::$kind(_) => AggregateKind::$kind ),* } }
            /// The stored name, such as `order.placed`.
            #[must_use]
            pub fn name(&self) -> &'static str { match self { $( Self::$kind(event) => event.name() ),* } }
            /// The stored version of the payload's shape.
            #[must_use]
            pub fn version(&self) -> u32 { match self { $( Self::$kind(event) => event.version() ),* } }
            /// The payload as JSON.
            #[must_use]
            pub fn encode(&self) -> Vec<u8> { match self { $( Self::$kind(event) => event.encode() ),* } }
            /// Reads a stored payload, of whatever version it was written in.
            ///
            /// # Errors
            /// See [`DecodeError`].
            pub fn decode(kind: AggregateKind, name: &str, version: u32, payload: &[u8]) -> Result<Self, DecodeError> {
                match kind { $( AggregateKind::$kind => $event::decode(name, version, payload).map(Self::$kind) ),* }
            }
            /// The stored names and versions of all events.
            #[must_use]
            pub fn names() -> Vec<(&'static str, u32)> { [$( $event::NAMES ),*].concat() }
        }

        $(
            impl From<$event> for Event { fn from(event: $event) -> Self { Self::$kind(event) } }
            impl TryFrom<Event> for $event {
                type Error = Event;
                fn try_from(event: Event) -> Result<Self, Event> {
                    match event { Event::$kind(event) => Ok(event), other => Err(other) }
                }
            }
        )*

        /// Any command, with the aggregate it is for: what a process manager wants done.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "for", content = "command", rename_all = "snake_case")]
        pub enum AnyCommand { $( #[doc = concat!("For a ", stringify!($kind), ".")] $kind { /** Which one. */ id: $id, /** What is asked. */ command: $command } ),* }

        impl AnyCommand {
            /// The stream that the command is for.
            #[must_use]
            pub fn stream(&self) -> StreamId {
                match self { $( Self::$kind { id, .. } => StreamId::new(AggregateKind::$kind, AggregateId::uuid(id)) ),* }
            }
        }
    };
}

all! {
    Shop(ShopEvent, ShopCommand, ShopId),
    Product(ProductEvent, ProductCommand, ProductId),
    Order(OrderEvent, OrderCommand, OrderId),
    Payment(PaymentEvent, PaymentCommand, PaymentId),
    Delivery(DeliveryEvent, DeliveryCommand, DeliveryId),
    Notification(NotificationEvent, NotificationCommand, NotificationId),
    Refund(RefundEvent, RefundCommand, RefundId),
    Coupon(CouponEvent, CouponCommand, CouponId),
    Resort(ResortEvent, ResortCommand, ResortId),
    Reservation(ReservationEvent, ReservationCommand, ReservationId),
    Voucher(VoucherEvent, VoucherCommand, VoucherId),
}
