//! Vouchers: what the guest shows at the resort. Instance: the reservation.
//!
//! | stage | input | next | does | undone by |
//! |---|---|---|---|---|
//! | Idle | ReservationPaid | Issuing | issue voucher, with a code that is drawn when the command is carried out | deactivate voucher |
//! | Issuing | VoucherIssued | Issued | request to send it | |
//! | Issued | VoucherSendRequested | Issued | remembers the notification that brings it | |
//! | Issued | NotificationSent of such a one | Issued | record sent | |
//! | Issued | NotificationFailed of such a one | Issued | forgets it: the customer can ask for another | |
//! | Issuing, Issued | ReservationCancellationRequested after it was paid | Deactivating | deactivate voucher | |
//! | Issuing, Issued, Deactivating | VoucherDeactivated | Done | | |
//!
//! Booking never waits for it. A customer who asks for the voucher once more is answered by the same rows.

#[cfg(test)]
mod tests;

use domain::{
    Actor, AnyCommand, CustomerId, Envelope, Event, NotificationId, ReservationId, VoucherId,
    notification::NotificationEvent,
    reservation::ReservationEvent,
    voucher::{VoucherCommand, VoucherEvent},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    notifications::notification_of,
    process::{Awaiting, Input, Process, Reaction, go, ignore},
};

/// The process; see the [module](self).
#[derive(Clone, Copy, Debug)]
pub struct Vouchers;

/// What is known of a voucher.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Guest {
    /// Which voucher.
    pub voucher_id: VoucherId,
    /// Of which reservation.
    pub reservation_id: ReservationId,
    /// Whose.
    pub customer_id: CustomerId,
    /// Who looks after the resort.
    pub manager_id: CustomerId,
}

/// A message under way that brings the voucher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sending {
    /// Which message.
    pub notification_id: NotificationId,
    /// How many-th sending it is.
    pub sending: u32,
}

/// How far a voucher is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "stage", content = "memory", rename_all = "snake_case")]
pub enum VouchersState {
    /// Not begun.
    #[default]
    Idle,
    /// Being issued.
    Issuing(Guest),
    /// The reservation has it.
    Issued {
        /// Whose.
        guest: Guest,
        /// Messages under way.
        sendings: Vec<Sending>,
    },
    /// Being taken back.
    Deactivating(Guest),
    /// Over.
    Done,
}

impl Process for Vouchers {
    type State = VouchersState;
    const NAME: &'static str = "vouchers";
    const VERSION: u32 = 1;

    fn instance(event: &Envelope) -> Option<Uuid> {
        match &event.event {
            Event::Reservation(ReservationEvent::ReservationPaid(e)) => Some(e.reservation_id.uuid()),
            Event::Reservation(ReservationEvent::ReservationCancellationRequested(e)) => {
                Some(e.reservation_id.uuid())
            }
            Event::Voucher(VoucherEvent::VoucherIssued(e)) => Some(e.reservation_id.uuid()),
            Event::Voucher(VoucherEvent::VoucherSendRequested(e)) => Some(e.reservation_id.uuid()),
            Event::Voucher(VoucherEvent::VoucherDeactivated(e)) => Some(e.reservation_id.uuid()),
            // Those about orders too: they find nothing that waits for them.
            Event::Notification(
                NotificationEvent::NotificationSent(_) | NotificationEvent::NotificationFailed(_),
            ) => Some(event.metadata.correlation_id),
            _ => None,
        }
    }

    fn begins(event: &Envelope) -> bool {
        matches!(event.event, Event::Reservation(ReservationEvent::ReservationPaid(_)))
    }

