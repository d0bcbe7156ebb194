//! Tests of the HTTP interface, file by file as the routes.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../common/mod.rs"]
mod common;

mod admin;
mod auth;
mod bad_input;
mod cancel;
mod consistency;
mod contacts;
mod deliveries;
mod full;
mod health;
mod idempotency;
mod notifications;
mod openapi;
mod orders;
mod payments;
mod products;
mod restart;
mod shops;
mod stream;
mod timeline;
