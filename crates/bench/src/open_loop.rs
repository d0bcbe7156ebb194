//! Requests that come whether or not the ones before were answered. Latency counts from when a request was meant to be
//! sent, so that a server which makes the client wait does not hide it.

use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{sync::Semaphore, task::JoinSet, time::timeout};
use uuid::Uuid;

use crate::http::{Answer, Connection};

/// Who has waited so long for an answer goes away.
const GIVE_UP: Duration = Duration::from_secs(30);

/// What a request came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A read that was answered.
    Read,
    /// A deal within the call.
    Paid(Uuid),
    /// Not decided within the call.
    Later(Uuid),
    /// Anything else, with its code, and the order that it names if it names one.
    Refused { status: u16, code: String, order: Option<Uuid> },
    /// No answer, or none in time.
    Broken,
}

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// When it was meant to be sent, since the beginning.
    pub(crate) at: Duration,
    /// From then until its answer was there.
    pub(crate) took: Duration,
    pub(crate) outcome: Outcome,
}

/// So many requests a second for so long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment {
    pub(crate) per_second: f64,
    pub(crate) length: Duration,
}

/// Kept connections, at most so many; whoever finds none free waits for one.
pub(crate) struct Pool {
    address: String,
    idle: Mutex<Vec<Connection>>,
    places: Semaphore,
    opened: AtomicUsize,
}

impl Pool {
    pub(crate) fn new(address: &str, most: usize) -> Self {
        let (idle, opened) = (Mutex::new(Vec::new()), AtomicUsize::new(0));
        Self { address: address.to_owned(), idle, places: Semaphore::new(most), opened }
    }

    /// How many connections were opened in all.
    pub(crate) fn opened(&self) -> usize {
        self.opened.load(Ordering::Relaxed)
    }

    /// Sends a request over a connection that is free.
    pub(crate) async fn send(&self, request: &[u8]) -> io::Result<Answer> {
        let _place = self.places.acquire().await.map_err(io::Error::other)?;
        // The one that was used last, so that few are used at all.
        let kept = self.lock().pop();
        let mut connection = match kept {
            Some(connection) => connection,
            None => {
                self.opened.fetch_add(1, Ordering::Relaxed);
                Connection::open(&self.address).await?
            }
        };
        let answer = connection.send_prepared(request).await?;
        self.lock().push(connection);
        Ok(answer)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends `request(0)`, `request(1)`, … evenly as the segments say, one segment after the other, and waits for all answers.
pub(crate) async fn offer(
    pool: Arc<Pool>,
    begin: Instant,
    segments: &[Segment],
    request: impl Fn(usize) -> Arc<[u8]>,
) -> Vec<Sample> {
    let (mut sent, mut samples) = (JoinSet::new(), Vec::new());
    let (mut number, mut offset) = (0, Duration::ZERO);
    for segment in segments {
        let count = (segment.per_second * segment.length.as_secs_f64()) as usize;
        for nth in 0..count {
            let at = offset + Duration::from_secs_f64(nth as f64 / segment.per_second);
            if begin + at > Instant::now() {
                tokio::time::sleep_until((begin + at).into()).await;
            }
            let (pool, request) = (pool.clone(), request(number));
            number += 1;
            sent.spawn(async move {
                let answer = timeout(GIVE_UP, pool.send(&request)).await;
                let outcome =
                    answer.ok().and_then(Result::ok).map_or(Outcome::Broken, |answer| outcome(&answer));
                Sample { at, took: begin.elapsed().saturating_sub(at), outcome }
            });
            while let Some(done) = sent.try_join_next() {
                samples.extend(done);
            }
        }
        offset += segment.length;
    }
    while let Some(done) = sent.join_next().await {
        samples.extend(done);
    }
    samples
}

fn outcome(answer: &Answer) -> Outcome {
    let order = || answer.text("order_id").and_then(|id| id.parse().ok());
    match (answer.status, order()) {
        (200, _) => Outcome::Read,
        (201, Some(order)) => Outcome::Paid(order),
        (202, Some(order)) => Outcome::Later(order),
        (status, order) => {
            Outcome::Refused { status, code: answer.text("code").unwrap_or("?").to_owned(), order }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// Answers every request after `pause`, one after the other on each connection.
    async fn slow_server(pause: Duration) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut buffer = [0; 1024];
                    while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {
                        tokio::time::sleep(pause).await;
                        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
                    }
                });
            }
        });
        address
    }

    #[tokio::test]
    async fn waiting_for_a_connection_counts_as_latency() {
        let address = slow_server(Duration::from_millis(100)).await;
        let pool = Arc::new(Pool::new(&address, 1));
        let segment = Segment { per_second: 100.0, length: Duration::from_millis(50) };
        let request: Arc<[u8]> = crate::http::request("GET", "/", "", "").into();
        let samples = offer(pool.clone(), Instant::now(), &[segment], |_| request.clone()).await;
        assert_eq!((samples.len(), pool.opened()), (5, 1));
        let longest = samples.iter().map(|sample| sample.took).max().unwrap();
        assert!(longest >= Duration::from_millis(450), "five requests, one connection: {longest:?}");
        assert!(samples.iter().all(|sample| sample.outcome == Outcome::Read));
    }
}
