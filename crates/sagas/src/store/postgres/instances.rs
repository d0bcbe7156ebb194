//! Reading instances: for the runner by key, for operators by list.

use eventlog::{StoreError, postgres::Database};
use sqlx::{Row, postgres::PgRow};
use uuid::Uuid;

use crate::store::{InstanceDetails, InstanceState, Saved, TimerDetails, row::SavedColumns, time};

/// Instances from rows with [`Saved::COLUMNS`].
fn read(rows: &[PgRow]) -> Result<Vec<Saved>, StoreError> {
    let saved = |row: &PgRow| {
        let columns = SavedColumns {
            key: row.get(0),
            version: row.get(1),
            status: row.get(2),
            state: row.get(3),
            outbox: row.get(4),
            awaiting: row.get(5),
            deadline: row.get(6),
            since: row.get(7),
            last_position: row.get(8),
            correlation_id: row.get(9),
        };
        Saved::from_columns(columns).map_err(StoreError::Sql)
    };
    rows.iter().map(saved).collect()
}

pub(super) async fn load(
    database: &Database,
    process: &'static str,
    keys: Vec<Uuid>,
) -> Result<Vec<Saved>, StoreError> {
    let found = database.run(move |conn| {
        let keys = keys.clone();
        let sql = format!("SELECT {} FROM instances WHERE process = $1 AND key = ANY($2)", Saved::COLUMNS);
        Box::pin(async move { sqlx::query(&sql).bind(process).bind(keys).fetch_all(conn).await })
    });
    read(&found.await?)
}

pub(super) async fn unfinished(
    database: &Database,
    process: &'static str,
    slots: Vec<i16>,
) -> Result<Vec<Saved>, StoreError> {
    let found = database.run(move |conn| {
        let slots = slots.clone();
        let sql = format!(
            "SELECT {} FROM instances WHERE process = $1 AND status IN ('running', 'retrying', 'stuck')
             AND slot = ANY($2)",
            Saved::COLUMNS
        );
        Box::pin(async move { sqlx::query(&sql).bind(process).bind(slots).fetch_all(conn).await })
    });
    read(&found.await?)
}

pub(super) async fn counts(
    database: &Database,
    process: &'static str,
) -> Result<Vec<(InstanceState, u64)>, StoreError> {
    let found = database.run(move |conn| {
        let sql =
            "SELECT status, count(*) FROM instances WHERE process = $1 AND status <> 'ended' GROUP BY status";
        Box::pin(async move { sqlx::query(sql).bind(process).fetch_all(conn).await })
    });
    let count = |row: &PgRow| {
        let state = InstanceState::from_name(row.get(0)).unwrap_or(InstanceState::Running);
        (state, row.get::<i64, _>(1).unsigned_abs())
    };
    Ok(found.await?.iter().map(count).collect())
}

pub(super) async fn list(
    database: &Database,
    process: &'static str,
    state: Option<InstanceState>,
    after: Uuid,
    limit: usize,
) -> Result<Vec<Saved>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let found = database.run(move |conn| {
        let wanted = InstanceState::condition(state);
        let sql = format!(
            "SELECT {} FROM instances WHERE process = $1 AND {wanted} AND key > $2 ORDER BY key LIMIT $3",
            Saved::COLUMNS
        );
        Box::pin(async move { sqlx::query(&sql).bind(process).bind(after).bind(limit).fetch_all(conn).await })
    });
    read(&found.await?)
}

pub(super) async fn show(
    database: &Database,
    process: &'static str,
    key: Uuid,
) -> Result<Option<InstanceDetails>, StoreError> {
    let Some(saved) = load(database, process, vec![key]).await?.pop() else { return Ok(None) };
    let timers = database.run(move |conn| {
        let sql = "SELECT name, due_at FROM timers WHERE process = $1 AND key = $2 ORDER BY due_at";
        Box::pin(async move { sqlx::query(sql).bind(process).bind(key).fetch_all(conn).await })
    });
    let timer = |row: &PgRow| TimerDetails { name: row.get(0), due_at: time(row.get(1)) };
    let timers = timers.await?.iter().map(timer).collect();
    Ok(Some(saved.details(process, timers)))
}
