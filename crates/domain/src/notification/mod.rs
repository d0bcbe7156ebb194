//! A notification: one message to a customer about one change.
//!
//! ```text
//! (absent) --queue--> Queued --record_sent--> Sent
//!                       \--record_failed--> Failed
//! ```
//! Invariants: a notification ends as sent or failed, never both; it is never about a notification.

mod command;
mod decide;
mod error;
mod event;
mod state;
#[cfg(test)]
mod tests;

pub use command::NotificationCommand;
pub use error::NotificationError;
pub use event::{NotificationEvent, NotificationFailed, NotificationQueued, NotificationSent};
pub use state::{Notification, NotificationDetails};

aggregate!(Notification, kind: Notification, id: crate::NotificationId, command: NotificationCommand, event: NotificationEvent, error: NotificationError, fold_version: 2);
