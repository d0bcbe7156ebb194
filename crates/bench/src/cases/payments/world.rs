//! What a measurement runs against: a provider's process that nobody used before, and a server's process that pays there.

use std::{
    ops::RangeInclusive,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

use super::teller::Teller;
use crate::{
    Failure,
    http::{Connection, request},
    server::{self, Listening, Server},
    store::Schema,
    tokens::Signer,
};

/// How long what is under way may take to end once nothing more is asked.
const DRAIN: Duration = Duration::from_secs(120);
/// How often progress is told meanwhile.
const TELL_EVERY: Duration = Duration::from_secs(5);
/// The processes that have to be done with an order before its payment can be judged.
const JUDGED: [&str; 2] = ["checkout", "payments"];

/// How a world is made.
pub(super) struct Setup {
    pub(super) program: PathBuf,
    pub(super) shop: String,
    /// How long the provider takes. Milliseconds.
    pub(super) latency: RangeInclusive<u64>,
    pub(super) deadline_ms: u64,
    /// Calls to the provider that may be under way at once.
    pub(super) places: usize,
    pub(super) database: Option<Schema>,
}

impl Setup {
    /// How long the provider takes on average. Seconds.
    pub(super) fn mean_latency_secs(&self) -> f64 {
        (*self.latency.start() + *self.latency.end()) as f64 / 2_000.0
    }
}

/// A server and its provider; both end with this value.
pub(super) struct World {
    pub(super) server: Server,
    pub(super) provider: Listening,
    pub(super) teller: Option<Teller>,
    pub(super) admin: String,
    signer: Signer,
    body: String,
    _data: TempDir,
}

impl World {
    /// `counted`: whether what the server says to the provider goes by way of this process and is counted here.
    pub(super) async fn start(setup: &Setup, counted: bool) -> Result<Self, Failure> {
        let data = tempfile::tempdir()?;
        if let Some(database) = &setup.database {
            database.clear().await?;
        }
        let latency = format!("{}..{}", setup.latency.start(), setup.latency.end());
        let provider = server::provider(&setup.program, &data.path().join("provider"), &latency)?;
        let teller = if counted { Some(Teller::before(provider.address.clone()).await?) } else { None };
        let url = teller.as_ref().map_or_else(|| format!("http://{}", provider.address), |t| t.url.clone());
        let settings = [
            ("ORDERSTREAM_GATEWAY_URL", url),
            ("ORDERSTREAM_GATEWAY_DEADLINE_MS", setup.deadline_ms.to_string()),
            ("ORDERSTREAM_GATEWAY_CONNECT_TIMEOUT_MS", setup.deadline_ms.min(500).to_string()),
            ("ORDERSTREAM_GATEWAY_MAX_CONCURRENT", setup.places.to_string()),
            // What the breaker says of single calls is counted here.
            ("ORDERSTREAM_LOG", "error".to_owned()),
        ];
        let folder = data.path().join("server");
        let server = Server::start(&setup.program, &folder, setup.database.as_ref(), &settings)?;
        // By the program, so that the key is there, whoever makes it first.
        let admin = server.token(&["--sub", "bench-admin", "--role", "admin"])?;
        let signer = Signer::of(server.data())?;
        let body = server.order_body(&setup.shop, &admin).await?;
        Ok(Self { server, provider, teller, admin, signer, body, _data: data })
    }

    /// Each a customer of their own.
    pub(super) fn customers(&self, how_many: usize) -> Result<Arc<Vec<Customer>>, Failure> {
        let customers = (0..how_many).map(|number| {
            let token = self.signer.token(&format!("bench-{number}"), "customer")?;
            Ok(Customer { order: request("POST", "/v1/orders", &token, &self.body), token })
        });
        Ok(Arc::new(customers.collect::<Result<_, Failure>>()?))
    }

    /// Waits until every order and every payment is decided; how long it took.
    pub(super) async fn drained(&self) -> Result<Duration, Failure> {
        let begin = Instant::now();
        let mut connection = Connection::open(self.server.address()).await?;
        let mut told = begin;
        loop {
            let answer = connection.send("GET", "/v1/admin/processes", &self.admin, "").await?;
            let open = if answer.status == 200 { open(&serde_json::from_slice(&answer.body)?) } else { None };
            match open {
                Some(0) => return Ok(begin.elapsed()),
                _ if begin.elapsed() > DRAIN => {
                    return Err(
                        format!("{open:?} orders and payments are not decided after {DRAIN:?}").into()
                    );
                }
                _ if told.elapsed() > TELL_EVERY => {
                    eprintln!("  {} orders and payments are not decided yet", open.unwrap_or(0));
                    told = Instant::now();
                }
                _ => {}
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

/// Somebody who orders.
pub(super) struct Customer {
    pub(super) token: String,
    /// The order, as it goes over the wire.
    pub(super) order: Vec<u8>,
}

/// Instances that are not over, and events that are still to be read.
fn open(status: &Value) -> Option<u64> {
    let processes = status["data"].as_array()?.iter();
    let judged = processes.filter(|process| JUDGED.iter().any(|name| process["name"] == *name));
    let each = judged.map(|process| {
        let open: u64 = process["open"].as_array()?.iter().filter_map(|state| state[1].as_u64()).sum();
        // A position looks like 0.24 for others, but a lag is a number.
        Some(open + process["lag"].as_u64()?)
    });
    each.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_and_what_is_unread_counts_of_the_judged_processes_only() {
        let status = serde_json::json!({ "data": [
            { "name": "checkout", "lag": 1, "open": [["waiting", 2], ["retrying", 3]] },
            { "name": "payments", "lag": 0, "open": [["stuck", 4]] },
            { "name": "fulfilment", "lag": 9, "open": [["waiting", 9]] },
        ]});
        assert_eq!(open(&status), Some(10));
        assert_eq!(open(&serde_json::json!({ "code": "overloaded" })), None);
    }
}
