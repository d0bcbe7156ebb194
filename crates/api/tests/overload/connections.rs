//! Connections are bounded, and none is held by saying nothing.

use std::time::Duration;

use orderstream::auth::Role;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::{
    common::TestServer,
    provider::{answer_of, hanging},
};

const LIVE: &[u8] = b"GET /livez HTTP/1.1\r\nhost: test\r\n\r\n";

#[tokio::test]
async fn a_connection_beyond_the_bound_waits_until_one_ends() {
    let server = TestServer::start_with(|settings| settings.admission.connections = 3).await;
    let open = async || TcpStream::connect(server.server.address()).await.unwrap();
    let mut taken = [open().await, open().await, open().await];
    for stream in &mut taken {
        stream.write_all(LIVE).await.unwrap();
        assert!(answer_of(stream).await.starts_with("HTTP/1.1 200"));
    }
    let mut waits = open().await;
    waits.write_all(LIVE).await.unwrap();
    let mut byte = [0];
    assert!(timeout(Duration::from_millis(300), waits.read(&mut byte)).await.is_err(), "it was let in");
    let [first, ..] = taken;
    drop(first);
    assert!(answer_of(&mut waits).await.starts_with("HTTP/1.1 200"));
    server.stop().await;
}

#[tokio::test]
async fn a_connection_that_says_nothing_or_half_a_header_is_closed() {
    let server = TestServer::start_with(|settings| settings.admission.header_wait_ms = 300).await;
    for said in [&b""[..], b"GET /livez HTTP/1.1\r\nhost: te", LIVE] {
        let mut stream = TcpStream::connect(server.server.address()).await.unwrap();
        stream.write_all(said).await.unwrap();
        let mut rest = Vec::new();
        let end = timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await;
        assert!(end.is_ok(), "it was not closed after {:?}", String::from_utf8_lossy(said));
    }
    server.stop().await;
}

#[tokio::test]
async fn many_slow_connections_do_not_keep_others_out() {
    let server = TestServer::start().await;
    let token = server.token("mallory", Role::Customer, None);
    let mut slow = Vec::new();
    for n in 0..300 {
        let mut stream = TcpStream::connect(server.server.address()).await.unwrap();
        if n % 2 == 0 {
            stream.write_all(b"GET /v1/orders HTTP/1.1\r\nhos").await.unwrap();
            slow.push(stream);
        } else {
            slow.push(hanging(&server, &token, "POST /v1/orders").await);
        }
    }
    sleep(Duration::from_millis(100)).await;
    let alice = server.customer("alice");
    let product = alice.product("phone", "Charger").await;
    alice.buys("phone", &product, 1).await;
    drop(slow);
    server.stop().await;
}
