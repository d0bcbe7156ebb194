//! How customers are told: the section `[notifications]`.

use std::net::IpAddr;

use lettre::message::Mailbox;
use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::Secret;
use crate::channels::is_public;

/// The longest time that a receiver may take, in milliseconds: ten minutes. *Source*: ours; beyond it the messages
/// behind wait too long.
const MAX_TIMEOUT_MS: u64 = 600_000;

/// Why a channel cannot be used as it is set up.
#[derive(Debug, thiserror::Error)]
pub enum NotificationsError {
    /// No such channel. The reader of the settings adds the key.
    #[error("{0:?} is not a channel; use \"log\", \"webhook\" or \"smtp\"")]
    UnknownChannel(String),
    /// No such encryption. The reader of the settings adds the key.
    #[error("{0:?} is no encryption of mail; use \"starttls\", \"tls\" or \"none\"")]
    UnknownTls(String),
    /// The channel cannot work without it.
    #[error("{key} is missing: {needed_by} needs it")]
    Missing {
        /// Which setting.
        key: &'static str,
        /// What needs it.
        needed_by: &'static str,
    },
    /// Not an address of the web.
    #[error("notifications.webhook.url: {why}; use a URL such as https://example.com/hook")]
    Url {
        /// Why not.
        why: String,
    },
    /// An address that is not public.
    #[error(
        "notifications.webhook.url: {0} is not a public address; if it is meant, set \
         notifications.webhook.allow_private_addresses = true"
    )]
    PrivateAddress(IpAddr),
    /// Not an address for mail.
    #[error("notifications.smtp.from: {from:?} is not a sender ({why}); use \"Name <name@example.com>\"")]
    From {
        /// Its value.
        from: String,
        /// Why not.
        why: lettre::address::AddressError,
    },
    /// No time at all, or too much.
    #[error("{key} is {value} ms: use 1 to {MAX_TIMEOUT_MS}")]
    Timeout {
        /// Which setting.
        key: &'static str,
        /// Its value.
        value: u64,
    },
    /// The HTTP client.
    #[error("the webhook cannot be set up: {0}")]
    Webhook(#[source] reqwest::Error),
    /// The mail client.
    #[error("the mail server cannot be set up: {0}")]
    Smtp(#[source] lettre::transport::smtp::Error),
}

/// How customers are told. Each field is explained in `config/orderstream.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notifications {
    /// Through which channel.
    pub channel: ChannelName,
    /// The channel `webhook`.
    pub webhook: Webhook,
    /// The channel `smtp`.
    pub smtp: Smtp,
}

impl Notifications {
    /// Whether the chosen channel can work. Settings of the others may be empty.
    ///
    /// # Errors
    /// See [`NotificationsError`].
    pub fn check(&self) -> Result<(), NotificationsError> {
        match self.channel {
            ChannelName::Log => Ok(()),
            ChannelName::Webhook => self.webhook.check(),
            ChannelName::Smtp => self.smtp.check(),
        }
    }
}

/// A word for each of a few choices, refused with a message that names the setting.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ } else $error:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "&'static str")]
        pub enum $name {
            $($(#[$variant_doc])* $variant),+
        }

        impl TryFrom<String> for $name {
            type Error = NotificationsError;

            fn try_from(word: String) -> Result<Self, NotificationsError> {
                match word.as_str() {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(NotificationsError::$error(word)),
                }
            }
        }

        impl From<$name> for &'static str {
            fn from(choice: $name) -> Self {
                match choice {
                    $($name::$variant => $word),+
                }
            }
        }
    };
}

choice! {
    /// Through which channel customers are told.
    ChannelName {
        /// The program's own log.
        Log = "log",
        /// JSON to an address of the web.
        Webhook = "webhook",
        /// E-mail.
        Smtp = "smtp"
    } else UnknownChannel
}

choice! {
    /// How the connection to the mail server is encrypted.
    SmtpTls {
        /// It begins in clear and is encrypted before anything of ours is said.
        Starttls = "starttls",
        /// From its first byte.
        Tls = "tls",
        /// Not at all.
        None = "none"
    } else UnknownTls
}

/// The channel `webhook`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Where to.
    pub url: String,
    /// What messages are signed with.
    pub secret: Secret,
    /// How long an answer may take. Milliseconds.
    pub timeout_ms: u64,
    /// Whether it may be an address that is not public.
    pub allow_private_addresses: bool,
}

impl Webhook {
    fn check(&self) -> Result<(), NotificationsError> {
        self.target()?;
        present("notifications.webhook.secret", self.secret.expose(), "the channel \"webhook\"")?;
        timeout("notifications.webhook.timeout_ms", self.timeout_ms)
    }

    /// The URL. It is not repeated in complaints: it may hold a token.
    ///
    /// # Errors
    /// It is missing, no URL of the web, or a private address that was not allowed.
    pub fn target(&self) -> Result<Url, NotificationsError> {
        present("notifications.webhook.url", &self.url, "the channel \"webhook\"")?;
        let wrong = |why: &str| NotificationsError::Url { why: why.to_owned() };
        let url = Url::parse(&self.url).map_err(|error| wrong(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong("it is not http or https"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("it holds a user or a password"));
        }
        // A literal address is never looked up, so it is checked here.
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        match host.parse::<IpAddr>() {
            Ok(address) if !self.allow_private_addresses && !is_public(address) => {
                Err(NotificationsError::PrivateAddress(address))
            }
            _ => Ok(url),
        }
    }
}

/// The channel `smtp`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Smtp {
    /// The mail server's name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted.
    pub tls: SmtpTls,
    /// Who we are to it; empty: it asks nobody.
    pub username: String,
    /// The password.
    pub password: Secret,
    /// Whom mails come from.
    pub from: String,
    /// How long sending a mail may take. Milliseconds.
    pub timeout_ms: u64,
}

impl Smtp {
    fn check(&self) -> Result<(), NotificationsError> {
        present("notifications.smtp.host", &self.host, "the channel \"smtp\"")?;
        self.sender()?;
        if !self.username.is_empty() {
            present("notifications.smtp.password", self.password.expose(), "notifications.smtp.username")?;
        }
        if !self.password.is_empty() {
            present("notifications.smtp.username", &self.username, "notifications.smtp.password")?;
        }
        timeout("notifications.smtp.timeout_ms", self.timeout_ms)
    }

    /// Whom mails come from.
    ///
    /// # Errors
    /// It is missing or no address.
    pub fn sender(&self) -> Result<Mailbox, NotificationsError> {
        present("notifications.smtp.from", &self.from, "the channel \"smtp\"")?;
        self.from.parse().map_err(|why| NotificationsError::From { from: self.from.clone(), why })
    }
}

fn present(key: &'static str, value: &str, needed_by: &'static str) -> Result<(), NotificationsError> {
    if value.is_empty() { Err(NotificationsError::Missing { key, needed_by }) } else { Ok(()) }
}

fn timeout(key: &'static str, value: u64) -> Result<(), NotificationsError> {
    if (1..=MAX_TIMEOUT_MS).contains(&value) {
        Ok(())
    } else {
        Err(NotificationsError::Timeout { key, value })
    }
}
