//! A way to the server that now and then ends right after the server has answered.

use std::sync::{
    Arc,
    atomic::{AtomicU32, AtomicUsize, Ordering},
};

use rand::Rng;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

pub struct Proxy {
    pub port: u16,
    /// Of a thousand answers, so many are lost together with their connection.
    pub per_mille: Arc<AtomicU32>,
    pub cuts: Arc<AtomicUsize>,
}

impl Proxy {
    /// In front of the server at `to`.
    pub async fn start(to: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (per_mille, cuts) = (Arc::<AtomicU32>::default(), Arc::<AtomicUsize>::default());
        let shared = (per_mille.clone(), cuts.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(("127.0.0.1", to)).await else { continue };
                let (per_mille, cuts) = shared.clone();
                tokio::spawn(carry(client, server, per_mille, cuts));
            }
        });
        Self { port, per_mille, cuts }
    }
}

async fn carry(client: TcpStream, server: TcpStream, per_mille: Arc<AtomicU32>, cuts: Arc<AtomicUsize>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let asking = tokio::spawn(async move {
        // However it ends, the connection ends.
        let _ = tokio::io::copy(&mut from_client, &mut to_server).await;
        let _ = to_server.shutdown().await;
    });
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from_server.read(&mut buffer).await {
        if rand::rng().random_range(0..1_000) < per_mille.load(Ordering::SeqCst) {
            cuts.fetch_add(1, Ordering::SeqCst);
            break;
        }
        if to_client.write_all(&buffer[..read]).await.is_err() {
            break;
        }
    }
    asking.abort();
}
