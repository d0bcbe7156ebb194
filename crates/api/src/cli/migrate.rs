//! `migrate`: creates or migrates the databases and says which schema each has.

use std::path::Path;

use eventlog::postgres::{DatabaseOptions, Part};
use rusqlite::{Connection, OpenFlags};
use serde::Serialize;

use super::{
    CliError,
    access::Place,
    output::{Output, table},
};
use crate::{
    Platform, StartError,
    data_dir::DataDirError,
    platform::{Databases, PARTS},
    settings::{Settings, StorePlace},
};

/// One database, or one part of a PostgreSQL schema.
#[derive(Serialize)]
struct Migrated {
    name: String,
    place: String,
    /// Schema before; nothing when it was not there.
    before: Option<u32>,
    /// Schema now.
    schema: u32,
}

pub(super) async fn run(place: &Place, output: &Output) -> Result<(), CliError> {
    let settings = place.settings()?;
    let mut migrated = Vec::new();
    let mut databases = Databases::default();
    let (log, views) = (settings.log_place()?, settings.views_place()?);
    if let StorePlace::Postgres(options) = &log {
        migrate(&mut databases, options, PARTS.0, &mut migrated).await?;
    }
    if let StorePlace::Postgres(options) = &views {
        migrate(&mut databases, options, PARTS.1, &mut migrated).await?;
    }
    let mut files = Vec::new();
    if let StorePlace::Sqlite(path) = &log {
        let beside = |name: &str| settings.data.join(name);
        files = vec![("log", path.clone()), ("accounts", beside("accounts.db")), ("work", beside("work.db"))];
    }
    if let StorePlace::Sqlite(path) = &views {
        files.push(("views", path.clone()));
    }
    if !files.is_empty() {
        let before: Vec<Option<u32>> = files.iter().map(|(_, path)| schema(path).ok()).collect();
        create_files(settings).await?;
        for ((name, path), before) in files.into_iter().zip(before) {
            let (schema, place) = (schema(&path)?, path.display().to_string());
            migrated.push(Migrated { name: name.to_owned(), place, before, schema });
        }
    }
    output.value(&migrated, |migrated| {
        table(
            ["database", "where", "schema before", "schema now"],
            migrated.iter().map(|database| {
                let before = database.before.map_or("none".to_owned(), |schema| schema.to_string());
                [database.name.clone(), database.place.clone(), before, database.schema.to_string()]
            }),
        )
    })
}

async fn migrate(
    databases: &mut Databases,
    options: &DatabaseOptions,
    parts: &[Part],
    migrated: &mut Vec<Migrated>,
) -> Result<(), CliError> {
    let database = databases.connect(options).await?;
    let place = format!("{} ({})", database.place(), database.schema());
    for part in parts {
        let done = database.migrate(*part).await?;
        if !migrated.iter().any(|before| before.name == part.name && before.place == place) {
            let (name, place) = (part.name.to_owned(), place.clone());
            migrated.push(Migrated { name, place, before: done.before, schema: done.now });
        }
    }
    Ok(())
}

/// Opening a file migrates it.
async fn create_files(settings: Settings) -> Result<(), CliError> {
    let platform = Platform::open_idle(settings).await.map_err(|error| match error {
        StartError::DataDir(DataDirError::InUse { path, holder: Some(holder) }) => {
            CliError::Held { path, holder, why: "it migrated the databases when it started" }
        }
        other => other.into(),
    })?;
    platform.shutdown().await;
    Ok(())
}

/// How many migrations the file has seen. Does not create it.
fn schema(path: &Path) -> Result<u32, CliError> {
    let unreadable = |error: rusqlite::Error| CliError::Store(error.into());
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(unreadable)?;
    conn.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(unreadable)
}
