//! Words that processes have for each other, each of which holds for a while.

use std::time::Duration;

use eventlog::{StoreError, postgres::Database};
use sqlx::{Row, postgres::PgRow};
use uuid::Uuid;

use crate::store::Published;

/// Says something new in place of what this holder said before. What nobody holds to any more goes on the way: whoever has
/// ended does not clean up.
pub(super) async fn publish(
    database: &Database,
    name: &'static str,
    holder: Uuid,
    value: String,
    ttl: Duration,
) -> Result<(), StoreError> {
    let publish = database.run(move |conn| {
        let value = value.clone();
        let sql = "WITH gone AS (
                       DELETE FROM published WHERE name = $1 AND holder <> $2 AND expires_at < now() - interval '1 minute'
                   )
                   INSERT INTO published (name, holder, value, expires_at) VALUES ($1, $2, $3, now() + make_interval(secs => $4))
                   ON CONFLICT (name, holder) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at";
        Box::pin(async move {
            let publish = sqlx::query(sql).bind(name).bind(holder).bind(value);
            publish.bind(ttl.as_secs_f64()).execute(conn).await
        })
    });
    publish.await.map(drop)
}

pub(super) async fn of_everybody(
    database: &Database,
    name: &'static str,
) -> Result<Vec<Published>, StoreError> {
    let published = database.run(move |conn| {
        let sql = "SELECT value, extract(epoch FROM expires_at - now())::float8 FROM published
                   WHERE name = $1 AND expires_at > now()";
        Box::pin(async move { sqlx::query(sql).bind(name).fetch_all(conn).await })
    });
    let read = |row: &PgRow| Published {
        value: row.get(0),
        left: Duration::try_from_secs_f64(row.get(1)).unwrap_or_default(),
    };
    Ok(published.await?.iter().map(read).collect())
}
