//! The registry in the database. A build's entry is one row, so that what is asked and what is changed is one thing
//! also when somebody else changes it at the same time.

use std::{sync::Arc, time::Duration};

use eventlog::{Checkpoint, StoreError, postgres::Database};
use sqlx::{
    Connection, Executor, Row,
    postgres::{PgConnection, PgRow},
};
use uuid::Uuid;

use super::{in_time, statements};
use crate::{
    batch::as_integer,
    spec::Spec,
    store::{BuildState, Registered, Table, table::table_name},
};

/// Dropping a table waits for its readers, and new readers wait behind it: not for long, it can be tried again.
const BEGIN_DROP: &str = "BEGIN; SET LOCAL lock_timeout = '500ms'";
/// Making an index takes as long as it takes.
const BEGIN_INDEX: &str = "BEGIN; SET LOCAL statement_timeout = 0";

pub(super) async fn registered(database: &Database) -> Result<Vec<Registered>, StoreError> {
    let found = database.run(|conn| {
        let sql = "SELECT view, version, build, state, extract(epoch FROM now() - retired_at)::float8,
                          log_id, position, event_id
                   FROM view_builds ORDER BY view, version, build";
        Box::pin(in_time(sqlx::query(sql).fetch_all(conn)))
    });
    Ok(found.await?.iter().map(of_row).collect())
}

fn of_row(row: &PgRow) -> Registered {
    let retired_for: Option<f64> = row.get(4);
    let (log_id, position, event_id) = (row.get(5), row.get::<Option<i64>, _>(6), row.get(7));
    let checkpoint =
        |(log_id, position): (Uuid, i64)| Checkpoint { log_id, position: position.unsigned_abs(), event_id };
    Registered {
        view: row.get(0),
        version: row.get::<i32, _>(1).unsigned_abs(),
        build: row.get::<i32, _>(2).unsigned_abs(),
        state: BuildState::of_name(row.get(3)),
        retired_for: retired_for.map(|secs| Duration::from_secs_f64(secs.max(0.0))),
        checkpoint: Option::zip(log_id, position).map(checkpoint),
    }
}

/// View, version and build as they are bound.
pub(super) fn key(table: &Table) -> (&'static str, i32, i32) {
    (table.spec.name, table.spec.version.cast_signed(), table.build.cast_signed())
}

pub(super) async fn create(
    database: &Database,
    spec: &'static Spec,
    state: BuildState,
    log_id: Uuid,
) -> Result<Option<Arc<Table>>, StoreError> {
    let create = database.run(move |conn| Box::pin(create_in(conn, spec, state, log_id)));
    create.await
}

async fn create_in(
    conn: &mut PgConnection,
    spec: &'static Spec,
    state: BuildState,
    log_id: Uuid,
) -> Result<Option<Arc<Table>>, sqlx::Error> {
    let version = spec.version.cast_signed();
    let mut transaction = conn.begin().await?;
    // A number is never used again: a late write to a build that was dropped must not hit another one. Whoever creates
    // another build of this view waits here.
    let number = "INSERT INTO view_counters AS c (view, version, last_build) VALUES ($1, $2, 1)
                  ON CONFLICT (view, version) DO UPDATE SET last_build = c.last_build + 1 RETURNING last_build";
    let number = sqlx::query(number).bind(spec.name).bind(version).fetch_one(&mut *transaction).await?;
    let number: i32 = number.get(0);
    let is_live = state == BuildState::Live;
    if is_live {
        let live = "SELECT 1 FROM view_builds WHERE view = $1 AND version = $2 AND state = 'live'";
        let live = sqlx::query(live).bind(spec.name).bind(version);
        if live.fetch_optional(&mut *transaction).await?.is_some() {
            transaction.rollback().await?;
            return Ok(None);
        }
    }
    let insert = "INSERT INTO view_builds (view, version, build, state, log_id, position)
                  VALUES ($1, $2, $3, $4, $5, $6)";
    let insert = sqlx::query(insert).bind(spec.name).bind(version).bind(number).bind(state.name());
    let insert = insert.bind(is_live.then_some(log_id)).bind(is_live.then_some(0_i64));
    insert.execute(&mut *transaction).await?;
    let table = Arc::new(Table::new(spec, number.unsigned_abs()));
    transaction.execute(statements::create(&table).as_str()).await?;
    if is_live {
        for index in table.create_indexes("") {
            transaction.execute(index.as_str()).await?;
        }
    }
    transaction.commit().await?;
    Ok(Some(table))
}

