//! Nights at a resort: half-open ranges of dates, and the time zone in which a date begins.

use std::{fmt, str::FromStr};

use chrono::{Days, NaiveDate, NaiveTime, TimeZone as _};
use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// The most nights in one stay. *Source*: ours; nobody books a holiday of more than a season.
pub const MAX_NIGHTS: u32 = 90;

/// Why two dates are no stay.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StayError {
    /// The stay ends before it begins, or has no night.
    #[error("check_out {check_out} must be after check_in {check_in}")]
    NoNight {
        /// First night.
        check_in: NaiveDate,
        /// Day of departure.
        check_out: NaiveDate,
    },
    /// Too long.
    #[error("a stay has at most {MAX_NIGHTS} nights, not {nights}")]
    TooLong {
        /// How many were asked for.
        nights: i64,
    },
}

/// Nights from `check_in` to `check_out`, the latter not included: whoever leaves on a day does not stay its night.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Stay {
    /// First night.
    pub check_in: NaiveDate,
    /// Day of departure.
    pub check_out: NaiveDate,
}

impl Stay {
    /// A stay of at least one and at most [`MAX_NIGHTS`] nights.
    ///
    /// # Errors
    /// See [`StayError`].
    pub fn new(check_in: NaiveDate, check_out: NaiveDate) -> Result<Self, StayError> {
        let nights = check_out.signed_duration_since(check_in).num_days();
        if nights < 1 {
            return Err(StayError::NoNight { check_in, check_out });
        }
        if nights > i64::from(MAX_NIGHTS) {
            return Err(StayError::TooLong { nights });
        }
        Ok(Self { check_in, check_out })
    }

    /// How many nights.
    #[must_use]
    pub fn nights(self) -> u32 {
        u32::try_from(self.check_out.signed_duration_since(self.check_in).num_days()).unwrap_or(0)
    }

    /// Whether the two share a night.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.check_in < other.check_out && other.check_in < self.check_out
    }

    /// The nights, each by the date on which it begins.
    pub fn each_night(self) -> impl Iterator<Item = NaiveDate> {
        (0..u64::from(self.nights())).filter_map(move |n| self.check_in.checked_add_days(Days::new(n)))
    }
}

impl fmt::Display for Stay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.check_in, self.check_out)
    }
}

/// A time zone by its IANA name, such as `Asia/Seoul`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeZone(chrono_tz::Tz);

impl TimeZone {
    /// The zone of the sample data: `Asia/Seoul`.
    pub const SEOUL: Self = Self(chrono_tz::Asia::Seoul);

    /// The IANA name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// All names that are known.
    pub fn names() -> impl Iterator<Item = &'static str> {
        chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name())
    }

    /// The date that it is there at `at`.
    #[must_use]
    pub fn date_at(self, at: Timestamp) -> NaiveDate {
        at.with_timezone(&self.0).date_naive()
    }

    /// The instant at which `date` begins there. Where the clocks skip midnight, the first instant after it.
    #[must_use]
    pub fn start_of(self, date: NaiveDate) -> Timestamp {
        let midnight = date.and_time(NaiveTime::MIN);
        // Clocks that go forward skip an hour or less; Samoa once skipped a whole day.
        let quarters = (0..=4 * 27).map(|n| chrono::TimeDelta::minutes(15 * n));
        let mut candidates = quarters.filter_map(|later| midnight.checked_add_signed(later));
        candidates
            .find_map(|local| self.0.from_local_datetime(&local).earliest())
            .map_or_else(|| midnight.and_utc(), |local| local.to_utc())
    }
}

/// Not a time zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a time zone: use an IANA name such as \"Asia/Seoul\"")]
pub struct TimeZoneError(pub String);

