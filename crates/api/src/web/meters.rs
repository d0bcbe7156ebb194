//! Counting requests, for `/metrics`. Labels are bounded: routes as they are written in the program, known methods.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    extract::{MatchedPath, Request, State},
    http::Method,
    middleware::Next,
    response::Response,
};
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry, TextEncoder, core::Collector};

use super::admission::Class;
use crate::app::App;

/// Bounds of the histogram's buckets in seconds: from an answer out of memory to the longest wait. *Source*: ours.
const SECONDS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0];
/// How often refusals of a kind are written to the program's log.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// All places of its class are taken.
    Places,
    /// Its principal asks too often.
    Rate,
    /// Too many wait for the payment provider.
    WaitingForPayment,
    /// Payments cannot be made.
    PaymentUnavailable,
}

impl Refused {
    const ALL: [Self; 4] = [Self::Places, Self::Rate, Self::WaitingForPayment, Self::PaymentUnavailable];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Places => "places",
            Self::Rate => "rate",
            Self::WaitingForPayment => "waiting_for_payment",
            Self::PaymentUnavailable => "payment_unavailable",
        }
    }
}

/// The counters of a process.
pub(crate) struct Meters {
    registry: Registry,
    requests: IntCounterVec,
    seconds: HistogramVec,
    refused: IntCounterVec,
    said: Mutex<[Option<Instant>; Refused::ALL.len()]>,
}

impl Default for Meters {
    fn default() -> Self {
        let registry = Registry::new();
        let requests = Opts::new("orderstream_http_requests_total", "Requests that were answered.");
        let requests = IntCounterVec::new(requests, &["method", "route", "status"]);
        let seconds = HistogramOpts::new(
            "orderstream_http_request_duration_seconds",
            "From the end of the request's header to the header of its answer.",
        );
        let seconds = HistogramVec::new(seconds.buckets(SECONDS.to_vec()), &["method", "route"]);
        let refused = Opts::new("orderstream_http_refused_total", "Requests refused by admission control.");
        let refused = IntCounterVec::new(refused, &["class", "reason"]);
        let named = "names and labels are written out above";
        let (requests, seconds) = (requests.expect(named), seconds.expect(named));
        let refused = refused.expect(named);
        register(&registry, requests.clone());
        register(&registry, seconds.clone());
        register(&registry, refused.clone());
        Self { registry, requests, seconds, refused, said: Mutex::default() }
    }
}

fn register(registry: &Registry, collector: impl Collector + 'static) {
    registry.register(Box::new(collector)).expect("each name stands here once");
}

impl Meters {
    /// Counts a refusal; says so in the program's log, but not every time.
    pub(crate) fn refused(&self, class: Class, reason: Refused) {
        let counter = self.refused.with_label_values(&[class.name(), reason.name()]);
        counter.inc();
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let last = &mut said[reason as usize];
        if last.is_none_or(|at| at.elapsed() >= SAY_EVERY) {
            *last = Some(Instant::now());
            drop(said);
            let (class, reason, so_far) = (class.name(), reason.name(), counter.get());
            tracing::warn!(class, reason, so_far, "requests are refused");
        }
    }

    /// All counters in Prometheus' text format.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        if let Err(error) = TextEncoder::new().encode_utf8(&self.registry.gather(), &mut text) {
            tracing::warn!(%error, "the counters of requests cannot be written");
        }
        text
    }

    fn answered(&self, method: &str, route: &str, status: u16, took: Duration) {
        self.requests.with_label_values(&[method, route, &status.to_string()]).inc();
        self.seconds.with_label_values(&[method, route]).observe(took.as_secs_f64());
    }
}

/// A middleware that counts every request.
pub(crate) async fn observe(State(app): State<App>, request: Request, next: Next) -> Response {
    let method = name_of(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let begun = Instant::now();
    let response = next.run(request).await;
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    app.meters.answered(method, route, response.status().as_u16(), begun.elapsed());
    response
}

/// A client may make up methods: they share a name.
fn name_of(method: &Method) -> &'static str {
    const KNOWN: [Method; 7] = [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::HEAD,
        Method::OPTIONS,
    ];
    const NAMES: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
    KNOWN.iter().position(|known| known == method).map_or("other", |at| NAMES[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_process_counts_for_itself_and_made_up_methods_share_a_name() {
        let (one, other) = (Meters::default(), Meters::default());
        one.answered("GET", "/v1/orders/{order_id}", 200, Duration::from_millis(3));
        one.refused(Class::Commands, Refused::Rate);
        let line = "orderstream_http_requests_total{method=\"GET\",route=\"/v1/orders/{order_id}\",status=\"200\"} 1";
        assert!(one.text().contains(line), "{}", one.text());
        assert!(one.text().contains("orderstream_http_refused_total{class=\"commands\",reason=\"rate\"} 1"));
        assert_eq!(other.text(), "");
        assert_eq!(name_of(&Method::from_bytes(b"BREW").unwrap()), "other");
        assert_eq!(name_of(&Method::PATCH), "PATCH");
    }
}
