//! Ids: a type for each thing, over UUIDv7 with a partition in the lowest ten bits.
//!
//! *Shape*: 48 bits of Unix milliseconds, version 7, 12 + 52 bits of randomness (or of a hash, for a derived id), and
//! 10 bits of [`Partition`]. Everything that belongs to one shop shares its partition, so work across aggregates stays
//! inside a partition and `partition_of(id)` needs no look-up.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Timestamp;

/// How many bits of an id name its partition.
pub const PARTITION_BITS: u32 = 10;
const PARTITION_MASK: u128 = (1 << PARTITION_BITS) - 1;
/// Name space of every hash that makes an id; never changes, since stored ids depend on it.
const NAMESPACE: Uuid = Uuid::from_u128(0x6f72_6465_7273_7472_8561_6d2e_6964_7301);

/// The part of the log an id belongs to: 0 to 1023.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Partition(u16);

impl Partition {
    /// The partition written in the lowest bits of `id`.
    #[must_use]
    pub fn of(id: Uuid) -> Self {
        Self((id.as_u128() & PARTITION_MASK) as u16)
    }

    /// The number, 0 to 1023.
    #[must_use]
    pub fn get(self) -> u16 {
        self.0
    }
}

/// Builds a UUIDv7 from its parts: `at` (millisecond precision), 64 bits of randomness and the partition.
#[must_use]
pub fn new_uuid(at: Timestamp, random: u64, partition: Partition) -> Uuid {
    let millis = u128::from(at.timestamp_millis().max(0).unsigned_abs()) & 0xffff_ffff_ffff;
    assemble(millis, random, partition)
}

/// Derives the id of something that `parent` causes, so that every process that knows the parent knows the child too.
///
/// *Shape*: the parent's 48-bit time and partition; the rest is a SHA-1 hash (UUIDv5) of (parent, `kind`, `ordinal`).
/// Keeping the time keeps the key next to its parent's in an index: random keys cost eight times as much at 3 M events.
#[must_use]
pub fn derive_uuid(parent: Uuid, kind: &str, ordinal: &str) -> Uuid {
    let mut name = Vec::with_capacity(17 + kind.len() + ordinal.len());
    name.extend_from_slice(parent.as_bytes());
    name.extend_from_slice(kind.as_bytes());
    name.push(0);
    name.extend_from_slice(ordinal.as_bytes());
    let hash = Uuid::new_v5(&NAMESPACE, &name).as_u128();
    assemble(parent.as_u128() >> 80, (hash >> 64) as u64, Partition::of(parent))
}

fn assemble(millis: u128, random: u64, partition: Partition) -> Uuid {
    let random = u128::from(random);
    let high = random >> 52; // 12 bits
    let low = random & ((1 << 52) - 1); // 52 bits
    Uuid::from_u128(
        (millis << 80)
            | (0x7 << 76)
            | (high << 64)
            | (0b10 << 62)
            | (low << PARTITION_BITS)
            | u128::from(partition.0),
    )
}

/// Which aggregate a stream belongs to. The discriminant is stored: never renumber.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum AggregateKind {
    /// A shop and its policy.
    Shop = 1,
    /// A product and its stock.
    Product = 2,
    /// An order.
    Order = 3,
    /// A payment and its refunds.
    Payment = 4,
    /// A delivery.
    Delivery = 5,
    /// A message to a customer.
    Notification = 6,
    /// A refund of some or all of a delivered order.
    Refund = 7,
    /// A coupon.
    Coupon = 8,
    /// A resort and its nights.
    Resort = 9,
    /// A reservation.
    Reservation = 10,
    /// The voucher of a reservation.
    Voucher = 11,
}

impl AggregateKind {
    /// Every kind, in stored order.
    pub const ALL: [Self; 11] = [
        Self::Shop,
        Self::Product,
        Self::Order,
        Self::Payment,
        Self::Delivery,
        Self::Notification,
        Self::Refund,
        Self::Coupon,
        Self::Resort,
        Self::Reservation,
        Self::Voucher,
    ];

