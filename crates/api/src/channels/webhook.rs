//! A webhook: every message is posted as JSON to one address of the operator, signed.
//!
//! | answer | means |
//! |---|---|
//! | 2xx | sent |
//! | 408, 425, 429, 5xx, none in time, no connection | try again later |
//! | any other 4xx, a redirect | never: `webhook_404`, `webhook_301` |
//! | the name leads to a private address | never: `webhook_address_refused` |
//!
//! `Orderstream-Signature: t=<Unix seconds>,v1=<hex>` proves who sent it: `v1` is the HMAC-SHA256, under the shared
//! secret, of the bytes `<t>.<body>`. A receiver computes it over the body as it came, compares in constant time, refuses
//! a `t` that is more than some minutes old, and drops an `Orderstream-Notification-Id` that it has seen.

use std::{
    error::Error as StdError,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use domain::{CustomerId, NotificationId, NotifiedChange, ShopId, Subject, Timestamp, VoucherId};
use eventlog::Clock;
use gateway::{Secret, signature};
use reqwest::{
    Client, StatusCode, Url,
    dns::{Name, Resolve, Resolving},
    header::CONTENT_TYPE,
    redirect,
};
use sagas::{Channel, ChannelError, Message};
use serde::Serialize;

use super::is_public;
use crate::settings::{NotificationsError, Webhook};

/// The header by which a receiver knows a message that it has seen.
pub(super) const NOTIFICATION_ID: &str = "orderstream-notification-id";
/// Who asks.
const USER_AGENT: &str = concat!("orderstream/", env!("CARGO_PKG_VERSION"));

/// Posts every message to one address.
pub struct WebhookChannel {
    client: Client,
    url: Url,
    secret: Secret,
    clock: Arc<dyn Clock>,
}

impl WebhookChannel {
    /// The webhook that the settings describe.
    ///
    /// # Errors
    /// A setting is missing or wrong.
    pub fn new(settings: &Webhook, clock: Arc<dyn Clock>) -> Result<Self, NotificationsError> {
        let url = settings.target()?;
        let timeout = Duration::from_millis(settings.timeout_ms);
        let client = Client::builder()
            .user_agent(USER_AGENT)
            .timeout(timeout)
            .connect_timeout(timeout)
            // A receiver must not send us on to where we would not have gone, nor a proxy connect to what we have not
            // checked.
            .redirect(redirect::Policy::none())
            .no_proxy()
            .dns_resolver(CheckedNames { allow_private: settings.allow_private_addresses })
            .build()
            .map_err(NotificationsError::Webhook)?;
        Ok(Self { client, url, secret: settings.secret.clone(), clock })
    }
}

#[async_trait]
impl Channel for WebhookChannel {
    fn name(&self) -> &'static str {
        "webhook"
    }

    async fn deliver(&self, message: Message) -> Result<(), ChannelError> {
        let now = self.clock.now();
        let body = serde_json::to_vec(&Payload::new(&message, now))
            .expect("ids, words and a time are written as JSON");
        let answer = self
            .client
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(NOTIFICATION_ID, message.notification_id.to_string())
            .header(signature::SIGNATURE, signature::sign(&self.secret, now.timestamp(), &body))
            .body(body)
            .send()
            .await
            .map_err(|error| failure(&error.without_url()))?;
        // Its body is never asked for: whatever a receiver writes there, nothing of it is kept.
        judge(answer.status())
    }
}

/// What is posted.
#[derive(Serialize)]
struct Payload<'a> {
    notification_id: NotificationId,
    #[serde(flatten)]
    subject: Subject,
    customer_id: &'a CustomerId,
    #[serde(skip_serializing_if = "Option::is_none")]
    shop_id: Option<&'a ShopId>,
    change: NotifiedChange,
    /// When this attempt was made.
    at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    voucher: Option<Voucher<'a>>,
}

#[derive(Serialize)]
struct Voucher<'a> {
    voucher_id: VoucherId,
    code: &'a str,
}

impl<'a> Payload<'a> {
    fn new(message: &'a Message, at: Timestamp) -> Self {
        let voucher = message.voucher.as_ref();
        Self {
            notification_id: message.notification_id,
            subject: message.subject,
            customer_id: &message.customer_id,
            shop_id: message.shop_id.as_ref(),
            change: message.change,
            at,
            voucher: voucher.map(|v| Voucher { voucher_id: v.voucher_id, code: v.code.as_str() }),
        }
    }
}

fn judge(status: StatusCode) -> Result<(), ChannelError> {
    if status.is_success() {
        return Ok(());
    }
    match status.as_u16() {
        code @ (408 | 425 | 429 | 500..) => {
            Err(ChannelError::Transient(format!("the webhook answered {code}")))
        }
        code => Err(ChannelError::Permanent(format!("webhook_{code}"))),
    }
}

fn failure(error: &reqwest::Error) -> ChannelError {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        if cause.is::<AddressRefused>() {
            tracing::warn!(%cause, "a notification was not sent");
            return ChannelError::Permanent("webhook_address_refused".to_owned());
        }
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    ChannelError::Transient(text)
}

/// A name that leads to private addresses only.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{name} leads to {address}, which is not a public address: if it is meant, set \
     notifications.webhook.allow_private_addresses"
)]
struct AddressRefused {
    name: String,
    address: IpAddr,
}

/// Looks names up and hands on only what may be connected to. The connection is made to these very addresses: a name that
/// leads elsewhere at its next look-up gains nothing.
struct CheckedNames {
    allow_private: bool,
}

impl Resolve for CheckedNames {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            // Port 0 stands for the port of the URL.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let usable = usable(name.as_str(), found, allow_private)?;
            Ok(Box::new(usable.into_iter()) as Box<dyn Iterator<Item = SocketAddr> + Send>)
        })
    }
}

fn usable(
    name: &str,
    found: Vec<SocketAddr>,
    allow_private: bool,
) -> Result<Vec<SocketAddr>, AddressRefused> {
    let may_be = |address: &SocketAddr| allow_private || is_public(address.ip());
    match found.first() {
        Some(first) if !found.iter().any(may_be) => {
            Err(AddressRefused { name: name.to_owned(), address: first.ip() })
        }
        _ => Ok(found.into_iter().filter(may_be).collect()),
    }
}

#[cfg(test)]
mod tests;