impl FromStr for TimeZone {
    type Err = TimeZoneError;
    fn from_str(name: &str) -> Result<Self, TimeZoneError> {
        name.parse().map(Self).map_err(|_| TimeZoneError(name.to_owned()))
    }
}
impl TryFrom<String> for TimeZone {
    type Error = TimeZoneError;
    fn try_from(name: String) -> Result<Self, TimeZoneError> {
        name.parse()
    }
}
impl From<TimeZone> for String {
    fn from(zone: TimeZone) -> Self {
        zone.name().to_owned()
    }
}
impl fmt::Display for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::testing::{date, stay};

    fn zone(name: &str) -> TimeZone {
        name.parse().unwrap()
    }
    fn instant(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_guest_may_arrive_on_the_day_on_which_another_leaves() {
        let first = stay("2026-07-01", "2026-07-03");
        assert!(!first.overlaps(stay("2026-07-03", "2026-07-05")));
        assert!(!first.overlaps(stay("2026-06-29", "2026-07-01")));
        for other in [
            stay("2026-07-02", "2026-07-03"),
            stay("2026-06-29", "2026-07-02"),
            stay("2026-06-29", "2026-07-05"),
            first,
        ] {
            assert!(first.overlaps(other) && other.overlaps(first), "{other}");
        }
    }

    #[test]
    fn the_night_of_the_departure_does_not_belong_to_the_stay() {
        let nights: Vec<_> = stay("2026-02-27", "2026-03-02").each_night().collect();
        assert_eq!(nights, [date("2026-02-27"), date("2026-02-28"), date("2026-03-01")]);
        assert_eq!(stay("2026-02-27", "2026-03-02").nights(), 3);
    }

    #[test]
    fn a_stay_has_at_least_one_night() {
        for check_out in ["2026-07-01", "2026-06-30", "1926-07-01"] {
            let (check_in, check_out) = (date("2026-07-01"), date(check_out));
            assert_eq!(Stay::new(check_in, check_out), Err(StayError::NoNight { check_in, check_out }));
        }
        assert_eq!(stay("2026-07-01", "2026-07-02").nights(), 1);
    }

    #[test]
    fn a_stay_has_at_most_ninety_nights() {
        let check_in = date("2026-01-01");
        let nights = |number| Stay::new(check_in, check_in + Days::new(number));
        assert_eq!(nights(90).unwrap().nights(), MAX_NIGHTS);
        assert_eq!(nights(91), Err(StayError::TooLong { nights: 91 }));
        assert_eq!(Stay::new(check_in, date("2126-01-01")), Err(StayError::TooLong { nights: 36_524 }));
        assert!(matches!(Stay::new(NaiveDate::MIN, NaiveDate::MAX), Err(StayError::TooLong { .. })));
    }

    #[test]
    fn a_day_begins_at_midnight_there_and_not_here() {
        let seoul = TimeZone::SEOUL;
        assert_eq!(seoul.start_of(date("2026-07-01")), instant("2026-06-30T15:00:00Z"));
        assert_eq!(seoul.date_at(instant("2026-06-30T14:59:59Z")), date("2026-06-30"));
        assert_eq!(seoul.date_at(instant("2026-06-30T15:00:00Z")), date("2026-07-01"));
        let utc = zone("UTC");
        assert_eq!(utc.start_of(date("2026-07-01")), instant("2026-07-01T00:00:00Z"));
    }

    #[test]
    fn where_the_clocks_skip_midnight_the_day_begins_at_one() {
        let sao_paulo = zone("America/Sao_Paulo");
        assert_eq!(sao_paulo.start_of(date("2018-11-03")), instant("2018-11-03T03:00:00Z"));
        assert_eq!(sao_paulo.start_of(date("2018-11-04")), instant("2018-11-04T03:00:00Z"));
        assert_eq!(sao_paulo.start_of(date("2018-11-05")), instant("2018-11-05T02:00:00Z"));
        assert_eq!(sao_paulo.date_at(instant("2018-11-04T02:59:59Z")), date("2018-11-03"));
    }

    #[test]
    fn where_midnight_comes_twice_the_day_begins_with_the_first() {
        let havana = zone("America/Havana");
        assert_eq!(havana.start_of(date("2024-11-03")), instant("2024-11-03T04:00:00Z"));
    }

    #[test]
    fn a_day_that_never_was_begins_with_the_next() {
        let apia = zone("Pacific/Apia");
        assert_eq!(apia.start_of(date("2011-12-30")), apia.start_of(date("2011-12-31")));
        assert_eq!(apia.start_of(date("2011-12-31")), instant("2011-12-30T10:00:00Z"));
    }

    #[test]
    fn dates_at_the_ends_of_the_calendar_do_no_harm() {
        for name in ["Asia/Seoul", "America/Sao_Paulo", "UTC"] {
            assert!(zone(name).start_of(NaiveDate::MIN) < zone(name).start_of(NaiveDate::MAX), "{name}");
        }
    }

    #[test]
    fn a_time_zone_is_stored_by_its_name_and_nothing_else_is_read() {
        assert_eq!(serde_json::to_string(&TimeZone::SEOUL).unwrap(), "\"Asia/Seoul\"");
        assert_eq!(serde_json::from_str::<TimeZone>("\"Asia/Seoul\"").unwrap(), TimeZone::SEOUL);
        for wrong in ["", "Seoul", "asia seoul", "+09:00"] {
            assert_eq!(wrong.parse::<TimeZone>(), Err(TimeZoneError(wrong.to_owned())));
        }
    }

    #[test]
    fn a_stay_is_stored_as_two_dates() {
        let stored = r#"{"check_in":"2026-07-01","check_out":"2026-07-03"}"#;
        assert_eq!(serde_json::to_string(&stay("2026-07-01", "2026-07-03")).unwrap(), stored);
        assert_eq!(serde_json::from_str::<Stay>(stored).unwrap(), stay("2026-07-01", "2026-07-03"));
    }

    #[test]
    fn every_zone_that_is_named_is_known() {
        let names: BTreeSet<_> = TimeZone::names().collect();
        assert!(names.len() > 500 && names.contains("Asia/Seoul"), "{} zones", names.len());
        assert!(names.into_iter().all(|name| zone(name).name() == name));
    }

    fn any_stay() -> impl Strategy<Value = Stay> {
        (0_u64..30, 1_u64..12).prop_map(|(from, nights)| {
            let check_in = date("2026-02-15") + Days::new(from);
            Stay::new(check_in, check_in + Days::new(nights)).unwrap()
        })
    }

    proptest! {
        #[test]
        fn stays_overlap_exactly_when_they_share_a_night(one in any_stay(), other in any_stay()) {
            let nights: BTreeSet<_> = one.each_night().collect();
            prop_assert_eq!(nights.len(), one.nights() as usize);
            prop_assert_eq!(one.overlaps(other), other.each_night().any(|night| nights.contains(&night)));
        }

        #[test]
        fn a_date_begins_at_the_first_instant_that_has_it(
            name in prop::sample::select(vec![
                "Asia/Seoul", "America/Sao_Paulo", "America/Havana", "Asia/Beirut", "Australia/Lord_Howe", "UTC",
            ]),
            day in 0_u64..14_600,
        ) {
            let (zone, day) = (zone(name), date("2000-01-01") + Days::new(day));
            let start = zone.start_of(day);
            prop_assert_eq!(zone.date_at(start), day);
            prop_assert!(zone.date_at(start - chrono::TimeDelta::seconds(1)) < day);
        }
    }
}
