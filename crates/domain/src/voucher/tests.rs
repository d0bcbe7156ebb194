//! What a voucher answers, by example and over the whole grid; what its code looks like.

use cqrs_es::test::TestFramework;

use super::{
    MAX_SENDINGS, Voucher, VoucherCode, VoucherCommand, VoucherDeactivated, VoucherError, VoucherEvent,
    VoucherIssued, VoucherSendRequested, VoucherSent,
};
use crate::{
    Actor, CustomerId, VoucherId,
    reservation::voucher_of,
    testing::{Grid, customer_id, fold, given, reservation_id, resort_id},
};

mod code;

fn voucher_id() -> VoucherId {
    voucher_of(reservation_id(1))
}
fn manager_id() -> CustomerId {
    "max".parse().unwrap()
}
fn code() -> VoucherCode {
    VoucherCode::from_random(42)
}
fn process() -> Actor {
    Actor::Process("vouchers".to_owned())
}
fn manager() -> Actor {
    Actor::Manager(manager_id())
}

fn issue(code: Option<VoucherCode>) -> VoucherCommand {
    VoucherCommand::IssueVoucher {
        voucher_id: voucher_id(),
        reservation_id: reservation_id(1),
        resort_id: resort_id(),
        customer_id: customer_id(),
        manager_id: manager_id(),
        code,
    }
}
fn request_send(by: Actor) -> VoucherCommand {
    VoucherCommand::RequestSend { by }
}
fn record_sent(sending: u32) -> VoucherCommand {
    VoucherCommand::RecordSent { sending }
}
fn deactivate() -> VoucherCommand {
    VoucherCommand::DeactivateVoucher {
        voucher_id: voucher_id(),
        reservation_id: reservation_id(1),
        customer_id: customer_id(),
        manager_id: manager_id(),
    }
}

fn issued() -> VoucherEvent {
    VoucherIssued {
        voucher_id: voucher_id(),
        reservation_id: reservation_id(1),
        resort_id: resort_id(),
        customer_id: customer_id(),
        manager_id: manager_id(),
        code: code(),
    }
    .into()
}
fn send_requested(sending: u32, by: Actor) -> VoucherEvent {
    VoucherSendRequested {
        voucher_id: voucher_id(),
        reservation_id: reservation_id(1),
        customer_id: customer_id(),
        sending,
        by,
    }
    .into()
}
fn sent(sending: u32) -> VoucherEvent {
    VoucherSent { reservation_id: reservation_id(1), sending }.into()
}
fn deactivated() -> VoucherEvent {
    VoucherDeactivated {
        voucher_id: voucher_id(),
        reservation_id: reservation_id(1),
        customer_id: customer_id(),
        manager_id: manager_id(),
    }
    .into()
}

#[test]
fn every_command_in_every_state() {
    let by_process = || request_send(process());
    let sendings = |number: u32| (0..number).map(|_| by_process());
    let with = |more: Vec<VoucherCommand>| [vec![issue(Some(code()))], more].concat();
    let grid = Grid::<Voucher> {
        histories: vec![
            ("absent", vec![]),
            ("issued", with(vec![])),
            ("issued, to be sent", with(sendings(1).collect())),
            ("issued, asked for often enough", with(sendings(MAX_SENDINGS).collect())),
            ("sent", with(vec![by_process(), record_sent(1)])),
            ("sent, to be sent again", with(vec![by_process(), record_sent(1), request_send(manager())])),
            ("sent, often enough", with(sendings(MAX_SENDINGS).chain([record_sent(1)]).collect())),
            ("deactivated, never issued", vec![deactivate()]),
            ("deactivated, never sent", with(vec![deactivate()])),
            ("deactivated, sent before", with(vec![by_process(), record_sent(1), deactivate()])),
        ],
        commands: vec![
            ("issue", issue(Some(code()))),
            ("issue another code", issue(Some(VoucherCode::from_random(43)))),
            ("issue without a code", issue(None)),
            ("request send", by_process()),
            ("request send by the manager", request_send(manager())),
            ("record sent 0", record_sent(0)),
            ("record sent 1", record_sent(1)),
            ("record sent 2", record_sent(2)),
            ("deactivate", deactivate()),
        ],
        repeatable: &[
            ("request send", "each time is one more sending"),
            ("request send by the manager", "each time is one more sending"),
        ],
    };
    insta::assert_snapshot!("grid", grid.run());
}

