//! Token buckets, one per principal and kind of request, and what their headers say.
//!
//! Written here: `governor` keeps its buckets in a map without a bound, and a caller who makes up principals must not fill
//! the memory. Here those are forgotten who asked least lately; whoever is forgotten begins with a full bucket.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use lru::LruCache;
use tokio::time::Instant;

use super::Kind;
use crate::{
    auth::{Principal, Role},
    settings::{Admission, Rates},
};

/// *Source*: draft-ietf-httpapi-ratelimit-headers-10: q is the quota, w its window, r what remains, t the seconds until
/// the whole quota is there again.
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// How a bucket fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rule {
    per_second: u32,
    burst: u32,
}

impl Rule {
    fn of(rates: Rates, kind: Kind) -> Option<Self> {
        let (per_second, burst) = match kind {
            Kind::Commands => (rates.commands_per_second, rates.commands_burst),
            Kind::Reads => (rates.reads_per_second, rates.reads_burst),
        };
        (per_second > 0).then_some(Self { per_second, burst })
    }

    /// Until so many have come in. Whole seconds, rounded up, at least 1.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a million in a million seconds at most"
    )]
    fn seconds_for(self, tokens: f64) -> u32 {
        (tokens / f64::from(self.per_second)).ceil().max(1.0) as u32
    }
}

struct Bucket {
    tokens: f64,
    at: Instant,
}

/// How a principal stands after a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    kind: Kind,
    rule: Rule,
    remaining: u32,
    full_in: u32,
    /// Refused, and after so many seconds there is something again.
    pub(super) refused_for: Option<u32>,
}

/// The buckets of all principals that asked lately.
pub(crate) struct Buckets {
    customers: Rates,
    staff: Rates,
    most: usize,
    buckets: Mutex<LruCache<(Kind, String), Bucket>>,
}

impl Buckets {
    pub(super) fn new(bounds: &Admission) -> Self {
        let (customers, staff) = (bounds.customers, bounds.staff);
        // Two buckets each. The cache is made without a bound since it would take the memory for all of them at once.
        let most = bounds.principals.saturating_mul(2);
        Self { customers, staff, most, buckets: Mutex::new(LruCache::unbounded()) }
    }

    /// How many are remembered.
    pub(crate) fn len(&self) -> usize {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Takes one from the principal's bucket; nothing where there is no limit.
    pub(super) fn take(&self, principal: &Principal, kind: Kind) -> Option<Standing> {
        let rates = if principal.role == Role::Customer { self.customers } else { self.staff };
        let rule = Rule::of(rates, kind)?;
        Some(self.take_at(principal.key_space(), kind, rule, Instant::now()))
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "from 0 to the burst, which is a u32"
    )]
    fn take_at(&self, who: String, kind: Kind, rule: Rule, now: Instant) -> Standing {
        let burst = f64::from(rule.burst);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.get_or_insert_mut((kind, who), || Bucket { tokens: burst, at: now });
        let passed = now.saturating_duration_since(bucket.at).as_secs_f64();
        bucket.tokens = passed.mul_add(f64::from(rule.per_second), bucket.tokens).min(burst);
        bucket.at = now;
        let refused_for = if bucket.tokens < 1.0 {
            Some(rule.seconds_for(1.0 - bucket.tokens))
        } else {
            bucket.tokens -= 1.0;
            None
        };
        let left = bucket.tokens;
        if buckets.len() > self.most {
            buckets.pop_lru();
        }
        Standing { kind, rule, remaining: left as u32, full_in: rule.seconds_for(burst - left), refused_for }
    }
}

impl Standing {
    /// Writes the headers.
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        let Self { kind, rule, remaining, full_in, .. } = self;
        let (name, window) = (kind.name(), rule.seconds_for(rule.burst.into()));
        for (header, text) in [
            (RATE_LIMIT_POLICY, format!("\"{name}\";q={};w={window}", rule.burst)),
            (RATE_LIMIT, format!("\"{name}\";r={remaining};t={full_in}")),
        ] {
            headers.insert(header, HeaderValue::from_str(&text).expect("words, digits and signs of ASCII"));
        }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rule { per_second, burst } = self.rule;
        write!(f, "one principal may send {per_second} {} a second, and {burst} at once", self.kind.name())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::Settings;

    const RULE: Rule = Rule { per_second: 50, burst: 100 };

    fn buckets(principals: usize) -> Buckets {
        Buckets::new(&Admission { principals, ..Settings::default().admission })
    }

    fn take(buckets: &Buckets, who: &str, at: Instant) -> Standing {
        buckets.take_at(who.to_owned(), Kind::Commands, RULE, at)
    }

    #[test]
    fn a_burst_is_let_through_then_one_is_refused_then_what_came_in_meanwhile() {
        let (buckets, now) = (buckets(10), Instant::now());
        for left in (0..100).rev() {
            let standing = take(&buckets, "a", now);
            assert_eq!((standing.remaining, standing.refused_for), (left, None));
        }
        assert_eq!(take(&buckets, "a", now).refused_for, Some(1));
        assert_eq!(take(&buckets, "b", now).refused_for, None);
        let later = now + Duration::from_millis(50);
        assert_eq!(take(&buckets, "a", later).refused_for, None);
        assert_eq!(take(&buckets, "a", later).refused_for, None);
        assert!(take(&buckets, "a", later).refused_for.is_some());
        assert_eq!(take(&buckets, "a", now + Duration::from_secs(60)).remaining, 99);
    }

    #[test]
    fn the_headers_say_what_is_allowed_and_what_is_left() {
        let (buckets, now) = (buckets(10), Instant::now());
        let mut headers = HeaderMap::new();
        for _ in 0..3 {
            take(&buckets, "a", now).write(&mut headers);
        }
        assert_eq!(headers["ratelimit-policy"], "\"commands\";q=100;w=2");
        assert_eq!(headers["ratelimit"], "\"commands\";r=97;t=1");
    }

    #[test]
    fn no_more_are_remembered_than_may_be() {
        let (buckets, now) = (buckets(5), Instant::now());
        for n in 0..100 {
            take(&buckets, &format!("somebody {n}"), now);
        }
        assert_eq!(buckets.len(), 10);
        assert_eq!(take(&buckets, "somebody 99", now).remaining, 98);
        assert_eq!(take(&buckets, "somebody 0", now).remaining, 99);
    }

    #[test]
    fn nothing_a_second_means_no_limit() {
        let mut rates = Settings::default().admission.customers;
        assert_eq!(Rule::of(rates, Kind::Reads), Some(Rule { per_second: 400, burst: 800 }));
        rates.reads_per_second = 0;
        assert_eq!(Rule::of(rates, Kind::Reads), None);
    }
}
