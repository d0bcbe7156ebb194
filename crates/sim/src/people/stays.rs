//! Stays: reserved, paid, cancelled, and their vouchers asked for.

use chrono::Days;
use domain::{
    AnyCommand, ReservationId, Stay, TimeZone, VoucherId,
    payment::PaymentCommand,
    reservation::{self, ReservationCommand},
    voucher::VoucherCommand,
};
use rand::Rng;

use super::{NIGHTLY, People, clock, customer, give, resort, resort_policy, shop, won};
use crate::world::World;

impl People {
    pub(super) fn reserve(&mut self, world: &mut World, node: usize) {
        let now = clock(world, node);
        let reservation_id = ReservationId::new(now, world.rng.random(), shop().partition());
        let today = TimeZone::SEOUL.date_at(world.now);
        let check_in = today + Days::new(world.rng.random_range(0..6));
        let stay = Stay::new(check_in, check_in + Days::new(world.rng.random_range(1..4)))
            .expect("it ends behind its beginning");
        let command = ReservationCommand::RequestReservation {
            reservation_id,
            resort_id: resort(),
            resort_name: "Camp".to_owned(),
            manager_id: customer(),
            customer_id: customer(),
            stay,
            nightly_price: won(NIGHTLY),
            expected_total: None,
            time_zone: TimeZone::SEOUL,
            policy: resort_policy(),
            contact_id: reservation::contact_of(reservation_id),
            at: now,
        };
        self.reservations.push(reservation_id);
        give(world, node, reservation_id.uuid(), AnyCommand::Reservation { id: reservation_id, command })
    }
}

pub(super) fn about(world: &mut World, node: usize, id: ReservationId) {
    let command = match world.rng.random_range(0..10) {
        0..6 => {
            let method = reservation::contact_of(id);
            let command = PaymentCommand::StartCapture { method, at: clock(world, node) };
            AnyCommand::Payment { id: reservation::payment_of(id), command }
        }
        6..7 => {
            let command = ReservationCommand::RequestCancellation {
                by: People::actor(),
                reason_id: None,
                at: clock(world, node),
            };
            AnyCommand::Reservation { id, command }
        }
        _ => {
            let voucher: VoucherId = reservation::voucher_of(id);
            AnyCommand::Voucher { id: voucher, command: VoucherCommand::RequestSend { by: People::actor() } }
        }
    };
    give(world, node, id.uuid(), command)
}
