//! What is told of an overload.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Value, json};

use super::{Outcome, Seen, Span};
use crate::payments::{
    goals::Goal,
    users::{latencies, millis, record},
};

/// Goodput against the peak.
const GOODPUT: f64 = 0.9;
/// Refusals are answered within. Milliseconds.
const REFUSAL_MS: f64 = 50.0;
/// All is as before within. Seconds.
const RECOVERY_SECS: f64 = 10.0;

impl Seen {
    fn all_refusals(&self, span: Span) -> Histogram<u64> {
        let mut all = latencies();
        for one in self.refused(span).into_values() {
            // Same bounds.
            let _ = all.add(one);
        }
        all
    }

    /// Reads that were answered in this time; and how many were not.
    fn read(&self, span: Span) -> (Histogram<u64>, u64) {
        let (mut answered, mut not) = (latencies(), 0);
        for sample in self.reads.iter().filter(|sample| span.contains(sample.at)) {
            if sample.outcome == Outcome::Read { record(&mut answered, sample.took) } else { not += 1 }
        }
        (answered, not)
    }

    /// Orders that are there although their request was refused: what nobody was told of, as far as no lost answer
    /// explains it.
    fn left_by_refused(&self) -> u64 {
        self.untold.saturating_sub(self.broken())
    }

    pub(in crate::payments) fn goals(&self) -> Vec<Goal> {
        let of = |what: &str| format!("overload: {what}");
        let refusals = self.all_refusals(self.over);
        let p99 = if refusals.is_empty() { f64::INFINITY } else { millis(&refusals, 0.99) };
        let recovered = self.recovered.map_or(f64::INFINITY, |recovered| recovered.as_secs_f64());
        vec![
            Goal::at_least(of("goodput against the peak"), self.goodput / self.peak.per_second, GOODPUT, ""),
            Goal::below(of("refusals, p99"), p99, REFUSAL_MS, " ms"),
            Goal::below(of("all as before after"), recovered, RECOVERY_SECS, " s"),
            Goal::none(of("orders left by refused requests"), self.left_by_refused()),
            Goal::none(of("charged twice"), self.found.charged_twice),
            Goal::none(of("charged without an order"), self.found.charged_without_order),
            Goal::none(of("paid without a charge"), self.found.paid_without_charge),
        ]
    }

    pub(in crate::payments) fn print(&self) {
        let row = |what: &str, tell: String| println!("{what:<52} {tell:>34}");
        let times = |all: &Histogram<u64>| {
            if all.is_empty() {
                return "-".to_owned();
            }
            let [p50, p99, max] = [0.5, 0.99, 1.0].map(|quantile| millis(all, quantile));
            format!("{p50:.1} / {p99:.1} / {max:.1} ms")
        };
        println!();
        row("overload (latencies: p50 / p99 / max)", String::new());
        row(
            &format!("peak, {} users who wait for answers", self.peak.users),
            format!("{:.1}/s", self.peak.per_second),
        );
        row("  latency", times(&self.peak.latency));
        row("normal load, open loop: offered", format!("{:.1}/s", self.normal));
        row("  paid, latency", times(&self.paid(self.before)));
        row(
            &format!("overload, open loop, {:.0} s: offered", self.over.seconds()),
            format!("{:.1}/s", self.offered),
        );
        row("  goodput (deals on the log)", format!("{:.1}/s", self.goodput));
        row("    against the peak", format!("{:.3}", self.goodput / self.peak.per_second));
        row("  paid, latency", times(&self.paid(self.over)));
        let later = self.count(self.over, |outcome| matches!(outcome, Outcome::Later(_)));
        row("  answered 202, decided later", later.to_string());
        let mut refused: Vec<_> = self.refused(self.over).into_iter().collect();
        refused.sort_by(|(a, _), (b, _)| a.cmp(b));
        for ((status, code), latency) in &refused {
            row(
                &format!("  {status} {code}"),
                format!("{:.1}/s", latency.len() as f64 / self.over.seconds()),
            );
            row("    latency", times(latency));
        }
        let (reads, unread) = self.read(self.over);
        row(
            "  reads beside it",
            format!("{:.1}/s, {unread} not answered", reads.len() as f64 / self.over.seconds()),
        );
        row("    latency", times(&reads));
        row(
            "  memory of the server, at its start and end",
            format!("{:.0}, {:.0} MiB", self.memory_mib.0, self.memory_mib.1),
        );
        let cores: Vec<String> = self.cores.iter().map(|cores| format!("{cores:.2}")).collect();
        row("  cores used: server / provider / load", cores.join(" / "));
        row("  connections opened for orders", self.connections.to_string());
        row("normal load again: paid, latency", times(&self.paid(self.after)));
        let refused_after = self.all_refusals(self.after).len();
        row("  refused", refused_after.to_string());
        let recovered = self.recovered.map(|recovered| format!("after {:.1} s", recovered.as_secs_f64()));
        row(
            "  within a tenth of what it was before",
            recovered.unwrap_or_else(|| "not before the end".to_owned()),
        );
        row("all decided, after the last answer", format!("{:.1} s", self.drained.as_secs_f64()));
        row("requests that broke, in all", self.broken().to_string());
        row("orders in all / paid", format!("{} / {}", self.found.placed, self.found.paid));
        row("orders left by refused requests", self.left_by_refused().to_string());
        let found = &self.found;
        row(
            "charged twice / without an order / not charged",
            format!(
                "{} / {} / {}",
                found.charged_twice, found.charged_without_order, found.paid_without_charge
            ),
        );
    }

    pub(in crate::payments) fn json(&self) -> Value {
        let times = |all: &Histogram<u64>| {
            let [p50, p99, max] = [0.5, 0.99, 1.0].map(|quantile| millis(all, quantile));
            json!({ "count": all.len(), "p50_ms": p50, "p99_ms": p99, "max_ms": max })
        };
        let refused: Vec<Value> = self
            .refused(self.over)
            .iter()
            .map(|((status, code), latency)| json!({ "status": status, "code": code, "latency": times(latency) }))
            .collect();
        let (reads, unread) = self.read(self.over);
        json!({
            "peak": { "users": self.peak.users, "per_second": self.peak.per_second, "latency": times(&self.peak.latency) },
            "normal": { "offered_per_second": self.normal, "before": times(&self.paid(self.before)), "after": times(&self.paid(self.after)) },
            "seconds": self.over.seconds(),
            "offered_per_second": self.offered,
            "goodput_per_second": self.goodput,
            "of_peak": self.goodput / self.peak.per_second,
            "paid": times(&self.paid(self.over)),
            "refused": refused,
            "reads": { "latency": times(&reads), "not_answered": unread },
            "memory_mib": { "start": self.memory_mib.0, "end": self.memory_mib.1 },
            "cores": { "server": self.cores.first(), "provider": self.cores.get(1), "load": self.cores.get(2) },
            "connections": self.connections,
            "broken": self.broken(),
            "recovered_seconds": self.recovered.as_ref().map(Duration::as_secs_f64),
            "left_by_refused": self.left_by_refused(),
            "books": self.found.json(),
        })
    }

    fn count(&self, span: Span, is: impl Fn(&Outcome) -> bool) -> u64 {
        let within = self.orders.iter().filter(|order| span.contains(order.sample.at));
        within.filter(|order| is(&order.sample.outcome)).count() as u64
    }
}
