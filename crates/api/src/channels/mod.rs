//! The ways in which customers are told of changes: the program's own log, a webhook, or e-mail.
//!
//! Which one is used is a setting (`[notifications]`); which changes are told of is each shop's policy. A channel hands
//! one message over and says what came of it: sent, try again later (the process manager `notifications` does), or
//! never. Every message carries its notification's id, since after a crash it may be handed over twice.

mod address;
mod smtp;
#[cfg(test)]
mod testing;
mod text;
mod webhook;

use std::sync::Arc;

use async_trait::async_trait;
use domain::Subject;
use eventlog::Clock;
use sagas::{Channel, LogChannel, PortError};

pub use address::is_public;
pub use smtp::SmtpChannel;
pub use webhook::WebhookChannel;

use crate::settings::{ChannelName, Notifications, NotificationsError};

/// Somebody who gets mail.
#[derive(Clone, PartialEq, Eq)]
pub struct Addressee {
    /// How they are called.
    pub name: String,
    /// Where the mail goes.
    pub email: String,
}

/// Personal, so it does not show in logs.
impl std::fmt::Debug for Addressee {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Addressee(…)")
    }
}

/// Who gets the mail about an order or a reservation: personal, erasable, never in an event.
#[async_trait]
pub trait Contacts: Send + Sync + 'static {
    /// The address that was given with it; none if none was, or if it was erased.
    ///
    /// # Errors
    /// The store does not answer.
    async fn addressee(&self, subject: Subject) -> Result<Option<Addressee>, PortError>;
}

/// The channel that the settings name.
///
/// # Errors
/// A setting of it is missing or wrong.
pub fn chosen(
    settings: &Notifications,
    contacts: Arc<dyn Contacts>,
    clock: Arc<dyn Clock>,
) -> Result<Arc<dyn Channel>, NotificationsError> {
    settings.check()?;
    Ok(match settings.channel {
        ChannelName::Log => Arc::new(LogChannel),
        ChannelName::Webhook => Arc::new(WebhookChannel::new(&settings.webhook, clock)?),
        ChannelName::Smtp => Arc::new(SmtpChannel::new(&settings.smtp, contacts)?),
    })
}
