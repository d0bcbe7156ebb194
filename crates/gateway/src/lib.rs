//! Adapters of the payment-gateway port.
//!
//! | part | what it is |
//! |---|---|
//! | [`Sandbox`] | a provider that moves no money, inside the process, with books of its own |
//! | [`server::SandboxServer`] | the same as a server; its routes are the provider contract, also as OpenAPI |
//! | [`HttpGateway`] | the port over that contract: one file, all that another provider needs |
//! | [`Guarded`] | bulkhead, circuit breaker and retry budget around any adapter |
//! | [`signature`] | what proves who sent a message: callbacks of a provider, our own webhooks |
//! | [`connect`] | adapter and guard together, from [`GatewayOptions`] |
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod behaviour;
mod elsewhere;
mod guard;
mod http;
mod late;
mod ledger;
mod options;
mod sandbox;
mod secret;
pub mod server;
pub mod signature;
pub mod wire;

pub use behaviour::{Behaviour, BehaviourError};
pub use elsewhere::Elsewhere;
pub use guard::{BreakerOptions, BreakerState, Guarded, RetryOptions};
pub use http::{HttpGateway, HttpOptions, UrlError};
pub use options::{GatewayOptions, GatewayOptionsError, connect};
pub use sagas::ports::{LedgerEntry, LedgerKind};
pub use sandbox::{SLOW, Sandbox, SandboxOptions, method};
pub use secret::Secret;
