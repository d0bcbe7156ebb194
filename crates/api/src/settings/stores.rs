//! Where things are kept: the settings `store` and `views`, and the section `[postgres]`.

use std::{path::PathBuf, time::Duration};

use eventlog::postgres::{DatabaseOptions, LeaseOptions};
use serde::{Deserialize, Serialize};

use super::{Settings, SettingsError};

/// Where something is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StorePlace {
    /// In this file.
    Sqlite(PathBuf),
    /// In this database.
    Postgres(DatabaseOptions),
}

/// How PostgreSQL is used: the section `[postgres]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Postgres {
    /// The schema that holds our tables.
    pub schema: String,
    /// Most connections of this process to one database.
    pub connections: u32,
    /// How long a process that is not heard of keeps its share of the work. Milliseconds.
    pub lease_ms: u64,
}

/// Bounds of a lease in milliseconds: shorter than a busy machine's pauses it only moves work about, longer than a minute
/// nobody would wait. *Source*: ours.
const LEASE_MS: std::ops::RangeInclusive<u64> = 500..=60_000;

impl Settings {
    /// Where the event log is, and with it accounts and the work of process managers if it is a database.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub fn log_place(&self) -> Result<StorePlace, SettingsError> {
        if self.store.is_empty() {
            return Ok(StorePlace::Sqlite(self.data.join("log.db")));
        }
        self.place("store", &self.store)
    }

    /// Where the views are: in the data folder or in the log's database, unless said.
    ///
    /// # Errors
    /// A store that cannot be used.
    pub fn views_place(&self) -> Result<StorePlace, SettingsError> {
        if !self.views.is_empty() {
            return self.place("views", &self.views);
        }
        match self.log_place()? {
            StorePlace::Sqlite(_) => Ok(StorePlace::Sqlite(self.data.join("views.db"))),
            database @ StorePlace::Postgres(_) => Ok(database),
        }
    }

    /// How long a process keeps its share of the work.
    #[must_use]
    pub fn leases(&self) -> LeaseOptions {
        LeaseOptions { ttl: Duration::from_millis(self.postgres.lease_ms) }
    }

    /// Whether the data folder holds something that only one process may use at a time.
    #[must_use]
    pub fn needs_the_data_folder(&self) -> bool {
        let embedded = |place: Result<StorePlace, _>| !matches!(place, Ok(StorePlace::Postgres(_)));
        embedded(self.log_place())
            || (embedded(self.views_place()) && self.needs_views())
            || self.runs_sandbox()
    }

    /// Whether the payment provider of the sandbox runs inside this process.
    #[must_use]
    pub fn runs_sandbox(&self) -> bool {
        self.gateway.in_process() && self.runs_process("payments")
    }

    pub(super) fn check_stores(&self) -> Result<(), SettingsError> {
        self.log_place()?;
        self.views_place()?;
        if !LEASE_MS.contains(&self.postgres.lease_ms) {
            let (value, least, most) = (self.postgres.lease_ms, *LEASE_MS.start(), *LEASE_MS.end());
            return Err(SettingsError::Lease { value, least, most });
        }
        Ok(())
    }

    fn place(&self, key: &'static str, store: &str) -> Result<StorePlace, SettingsError> {
        match store.strip_prefix("sqlite:") {
            Some(path) if !path.is_empty() => Ok(StorePlace::Sqlite(PathBuf::from(path))),
            _ if store.starts_with("postgres:") || store.starts_with("postgresql:") => {
                let Postgres { schema, connections, .. } = self.postgres.clone();
                let options = DatabaseOptions { url: store.to_owned(), schema, connections };
                options.check().map_err(|why| SettingsError::Database { key, why })?;
                Ok(StorePlace::Postgres(options))
            }
            _ => {
                // What stands before the first colon is enough to see what was meant, and holds no password.
                let kind = store.split(':').next().unwrap_or_default().to_owned();
                Err(SettingsError::UnknownStore { key, kind })
            }
        }
    }
}
