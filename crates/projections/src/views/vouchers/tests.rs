use domain::{Actor, AnyCommand, Partition, ReservationId, reservation::voucher_of, voucher::VoucherCommand};
use uuid::Uuid;

use crate::{
    testing::{
        History, Scenario, applied_twice_is_once, fold_rows, story, tolerates_any_order,
        windows_do_not_matter,
    },
    views::Vouchers,
};

#[test]
fn rebuilt_is_the_same_as_incremental() {
    windows_do_not_matter::<Vouchers>();
}

#[test]
fn events_in_any_order_and_more_than_once_are_taken_without_a_panic() {
    tolerates_any_order::<Vouchers>();
}

#[tokio::test]
async fn a_window_applied_twice_counts_once() {
    applied_twice_is_once::<Vouchers>().await;
}

#[test]
fn the_rows_of_every_way_a_reservation_can_go_are_as_reviewed() {
    for scenario in [Scenario::Stayed, Scenario::StayCancelled] {
        let rows = fold_rows::<Vouchers>(&story(scenario).envelopes());
        insta::assert_json_snapshot!(format!("{scenario:?}"), rows);
    }
}

#[test]
fn a_voucher_that_a_cancellation_overtook_is_shown_as_deactivated_and_without_a_code() {
    let mut history = History::default();
    let reservation_id = ReservationId::new(history.now(), 7, Partition::of(Uuid::nil()));
    let id = voucher_of(reservation_id);
    let command = VoucherCommand::DeactivateVoucher {
        voucher_id: id,
        reservation_id,
        customer_id: "alice".parse().unwrap(),
        manager_id: "mina".parse().unwrap(),
    };
    let by = Actor::Process("vouchers".to_owned());
    history.act(by, reservation_id.uuid(), AnyCommand::Voucher { id, command });
    let rows = fold_rows::<Vouchers>(&history.envelopes());
    let row = &rows[&id.to_string()];
    assert_eq!(row["status"], "deactivated");
    assert!(row["code"].is_null() && row["issued_at"].is_null());
}
