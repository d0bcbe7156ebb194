//! `migrate`: creates or migrates the databases and says which schema each has.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};
use serde::Serialize;

use super::{
    CliError,
    access::Place,
    output::{Output, table},
};
use crate::{Platform, StartError, data_dir::DataDirError};

/// One database.
#[derive(Serialize)]
struct Database {
    name: &'static str,
    path: PathBuf,
    /// Schema before; nothing when the file was not there.
    before: Option<u32>,
    /// Schema now.
    schema: u32,
}

pub(super) async fn run(place: &Place, output: &Output) -> Result<(), CliError> {
    let settings = place.settings()?;
    let files = [
        ("log", settings.log_path()?),
        ("accounts", settings.data.join("accounts.db")),
        ("work", settings.data.join("work.db")),
        ("views", settings.views_path()?),
    ];
    let before: Vec<Option<u32>> = files.iter().map(|(_, path)| schema(path).ok()).collect();
    let platform = Platform::open_idle(settings).await.map_err(|error| match error {
        StartError::DataDir(DataDirError::InUse { path, holder: Some(holder) }) => {
            CliError::Held { path, holder, why: "it migrated the databases when it started" }
        }
        other => other.into(),
    })?;
    platform.shutdown().await;
    let mut databases = Vec::new();
    for ((name, path), before) in files.into_iter().zip(before) {
        let schema = schema(&path)?;
        databases.push(Database { name, path, before, schema });
    }
    output.value(&databases, |databases| {
        table(
            ["database", "file", "schema before", "schema now"],
            databases.iter().map(|database| {
                let before = database.before.map_or("none".to_owned(), |schema| schema.to_string());
                [
                    database.name.to_owned(),
                    database.path.display().to_string(),
                    before,
                    database.schema.to_string(),
                ]
            }),
        )
    })
}

/// How many migrations the file has seen. Does not create it.
fn schema(path: &Path) -> Result<u32, CliError> {
    let unreadable = |error: rusqlite::Error| CliError::Store(error.into());
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(unreadable)?;
    conn.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(unreadable)
}
