//! The conformance suite against SQLite, and what only a file can show.
#![allow(clippy::unwrap_used, missing_docs)]

use std::sync::Arc;

use async_trait::async_trait;
use orderstream_eventlog::{
    SqliteStore, Store,
    conformance::{self, Fixture},
};

struct File {
    folder: tempfile::TempDir,
}

#[async_trait]
impl Fixture for File {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(SqliteStore::open(&self.folder.path().join("log.db"), 4).await.unwrap())
    }
}

macro_rules! conforms {
    ($($check:ident),* $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $check() {
            conformance::$check(&File { folder: tempfile::tempdir().unwrap() }).await;
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
