//! Channels that need nothing from outside.

use async_trait::async_trait;

use crate::ports::{Channel, ChannelError, Message};

/// Writes every message to the program's own log, at level info.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogChannel;

#[async_trait]
impl Channel for LogChannel {
    fn name(&self) -> &'static str {
        "log"
    }

    async fn deliver(&self, message: Message) -> Result<(), ChannelError> {
        tracing::info!(
            target: "orderstream::notification",
            notification_id = %message.notification_id,
            order_id = %message.order_id,
            customer_id = %message.customer_id,
            shop_id = %message.shop_id,
            change = message.change.name(),
            "notification"
        );
        Ok(())
    }
}