/// Creates the indexes, and tells the planner what it needs to know of the table.
pub(super) async fn create_indexes(database: &Database, table: &Table) -> Result<(), sqlx::Error> {
    // Not back into the pool: whoever gives up in the middle leaves a transaction open.
    let mut conn = database.pool().acquire().await?.detach();
    let mut transaction = conn.begin_with(BEGIN_INDEX).await?;
    for index in table.create_indexes("") {
        transaction.execute(index.as_str()).await?;
    }
    transaction.execute(format!("ANALYZE {}", table.name).as_str()).await?;
    transaction.commit().await
}

pub(super) async fn switch(
    database: &Database,
    old: Arc<Table>,
    new: Arc<Table>,
    checkpoint: Checkpoint,
    force: bool,
) -> Result<bool, StoreError> {
    let switch = database.run(move |conn| {
        let (old, new) = (old.clone(), new.clone());
        Box::pin(async move { switch_in(conn, &old, &new, &checkpoint, force).await })
    });
    switch.await
}

async fn switch_in(
    conn: &mut PgConnection,
    old: &Table,
    new: &Table,
    checkpoint: &Checkpoint,
    force: bool,
) -> Result<bool, sqlx::Error> {
    let (view, version, number) = key(new);
    let position = as_integer(checkpoint.position);
    let mut transaction = conn.begin().await?;
    let is_there =
        "SELECT 1 FROM view_builds WHERE view = $1 AND version = $2 AND build = $3 AND state = 'building'
                    FOR UPDATE";
    let is_there = sqlx::query(is_there).bind(view).bind(version).bind(number);
    let is_there = is_there.fetch_optional(&mut *transaction).await?.is_some();
    let retire = "UPDATE view_builds SET state = 'retired', retired_at = now()
                  WHERE view = $1 AND version = $2 AND build = $3 AND state = 'live'
                    AND ($4 OR log_id IS DISTINCT FROM $5 OR position <= $6)";
    let retire = sqlx::query(retire).bind(view).bind(version).bind(old.build.cast_signed()).bind(force);
    let retire = retire.bind(checkpoint.log_id).bind(position);
    if !is_there || retire.execute(&mut *transaction).await?.rows_affected() == 0 {
        transaction.rollback().await?;
        return Ok(false);
    }
    let make_live = "UPDATE view_builds SET state = 'live', log_id = $4, position = $5, event_id = $6
                     WHERE view = $1 AND version = $2 AND build = $3";
    let make_live = sqlx::query(make_live).bind(view).bind(version).bind(number);
    let make_live = make_live.bind(checkpoint.log_id).bind(position).bind(checkpoint.event_id);
    make_live.execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(true)
}

pub(super) async fn retire_older_versions(
    database: &Database,
    spec: &'static Spec,
) -> Result<(), StoreError> {
    let retire = database.run(move |conn| {
        let sql = "UPDATE view_builds SET state = 'retired', retired_at = now()
                   WHERE view = $1 AND version < $2 AND state = 'live'";
        Box::pin(sqlx::query(sql).bind(spec.name).bind(spec.version.cast_signed()).execute(conn))
    });
    retire.await.map(drop)
}

/// Entry and table go together, so that no table is left without an entry.
pub(super) async fn drop_build(
    database: &Database,
    view: &str,
    version: u32,
    build: u32,
) -> Result<(), StoreError> {
    let (view, drop_table) =
        (view.to_owned(), format!("DROP TABLE IF EXISTS {}", table_name(view, version, build)));
    let drop = database.run(move |conn| {
        let (view, drop_table) = (view.clone(), drop_table.clone());
        Box::pin(async move {
            let mut transaction = conn.begin_with(BEGIN_DROP).await?;
            let forget = "DELETE FROM view_builds
                          WHERE view = $1 AND version = $2 AND build = $3 AND state <> 'live'";
            let forget = sqlx::query(forget).bind(view).bind(version.cast_signed()).bind(build.cast_signed());
            if forget.execute(&mut *transaction).await?.rows_affected() == 0 {
                // It is live, or somebody else has dropped it.
                return transaction.rollback().await;
            }
            transaction.execute(drop_table.as_str()).await?;
            transaction.commit().await
        })
    });
    drop.await
}