    /// The stored number.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The kind with this stored number, if there is one.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The name used in URLs, the CLI and event names.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Shop => "shop",
            Self::Product => "product",
            Self::Order => "order",
            Self::Payment => "payment",
            Self::Delivery => "delivery",
            Self::Notification => "notification",
            Self::Refund => "refund",
            Self::Coupon => "coupon",
            Self::Resort => "resort",
            Self::Reservation => "reservation",
            Self::Voucher => "voucher",
        }
    }
}

/// One stream of the log: the events of one aggregate. Written `order/0190…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StreamId {
    /// What the stream describes.
    pub kind: AggregateKind,
    /// Which one.
    pub id: Uuid,
}

impl StreamId {
    /// The stream of `kind` with `id`.
    #[must_use]
    pub fn new(kind: AggregateKind, id: Uuid) -> Self {
        Self { kind, id }
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.name(), self.id)
    }
}

/// Why a text is no id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not a UUID in its usual form.
    #[error("{0:?} is not a UUID")]
    NotAUuid(String),
    /// Not a slug.
    #[error("{0:?} is not a shop id: use 1 to 40 characters of a-z, 0-9 and '-', starting with a letter")]
    NotASlug(String),
    /// Not usable as the id of a customer.
    #[error("{0:?} is not a customer id: use 1 to 128 visible ASCII characters without '/'")]
    NotACustomer(String),
    /// Not a stream's name.
    #[error("{0:?} is not a stream: write KIND/ID, for example order/01900000-0000-7000-8000-000000000000")]
    NotAStream(String),
}

impl FromStr for StreamId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let wrong = || IdError::NotAStream(text.to_owned());
        let (kind, id) = text.split_once('/').ok_or_else(wrong)?;
        let kind = AggregateKind::ALL.into_iter().find(|k| k.name() == kind).ok_or_else(wrong)?;
        let id = match (Uuid::try_parse(id), kind) {
            (Ok(id), _) => id,
            (Err(_), AggregateKind::Shop) => ShopId::from_str(id).map_err(|_| wrong())?.uuid(),
            (Err(_), _) => return Err(wrong()),
        };
        Ok(Self { kind, id })
    }
}

/// The id of an aggregate: knows its stream.
pub trait AggregateId: Clone + fmt::Debug + fmt::Display + Send + Sync + 'static {
    /// The UUID under which the stream is stored.
    fn uuid(&self) -> Uuid;
}

macro_rules! uuid_id {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID that is known to name such a thing.
            #[must_use]
            pub const fn from_uuid(id: Uuid) -> Self { Self(id) }
            /// The UUID inside.
            #[must_use]
            pub const fn uuid(self) -> Uuid { self.0 }
            /// A new id; see [`new_uuid`].
            #[must_use]
            pub fn new(at: Timestamp, random: u64, partition: Partition) -> Self { Self(new_uuid(at, random, partition)) }
            /// The id that follows from `parent`; see [`derive_uuid`].
            #[must_use]
            pub fn derived(parent: Uuid, kind: &str, ordinal: &str) -> Self { Self(derive_uuid(parent, kind, ordinal)) }
            /// The partition that this id lies in.
            #[must_use]
            pub fn partition(self) -> Partition { Partition::of(self.0) }
        }
        impl AggregateId for $name {
            fn uuid(&self) -> Uuid { self.0 }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.fmt(f) }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, concat!(stringify!($name), "({})"), self.0) }
        }
        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Uuid::try_parse(text).map(Self).map_err(|_| IdError::NotAUuid(text.to_owned()))
            }
        }
    )*};
}

uuid_id! {
    /// Names a product.
    ProductId;
    /// Names an order.
    OrderId;
    /// Names a payment.
    PaymentId;
    /// Names a refund: the aggregate, and the money that a payment gives back for it.
    RefundId;
    /// Names a delivery.
    DeliveryId;
    /// Names a message to a customer.
    NotificationId;
    /// Names a coupon.
    CouponId;
    /// Names a resort.
    ResortId;
    /// Names a reservation.
    ReservationId;
    /// Names a voucher.
    VoucherId;
    /// Names an erasable row of personal data: a recipient, a reason, a payment token.
    ContactId;
}

