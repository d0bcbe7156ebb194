//! The business of orderstream as pure functions: aggregates, commands, events, money, ids, shop policy.
//!
//! Nothing here reads a clock, draws a random number or does I/O: time and new ids come in with the command, so that
//! every decision can be replayed. Each aggregate is a folder with the same files, read in this order:
//! `mod` (purpose, state diagram), `command`, `event`, `state`, `error`, `decide`, `tests`.

#![cfg_attr(test, allow(clippy::unwrap_used))]

#[macro_use]
mod macros;

pub mod aggregate;
pub mod audit;
pub mod coupon;
pub mod delivery;
pub mod event;
pub mod ids;
pub mod metadata;
pub mod money;
pub mod notification;
pub mod order;
pub mod payment;
pub mod policy;
pub mod product;
pub mod refund;
pub mod reservation;
pub mod resort;
pub mod shop;
pub mod stay;
pub mod subject;
#[cfg(test)]
mod testing;
pub mod voucher;

pub use aggregate::{
    Aggregate, Class, Classified, Decision, Outcome, already_applied, executed, executed_all,
};
pub use event::{AnyCommand, DecodeError, Event};
pub use ids::{
    AggregateId, AggregateKind, ContactId, CouponId, CustomerId, DeliveryId, IdError, NotificationId,
    OrderId, Partition, PaymentId, ProductId, RefundId, ReservationId, ResortId, ShopId, StreamId, VoucherId,
    derive_uuid,
};
pub use metadata::{Actor, ActorError, Envelope, Metadata, Position, Version};
pub use money::{Currency, Money, MoneyError, Quantity};
pub use policy::{CancellableUntil, CouponPolicy, NotifiedChange, PaymentTerms, ShopPolicy};
pub use stay::{Stay, StayError, TimeZone};
pub use subject::Subject;

/// An instant in UTC. Every time in orderstream is UTC; a time zone is applied only when something is shown.
pub type Timestamp = chrono::DateTime<chrono::Utc>;
