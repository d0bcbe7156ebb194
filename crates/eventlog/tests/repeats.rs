//! Commands that are given again right behind themselves, where they lead to other events than the first time.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use domain::{
    Actor, ReservationId, ResortId, VoucherId,
    reservation::voucher_of,
    voucher::{Voucher, VoucherCode, VoucherCommand},
};
use orderstream_eventlog::{Effect, ExecuteError, Executor, Log};
use support::{ctx, ctx_of, executor, id, open};
use tempfile::tempdir;

fn issue(id: VoucherId, reservation_id: ReservationId, bits: u128) -> VoucherCommand {
    VoucherCommand::IssueVoucher {
        voucher_id: id,
        reservation_id,
        resort_id: ResortId::from_uuid(reservation_id.uuid()),
        customer_id: "alice".parse().unwrap(),
        manager_id: "mina".parse().unwrap(),
        code: Some(VoucherCode::from_random(bits)),
    }
}
fn send(by: &str) -> VoucherCommand {
    VoucherCommand::RequestSend { by: Actor::Customer(by.parse().unwrap()) }
}

async fn issued(log: &Log) -> (Executor, VoucherId) {
    let reservation = ReservationId::from_uuid(id());
    let (executor, voucher) = (executor(log), voucher_of(reservation));
    executor.execute::<Voucher>(&voucher, issue(voucher, reservation, 1), ctx()).await.unwrap();
    (executor, voucher)
}

#[tokio::test]
async fn a_command_that_counts_and_is_repeated_at_once_is_a_duplicate() {
    let folder = tempdir().unwrap();
    let log = open(folder.path()).await;
    let (executor, voucher) = issued(&log).await;
    for earlier_sendings in 0..3 {
        let command = id();
        let first = executor.execute::<Voucher>(&voucher, send("alice"), ctx_of(command)).await.unwrap();
        assert_eq!((first.effect, first.version), (Effect::Applied, earlier_sendings + 2));
        for executor in [executor.clone(), support::executor(&log)] {
            let again = executor.execute::<Voucher>(&voucher, send("alice"), ctx_of(command)).await.unwrap();
            assert_eq!((again.effect, again.version), (Effect::Duplicate, first.version));
        }
    }
    let loaded = executor.load::<Voucher>(&voucher).await.unwrap();
    assert!(matches!(&loaded.state, Voucher::Issued(voucher) if voucher.sendings == 3), "{loaded:?}");
    assert_eq!(loaded, support::executor(&log).load::<Voucher>(&voucher).await.unwrap());
}

#[tokio::test]
async fn another_command_under_the_id_of_one_that_counts_is_a_bug() {
    let folder = tempdir().unwrap();
    let (executor, voucher) = issued(&open(folder.path()).await).await;
    let command = id();
    executor.execute::<Voucher>(&voucher, send("alice"), ctx_of(command)).await.unwrap();
    let reused = executor.execute::<Voucher>(&voucher, send("bob"), ctx_of(command)).await.unwrap_err();
    assert!(matches!(reused, ExecuteError::CommandIdReused { version: 2, .. }), "{reused:?}");
    let next = executor.execute::<Voucher>(&voucher, send("bob"), ctx()).await.unwrap();
    assert_eq!((next.effect, next.version), (Effect::Applied, 3), "the executor's state is right afterwards");
}
