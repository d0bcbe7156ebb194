//! From events to rows of `notifications`.

use domain::{
    Envelope, Event,
    notification::{NotificationEvent, NotificationQueued},
};

use super::{NotificationRow, NotificationStatus, Notifications};
use crate::{Key, Rows};

pub(super) fn keys(event: &Envelope, keys: &mut Vec<Key>) {
    match &event.event {
        Event::Notification(NotificationEvent::NotificationQueued(_)) => {
            keys.push(Key::fresh(event.stream.id))
        }
        Event::Notification(_) => keys.push(Key::of(event.stream.id)),
        _ => {}
    }
}

pub(super) fn apply(event: &Envelope, rows: &mut Rows<'_, Notifications>) {
    let Event::Notification(change) = &event.event else { return };
    if let NotificationEvent::NotificationQueued(queued) = change {
        return rows.insert(event.stream.id, new_row(event, queued));
    }
    let Some(row) = rows.get(event.stream.id) else { return };
    match change {
        NotificationEvent::NotificationQueued(_) => {}
        NotificationEvent::NotificationSent(sent) => {
            row.status = NotificationStatus::Sent;
            row.channel = Some(sent.channel.clone());
        }
        NotificationEvent::NotificationFailed(failed) => {
            row.status = NotificationStatus::Failed;
            row.channel = Some(failed.channel.clone());
            row.failure_code = Some(failed.failure_code.clone());
        }
    }
    row.at = event.metadata.recorded_at;
    row.version = event.version;
    row.position = event.position;
}

fn new_row(event: &Envelope, queued: &NotificationQueued) -> NotificationRow {
    NotificationRow {
        notification_id: queued.notification_id,
        about: queued.subject.uuid(),
        order_id: queued.subject.order_id(),
        reservation_id: queued.subject.reservation_id(),
        voucher_id: queued.voucher_id,
        shop_id: queued.shop_id.clone(),
        customer_id: queued.customer_id.clone(),
        event: queued.change,
        status: NotificationStatus::Queued,
        channel: None,
        failure_code: None,
        at: event.metadata.recorded_at,
        version: event.version,
        position: event.position,
    }
}
