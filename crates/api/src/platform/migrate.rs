//! Creates what the platform is kept in, or brings it up to date.

use std::path::Path;

use eventlog::{
    StoreError,
    postgres::{DatabaseOptions, Part},
};
use rusqlite::{Connection, OpenFlags};
use serde::Serialize;

use super::{
    Platform, StartError,
    stores::{Databases, PARTS},
};
use crate::settings::{Settings, StorePlace};

/// One file, or one part of a PostgreSQL schema, that was created or brought up to date.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Migrated {
    /// What is kept there.
    pub name: String,
    /// Where it is.
    pub place: String,
    /// Schema before; nothing when it was not there.
    pub before: Option<u32>,
    /// Schema now.
    pub schema: u32,
}

impl Platform {
    /// Creates files and tables, or brings them up to date. A database may be in use meanwhile.
    ///
    /// # Errors
    /// A file that is in use, a database that cannot be reached or may not be changed, a newer schema.
    pub async fn migrate(settings: Settings) -> Result<Vec<Migrated>, StartError> {
        let mut migrated = Vec::new();
        let mut databases = Databases::default();
        let (log, views) = (settings.log_place()?, settings.views_place()?);
        for (place, parts) in [(&log, PARTS.0), (&views, PARTS.1)] {
            if let StorePlace::Postgres(options) = place {
                tables(&mut databases, options, parts, &mut migrated).await?;
            }
        }
        databases.close().await;
        let mut files = Vec::new();
        if let StorePlace::Sqlite(path) = &log {
            let beside = |name: &str| settings.data.join(name);
            files =
                vec![("log", path.clone()), ("accounts", beside("accounts.db")), ("work", beside("work.db"))];
        }
        if let StorePlace::Sqlite(path) = &views {
            files.push(("views", path.clone()));
        }
        if !files.is_empty() {
            let before: Vec<Option<u32>> = files.iter().map(|(_, path)| schema_of(path).ok()).collect();
            // Opening a file migrates it.
            Self::open_idle(settings).await?.shutdown().await;
            for ((name, path), before) in files.into_iter().zip(before) {
                let schema = schema_of(&path)
                    .map_err(|source| StartError::Store { path: path.clone(), source: source.into() })?;
                migrated.push(Migrated {
                    name: name.to_owned(),
                    place: path.display().to_string(),
                    before,
                    schema,
                });
            }
        }
        Ok(migrated)
    }
}

async fn tables(
    databases: &mut Databases,
    options: &DatabaseOptions,
    parts: &[Part],
    migrated: &mut Vec<Migrated>,
) -> Result<(), StartError> {
    let failed = |source: StoreError| StartError::Database { source };
    let database = databases.connect(options).await?;
    let place = format!("{} ({})", database.place(), database.schema());
    for part in parts {
        let done = database.migrate(*part).await.map_err(failed)?;
        // Log and views may share a database, and parts with it.
        if !migrated.iter().any(|before| before.name == part.name && before.place == place) {
            let (name, place) = (part.name.to_owned(), place.clone());
            migrated.push(Migrated { name, place, before: done.before, schema: done.now });
        }
    }
    Ok(())
}

/// How many migrations the file has seen. Does not create it.
fn schema_of(path: &Path) -> rusqlite::Result<u32> {
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    conn.query_row("PRAGMA user_version", [], |row| row.get(0))
}
