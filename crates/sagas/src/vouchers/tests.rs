//! The table of vouchers, row by row and as a grid.

use domain::{
    Actor, AnyCommand,
    notification::{NotificationEvent, NotificationFailed, NotificationSent},
    reservation::ReservationEvent,
    voucher::{VoucherCommand, VoucherEvent},
};

use super::{Guest, Sending, Vouchers, VouchersState};
use crate::{
    Process,
    notifications::notification_of,
    testing::{
        Given, called_back, customer_id, event_id, given, grid, manager_id, notification_id, reservation_id,
        reservation_paid, resort_id, send_requested, voucher_deactivated, voucher_id, voucher_issued,
    },
};

fn guest() -> Guest {
    Guest {
        voucher_id: voucher_id(),
        reservation_id: reservation_id(),
        customer_id: customer_id(),
        manager_id: manager_id(),
    }
}
fn issuing() -> VouchersState {
    VouchersState::Issuing(guest())
}
fn issued(sendings: &[Sending]) -> VouchersState {
    VouchersState::Issued { guest: guest(), sendings: sendings.to_vec() }
}
fn deactivating() -> VouchersState {
    VouchersState::Deactivating(guest())
}
/// The sending that the samples' notification brings.
fn under_way() -> Sending {
    Sending { notification_id: notification_id(), sending: 1 }
}
fn another() -> Sending {
    Sending { notification_id: notification_of(reservation_id().into(), event_id()), sending: 2 }
}
fn when(state: VouchersState) -> Given<Vouchers> {
    given(state)
}
fn voucher(command: VoucherCommand) -> AnyCommand {
    AnyCommand::Voucher { id: voucher_id(), command }
}
fn sent() -> NotificationEvent {
    NotificationSent { channel: "log".to_owned() }.into()
}
fn failed() -> NotificationEvent {
    NotificationFailed { channel: "log".to_owned(), failure_code: "gone".to_owned() }.into()
}

#[test]
fn a_paid_reservation_gets_a_voucher_whose_code_is_drawn_later() {
    let issue = VoucherCommand::IssueVoucher {
        voucher_id: voucher_id(),
        reservation_id: reservation_id(),
        resort_id: resort_id(),
        customer_id: customer_id(),
        manager_id: manager_id(),
        code: None,
    };
    let then = when(VouchersState::Idle).when(ReservationEvent::from(reservation_paid())).then(issuing());
    then.sends("issue_voucher", voucher(issue), &["voucher_deactivated_before"]).and_no_more();
}

#[test]
fn a_voucher_that_is_issued_is_sent() {
    let send = VoucherCommand::RequestSend { by: Actor::Process("vouchers".to_owned()) };
    let then = when(issuing()).when(VoucherEvent::from(voucher_issued())).then(issued(&[]));
    then.sends("request_send", voucher(send), &["voucher_deactivated", "voucher_sent_often_enough"])
        .and_no_more();
}

#[test]
fn a_sending_is_remembered_by_the_notification_that_will_bring_it() {
    let requested = || VoucherEvent::from(send_requested(2));
    when(issued(&[])).when(requested()).then(issued(&[another()])).and_no_more();
    let both = [under_way(), another()];
    when(issued(&[under_way()])).when(requested()).then(issued(&both)).and_no_more();
}

#[test]
fn a_voucher_that_the_channel_took_is_sent() {
    let record = voucher(VoucherCommand::RecordSent { sending: 1 });
    let then = when(issued(&[another(), under_way()])).when(sent()).then(issued(&[another()]));
    then.sends("record_sent/1", record, &["voucher_deactivated"]).and_no_more();
}

#[test]
fn a_voucher_that_the_channel_did_not_take_is_no_longer_waited_for() {
    when(issued(&[under_way()])).when(failed()).then(issued(&[])).and_no_more();
}

#[test]
fn other_messages_are_passed_over() {
    when(issued(&[another()])).when(sent()).then_nothing();
    when(issued(&[another()])).when(failed()).then_nothing();
}

#[test]
fn a_cancellation_takes_the_voucher_back_however_far_it_is() {
    for state in [issuing(), issued(&[]), issued(&[under_way()])] {
        let deactivate = VoucherCommand::DeactivateVoucher {
            voucher_id: voucher_id(),
            reservation_id: reservation_id(),
            customer_id: customer_id(),
            manager_id: manager_id(),
        };
        let then = when(state).when(ReservationEvent::from(called_back(true))).then(deactivating());
        then.sends("deactivate_voucher", voucher(deactivate), &[]).and_no_more();
    }
}

#[test]
fn a_cancellation_before_it_was_paid_has_no_voucher_to_take_back() {
    when(VouchersState::Idle).when(ReservationEvent::from(called_back(false))).then_nothing();
}

#[test]
fn a_voucher_that_is_taken_back_is_over() {
    for state in [deactivating(), issuing(), issued(&[under_way()])] {
        let event = VoucherEvent::from(voucher_deactivated());
        when(state).when(event).then(VouchersState::Done).and_no_more();
    }
    when(deactivating()).when(VoucherEvent::from(voucher_issued())).then_nothing();
}

#[test]
fn an_open_voucher_says_what_it_waits_for() {
    let says = |state: VouchersState| Vouchers::awaits(&state).map(|a| a.what);
    assert_eq!(says(issuing()).unwrap(), "VoucherIssued");
    assert_eq!(says(issued(&[under_way()])).unwrap(), "the channel to take the voucher");
    assert_eq!(says(issued(&[])), None);
}

#[test]
fn every_event_in_every_stage() {
    let states = [
        ("idle", VouchersState::Idle),
        ("issuing", issuing()),
        ("issued", issued(&[])),
        ("issued, on its way", issued(&[under_way()])),
        ("deactivating", deactivating()),
        ("done", VouchersState::Done),
    ];
    insta::assert_snapshot!("grid", grid::<Vouchers>(&states, &["due"]));
}
