use chrono::{Days, NaiveDate};
use domain::{
    Actor, AnyCommand, Currency, Money, Partition, ReservationId, ResortId, Stay, TimeZone,
    resort::{ResortCommand, ResortPolicy},
};
use uuid::Uuid;

use super::{HeldNights, NightStatus, ResortRow};
use crate::{
    testing::{
        History, Scenario, applied_twice_is_once, fold_rows, story, tolerates_any_order,
        windows_do_not_matter,
    },
    views::Resorts,
};

#[test]
fn rebuilt_is_the_same_as_incremental() {
    windows_do_not_matter::<Resorts>();
}

#[test]
fn events_in_any_order_and_more_than_once_are_taken_without_a_panic() {
    tolerates_any_order::<Resorts>();
}

#[tokio::test]
async fn a_window_applied_twice_counts_once() {
    applied_twice_is_once::<Resorts>().await;
}

#[test]
fn the_rows_of_every_way_a_reservation_can_go_are_as_reviewed() {
    for scenario in [Scenario::Stayed, Scenario::NightsRefused, Scenario::StayNeverPaid] {
        let rows = fold_rows::<Resorts>(&story(scenario).envelopes());
        insta::assert_json_snapshot!(format!("{scenario:?}"), rows);
    }
}

fn date(month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, month, day).unwrap()
}

/// A resort with nights from March to the end of June, and what can be asked of it.
struct Lodge {
    id: ResortId,
    history: History,
}

impl Lodge {
    fn new() -> Self {
        let mut history = History::default();
        let id = ResortId::new(history.now(), 1, Partition::of(Uuid::nil()));
        let command = ResortCommand::RegisterResort {
            resort_id: id,
            manager_id: "mina".parse().unwrap(),
            name: "Sea".to_owned(),
            kind: "pension".to_owned(),
            nightly_price: Money::new(50_000, Currency::KRW).unwrap(),
            time_zone: TimeZone::SEOUL,
            open_from: date(3, 1),
            open_until: date(7, 1),
            policy: ResortPolicy { pay_within_secs: 3_600, cancel_days_before: 0, notify: Vec::new() },
        };
        history.act(Actor::System, id.uuid(), AnyCommand::Resort { id, command });
        Self { id, history }
    }

    fn ask(&mut self, command: ResortCommand) {
        let id = self.id;
        self.history.act(Actor::System, id.uuid(), AnyCommand::Resort { id, command });
    }

    /// Holds nights, asked for on `today`.
    fn hold(
        &mut self,
        number: u64,
        check_in: NaiveDate,
        check_out: NaiveDate,
        today: NaiveDate,
    ) -> ReservationId {
        let reservation_id = ReservationId::new(self.history.now(), number, self.id.partition());
        let stay = Stay::new(check_in, check_out).unwrap();
        let price = Money::new(50_000, Currency::KRW).unwrap();
        let at = TimeZone::SEOUL.start_of(today);
        self.ask(ResortCommand::HoldNights { reservation_id, stay, price, at });
        reservation_id
    }

    fn row(&self) -> ResortRow {
        let rows = fold_rows::<Resorts>(&self.history.envelopes());
        serde_json::from_value(rows[&self.id.to_string()].clone()).unwrap()
    }
}

#[test]
fn a_night_is_free_taken_or_not_on_offer_and_the_day_of_departure_is_free() {
    let mut lodge = Lodge::new();
    let held = lodge.hold(1, date(6, 28), date(6, 30), date(3, 1));
    let nights = lodge.row().nights(date(6, 27), date(7, 2), date(6, 27));
    use NightStatus::{Free, NotOpen, Taken};
    let expected =
        [(27, Free), (28, Taken), (29, Taken), (30, Free)].map(|(day, status)| (date(6, day), status));
    assert_eq!(nights[..4], expected);
    assert_eq!(nights[4..], [(date(7, 1), NotOpen)]);
    assert_eq!(lodge.row().nights(date(2, 28), date(3, 1), date(2, 28)), [(date(2, 28), NotOpen)]);
    assert_eq!(lodge.row().nights(date(5, 2), date(5, 2), date(5, 2)), []);
    assert_eq!(lodge.row().nights(date(5, 2), date(5, 1), date(5, 2)), []);

    lodge.ask(ResortCommand::RetireResort);
    let statuses: Vec<_> =
        lodge.row().nights(date(6, 27), date(6, 29), date(6, 1)).into_iter().map(|night| night.1).collect();
    assert_eq!(statuses, [NotOpen, Taken], "a retired resort keeps what it promised and offers nothing");

    lodge.ask(ResortCommand::ReleaseNights { reservation_id: held });
    assert_eq!(lodge.row().internal.held, []);
}

#[test]
fn a_night_is_past_from_the_day_after_it_began_whether_it_was_free_or_taken() {
    let mut lodge = Lodge::new();
    lodge.hold(1, date(6, 2), date(6, 4), date(3, 1));
    use NightStatus::{Free, Past, Taken};
    let statuses = |today| lodge.row().nights(date(6, 1), date(6, 5), today).into_iter().map(|night| night.1);
    assert_eq!(statuses(date(6, 1)).collect::<Vec<_>>(), [Free, Taken, Taken, Free]);
    assert_eq!(statuses(date(6, 3)).collect::<Vec<_>>(), [Past, Past, Taken, Free]);
    assert_eq!(statuses(date(7, 1)).collect::<Vec<_>>(), [Past; 4]);
}

#[test]
fn nights_that_are_over_leave_the_row_when_the_next_are_held() {
    let mut lodge = Lodge::new();
    lodge.hold(1, date(3, 1), date(3, 3), date(3, 1));
    let later = lodge.hold(2, date(3, 10), date(3, 12), date(3, 1));
    assert_eq!(lodge.row().internal.held.len(), 2);
    let soon = lodge.hold(3, date(3, 5), date(3, 6), date(3, 3));
    let of = |reservation_id, check_in: NaiveDate, nights| HeldNights {
        reservation_id,
        check_in,
        check_out: check_in + Days::new(nights),
    };
    assert_eq!(lodge.row().internal.held, [of(soon, date(3, 5), 1), of(later, date(3, 10), 2)]);
}
