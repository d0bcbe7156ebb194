//! Who works for a view, and how its work is taken away.
//!
//! A view's work is one slot; the tables are those of [`LEASES`](eventlog::postgres::LEASES).

use std::{collections::HashMap, time::Duration};

use eventlog::{
    StoreError,
    postgres::{Database, Held, Leases},
};
use sqlx::{Row, postgres::PgRow};
use uuid::Uuid;

use crate::store::Holders;

/// Consumers with the label of who holds each, or held it until `grace` ago.
pub(super) async fn holders(
    database: &Database,
    consumers: Vec<String>,
    grace: Duration,
) -> Result<Holders, StoreError> {
    let found = database.run(move |conn| {
        let consumers = consumers.clone();
        Box::pin(async move {
            let sql = "SELECT l.consumer, coalesce(m.label, l.holder::text) FROM leases l
                       LEFT JOIN members m ON m.consumer = l.consumer AND m.holder = l.holder
                       WHERE l.consumer = ANY($1) AND l.slot = 0 AND l.holder IS NOT NULL
                         AND l.expires_at >= now() - make_interval(secs => $2)";
            sqlx::query(sql).bind(consumers).bind(grace.as_secs_f64()).fetch_all(conn).await
        })
    });
    Ok(found.await?.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// Says that we live and want the work of these consumers, and renews what of it is ours: in one statement, since it is
/// done all the time. Returns what is ours.
pub(super) async fn renew(
    database: &Database,
    leases: &Leases,
    consumers: Vec<String>,
) -> Result<HashMap<String, Held>, StoreError> {
    let (holder, ttl) = (leases.holder().clone(), leases.options().ttl.as_secs_f64());
    let renewed = database.run(move |conn| {
        let (consumers, holder) = (consumers.clone(), holder.clone());
        Box::pin(async move {
            let sql = "WITH live AS (
                           INSERT INTO members (consumer, holder, label, expires_at)
                           SELECT consumer, $2, $3, now() + make_interval(secs => $4) FROM unnest($1::text[]) AS consumer
                           ON CONFLICT (consumer, holder) DO UPDATE SET expires_at = excluded.expires_at)
                       UPDATE leases SET expires_at = now() + make_interval(secs => $4)
                       WHERE consumer = ANY($1) AND slot = 0 AND holder = $2 RETURNING consumer, epoch";
            let renew = sqlx::query(sql).bind(consumers).bind(holder.id).bind(holder.label).bind(ttl);
            renew.fetch_all(conn).await
        })
    });
    let held = |row: &PgRow| (row.get(0), Held { slot: 0, epoch: row.get(1) });
    Ok(renewed.await?.iter().map(held).collect())
}

/// Takes a consumer's slot from whoever has it. Waits for what its holder is writing; what it writes later is refused.
pub(super) async fn steal(
    database: &Database,
    leases: &Leases,
    consumer: String,
) -> Result<Held, StoreError> {
    // Nobody's share: whoever stands by in this process knows nothing of it.
    let (holder, ttl) = (Uuid::now_v7(), leases.options().ttl.as_secs_f64());
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
