//! A delivery: the goods of an order on their way from the shop to the customer.
//!
//! ```text
//! (absent) --request--> Requested --accept--> Accepted --prepare--> Preparing --ship--> Shipped --complete--> Delivered
//!    |                     |                    |  \--ship (no preparation)--------^      \--fail--> Failed
//!    cancel                cancel               cancel               cancel
//!    v                     v                    v                    v
//!  Cancelled <-------------------------------------------------------/
//! ```
//! Invariants: goods that left are never called back; a cancellation that overtakes the request wins (the late request
//! finds the delivery cancelled); an order's cancellation that comes too late is answered by an event, since the
//! cancellation process waits for it.

mod command;
mod decide;
mod error;
mod event;
mod state;
#[cfg(test)]
mod tests;

pub use command::DeliveryCommand;
pub use error::DeliveryError;
pub use event::{
    CancelledBy, DeliveryAccepted, DeliveryCancellationRefused, DeliveryCancelled, DeliveryCompleted,
    DeliveryEvent, DeliveryFailed, DeliveryRequested, DeliveryShipped, PreparationStarted,
};
pub use state::{Delivery, DeliveryDetails};

aggregate!(Delivery, kind: Delivery, id: crate::DeliveryId, command: DeliveryCommand, event: DeliveryEvent, error: DeliveryError, fold_version: 1);
