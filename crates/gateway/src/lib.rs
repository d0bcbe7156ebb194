//! Adapters of the payment-gateway port. Today: the sandbox, a stand-in provider inside the process.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod ledger;
mod sandbox;

pub use ledger::{LedgerEntry, LedgerKind};
pub use sandbox::{SLOW, Sandbox, SandboxOptions, method};
