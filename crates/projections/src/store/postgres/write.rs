//! Writing windows to the database.

use std::{borrow::Cow, sync::Arc, time::Duration};

use eventlog::{
    Bug, StoreError, planted,
    postgres::{Database, Leases},
};
use sqlx::{Connection, Row, postgres::PgConnection};

use super::{Statements, builds::key, read::storable};
use crate::{
    ColumnKind,
    batch::{Batch, Datum, as_integer},
    store::{Table, Window, consumer_of},
};

/// Rows of one statement: bounds its size.
const UPSERT_ROWS: usize = 2_048;

/// Rows and checkpoint are lost together or not at all when the server crashes, and are folded again then: nobody has to
/// wait for the disk.
const BEGIN: &str = "BEGIN; SET LOCAL synchronous_commit = off";

/// Between the two transactions of the planted bug.
const MOMENT: Duration = Duration::from_millis(20);

pub(super) async fn commit(database: &Database, leases: Leases, window: Window) -> Result<bool, StoreError> {
    let window = Arc::new(window);
    // Once only: whoever does not know whether it took effect looks it up.
    let commit = database.run_once(move |conn| {
        let (leases, window) = (leases.clone(), window.clone());
        Box::pin(async move { commit_in(conn, &leases, &window).await })
    });
    commit.await
}

async fn commit_in(conn: &mut PgConnection, leases: &Leases, window: &Window) -> Result<bool, sqlx::Error> {
    let Window { table, batch, from, to, held } = window;
    let Some(held) = held else { return Ok(false) };
    let mut transaction = conn.begin_with(BEGIN).await?;
    let ours =
        leases.check(&mut transaction, &consumer_of(table.spec.name, table.spec.version), &[*held]).await?;
    if !ours || !advance(&mut transaction, table, (from, to)).await? {
        transaction.rollback().await?;
        return Ok(false);
    }
    if planted(Bug::CheckpointAhead) {
        transaction.commit().await?;
        tokio::time::sleep(MOMENT).await;
        transaction = conn.begin_with(BEGIN).await?;
    }
    rows(&mut transaction, table, batch).await?;
    transaction.commit().await?;
    Ok(true)
}

async fn advance(
    conn: &mut PgConnection,
    table: &Table,
    (from, to): (&eventlog::Checkpoint, &eventlog::Checkpoint),
) -> Result<bool, sqlx::Error> {
    let sql = "UPDATE view_builds SET position = $5, event_id = $6
               WHERE view = $1 AND version = $2 AND build = $3 AND state = 'live' AND log_id = $7 AND position = $4";
    let (view, version, build) = key(table);
    let advance = sqlx::query(sql).bind(view).bind(version).bind(build).bind(as_integer(from.position));
    let advance = advance.bind(as_integer(to.position)).bind(to.event_id).bind(to.log_id);
    Ok(advance.execute(conn).await?.rows_affected() > 0)
}

/// Writes a window of a build that is not live. Windows are counted, so that one that is sent twice, or comes late, is
/// written once and in its turn, and that none was lost in a crash of the server.
pub(super) async fn write(
    database: &Database,
    table: Arc<Table>,
    batch: Batch,
    number: u64,
) -> Result<(), StoreError> {
    let (name, batch) = (table.name.clone(), Arc::new(batch));
    let write = database.run(move |conn| {
        let (table, batch) = (table.clone(), batch.clone());
        Box::pin(async move { write_in(conn, &table, &batch, number.cast_signed()).await })
    });
    match write.await? {
        true => Ok(()),
        false => Err(StoreError::Sql(format!("the build {name} was given up, or has lost rows in a crash"))),
    }
}

async fn write_in(
    conn: &mut PgConnection,
    table: &Table,
    batch: &Batch,
    number: i64,
) -> Result<bool, sqlx::Error> {
    let (view, version, build) = key(table);
    let mut transaction = conn.begin_with(BEGIN).await?;
    let windows = "SELECT windows FROM view_builds
                   WHERE view = $1 AND version = $2 AND build = $3 AND state = 'building' FOR UPDATE";
    let windows = sqlx::query(windows).bind(view).bind(version).bind(build);
    let windows: Option<i64> = windows.fetch_optional(&mut *transaction).await?.map(|row| row.get(0));
    if windows != Some(number - 1) {
        transaction.rollback().await?;
        return Ok(windows == Some(number));
    }
    let count = "UPDATE view_builds SET windows = $4 WHERE view = $1 AND version = $2 AND build = $3";
    let count = sqlx::query(count).bind(view).bind(version).bind(build).bind(number);
    count.execute(&mut *transaction).await?;
    rows(&mut transaction, table, batch).await?;
    transaction.commit().await?;
    Ok(true)
}

async fn rows(conn: &mut PgConnection, table: &Table, batch: &Batch) -> Result<(), sqlx::Error> {
    let statements = Statements::of(table);
    for first in (0..batch.len()).step_by(UPSERT_ROWS) {
        let count = UPSERT_ROWS.min(batch.len() - first);
        let mut upsert = sqlx::query(&statements.upsert);
        let view = table.spec.columns.iter().map(|column| column.kind);
        let kinds = [ColumnKind::Text, ColumnKind::Integer].into_iter().chain(view).chain([ColumnKind::Text]);
        for (place, kind) in kinds.enumerate() {
            let column = batch.column(place, first, count);
            upsert = match kind {
                ColumnKind::Text => upsert.bind(column.map(text).collect::<Vec<_>>()),
                ColumnKind::Integer => upsert.bind(column.map(integer).collect::<Vec<_>>()),
            };
        }
        upsert.execute(&mut *conn).await?;
    }
    if !batch.deletes().is_empty() {
        let keys: Vec<String> =
            batch.deletes().iter().map(|key| storable(key.to_string().into()).into_owned()).collect();
        sqlx::query(&statements.delete).bind(keys).execute(&mut *conn).await?;
    }
    Ok(())
}

fn text(datum: Datum<'_>) -> Option<Cow<'_, str>> {
    match datum {
        Datum::Text(text) => Some(storable(String::from_utf8_lossy(text))),
        Datum::Null | Datum::Integer(_) => None,
    }
}

fn integer(datum: Datum<'_>) -> Option<i64> {
    match datum {
        Datum::Integer(number) => Some(number),
        Datum::Null | Datum::Text(_) => None,
    }
}
