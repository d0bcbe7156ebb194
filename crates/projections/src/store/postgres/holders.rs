//! Who works for a view, and how its work is taken away.
//!
//! A view's work is one slot; the tables are those of [`LEASES`](eventlog::postgres::LEASES).

use eventlog::{
    StoreError,
    postgres::{Database, Held, Leases},
};
use sqlx::Row;

use crate::store::Holders;

/// Consumers with the label of who holds each at this moment.
pub(super) async fn holders(database: &Database, consumers: Vec<String>) -> Result<Holders, StoreError> {
    let found = database.run(move |conn| {
        let consumers = consumers.clone();
        Box::pin(async move {
            let sql = "SELECT l.consumer, coalesce(m.label, l.holder::text) FROM leases l
                       LEFT JOIN members m ON m.consumer = l.consumer AND m.holder = l.holder
                       WHERE l.consumer = ANY($1) AND l.slot = 0 AND l.holder IS NOT NULL AND l.expires_at >= now()";
            sqlx::query(sql).bind(consumers).fetch_all(conn).await
        })
    });
    Ok(found.await?.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// Takes a consumer's slot from whoever has it. Waits for what its holder is writing; what it writes later is refused.
pub(super) async fn steal(
    database: &Database,
    leases: &Leases,
    consumer: String,
) -> Result<Held, StoreError> {
    let (holder, ttl) = (leases.holder().id, leases.options().ttl.as_secs_f64());
    let steal = database.run(move |conn| {
        let consumer = consumer.clone();
        Box::pin(async move {
            let sql = "INSERT INTO leases AS l (consumer, slot, holder, epoch, expires_at)
                       VALUES ($1, 0, $2, 1, now() + make_interval(secs => $3))
                       ON CONFLICT (consumer, slot) DO UPDATE SET holder = excluded.holder, epoch = l.epoch + 1,
                           expires_at = excluded.expires_at
                       RETURNING epoch";
            sqlx::query(sql).bind(consumer).bind(holder).bind(ttl).fetch_one(conn).await
        })
    });
    Ok(Held { slot: 0, epoch: steal.await?.get(0) })
}
