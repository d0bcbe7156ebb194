//! Stands between the server and the payment provider, hands on what they say, and takes the time: what the provider's
//! answers took as it gave them, also those for which the server no longer waited.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use crate::http::read_message;

/// What was asked of the provider.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls {
    /// Charges, the same key again counted again.
    pub(super) charges: u64,
    /// Look-ups of a key.
    pub(super) look_ups: u64,
    /// Keys that were to be closed.
    pub(super) voids: u64,
    /// Anything else: refunds, the books.
    pub(super) others: u64,
    /// Calls whose caller had gone when the answer came, so that the outcome was not known to it.
    pub(super) given_up: u64,
    /// All charges together.
    charging: Duration,
}

impl Calls {
    /// How long a charge took on average. Seconds; 0 when there was none.
    pub(super) fn mean_charge_secs(&self) -> f64 {
        if self.charges == 0 { 0.0 } else { self.charging.as_secs_f64() / self.charges as f64 }
    }

    fn count(&mut self, request: &[u8], took: Duration, given_up: bool) {
        self.given_up += u64::from(given_up);
        let line = request.split(|byte| *byte == b'\r').next().unwrap_or_default();
        match line {
            line if line.starts_with(b"POST /v1/charges ") => {
                self.charges += 1;
                self.charging += took;
            }
            line if line.starts_with(b"GET /v1/charges/") => self.look_ups += 1,
            line if line.starts_with(b"POST /v1/charges/") => self.voids += 1,
            _ => self.others += 1,
        }
    }
}

/// The one who stands between; stops when dropped.
pub(super) struct Teller {
    /// Where the server finds it.
    pub(super) url: String,
    calls: Arc<Mutex<Calls>>,
    listening: JoinHandle<()>,
}

impl Teller {
    pub(super) async fn before(provider: String) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let calls = Arc::new(Mutex::new(Calls::default()));
        let counted = calls.clone();
        let listening = tokio::spawn(async move {
            while let Ok((server, _)) = listener.accept().await {
                let (provider, calls) = (provider.clone(), counted.clone());
                // A broken connection is the server's to deal with.
                tokio::spawn(async move { hand_on(server, &provider, &calls).await });
            }
        });
        Ok(Self { url, calls, listening })
    }

    pub(super) fn calls(&self) -> Calls {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn hand_on(mut server: TcpStream, provider: &str, calls: &Mutex<Calls>) -> io::Result<()> {
    let mut provider = TcpStream::connect(provider).await?;
    server.set_nodelay(true)?;
    provider.set_nodelay(true)?;
    let (mut request, mut answer) = (Vec::with_capacity(1024), Vec::with_capacity(1024));
    loop {
        request.clear();
        answer.clear();
        read_message(&mut server, &mut request).await?;
        let begin = Instant::now();
        provider.write_all(&request).await?;
        read_message(&mut provider, &mut answer).await?;
        let took = begin.elapsed();
        // A caller that waits has nothing more to say, so whatever can be read now is its end.
        let given_up =
            !matches!(server.try_read(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock);
        calls.lock().unwrap_or_else(PoisonError::into_inner).count(&request, took, given_up);
        server.write_all(&answer).await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_told_apart_by_their_first_line() {
        let mut calls = Calls::default();
        let half = Duration::from_millis(500);
        calls.count(b"POST /v1/charges HTTP/1.1\r\nhost: a", half, false);
        calls.count(b"POST /v1/charges HTTP/1.1\r\nhost: a", half * 2, true);
        calls.count(b"GET /v1/charges/a%3A1 HTTP/1.1\r\n", half, false);
        calls.count(b"POST /v1/charges/a%3A1/void HTTP/1.1\r\n", half, false);
        calls.count(b"POST /v1/refunds HTTP/1.1\r\n", half, false);
        assert_eq!((calls.charges, calls.look_ups, calls.voids, calls.others), (2, 1, 1, 1));
        assert_eq!((calls.given_up, calls.mean_charge_secs()), (1, 0.75));
    }
}