    fn react(state: &VouchersState, input: Input<'_>) -> Reaction<VouchersState> {
        use VouchersState::{Deactivating, Done, Idle, Issued, Issuing};
        let Input::Event(event) = input else { return ignore() };
        match (state, &event.event) {
            (Idle, Event::Reservation(ReservationEvent::ReservationPaid(e))) => {
                let guest = Guest {
                    voucher_id: e.voucher_id,
                    reservation_id: e.reservation_id,
                    customer_id: e.customer_id.clone(),
                    manager_id: e.manager_id.clone(),
                };
                let issue = VoucherCommand::IssueVoucher {
                    voucher_id: e.voucher_id,
                    reservation_id: e.reservation_id,
                    resort_id: e.resort_id,
                    customer_id: e.customer_id.clone(),
                    manager_id: e.manager_id.clone(),
                    code: None,
                };
                let issue = guest.voucher(issue);
                go(Issuing(guest)).send("issue_voucher", issue).unless(&["voucher_deactivated_before"])
            }

            (Issuing(guest), Event::Voucher(VoucherEvent::VoucherIssued(_))) => {
                let by = Actor::Process(Self::NAME.to_owned());
                // A customer may have had it sent so often already that no more is sent.
                go(Issued { guest: guest.clone(), sendings: Vec::new() })
                    .send("request_send", guest.voucher(VoucherCommand::RequestSend { by }))
                    .unless(&["voucher_deactivated", "voucher_sent_often_enough"])
            }
            (Issued { guest, sendings }, Event::Voucher(VoucherEvent::VoucherSendRequested(e))) => {
                let notification_id = notification_of(e.reservation_id.into(), event.metadata.event_id);
                let sendings =
                    sendings.iter().copied().chain([Sending { notification_id, sending: e.sending }]);
                go(Issued { guest: guest.clone(), sendings: sendings.collect() })
            }
            (Issued { guest, sendings }, Event::Notification(NotificationEvent::NotificationSent(_))) => {
                match taken(sendings, event) {
                    Some((sent, sendings)) => {
                        let record = VoucherCommand::RecordSent { sending: sent.sending };
                        go(Issued { guest: guest.clone(), sendings })
                            .send(format!("record_sent/{}", sent.sending), guest.voucher(record))
                            .unless(&["voucher_deactivated"])
                    }
                    None => ignore(),
                }
            }
            (Issued { guest, sendings }, Event::Notification(NotificationEvent::NotificationFailed(_))) => {
                match taken(sendings, event) {
                    Some((_, sendings)) => go(Issued { guest: guest.clone(), sendings }),
                    None => ignore(),
                }
            }

            (
                Issuing(guest) | Issued { guest, .. },
                Event::Reservation(ReservationEvent::ReservationCancellationRequested(e)),
            ) if e.was_paid => {
                let deactivate = VoucherCommand::DeactivateVoucher {
                    voucher_id: guest.voucher_id,
                    reservation_id: guest.reservation_id,
                    customer_id: guest.customer_id.clone(),
                    manager_id: guest.manager_id.clone(),
                };
                go(Deactivating(guest.clone())).send("deactivate_voucher", guest.voucher(deactivate))
            }
            (
                Issuing(_) | Issued { .. } | Deactivating(_),
                Event::Voucher(VoucherEvent::VoucherDeactivated(_)),
            ) => go(Done),

            _ => ignore(),
        }
    }

    fn awaits(state: &VouchersState) -> Option<Awaiting> {
        match state {
            VouchersState::Idle | VouchersState::Done => None,
            VouchersState::Issuing(_) => Awaiting::for_event("VoucherIssued"),
            VouchersState::Issued { sendings, .. } if sendings.is_empty() => None,
            VouchersState::Issued { .. } => Awaiting::for_event("the channel to take the voucher"),
            VouchersState::Deactivating(_) => Awaiting::for_event("VoucherDeactivated"),
        }
    }
}

impl Guest {
    fn voucher(&self, command: VoucherCommand) -> AnyCommand {
        AnyCommand::Voucher { id: self.voucher_id, command }
    }
}

/// The sending whose message the event is about, and the others.
fn taken(sendings: &[Sending], event: &Envelope) -> Option<(Sending, Vec<Sending>)> {
    let is_it = |sending: &&Sending| sending.notification_id.uuid() == event.stream.id;
    let it = sendings.iter().find(is_it).copied()?;
    Some((it, sendings.iter().copied().filter(|sending| *sending != it).collect()))
}