#[test]
fn a_voucher_is_issued_with_its_code_and_only_once() {
    given::<Voucher>([]).when(issue(Some(code()))).then([issued()]);
    given::<Voucher>([]).when(issue(None)).then_error(VoucherError::NoCode);
    let other = || issue(Some(VoucherCode::from_random(7)));
    given::<Voucher>([issued()]).when(other()).then_already_applied();
    given::<Voucher>([issued(), send_requested(1, process()), sent(1)]).when(other()).then_already_applied();
    given::<Voucher>([issued(), deactivated()]).when(other()).then_already_applied();
}

#[test]
fn each_request_is_one_more_sending_whoever_asks() {
    given::<Voucher>([issued()]).when(request_send(process())).then([send_requested(1, process())]);
    given::<Voucher>([issued(), send_requested(1, process()), sent(1)])
        .when(request_send(manager()))
        .then([send_requested(2, manager())]);
}

#[test]
fn a_voucher_is_not_sent_without_end() {
    let often = |number: u32| {
        let requests = (1..=number).map(|sending| send_requested(sending, manager()));
        std::iter::once(issued()).chain(requests)
    };
    given::<Voucher>(often(MAX_SENDINGS - 1))
        .when(request_send(manager()))
        .then([send_requested(MAX_SENDINGS, manager())]);
    given::<Voucher>(often(MAX_SENDINGS))
        .when(request_send(manager()))
        .then_error(VoucherError::SentOftenEnough);
}

#[test]
fn a_sending_that_was_asked_for_makes_it_sent_and_any_other_is_refused() {
    let asked = || [issued(), send_requested(1, process()), send_requested(2, manager())];
    given::<Voucher>(asked()).when(record_sent(2)).then([sent(2)]);
    let arrived = || asked().into_iter().chain([sent(2)]);
    given::<Voucher>(arrived()).when(record_sent(1)).then_already_applied();
    for sending in [0, 3, u32::MAX] {
        given::<Voucher>(asked())
            .when(record_sent(sending))
            .then_error(VoucherError::UnknownSending { sending });
        given::<Voucher>(arrived())
            .when(record_sent(sending))
            .then_error(VoucherError::UnknownSending { sending });
    }
    given::<Voucher>([issued()]).when(record_sent(1)).then_error(VoucherError::UnknownSending { sending: 1 });
}

#[test]
fn a_deactivated_voucher_is_neither_sent_nor_counted_as_sent() {
    let past = || [issued(), send_requested(1, process()), deactivated()];
    given::<Voucher>(past()).when(request_send(manager())).then_error(VoucherError::Deactivated);
    given::<Voucher>(past()).when(record_sent(1)).then_error(VoucherError::Deactivated);
    given::<Voucher>(past()).when(deactivate()).then_already_applied();
}

#[test]
fn a_deactivation_that_comes_before_the_issue_keeps_it_from_being_issued() {
    given::<Voucher>([]).when(deactivate()).then([deactivated()]);
    given::<Voucher>([deactivated()]).when(issue(Some(code()))).then_error(VoucherError::DeactivatedBefore);
    given::<Voucher>([deactivated()]).when(deactivate()).then_already_applied();
    given::<Voucher>([deactivated()]).when(request_send(process())).then_error(VoucherError::Deactivated);
    assert_eq!(fold::<Voucher>(&[deactivated()]).details(), None);
}

#[test]
fn nothing_is_sent_of_a_voucher_that_was_never_issued() {
    given::<Voucher>([]).when(request_send(manager())).then_error(VoucherError::NotFound);
    given::<Voucher>([]).when(record_sent(1)).then_error(VoucherError::NotFound);
}

#[test]
fn a_voucher_keeps_its_code_through_every_state() {
    let mut past = vec![issued()];
    for event in [send_requested(1, process()), sent(1), send_requested(2, manager()), deactivated()] {
        past.push(event);
        let state = fold::<Voucher>(&past);
        assert_eq!(state.details().unwrap().code, code(), "{state:?}");
    }
    assert_eq!(fold::<Voucher>(&past).details().unwrap().sendings, 2);
}

#[tokio::test]
async fn the_cqrs_es_framework_runs_a_voucher() {
    let framework = || TestFramework::<Voucher>::with(());
    framework()
        .given(vec![issued()])
        .when_async(request_send(process()))
        .await
        .then_expect_events(vec![send_requested(1, process())]);
    framework()
        .given(vec![issued(), deactivated()])
        .when_async(request_send(process()))
        .await
        .then_expect_error_message("the voucher is deactivated: its reservation was cancelled");
}
