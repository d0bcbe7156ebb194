//! Scratch PostgreSQL servers: started from the binaries that the machine has, in a temporary folder, and gone with the
//! process that started them, however that ends.

mod binaries;
mod cluster;
mod testing;

pub use binaries::{Binaries, REQUIRE_VARIABLE, SEARCH_VARIABLE};
pub use cluster::{Cluster, ClusterError, ClusterOptions};
pub use testing::{for_one_test, for_tests};
