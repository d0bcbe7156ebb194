//! The conformance suite against PostgreSQL, unchanged: a schema for each check.
#![allow(clippy::unwrap_used, missing_docs)]

use std::sync::Arc;

use async_trait::async_trait;
use orderstream_eventlog::{
    Store,
    conformance::{self, Fixture},
    postgres::{Database, DatabaseOptions, LOG, PostgresStore},
};

struct Schema {
    database: Database,
}

#[async_trait]
impl Fixture for Schema {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(PostgresStore::open(&self.database).await.unwrap())
    }
}

macro_rules! conforms {
    ($($check:ident),* $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $check() {
            let Some(cluster) = scratch_postgres::for_tests() else { return };
            // A schema's name has at most 40 letters.
            let schema = stringify!($check)[..stringify!($check).len().min(40)].to_owned();
            let options = DatabaseOptions { url: cluster.url("postgres"), schema, connections: 6 };
            let database = Database::connect(options).await.unwrap();
            database.migrate(LOG).await.unwrap();
            conformance::$check(&Schema { database }).await;
        }
    )*};
}

conforms! {
    versions_and_positions_have_no_gaps,
    a_wrong_version_conflicts_and_names_the_right_one,
    the_same_command_is_written_once,
    a_command_id_with_other_content_is_refused,
    an_empty_commit_asserts_and_asks,
    commits_of_one_stream_build_on_each_other_in_a_batch,
    a_chained_commit_behind_a_failed_one_conflicts,
    everything_comes_back_as_it_was_stored,
    a_reader_never_misses_an_event,
    a_stream_is_read_whole_while_it_grows,
    a_big_stream_is_read_in_pages,
    answered_commits_survive_an_end_without_shutdown,
    random_batches_are_answered_as_by_a_simple_model,
}
