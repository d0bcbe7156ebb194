//! A sandbox server with its books, and a gateway to it.

use std::time::Duration;

use domain::{Currency, Money};
use orderstream_gateway::{
    Behaviour, HttpGateway, HttpOptions, LedgerEntry, LedgerKind, Sandbox, SandboxOptions,
    server::{SandboxClient, SandboxServer, SandboxServerOptions},
};

pub const DEADLINE: Duration = Duration::from_millis(400);

pub fn krw(amount_minor: i64) -> Money {
    Money { amount_minor, currency: Currency::KRW }
}

pub struct Provider {
    pub server: SandboxServer,
    pub sandbox: Sandbox,
    pub client: SandboxClient,
    _dir: tempfile::TempDir,
}

impl Provider {
    pub async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let sandbox = Sandbox::open(&dir.path().join("sandbox.db"), SandboxOptions::default()).unwrap();
        let server = serve(&sandbox, "127.0.0.1:0").await;
        let client = SandboxClient::new(&server.url()).unwrap();
        Self { server, sandbox, client, _dir: dir }
    }

    pub fn gateway(&self) -> HttpGateway {
        gateway(&self.server.url())
    }

    pub async fn behave(&self, behaviour: Behaviour) {
        self.client.behave(behaviour).await.unwrap();
    }

    /// What money moved: captured charges and refunds, as key and amount.
    pub async fn moved(&self) -> Vec<(String, i64)> {
        let entries = self.sandbox.entries().await.unwrap();
        let moved = |entry: &LedgerEntry| entry.code.is_none() && entry.kind != LedgerKind::Void;
        entries.into_iter().filter(moved).map(|entry| (entry.key, entry.amount_minor)).collect()
    }
}

pub async fn serve(sandbox: &Sandbox, listen: &str) -> SandboxServer {
    SandboxServer::start(sandbox.clone(), listen, SandboxServerOptions::default()).await.unwrap()
}

pub fn gateway(url: &str) -> HttpGateway {
    let options =
        HttpOptions { url: url.to_owned(), deadline: DEADLINE, connect_timeout: Duration::from_millis(200) };
    HttpGateway::new(options).unwrap()
}

/// Waits until `condition` holds.
pub async fn until(mut condition: impl AsyncFnMut() -> bool) {
    let patience = tokio::time::Instant::now() + Duration::from_secs(10);
    while !condition().await {
        assert!(tokio::time::Instant::now() < patience, "it never came to that");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
