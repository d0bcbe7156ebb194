//! Snapshots in PostgreSQL.

use async_trait::async_trait;
use domain::StreamId;
use sqlx::Row;

use super::{Database, Part};
use crate::{Snapshot, SnapshotStore, StoreError};

/// The table of snapshots.
pub const SNAPSHOTS: Part = Part {
    name: "snapshots",
    migrations: &["
    CREATE TABLE snapshots (
        kind         smallint NOT NULL,
        stream_id    uuid     NOT NULL,
        version      bigint   NOT NULL,
        fold_version integer  NOT NULL,
        state        bytea    NOT NULL,
        PRIMARY KEY (kind, stream_id)
    );
"],
};

/// Snapshots in a table of a PostgreSQL schema, shared by all processes.
#[derive(Clone)]
pub struct PostgresSnapshots {
    database: Database,
}

impl PostgresSnapshots {
    /// Over a database whose schema has [`SNAPSHOTS`].
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    async fn keep(&self, stream: StreamId, snapshot: Snapshot) -> Result<(), StoreError> {
        let Snapshot { version, fold_version, state } = snapshot;
        let keep = self.database.run(move |conn| {
            let state = state.clone();
            Box::pin(async move {
                let sql = "INSERT INTO snapshots AS kept (kind, stream_id, version, fold_version, state)
                           VALUES ($1, $2, $3, $4, $5)
                           ON CONFLICT (kind, stream_id) DO UPDATE SET version = excluded.version,
                               fold_version = excluded.fold_version, state = excluded.state
                           WHERE excluded.version > kept.version OR excluded.fold_version <> kept.fold_version";
                let keep = sqlx::query(sql).bind(i16::from(stream.kind.code())).bind(stream.id);
                let keep = keep.bind(version.cast_signed()).bind(fold_version.cast_signed()).bind(state);
                keep.execute(conn).await
            })
        });
        keep.await.map(drop)
    }
}

#[async_trait]
impl SnapshotStore for PostgresSnapshots {
    async fn load(&self, stream: StreamId) -> Result<Option<Snapshot>, StoreError> {
        let load = self.database.run(move |conn| {
            Box::pin(async move {
                let sql =
                    "SELECT version, fold_version, state FROM snapshots WHERE kind = $1 AND stream_id = $2";
                let load = sqlx::query(sql).bind(i16::from(stream.kind.code())).bind(stream.id);
                let Some(row) = load.fetch_optional(conn).await? else { return Ok(None) };
                Ok(Some(Snapshot {
                    version: row.try_get::<i64, _>(0)?.cast_unsigned(),
                    fold_version: row.try_get::<i32, _>(1)?.cast_unsigned(),
                    state: row.try_get(2)?,
                }))
            })
        });
        load.await
    }

    fn store(&self, stream: StreamId, snapshot: Snapshot) {
        let this = self.clone();
        // Nobody waits: a snapshot that is lost costs a longer load.
        tokio::spawn(async move {
            if let Err(error) = this.keep(stream, snapshot).await {
                tracing::warn!(%stream, %error, "a snapshot was not stored");
            }
        });
    }
}
