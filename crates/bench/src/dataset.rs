//! Long logs, and data folders of a platform that has one. They take minutes to make, so they are kept for the next time.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use domain::{AggregateKind, OrderId};
use eventlog::Log;
use projections::{ViewOptions, ViewPlace, Views};
use rusqlite::{Connection, OpenFlags, params};
use serde_json::Value;
use uuid::Uuid;

use crate::{Failure, context::Context, history, http, platform::Platform};

/// How long a server may take to bring what this release stores differently up to date.
const PATIENCE: Duration = Duration::from_secs(1_800);

/// A folder with a `log.db` of at least so many events.
pub(crate) async fn log(context: &Context, events: u64) -> Result<PathBuf, Failure> {
    kept(context, &format!("log-{events}"), async |folder| write_log(folder, events).await).await
}

/// A data folder of a platform whose log holds at least so many events, with all views up to date. Whoever runs a
/// platform on it adds to it.
pub(crate) async fn data(context: &Context, events: u64) -> Result<PathBuf, Failure> {
    let folder = kept(context, &format!("data-{events}"), async |folder| {
        write_log(folder, events).await?;
        build_views(folder).await?;
        skip_processes(context, folder).await
    })
    .await?;
    Ok(folder)
}

/// Starts a platform on a data folder. A first server brings up to date what another release has stored; the one that is
/// measured has nothing of that in its memory.
pub(crate) async fn platform<'c>(context: &'c Context, data: &Path) -> Result<Platform<'c>, Failure> {
    let first = Platform::on_folder(context, data)?;
    first.settled_within(PATIENCE).await?;
    first.end().await?;
    let platform = Platform::on_folder(context, data)?;
    platform.settled().await?;
    Ok(platform)
}

/// All orders of the log at `path`.
pub(crate) fn orders(path: &Path) -> Result<Vec<OrderId>, Failure> {
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut statement = conn.prepare("SELECT stream_id FROM events WHERE kind = ?1 AND version = 1")?;
    let ids = statement
        .query_map([AggregateKind::Order.code()], |row| row.get::<_, [u8; 16]>(0))?
        .map(|id| Ok(OrderId::from_uuid(Uuid::from_bytes(id?))))
        .collect::<rusqlite::Result<_>>()?;
    Ok(ids)
}

/// A folder of this name, made by `make` when it is not there. Half a folder is never taken for a whole one.
async fn kept(
    context: &Context,
    name: &str,
    make: impl AsyncFnOnce(&Path) -> Result<(), Failure>,
) -> Result<PathBuf, Failure> {
    let cache = context.cache.join(concat!("v", env!("CARGO_PKG_VERSION")));
    let (folder, partial) = (cache.join(name), cache.join(format!("{name}.partial")));
    if folder.is_dir() {
        return Ok(folder);
    }
    if partial.is_dir() {
        fs::remove_dir_all(&partial)?;
    }
    fs::create_dir_all(&partial)?;
    eprintln!("  making {name}, which is kept for the next time");
    let begun = Instant::now();
    make(&partial).await?;
    fs::rename(&partial, &folder)?;
    eprintln!("  {name} made in {:.0} s", begun.elapsed().as_secs_f64());
    Ok(folder)
}

async fn write_log(folder: &Path, events: u64) -> Result<(), Failure> {
    let log = Log::open_sqlite(&folder.join("log.db"), history::log_options()).await?;
    let written = history::write(&log, events).await;
    log.shutdown().await;
    written
}

async fn build_views(folder: &Path) -> Result<(), Failure> {
    eprintln!("  building the views");
    let log = Log::open_sqlite(&folder.join("log.db"), eventlog::LogOptions::default()).await?;
    let place = ViewPlace::Sqlite(folder.join("views.db"));
    let views = Views::open(place, log.clone(), ViewOptions::default()).await?;
    let told = std::sync::Mutex::new(Instant::now());
    let built = views
        .rebuild_all(move |progress| {
            let mut told = told.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if told.elapsed() > Duration::from_secs(5) {
                let at = &progress.at;
                eprintln!("  {} of {} events, {:.0}/s", at.folded, at.head, at.events_per_sec);
                *told = Instant::now();
            }
        })
        .await;
    views.stop().await;
    log.shutdown().await;
    built?;
    Ok(())
}

/// Makes a `work.db` whose process managers have handled all of the log, as they had when they wrote it. Every order is
/// over, so that nothing else is to be known of it.
async fn skip_processes(context: &Context, folder: &Path) -> Result<(), Failure> {
    let empty = context.temporary()?;
    let names = {
        let platform = Platform::on_folder(context, empty.path())?;
        platform.settled().await?;
        let mut connection = http::Connection::open(platform.server.address()).await?;
        let answer = connection.send("GET", "/v1/admin/processes", &platform.admin, "").await?;
        let processes: Value = serde_json::from_slice(&answer.body)?;
        let names = processes["data"].as_array().into_iter().flatten();
        names.filter_map(|process| process["name"].as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    // Its server is gone; what it left in the write-ahead log goes into the file.
    let (from, to) = (empty.path().join("work.db"), folder.join("work.db"));
    Connection::open(&from)?.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    fs::copy(&from, &to)?;

    let log = Connection::open_with_flags(folder.join("log.db"), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let log_id: [u8; 16] = log.query_row("SELECT log_id FROM log_meta", [], |row| row.get(0))?;
    let (position, event_id): (i64, [u8; 16]) =
        log.query_row("SELECT position, event_id FROM events ORDER BY position DESC LIMIT 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    let work = Connection::open(&to)?;
    let tables: Vec<String> = work
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for table in tables {
        work.execute(&format!("DELETE FROM {table}"), [])?;
    }
    for name in names {
        work.execute(
            "INSERT INTO checkpoints (consumer, log_id, position, event_id) VALUES (?1, ?2, ?3, ?4)",
            params![name, log_id, position, event_id],
        )?;
    }
    Ok(())
}
