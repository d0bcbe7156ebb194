//! A delivery: the goods of an order on their way from the shop to the customer.
//!
//! ```text
//! (absent) --request--> Requested --accept--> Accepted --prepare--> Preparing --ship--> Shipped --complete--> Delivered
//!    |                     |                    |  \--ship (no preparation)--------^      \--fail--> Failed
//!    cancel                cancel               cancel               cancel
//!    v                     v                    v                    v
//!  Cancelled <-------------------------------------------------------/
//!
//! Delivered --start_return--> Returning --receive_return--> Delivered while anything is left, else Returned
//!        ^                        |
//!        \------cancel_return-----/              close_return_window: a mark in Delivered, Returning and Returned
//! ```
//! Invariants: goods that left are never called back; a cancellation that overtakes the request wins (the late request
//! finds the delivery cancelled); an order's cancellation or a return that cannot be is answered by an event, since a
//! process waits for it. The delivery alone guards returns: one at a time, inside the window, and never more pieces of a
//! line than were delivered; what the pieces of all returns were charged with sums up to the line's charge exactly.

mod command;
mod decide;
mod error;
mod event;
mod returns;
mod state;
#[cfg(test)]
mod tests;

pub use command::DeliveryCommand;
pub use error::DeliveryError;
pub use event::{
    CancelledBy, DeliveryAccepted, DeliveryCancellationRefused, DeliveryCancelled, DeliveryCompleted,
    DeliveryEvent, DeliveryFailed, DeliveryRequested, DeliveryShipped, PreparationStarted, ReturnCancelled,
    ReturnReceived, ReturnRefusal, ReturnRefused, ReturnStarted, ReturnWindowClosed,
};
pub use state::{Delivery, DeliveryDetails, OpenReturn, ReturnEnd};

aggregate!(Delivery, kind: Delivery, id: crate::DeliveryId, command: DeliveryCommand, event: DeliveryEvent, error: DeliveryError, fold_version: 2);
