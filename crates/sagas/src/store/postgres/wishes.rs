//! What operators want of instances that another process works on.

use eventlog::{StoreError, postgres::Database};
use sqlx::{Row, postgres::PgRow};

use super::SLOTS;
use crate::{
    runner::Operation,
    store::{Wish, slot_of},
};

pub(super) async fn leave(database: &Database, process: &'static str, wish: Wish) -> Result<(), StoreError> {
    let slot = slot_of(wish.key, SLOTS).cast_signed();
    let leave = database.run(move |conn| {
        let sql = "INSERT INTO wishes (process, key, slot, operation, step) VALUES ($1, $2, $3, $4, $5)
                   ON CONFLICT (process, key) DO UPDATE SET operation = excluded.operation, step = excluded.step";
        Box::pin(async move {
            let leave = sqlx::query(sql).bind(process).bind(wish.key).bind(slot).bind(wish.operation.name());
            leave.bind(wish.step).execute(conn).await
        })
    });
    leave.await.map(drop)
}

pub(super) async fn is_there(
    database: &Database,
    process: &'static str,
    wish: Wish,
) -> Result<bool, StoreError> {
    let there = database.run(move |conn| {
        let sql = "SELECT EXISTS (SELECT FROM wishes
                       WHERE process = $1 AND key = $2 AND operation = $3 AND step = $4)";
        Box::pin(async move {
            let there = sqlx::query(sql).bind(process).bind(wish.key).bind(wish.operation.name());
            there.bind(wish.step).fetch_one(conn).await
        })
    });
    Ok(there.await?.get(0))
}

pub(super) async fn of_slots(
    database: &Database,
    process: &'static str,
    slots: Vec<i16>,
) -> Result<Vec<Wish>, StoreError> {
    let found = database.run(move |conn| {
        let slots = slots.clone();
        let sql = "SELECT key, operation, step FROM wishes WHERE process = $1 AND slot = ANY($2)";
        Box::pin(async move { sqlx::query(sql).bind(process).bind(slots).fetch_all(conn).await })
    });
    let wish = |row: &PgRow| {
        let operation = Operation::from_name(row.get(1))?;
        Some(Wish { key: row.get(0), operation, step: row.get(2) })
    };
    Ok(found.await?.iter().filter_map(wish).collect())
}

/// Another wish that has come for the same instance stays.
pub(super) async fn forget(database: &Database, process: &'static str, wish: Wish) -> Result<(), StoreError> {
    let forget = database.run(move |conn| {
        let sql = "DELETE FROM wishes WHERE process = $1 AND key = $2 AND operation = $3 AND step = $4";
        Box::pin(async move {
            let forget = sqlx::query(sql).bind(process).bind(wish.key).bind(wish.operation.name());
            forget.bind(wish.step).execute(conn).await
        })
    });
    forget.await.map(drop)
}
