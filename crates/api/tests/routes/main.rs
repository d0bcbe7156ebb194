//! Tests of the HTTP interface, file by file as the routes.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../common/mod.rs"]
mod common;

mod admin;
mod again;
mod auth;
mod bad_input;
mod callbacks;
mod cancel;
mod consistency;
mod contacts;
mod coupons;
mod customers;
mod deliveries;
mod figures;
mod filters;
mod full;
mod health;
mod idempotency;
mod nights;
mod notifications;
mod openapi;
mod orders;
mod payments;
mod products;
mod races;
mod refunds;
mod reservations;
mod resorts;
mod restart;
mod returns;
mod revisions;
mod shops;
mod staging;
mod stream;
mod timeline;
mod vouchers;
