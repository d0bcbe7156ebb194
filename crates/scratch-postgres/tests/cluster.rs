//! A scratch server lives as long as it should, and no longer.
#![allow(clippy::unwrap_used, missing_docs)]

use std::net::TcpStream;

use orderstream_scratch_postgres::for_tests;

#[test]
fn a_server_ends_without_a_word_and_goes_on_with_its_data() {
    let Some(cluster) = for_tests() else { return };
    let listens = || TcpStream::connect(("127.0.0.1", cluster.port())).is_ok();
    assert!(listens());
    cluster.stop_at_once().unwrap();
    assert!(!listens());
    assert!(cluster.folder().join("data/PG_VERSION").exists());
    cluster.resume().unwrap();
    assert!(listens());
    assert!(!cluster.folder().join("keep").exists());
}
