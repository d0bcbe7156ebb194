//! Users who each wait for the answer to an order before they place the next one: the originals' load.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use hdrhistogram::Histogram;
use uuid::Uuid;

use super::world::{Customer, World};
use crate::{
    Failure,
    http::Connection,
    stats::{latencies, record},
};

/// How often somebody asks for an order that was not decided within the call.
const ASK_EVERY: Duration = Duration::from_millis(100);
/// How long somebody asks.
const ASK_FOR: Duration = Duration::from_secs(120);
/// How long somebody waits who was told to come back, at most: they are here to order.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// What the users saw.
pub(super) struct Load {
    /// Answers by status and, if it is a problem, its code.
    pub(super) answers: BTreeMap<(u16, String), u64>,
    /// Requests that got no answer.
    pub(super) broken: u64,
    /// Orders that were decided within the measured time.
    pub(super) decided_in_time: u64,
    /// From the order to its decision, of orders that were decided as they should.
    pub(super) latency: Histogram<u64>,
    /// Orders that users were told of.
    pub(super) told: Vec<Uuid>,
    /// The measured time.
    pub(super) from: DateTime<Utc>,
    pub(super) to: DateTime<Utc>,
}

impl Load {
    fn new() -> Self {
        Self {
            answers: BTreeMap::new(),
            broken: 0,
            decided_in_time: 0,
            latency: latencies(),
            told: Vec::new(),
            from: Utc::now(),
            to: Utc::now(),
        }
    }

    pub(super) fn count(&self, status: u16) -> u64 {
        self.answers.iter().filter(|((of, _), _)| *of == status).map(|(_, count)| count).sum()
    }

    /// All requests.
    pub(super) fn calls(&self) -> u64 {
        self.broken + self.answers.values().sum::<u64>()
    }

    pub(super) fn per_second(&self) -> f64 {
        self.decided_in_time as f64 / (self.to - self.from).as_seconds_f64()
    }

    fn add(&mut self, other: Self) -> Result<(), Failure> {
        for (answer, count) in other.answers {
            *self.answers.entry(answer).or_default() += count;
        }
        self.broken += other.broken;
        self.decided_in_time += other.decided_in_time;
        self.latency.add(other.latency)?;
        self.told.extend(other.told);
        Ok(())
    }
}

/// Has the first `users` customers order one after the other for `warm` and then for the measured time. What was begun
/// within it is waited for.
pub(super) async fn drive(
    world: &World,
    customers: &Arc<Vec<Customer>>,
    users: usize,
    warm: Duration,
    measured: Duration,
) -> Result<Load, Failure> {
    let mut connections = Vec::new();
    for _ in 0..users {
        connections.push(Connection::open(world.server.address()).await?);
    }
    let from = Instant::now() + warm;
    let mut load = Load::new();
    load.from = Utc::now() + warm;
    load.to = load.from + measured;
    let tasks = connections.into_iter().enumerate().map(|(number, connection)| {
        let address = world.server.address().to_owned();
        let (customers, window) = (customers.clone(), (from, from + measured));
        tokio::spawn(async move {
            let mut user = User { address, connection, load: Load::new(), window };
            while Instant::now() < window.1 {
                user.order(&customers[number % customers.len()]).await;
            }
            user.load
        })
    });
    let tasks: Vec<_> = tasks.collect();
    for task in tasks {
        load.add(task.await?)?;
    }
    Ok(load)
}

struct User {
    address: String,
    connection: Connection,
    load: Load,
    window: (Instant, Instant),
}

impl User {
    async fn order(&mut self, customer: &Customer) {
        let begin = Instant::now();
        let answer = match self.connection.send_prepared(&customer.order).await {
            Ok(answer) => answer,
            Err(_) => return self.reconnect().await,
        };
        let order = answer.text("order_id").and_then(|id| id.parse().ok());
        self.load.told.extend(order);
        let code = if answer.status < 400 { "" } else { answer.text("code").unwrap_or("?") };
        *self.load.answers.entry((answer.status, code.to_owned())).or_default() += 1;
        match (answer.status, order) {
            (201, _) => self.decided(begin),
            (202, Some(order)) => {
                if self.pursue(order, &customer.token).await {
                    self.decided(begin);
                }
            }
            _ => {
                let pause = answer.retry_after.map_or(LONGEST_PAUSE, Duration::from_secs).min(LONGEST_PAUSE);
                tokio::time::sleep_until(self.window.1.min(Instant::now() + pause).into()).await;
            }
        }
    }

    fn decided(&mut self, begin: Instant) {
        let now = Instant::now();
        record(&mut self.load.latency, now - begin);
        self.load.decided_in_time += u64::from((self.window.0..self.window.1).contains(&now));
    }

    /// Asks for the order until it is decided; whether it became a deal.
    async fn pursue(&mut self, order: Uuid, token: &str) -> bool {
        let until = Instant::now() + ASK_FOR;
        let path = format!("/v1/orders/{order}");
        while Instant::now() < until {
            tokio::time::sleep(ASK_EVERY).await;
            match self.connection.send("GET", &path, token, "").await {
                Ok(answer) if answer.status == 200 => {
                    let order: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
                    match order["status"].as_str() {
                        Some("awaiting_payment") | None => {}
                        Some(status) => return matches!(status, "confirmed" | "completed"),
                    }
                }
                Ok(_) => {}
                Err(_) => self.reconnect().await,
            }
        }
        false
    }

    async fn reconnect(&mut self) {
        self.load.broken += 1;
        tokio::time::sleep(ASK_EVERY).await;
        if let Ok(connection) = Connection::open(&self.address).await {
            self.connection = connection;
        }
    }
}
