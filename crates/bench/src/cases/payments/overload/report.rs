//! What is told of an overload.

use hdrhistogram::Histogram;

use super::{Outcome, Seen, Span};
use crate::{
    cases::payments::goals::{at_least, below, none},
    report::{Latency, Row},
    stats::{latencies, millis, record},
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

    pub(in crate::cases::payments) fn goals(&self, store: &'static str) -> Vec<Row> {
        let of = |what: &str| format!("overload: {what}");
        let refusals = self.all_refusals(self.over);
        let p99 = if refusals.is_empty() { f64::INFINITY } else { millis(&refusals, 0.99) };
        let recovered = self.recovered.map_or(f64::INFINITY, |recovered| recovered.as_secs_f64());
        let of_peak = self.goodput / self.peak.per_second;
        vec![
            at_least(of("goodput against the peak"), store, "-", of_peak, GOODPUT),
            below(of("refusals, p99"), store, "ms", p99, REFUSAL_MS),
            below(of("all as before after"), store, "s", recovered, RECOVERY_SECS),
            none(of("orders left by refused requests"), store, self.left_by_refused()),
            none(of("charged twice"), store, self.found.charged_twice),
            none(of("charged without an order"), store, self.found.charged_without_order),
            none(of("paid without a charge"), store, self.found.paid_without_charge),
        ]
    }

    pub(in crate::cases::payments) fn latencies(&self, store: &'static str) -> Vec<Latency> {
        let of =
            |what: &str, latency: &Histogram<u64>| Latency::of(format!("overload: {what}"), store, latency);
        let mut all = vec![
            of("paid, at the peak", &self.peak.latency),
            of("paid, normal load before", &self.paid(self.before)),
            of("paid, while overloaded", &self.paid(self.over)),
            of("paid, normal load after", &self.paid(self.after)),
            of("reads, while overloaded", &self.read(self.over).0),
        ];
        let mut refused: Vec<_> = self.refused(self.over).into_iter().collect();
        refused.sort_by(|(a, _), (b, _)| a.cmp(b));
        all.extend(refused.iter().map(|((status, code), latency)| of(&format!("{status} {code}"), latency)));
        all
    }

    pub(in crate::cases::payments) fn figures(&self) -> Vec<(String, String)> {
        let mut figures = Vec::new();
        let mut row = |what: &str, seen: String| figures.push((format!("overload: {what}"), seen));
        row(
            &format!("peak, {} users who wait for answers", self.peak.users),
            format!("{:.1}/s", self.peak.per_second),
        );
        row("normal load, offered", format!("{:.1}/s", self.normal));
        row(&format!("offered for {:.0} s", self.over.seconds()), format!("{:.1}/s", self.offered));
        row("goodput (deals on the log)", format!("{:.1}/s", self.goodput));
        let later = self.count(self.over, |outcome| matches!(outcome, Outcome::Later(_)));
        row("answered 202, decided later", later.to_string());
        let refusals = self.all_refusals(self.over).len() as f64 / self.over.seconds();
        row("refused", format!("{refusals:.1}/s"));
        row("refused when load was normal again", self.all_refusals(self.after).len().to_string());
        row("reads beside it that were not answered", self.read(self.over).1.to_string());
        row(
            "memory of the server, at its start and end",
            format!("{:.0}, {:.0} MiB", self.memory_mib.0, self.memory_mib.1),
        );
        let cores: Vec<String> = self.cores.iter().map(|cores| format!("{cores:.2}")).collect();
        row("cores used: server / provider / load", cores.join(" / "));
        row("connections opened for orders", self.connections.to_string());
        row("all decided, after the last answer", format!("{:.1} s", self.drained.as_secs_f64()));
        row("requests that broke, in all", self.broken().to_string());
        row("orders in all / paid", format!("{} / {}", self.found.placed, self.found.paid));
        figures
    }

    fn count(&self, span: Span, is: impl Fn(&Outcome) -> bool) -> u64 {
        let within = self.orders.iter().filter(|order| span.contains(order.sample.at));
        within.filter(|order| is(&order.sample.outcome)).count() as u64
    }
}