/// Names a shop: a slug such as `phone`, as it stands in URLs.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ShopId(String);

impl ShopId {
    /// The slug.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The UUID of the shop's stream: a fixed hash of the slug (UUIDv5 bits in a v7 frame with time 0).
    #[must_use]
    pub fn uuid(&self) -> Uuid {
        let hash = Uuid::new_v5(&NAMESPACE, self.0.as_bytes()).as_u128();
        assemble(0, (hash >> 64) as u64, Partition((hash & PARTITION_MASK) as u16))
    }

    /// The partition that everything of this shop lies in.
    #[must_use]
    pub fn partition(&self) -> Partition {
        Partition::of(self.uuid())
    }
}

impl AggregateId for ShopId {
    fn uuid(&self) -> Uuid {
        Self::uuid(self)
    }
}

impl FromStr for ShopId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let good = (1..=40).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && text.as_bytes()[0].is_ascii_lowercase();
        if good { Ok(Self(text.to_owned())) } else { Err(IdError::NotASlug(text.to_owned())) }
    }
}

/// Names a customer: the `sub` of the token they came with. A pseudonym, never a name or an address.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CustomerId(String);

impl CustomerId {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CustomerId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let good = (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic() && b != b'/');
        if good { Ok(Self(text.to_owned())) } else { Err(IdError::NotACustomer(text.to_owned())) }
    }
}

macro_rules! text_id {
    ($($name:ident),*) => {$(
        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> { text.parse() }
        }
        impl From<$name> for String {
            fn from(id: $name) -> Self { id.0 }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, concat!(stringify!($name), "({})"), self.0) }
        }
    )*};
}
text_id!(ShopId, CustomerId);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_timestamp_millis(millis).expect("a valid time")
    }

    #[test]
    fn an_id_is_a_v7_uuid_that_carries_its_partition() {
        let shop: ShopId = "phone".parse().expect("a slug");
        let id = OrderId::new(at(1_700_000_000_123), u64::MAX, shop.partition());
        assert_eq!(id.uuid().get_version_num(), 7);
        assert_eq!(id.uuid().get_variant(), uuid::Variant::RFC4122);
        assert_eq!(id.partition(), shop.partition());
        assert_eq!(id.uuid().as_u128() >> 80, 1_700_000_000_123);
    }

    #[test]
    fn a_derived_id_keeps_time_and_partition_and_differs_by_kind_and_ordinal() {
        let order = OrderId::new(at(1_700_000_000_123), 42, Partition(1023));
        let payment = PaymentId::derived(order.uuid(), "payment", "");
        assert_eq!(payment, PaymentId::derived(order.uuid(), "payment", ""));
        assert_ne!(payment.uuid(), derive_uuid(order.uuid(), "delivery", ""));
        assert_ne!(payment.uuid(), derive_uuid(order.uuid(), "payment", "1"));
        assert_eq!(payment.partition(), order.partition());
        assert_eq!(payment.uuid().as_u128() >> 80, order.uuid().as_u128() >> 80);
        assert_eq!(payment.uuid().get_version_num(), 7);
    }

    #[test]
    fn a_shop_id_is_a_slug_with_a_fixed_stream() {
        let shop: ShopId = "phone".parse().expect("a slug");
        assert_eq!(shop.uuid(), "phone".parse::<ShopId>().expect("a slug").uuid());
        for wrong in ["", "Phone", "1phone", "-x", "a b", &"a".repeat(41), "ph\u{0}ne"] {
            assert!(wrong.parse::<ShopId>().is_err(), "{wrong:?} was taken");
        }
    }

    #[test]
    fn a_stream_is_read_as_it_is_written() {
        let stream = StreamId::new(AggregateKind::Order, new_uuid(at(5), 7, Partition(3)));
        assert_eq!(stream.to_string().parse::<StreamId>(), Ok(stream));
        assert_eq!("shop/phone".parse::<StreamId>().map(|s| s.kind), Ok(AggregateKind::Shop));
        assert!("order/phone".parse::<StreamId>().is_err());
        assert!("nonsense".parse::<StreamId>().is_err());
    }
}
