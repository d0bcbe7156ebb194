//! What guests do: reserve nights, pay for them, cancel, ask for their voucher; and what the manager does.

use chrono::{Days, NaiveDate};
use domain::{
    Actor, Aggregate as _, AnyCommand, NotifiedChange, ReservationId, ResortId, Stay, TimeZone,
    reservation::{Reservation, ReservationCommand, contact_of, payment_of, voucher_of},
    resort::{Resort, ResortCommand, ResortPolicy},
    voucher::{Voucher, VoucherCode, VoucherCommand},
};
use eventlog::{AnyError, Clock, Executed};

use super::{
    World,
    people::{customer, shop, won},
};

const ZONE: TimeZone = TimeZone::SEOUL;
const NIGHT: i64 = 100;

/// What a guest wants: `nights` nights from `day` days from now on. The default: two nights in thirty days.
#[derive(Clone)]
pub struct Trip {
    pub day: u64,
    pub nights: u64,
    pub notify: Vec<NotifiedChange>,
}

impl Default for Trip {
    fn default() -> Self {
        Self { day: 30, nights: 2, notify: Vec::new() }
    }
}

impl Trip {
    pub fn on(day: u64, nights: u64) -> Self {
        Self { day, nights, ..Self::default() }
    }
    pub fn notify(self, notify: &[NotifiedChange]) -> Self {
        Self { notify: notify.to_vec(), ..self }
    }
}

/// Paid within an hour, cancellable until three days before.
fn policy(notify: &[NotifiedChange]) -> ResortPolicy {
    ResortPolicy { pay_within_secs: 3600, cancel_days_before: 3, notify: notify.to_vec() }
}

impl World {
    fn today(&self) -> NaiveDate {
        ZONE.date_at(self.clock.now())
    }

    /// A resort that is open for a year.
    pub async fn open_resort(&self) -> ResortId {
        let id = ResortId::from_uuid(self.ids.next(shop().partition()));
        let open_from = self.today();
        let command = ResortCommand::RegisterResort {
            resort_id: id,
            manager_id: "mina".parse().unwrap(),
            name: "Sea View".to_owned(),
            kind: "pension".to_owned(),
            nightly_price: won(NIGHT),
            time_zone: ZONE,
            open_from,
            open_until: open_from + Days::new(365),
            policy: policy(&[]),
        };
        self.give(id.uuid(), AnyCommand::Resort { id, command }).await.unwrap();
        id
    }

    pub async fn retire_resort(&self) {
        let (id, command) = (self.shelf.resort, ResortCommand::RetireResort);
        self.give(id.uuid(), AnyCommand::Resort { id, command }).await.unwrap();
    }

    /// Asks for nights and does not wait for anything.
    pub async fn request(&self, trip: Trip) -> ReservationId {
        let id = ReservationId::from_uuid(self.ids.next(shop().partition()));
        let first = self.today() + Days::new(trip.day);
        let command = ReservationCommand::RequestReservation {
            reservation_id: id,
            resort_id: self.shelf.resort,
            resort_name: "Sea View".to_owned(),
            manager_id: "mina".parse().unwrap(),
            customer_id: customer(),
            stay: Stay::new(first, first + Days::new(trip.nights)).unwrap(),
            nightly_price: won(NIGHT),
            expected_total: None,
            time_zone: ZONE,
            policy: policy(&trip.notify),
            contact_id: contact_of(id),
            at: self.clock.now(),
        };
        self.give(id.uuid(), AnyCommand::Reservation { id, command }).await.unwrap();
        id
    }

    /// Asks for nights and waits for the resort's answer.
    pub async fn reserve(&self, trip: Trip) -> ReservationId {
        let reservation = self.request(trip).await;
        self.settle().await;
        reservation
    }

    /// A reservation that is paid, with its voucher.
    pub async fn stay(&self, trip: Trip) -> ReservationId {
        let reservation = self.reserve(trip).await;
        self.pay(reservation, gateway::method::OK).await.unwrap();
        self.settle().await;
        reservation
    }

    pub async fn call_back(&self, id: ReservationId) -> Result<Executed, AnyError> {
        let by = Actor::Customer(customer());
        let command = ReservationCommand::RequestCancellation { by, reason_id: None, at: self.clock.now() };
        self.give(id.uuid(), AnyCommand::Reservation { id, command }).await
    }

    /// The guest wants the voucher once more.
    pub async fn send_again(&self, reservation: ReservationId) -> Result<Executed, AnyError> {
        let command = VoucherCommand::RequestSend { by: Actor::Customer(customer()) };
        let id = voucher_of(reservation);
        self.give(reservation.uuid(), AnyCommand::Voucher { id, command }).await
    }

    /// The code of a reservation's voucher, if it was issued.
    pub async fn code_of(&self, reservation: ReservationId) -> Option<VoucherCode> {
        match self.executor.load::<Voucher>(&voucher_of(reservation)).await.unwrap().state {
            Voucher::Issued(voucher) | Voucher::Sent(voucher) | Voucher::Deactivated(Some(voucher)) => {
                Some(voucher.code)
            }
            Voucher::Absent | Voucher::Deactivated(None) => None,
        }
    }

    /// The nights that the resort holds, each as often as it is held, in order.
    pub async fn held_nights(&self) -> Vec<NaiveDate> {
        let held = |resort: &Resort| match resort {
            Resort::Open(details) | Resort::Retired(details) => {
                details.held.values().flat_map(|stay| stay.each_night()).collect()
            }
            Resort::Absent => Vec::new(),
        };
        let read = self.executor.inspect::<Resort, _>(&self.shelf.resort, |_, resort| held(resort));
        let mut nights: Vec<NaiveDate> = read.await.unwrap();
        nights.sort_unstable();
        nights
    }

    /// Statuses of reservation, payment and voucher.
    pub async fn status_of_stay(&self, reservation: ReservationId) -> [&'static str; 3] {
        let (payment, voucher) = (payment_of(reservation), voucher_of(reservation));
        [
            self.executor.load::<Reservation>(&reservation).await.unwrap().state.status(),
            self.executor.load::<domain::payment::Payment>(&payment).await.unwrap().state.status(),
            self.executor.load::<Voucher>(&voucher).await.unwrap().state.status(),
        ]
    }

    /// Statuses of reservation, payment and voucher, the nights that the resort holds, the money that was kept.
    pub(super) async fn end_of_reservation(&self, reservation: ReservationId) -> String {
        let [of_reservation, of_payment, of_voucher] = self.status_of_stay(reservation).await;
        let (nights, kept) = (self.held_nights().await.len(), self.kept_of(reservation.into()).await);
        format!("{of_reservation}, {of_payment}, {of_voucher} voucher; {nights} nights held; kept {kept}")
    }
}
