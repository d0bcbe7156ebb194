//! A reservation's way as commands: its nights, its payment and its voucher.

use chrono::{Days, Duration, NaiveDate};
use domain::{
    Actor, AnyCommand, ContactId, CustomerId, NotificationId, NotifiedChange, Partition, ReservationId,
    ResortId, Stay, TimeZone, Timestamp,
    notification::NotificationCommand as N,
    payment::{CaptureOutcome, PaymentCommand as P, PaymentTiming, RefundOutcome, full_refund_of},
    reservation::{ReservationCommand as V, contact_of, payment_of, voucher_of},
    resort::{NightsRefusal, ResortCommand, ResortPolicy},
    voucher::{VoucherCode, VoucherCommand},
};

use super::{
    History,
    scripts::{Scenario, Script, krw, process},
};

/// Stays begin this often, so that they do not meet until there are many.
const DAYS_PER_STAY: u64 = 3;
/// How many stays there are before they do.
const STAYS: u64 = 400;

fn policy() -> ResortPolicy {
    ResortPolicy { pay_within_secs: 24 * 3_600, cancel_days_before: 1, notify: Vec::new() }
}
fn date(year: i32, month: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, 1).unwrap()
}

/// A place with nights.
pub(super) struct Lodge {
    id: ResortId,
    manager: CustomerId,
    taken: u64,
}

impl Lodge {
    pub(super) fn open(history: &mut History, number: u64) -> Self {
        let id = ResortId::new(history.now(), 500 + number, Partition::of(uuid::Uuid::from_u128(77)));
        let manager: CustomerId = format!("manager-{number}").parse().unwrap();
        let command = ResortCommand::RegisterResort {
            resort_id: id,
            manager_id: manager.clone(),
            name: format!("Lodge {number}"),
            kind: "pension".to_owned(),
            nightly_price: krw(40_000),
            time_zone: TimeZone::SEOUL,
            open_from: date(2026, 1),
            open_until: date(2030, 1),
            policy: policy(),
        };
        history.act(Actor::Manager(manager.clone()), id.uuid(), AnyCommand::Resort { id, command });
        Self { id, manager, taken: 0 }
    }

    /// A reservation by some customer for the next nights.
    pub(super) fn next(&mut self, random: u64, at: Timestamp) -> Booking {
        let first = date(2026, 3) + Days::new(DAYS_PER_STAY * (self.taken % STAYS));
        self.taken += 1;
        Booking {
            id: ReservationId::new(at, random, self.id.partition()),
            resort: self.id,
            manager: self.manager.clone(),
            customer: format!("customer-{}", random % 97).parse().unwrap(),
            stay: Stay::new(first, first + Days::new(2)).unwrap(),
            at,
            script: Script::new(),
        }
    }
}

/// A reservation about to be played.
pub(super) struct Booking {
    id: ReservationId,
    resort: ResortId,
    manager: CustomerId,
    customer: CustomerId,
    stay: Stay,
    at: Timestamp,
    script: Script,
}

impl Booking {
    fn step(&mut self, actor: Actor, command: AnyCommand) {
        self.script.push_back((self.id.uuid(), actor, command));
    }
    fn reservation(&mut self, command: V) {
        self.step(process("booking"), AnyCommand::Reservation { id: self.id, command });
    }
    fn resort(&mut self, command: ResortCommand) {
        self.step(process("booking"), AnyCommand::Resort { id: self.resort, command });
    }
    fn payment(&mut self, command: P) {
        self.step(process("payments"), AnyCommand::Payment { id: payment_of(self.id), command });
    }
    fn voucher(&mut self, command: VoucherCommand) {
        self.step(process("vouchers"), AnyCommand::Voucher { id: voucher_of(self.id), command });
    }

