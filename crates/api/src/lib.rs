//! orderstream: the REST interface, its OpenAPI document, authentication, the command line, and the wiring of the
//! whole platform.
//!
//! The way of a request: [`web`] reads and checks it, a file of [`routes`] authorises it and gives one command to the
//! executor, [`web`] writes the answer. [`platform`] puts the parts together, [`serve`] opens the door.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod accounts;
pub mod app;
pub mod auth;
pub mod channels;
pub mod cli;
pub mod data_dir;
pub mod demo;
pub mod jobs;
pub mod openapi;
pub mod platform;
pub mod problem;
pub mod routes;
pub mod sample_shops;
pub mod serve;
pub mod settings;
pub mod web;

pub use platform::{Platform, StartError};
pub use serve::Server;
pub use settings::Settings;
