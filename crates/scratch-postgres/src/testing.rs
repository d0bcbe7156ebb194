//! Servers for tests.

use std::sync::OnceLock;

use crate::{Binaries, Cluster, ClusterOptions, REQUIRE_VARIABLE, SEARCH_VARIABLE};

/// The server of this test program, started with the first call. None where there is no PostgreSQL: says so.
///
/// # Panics
/// When it does not start, or when there is none and [`REQUIRE_VARIABLE`] is `1`.
#[must_use]
pub fn for_tests() -> Option<&'static Cluster> {
    static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();
    CLUSTER.get_or_init(|| for_one_test(300)).as_ref()
}

/// A server of its own for a test that stops it or uses it up, with so many connections. None where there is no
/// PostgreSQL: says so.
///
/// # Panics
/// When it does not start, or when there is none and [`REQUIRE_VARIABLE`] is `1`.
#[must_use]
pub fn for_one_test(max_connections: u32) -> Option<Cluster> {
    let Some(binaries) = Binaries::find() else {
        let why = format!("there is no PostgreSQL (looked in {SEARCH_VARIABLE}, PATH and Debian's folders)");
        assert!(std::env::var(REQUIRE_VARIABLE).as_deref() != Ok("1"), "{why}, and {REQUIRE_VARIABLE} is 1");
        eprintln!("SKIPPED: {why}");
        return None;
    };
    // What was answered outlives the server's crash, if not the machine's.
    let settings =
        [("max_connections", max_connections.to_string()), ("synchronous_commit", "on".to_owned())];
    let settings = settings.map(|(name, value)| (name.to_owned(), value)).to_vec();
    match Cluster::start(binaries, ClusterOptions { durable: false, settings }) {
        Ok(cluster) => Some(cluster),
        Err(error) => panic!("{error}"),
    }
}
