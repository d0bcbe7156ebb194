//! The server that the tests of one program share.

use std::sync::OnceLock;

use crate::{Binaries, Cluster, ClusterOptions, REQUIRE_VARIABLE, SEARCH_VARIABLE};

/// The server of this test program, started with the first call. None where there is no PostgreSQL: says so.
///
/// # Panics
/// When it does not start, or when there is none and [`REQUIRE_VARIABLE`] is `1`.
#[must_use]
pub fn for_tests() -> Option<&'static Cluster> {
    static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();
    let cluster = CLUSTER.get_or_init(|| {
        let binaries = Binaries::find()?;
        let settings = vec![("max_connections".to_owned(), "300".to_owned())];
        let options = ClusterOptions { durable: false, settings };
        match Cluster::start(binaries, options) {
            Ok(cluster) => Some(cluster),
            Err(error) => panic!("{error}"),
        }
    });
    if cluster.is_none() {
        let why = format!("there is no PostgreSQL (looked in {SEARCH_VARIABLE}, PATH and Debian's folders)");
        assert!(std::env::var(REQUIRE_VARIABLE).as_deref() != Ok("1"), "{why}, and {REQUIRE_VARIABLE} is 1");
        eprintln!("SKIPPED: {why}");
    }
    cluster.as_ref()
}
