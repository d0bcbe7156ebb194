//! Every command to a reservation in every state.

use super::{cancel_at, complete_at, ends_at, nights, refuse, request, request_for, until};
use crate::{
    money::MAX_AMOUNT_MINOR,
    reservation::{Reservation, ReservationCommand},
    testing::{Grid, at, krw},
};

#[test]
fn every_command_in_every_state() {
    use ReservationCommand::{ConfirmReservation, ExpireReservation, FinishCancellation, RecordPaid};
    let with = |more: Vec<ReservationCommand>| [vec![request()], more].concat();
    let cancel = || cancel_at(at(0));
    let grid = Grid::<Reservation> {
        histories: vec![
            ("absent", vec![]),
            ("requested", with(vec![])),
            ("awaiting payment", with(vec![ConfirmReservation])),
            ("paid", with(vec![ConfirmReservation, RecordPaid])),
            ("cancelling, never confirmed", with(vec![cancel()])),
            ("cancelling, never paid", with(vec![ConfirmReservation, cancel()])),
            ("cancelling, paid", with(vec![ConfirmReservation, RecordPaid, cancel()])),
            ("cancelled", with(vec![ConfirmReservation, RecordPaid, cancel(), FinishCancellation])),
            ("expired", with(vec![ConfirmReservation, ExpireReservation])),
            ("refused", with(vec![refuse()])),
            ("completed", with(vec![ConfirmReservation, RecordPaid, complete_at(ends_at())])),
        ],
        commands: vec![
            ("request", request()),
            ("request at another price", request_for(nights(), krw(100_000), Some(krw(1)), at(0))),
            ("request at a price beyond count", request_for(nights(), krw(MAX_AMOUNT_MINOR), None, at(0))),
            ("confirm", ConfirmReservation),
            ("refuse", refuse()),
            ("record paid", RecordPaid),
            ("cancel", cancel()),
            ("cancel too late", cancel_at(until())),
            ("finish cancellation", FinishCancellation),
            ("expire", ExpireReservation),
            ("complete early", complete_at(at(0))),
            ("complete", complete_at(ends_at())),
        ],
        repeatable: &[],
    };
    insta::with_settings!({ snapshot_path => "../snapshots" }, {
        insta::assert_snapshot!("grid", grid.run());
    });
}
