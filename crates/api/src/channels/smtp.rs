//! E-mail: every message is handed to one mail server, addressed to whoever the order or the reservation names.
//!
//! | outcome | means |
//! |---|---|
//! | the server took it | sent |
//! | a 4xx reply, no answer in time, no connection, no TLS | try again later |
//! | a 5xx reply | never: `smtp_550` |
//! | no address was given, or it was erased | never: `no_address` |
//!
//! `Message-ID` is made of the notification's id, so that a message that is sent twice after a crash is known as one.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message as Mail, Tokio1Executor,
    message::{
        Mailbox,
        header::{ContentType, HeaderName, HeaderValue},
    },
    transport::smtp::{self, AsyncSmtpTransportBuilder, authentication::Credentials},
};
use sagas::{Channel, ChannelError, Message};

use super::{Addressee, Contacts, text};
use crate::settings::{NotificationsError, Smtp, SmtpTls};

/// Hands every message to one mail server.
pub struct SmtpChannel {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    timeout: Duration,
    contacts: Arc<dyn Contacts>,
}

impl SmtpChannel {
    /// The mail server that the settings describe.
    ///
    /// # Errors
    /// A setting is missing or wrong.
    pub fn new(settings: &Smtp, contacts: Arc<dyn Contacts>) -> Result<Self, NotificationsError> {
        let from = settings.sender()?;
        let timeout = Duration::from_millis(settings.timeout_ms);
        let mut builder = connection(settings)
            .map_err(NotificationsError::Smtp)?
            .port(settings.port)
            .timeout(Some(timeout));
        if !settings.username.is_empty() {
            if settings.tls == SmtpTls::None {
                tracing::warn!("notifications.smtp.tls is \"none\": the password travels in clear");
            }
            let password = settings.password.expose().to_owned();
            builder = builder.credentials(Credentials::new(settings.username.clone(), password));
        }
        Ok(Self { transport: builder.build(), from, timeout, contacts })
    }

    fn mail(&self, message: &Message, to: &Addressee) -> Result<Mail, ChannelError> {
        // Only what was stored before addresses were checked can be wrong.
        let address = to.email.parse().map_err(|_| ChannelError::Permanent("bad_address".to_owned()))?;
        // Nor can a name hold control characters since then; the library panics at them.
        let name: String = to.name.chars().filter(|c| !c.is_control()).collect();
        let text = text::of(message, &name);
        let name = Some(name).filter(|name| !name.is_empty());
        Mail::builder()
            .from(self.from.clone())
            .to(Mailbox::new(name, address))
            .message_id(Some(format!("<{}@{}>", message.notification_id, self.from.email.domain())))
            // Nobody's absence note shall answer it. *Source*: RFC 3834.
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ))
            .subject(text.subject)
            .header(ContentType::TEXT_PLAIN)
            .body(text.body)
            .map_err(|_| ChannelError::Permanent("bad_mail".to_owned()))
    }
}

fn connection(settings: &Smtp) -> Result<AsyncSmtpTransportBuilder, smtp::Error> {
    type Transport = AsyncSmtpTransport<Tokio1Executor>;
    Ok(match settings.tls {
        // Both refuse a server that does not encrypt.
        SmtpTls::Starttls => Transport::starttls_relay(&settings.host)?,
        SmtpTls::Tls => Transport::relay(&settings.host)?,
        SmtpTls::None => Transport::builder_dangerous(&settings.host),
    })
}

#[async_trait]
impl Channel for SmtpChannel {
    fn name(&self) -> &'static str {
        "smtp"
    }

    async fn deliver(&self, message: Message) -> Result<(), ChannelError> {
        let found = self.contacts.addressee(message.subject).await;
        let found = found.map_err(|error| ChannelError::Transient(error.to_string()))?;
        let to = found.ok_or_else(|| ChannelError::Permanent("no_address".to_owned()))?;
        let mail = self.mail(&message, &to)?;
        match tokio::time::timeout(self.timeout, self.transport.send(mail)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(judge(&error)),
            Err(_) => Err(ChannelError::Transient("the mail server does not answer in time".to_owned())),
        }
    }
}

/// A reply's text may repeat the address, so only its code is told.
fn judge(error: &smtp::Error) -> ChannelError {
    match error.status() {
        Some(code) if error.is_permanent() => ChannelError::Permanent(format!("smtp_{code}")),
        Some(code) => ChannelError::Transient(format!("the mail server answered {code}")),
        None => ChannelError::Transient(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
