//! A server that reads a request and then does what no provider should.

use std::{sync::Arc, time::Duration};

use orderstream_gateway::{Sandbox, method};
use sagas::PaymentGateway;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use super::support::krw;

pub enum Fault {
    /// Sends these bytes and closes.
    Answers(Vec<u8>),
    /// Sends these bytes and then nothing, without closing.
    Hangs(Vec<u8>),
    /// Sends these bytes again and again.
    Endless(Vec<u8>),
    /// Charges 100 KRW under the key that it was sent, and closes without an answer.
    ChargesAndCloses(Sandbox),
}

pub struct BadServer {
    pub url: String,
    _tasks: JoinSet<()>,
}

impl BadServer {
    pub async fn start(fault: Fault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let fault = Arc::new(fault);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                connections.spawn(misbehave(stream, fault.clone()));
            }
        });
        Self { url, _tasks: tasks }
    }

    /// Answers `status` with `body` as JSON.
    pub async fn answering(status: &str, body: &str) -> Self {
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        );
        Self::start(Fault::Answers(format!("{head}{body}").into_bytes())).await
    }
}

async fn misbehave(mut stream: TcpStream, fault: Arc<Fault>) {
    let request = read_request(&mut stream).await;
    match &*fault {
        Fault::Answers(bytes) => stream.write_all(bytes).await.unwrap(),
        Fault::Hangs(bytes) => {
            stream.write_all(bytes).await.unwrap();
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
        Fault::Endless(bytes) => while stream.write_all(bytes).await.is_ok() {},
        Fault::ChargesAndCloses(sandbox) => {
            let key = request.lines().find_map(|line| line.strip_prefix("idempotency-key: "));
            sandbox.charge(key.expect("a key was sent"), krw(100), method::OK).await.unwrap();
        }
    }
}

/// Head and body.
async fn read_request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    loop {
        let mut part = [0; 4096];
        let read = stream.read(&mut part).await.unwrap_or(0);
        request.extend_from_slice(&part[..read]);
        let text = String::from_utf8(request.clone()).unwrap();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.map_or(0, |length| length.parse().unwrap());
            if body.len() >= length {
                return text;
            }
        }
        if read == 0 {
            return text;
        }
    }
}
