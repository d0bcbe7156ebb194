//! A shop: whether it is open, and the policy it sells under.
//!
//! ```text
//! (absent) --put--> Open --close--> Closed
//!                   Open <--reopen-- Closed      put changes the policy in either state
//! ```
//! Invariants: a shop's policy always makes sense ([`ShopPolicy::check`](crate::ShopPolicy::check)); orders that were placed keep the policy
//! they were placed under.

mod command;
mod decide;
mod error;
mod event;
mod state;
#[cfg(test)]
mod tests;

pub use command::ShopCommand;
pub use error::ShopError;
pub use event::{ShopClosed, ShopEvent, ShopOpened, ShopPolicyChanged, ShopReopened};
pub use state::{Shop, ShopDetails};

aggregate!(Shop, kind: Shop, id: crate::ShopId, command: ShopCommand, event: ShopEvent, error: ShopError, fold_version: 1);
