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
        // A voucher's code does not belong in a log: whoever has it has the room.
        tracing::info!(
            target: "orderstream::notification",
            notification_id = %message.notification_id,
            about = %message.subject,
            customer_id = %message.customer_id,
            shop_id = message.shop_id.as_ref().map(tracing::field::display),
            change = message.change.name(),
            voucher_id = message.voucher.as_ref().map(|voucher| tracing::field::display(voucher.voucher_id)),
            "notification"
        );
        Ok(())
    }
}