    fn request(&mut self) {
        let command = V::RequestReservation {
            reservation_id: self.id,
            resort_id: self.resort,
            resort_name: "Lodge".to_owned(),
            manager_id: self.manager.clone(),
            customer_id: self.customer.clone(),
            stay: self.stay,
            nightly_price: krw(40_000),
            expected_total: None,
            time_zone: TimeZone::SEOUL,
            policy: policy(),
            contact_id: contact_of(self.id),
            at: self.at,
        };
        let by = Actor::Customer(self.customer.clone());
        self.step(by, AnyCommand::Reservation { id: self.id, command });
        let (reservation_id, price) = (self.id, krw(80_000));
        self.resort(ResortCommand::HoldNights { reservation_id, stay: self.stay, price, at: self.at });
    }
    fn confirm(&mut self) {
        self.request();
        self.reservation(V::ConfirmReservation);
        self.payment(P::RequestPayment {
            payment_id: payment_of(self.id),
            subject: self.id.into(),
            customer_id: self.customer.clone(),
            shop_id: None,
            amount: krw(80_000),
            timing: PaymentTiming::Deferred,
            method: None,
            due_at: self.at + Duration::days(1),
        });
    }
    fn pay(&mut self) {
        self.confirm();
        let method = ContactId::derived(self.id.uuid(), "method", "");
        self.payment(P::StartCapture { method, at: self.at });
        let outcome = CaptureOutcome::Captured { provider_ref: "ch_1".to_owned() };
        self.payment(P::RecordCapture { attempt: 1, outcome, at: self.at });
        self.reservation(V::RecordPaid);
    }
    fn get_voucher(&mut self) {
        let voucher_id = voucher_of(self.id);
        self.voucher(VoucherCommand::IssueVoucher {
            voucher_id,
            reservation_id: self.id,
            resort_id: self.resort,
            customer_id: self.customer.clone(),
            manager_id: self.manager.clone(),
            code: Some(VoucherCode::from_random(self.id.uuid().as_u128())),
        });
        self.voucher(VoucherCommand::RequestSend { by: process("vouchers") });
        let change = NotifiedChange::VoucherSendRequested;
        let id = NotificationId::derived(self.id.uuid(), "notification", change.name());
        let queue = N::QueueNotification {
            notification_id: id,
            subject: self.id.into(),
            customer_id: self.customer.clone(),
            shop_id: None,
            change,
            voucher_id: Some(voucher_id),
        };
        for command in [queue, N::RecordSent { channel: "log".to_owned() }] {
            self.step(process("notifications"), AnyCommand::Notification { id, command });
        }
        self.voucher(VoucherCommand::RecordSent { sending: 1 });
    }
    fn cancel(&mut self) {
        let by = Actor::Customer(self.customer.clone());
        let reason_id = Some(ContactId::derived(self.id.uuid(), "reason", ""));
        let command = V::RequestCancellation { by: by.clone(), reason_id, at: self.at };
        self.step(by, AnyCommand::Reservation { id: self.id, command });
        self.payment(P::VoidPayment);
    }
    fn release(&mut self) {
        self.resort(ResortCommand::ReleaseNights { reservation_id: self.id });
    }

    pub(super) fn play(mut self, scenario: Scenario) -> Script {
        match scenario {
            Scenario::Stayed => {
                self.pay();
                self.get_voucher();
                self.reservation(V::CompleteReservation {
                    at: TimeZone::SEOUL.start_of(self.stay.check_out),
                });
            }
            Scenario::NightsRefused => {
                self.stay = Stay::new(date(2031, 5), date(2031, 5) + Days::new(2)).unwrap();
                self.request();
                self.reservation(V::RefuseReservation {
                    reason: NightsRefusal::NotOpen { night: date(2031, 5) },
                });
            }
            Scenario::StayNeverPaid => {
                self.confirm();
                self.payment(P::ExpirePayment { at: self.at + Duration::days(2) });
                self.release();
                self.reservation(V::ExpireReservation);
            }
            Scenario::StayCancelled => {
                self.pay();
                self.get_voucher();
                self.cancel();
                let refund_id = full_refund_of(payment_of(self.id));
                let outcome = RefundOutcome::Refunded { provider_ref: "re_1".to_owned() };
                self.payment(P::RecordRefund { refund_id, attempt: 1, outcome });
                self.release();
                self.voucher(VoucherCommand::DeactivateVoucher {
                    voucher_id: voucher_of(self.id),
                    reservation_id: self.id,
                    customer_id: self.customer.clone(),
                    manager_id: self.manager.clone(),
                });
                self.reservation(V::FinishCancellation);
            }
            Scenario::StayCancelledUnpaid => {
                self.confirm();
                self.cancel();
                self.release();
                self.reservation(V::FinishCancellation);
            }
            other => unreachable!("{other:?} is not about a reservation"),
        }
        self.script
    }
}
