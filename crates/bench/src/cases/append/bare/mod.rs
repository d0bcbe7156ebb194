//! The limit: a loop that does nothing but insert rows that are ready, a batch at a time, with the log's own table,
//! indexes, durability and lock.

mod postgres;
mod sqlite;

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use self::postgres::Rows;
use super::{Place, place};
use crate::{Failure, context::Context, store::Postgres, store::Schema};

/// Rows of one transaction where nobody says otherwise.
const BATCH: usize = 256;
/// Most rows of somebody's log that are inserted again.
const MOST: i64 = 40_000;

/// What a log wrote.
pub(super) enum Written {
    /// The file, in its folder.
    Sqlite(TempDir, PathBuf),
    Postgres(Box<Rows>),
}

impl Written {
    /// Everything that the log in a schema holds.
    pub(super) async fn in_schema(database: &eventlog::postgres::Database) -> Result<Self, Failure> {
        Ok(Self::Postgres(Box::new(postgres::read(database, i64::MAX).await?)))
    }

    /// Inserts it into a new table, in batches; rows per second. On PostgreSQL again and again for `seconds`.
    pub(super) async fn insert(
        &mut self,
        place: Place<'_>,
        batch: usize,
        seconds: f64,
    ) -> Result<f64, Failure> {
        match (self, place) {
            (Self::Sqlite(folder, path), _) => {
                let (from, to) = (path.clone(), folder.path().join("bare.db"));
                tokio::task::spawn_blocking(move || sqlite::measure(&from, &to, batch, i64::MAX)).await?
            }
            (Self::Postgres(rows), Place::Postgres(server)) => {
                let schema = place::cleared(server).await?;
                let rate = postgres::measure(&schema, rows, batch, seconds).await?;
                schema.clear().await?;
                Ok(rate)
            }
            (Self::Postgres(_), Place::Sqlite(_)) => Err("rows of PostgreSQL stay there".into()),
        }
    }
}

/// The limit for the last rows of the log at `path`, which may be in use.
pub(crate) async fn log_limit(context: &Context, path: &Path) -> Result<f64, Failure> {
    let (folder, from) = (context.temporary()?, path.to_owned());
    let measure = move || sqlite::measure(&from, &folder.path().join("bare.db"), BATCH, MOST);
    tokio::task::spawn_blocking(measure).await?
}

/// The same for the log in a schema, in another schema of the server.
pub(crate) async fn log_limit_of_schema(
    server: &Postgres,
    schema: &Schema,
    seconds: f64,
) -> Result<f64, Failure> {
    let database = schema.database(4).await?;
    let mut rows = postgres::read(&database, MOST).await?;
    database.close().await;
    let schema = place::cleared(server).await?;
    let rate = postgres::measure(&schema, &mut rows, BATCH, seconds).await?;
    schema.clear().await?;
    Ok(rate)
}
