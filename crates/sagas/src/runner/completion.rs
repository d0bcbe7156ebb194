//! What a command gets only when it is carried out: the time, and what is drawn at random.

use domain::{
    AnyCommand, Timestamp,
    delivery::DeliveryCommand,
    payment::PaymentCommand,
    reservation::ReservationCommand,
    resort::ResortCommand,
    voucher::{VoucherCode, VoucherCommand},
};
use rand::Rng;

/// Puts the time of execution into commands that judge by it: what was decided to be done an hour ago, before a
/// shutdown, must not be judged by the time of then. Draws the code of a voucher that has none.
///
/// What a timer has led to is not judged by an earlier time than the one at which it was due: it has fired, and does so
/// once. Should somebody set the clock back in between, it would be refused as too early, and nobody would ask again.
///
/// A command that is given again gets another time and another code. That is harmless: if it took effect the first time,
/// the log knows it by its id and the first answer stands.
pub fn completed(command: AnyCommand, now: Timestamp) -> AnyCommand {
    match command {
        AnyCommand::Payment { id, command } => AnyCommand::Payment { id, command: payment(command, now) },
        AnyCommand::Delivery { id, command } => AnyCommand::Delivery { id, command: delivery(command, now) },
        AnyCommand::Resort { id, command } => AnyCommand::Resort { id, command: resort(command, now) },
        AnyCommand::Reservation { id, command: ReservationCommand::CompleteReservation { at } } => {
            AnyCommand::Reservation {
                id,
                command: ReservationCommand::CompleteReservation { at: at.max(now) },
            }
        }
        AnyCommand::Voucher { id, command } => AnyCommand::Voucher { id, command: voucher(command) },
        other => other,
    }
}

fn payment(command: PaymentCommand, now: Timestamp) -> PaymentCommand {
    match command {
        PaymentCommand::StartCapture { method, .. } => PaymentCommand::StartCapture { method, at: now },
        PaymentCommand::ExpirePayment { at } => PaymentCommand::ExpirePayment { at: at.max(now) },
        other => other,
    }
}

fn delivery(command: DeliveryCommand, now: Timestamp) -> DeliveryCommand {
    match command {
        DeliveryCommand::CloseReturnWindow { at } => DeliveryCommand::CloseReturnWindow { at: at.max(now) },
        // A return is judged by the time at which the customer asked for it.
        other => other,
    }
}

fn resort(command: ResortCommand, now: Timestamp) -> ResortCommand {
    match command {
        ResortCommand::HoldNights { reservation_id, stay, price, .. } => {
            ResortCommand::HoldNights { reservation_id, stay, price, at: now }
        }
        other => other,
    }
}

fn voucher(mut command: VoucherCommand) -> VoucherCommand {
    if let VoucherCommand::IssueVoucher { code: code @ None, .. } = &mut command {
        // The thread's generator is a cryptographic one, seeded by the operating system.
        *code = Some(VoucherCode::from_random(rand::rng().random()));
    }
    command
}

#[cfg(test)]
mod tests {
    use domain::{AnyCommand, payment::PaymentCommand, resort::ResortCommand, voucher::VoucherCommand};

    use super::completed;
    use crate::testing::{
        at, booked_payment_id, contact_id, customer_id, manager_id, reservation_id, resort_id, stay,
        voucher_id, won,
    };

    fn issue(code: Option<domain::voucher::VoucherCode>) -> AnyCommand {
        let command = VoucherCommand::IssueVoucher {
            voucher_id: voucher_id(),
            reservation_id: reservation_id(),
            resort_id: resort_id(),
            customer_id: customer_id(),
            manager_id: manager_id(),
            code,
        };
        AnyCommand::Voucher { id: voucher_id(), command }
    }

    #[test]
    fn commands_that_judge_by_the_time_get_the_time_at_which_they_are_carried_out() {
        let hold = |at| {
            let (reservation_id, stay, price) = (reservation_id(), stay(), won(200));
            let command = ResortCommand::HoldNights { reservation_id, stay, price, at };
            AnyCommand::Resort { id: resort_id(), command }
        };
        assert_eq!(completed(hold(at(1)), at(50)), hold(at(50)));
        let capture = |at| {
            let command = PaymentCommand::StartCapture { method: contact_id(), at };
            AnyCommand::Payment { id: booked_payment_id(), command }
        };
        assert_eq!(completed(capture(at(1)), at(50)), capture(at(50)));
    }

    #[test]
    fn what_a_timer_led_to_is_not_too_early_when_the_clock_is_set_back() {
        let expire = |at| {
            let command = PaymentCommand::ExpirePayment { at };
            AnyCommand::Payment { id: booked_payment_id(), command }
        };
        assert_eq!(completed(expire(at(50)), at(60)), expire(at(60)));
        assert_eq!(completed(expire(at(50)), at(40)), expire(at(50)));
    }

    #[test]
    fn a_voucher_without_a_code_gets_another_each_time_and_one_with_a_code_keeps_it() {
        let first = completed(issue(None), at(50));
        assert_ne!(first, issue(None));
        assert_ne!(completed(issue(None), at(50)), first);
        assert_eq!(completed(first.clone(), at(50)), first);
    }

    #[test]
    fn other_commands_stay_as_they_are() {
        let release = ResortCommand::ReleaseNights { reservation_id: reservation_id() };
        let release = AnyCommand::Resort { id: resort_id(), command: release };
        assert_eq!(completed(release.clone(), at(50)), release);
    }
}
