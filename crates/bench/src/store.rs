//! Which store a case measures, and the PostgreSQL server it does so on.

use std::str::FromStr;

use eventlog::postgres::{Database, DatabaseOptions};
use scratch_postgres::{Binaries, Cluster, ClusterOptions, SEARCH_VARIABLE};
use sqlx::{
    Connection, Executor, Row,
    postgres::{PgConnectOptions, PgConnection},
};

use crate::Failure;

/// What `--store` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    /// Files.
    Sqlite,
    /// A server that is there, or else one that is started for the case.
    Postgres(Option<String>),
}

impl FromStr for Store {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "sqlite" => Ok(Self::Sqlite),
            None if text == "postgres" => Ok(Self::Postgres(None)),
            Some(("postgres" | "postgresql", rest)) if rest.starts_with("//") => {
                Ok(Self::Postgres(Some(text.to_owned())))
            }
            Some(("postgres", url)) if !url.is_empty() => Ok(Self::Postgres(Some(url.to_owned()))),
            _ => Err("use sqlite, postgres, or postgres://USER:PASSWORD@HOST:PORT/DATABASE".to_owned()),
        }
    }
}

/// Settings of a scratch server: what a server that takes this load would have, and nothing that makes a commit weaker.
const SETTINGS: [(&str, &str); 3] =
    [("max_connections", "200"), ("shared_buffers", "256MB"), ("max_wal_size", "4GB")];

/// What is told of a server: how safe its commits are, and what it was given.
const TOLD: [&str; 5] = ["fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "max_wal_size"];

/// A PostgreSQL server.
pub(crate) struct Postgres {
    url: String,
    scratch: Option<Cluster>,
}

impl Postgres {
    /// The server at `url`, or one that is started now and ends with this value. Blocks for some seconds.
    pub(crate) fn start(url: Option<&str>) -> Result<Self, Failure> {
        if let Some(url) = url {
            return Ok(Self { url: url.to_owned(), scratch: None });
        }
        let binaries = Binaries::find().ok_or_else(|| {
            format!(
                "there is no PostgreSQL on this machine: install it (Debian: apt-get install postgresql), name the \
                 folder of its programs in {SEARCH_VARIABLE}, or name a server with --store postgres://…"
            )
        })?;
        let settings = SETTINGS.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let scratch = Cluster::start(binaries, ClusterOptions { durable: true, settings })?;
        Ok(Self { url: scratch.url("postgres"), scratch: Some(scratch) })
    }

    /// A schema of this process alone.
    pub(crate) fn schema(&self, what: &str) -> Schema {
        let name = format!("orderstream_bench_{}_{what}", std::process::id());
        Schema { url: self.url.clone(), name }
    }

    /// What it is and how safe its commits are.
    pub(crate) async fn describe(&self) -> Result<String, Failure> {
        let mut conn = PgConnection::connect_with(&self.url.parse::<PgConnectOptions>()?).await?;
        let mut values = Vec::new();
        for name in std::iter::once("server_version").chain(TOLD) {
            let value = sqlx::query("SELECT current_setting($1)").bind(name).fetch_one(&mut conn).await?;
            values.push(value.try_get::<String, _>(0)?);
        }
        conn.close().await?;
        let whose = if self.scratch.is_some() { "scratch server" } else { "given server" };
        let told: Vec<String> =
            TOLD.iter().zip(&values[1..]).map(|(name, value)| format!("{name}={value}")).collect();
        Ok(format!("PostgreSQL {} ({whose}, {})", values[0], told.join(", ")))
    }

    /// Has the server write what is dirty now rather than in the middle of a measurement.
    pub(crate) async fn settle(&self) -> Result<(), Failure> {
        let mut conn = PgConnection::connect_with(&self.url.parse::<PgConnectOptions>()?).await?;
        // On a server that is given we may not be allowed to: it is only for steadier figures.
        let _ = conn.execute("CHECKPOINT").await;
        conn.close().await?;
        Ok(())
    }
}

/// A schema that this process may make and remove.
#[derive(Clone, Debug)]
pub(crate) struct Schema {
    pub(crate) url: String,
    pub(crate) name: String,
}

impl Schema {
    /// The database, without its tables.
    pub(crate) async fn database(&self, connections: u32) -> Result<Database, Failure> {
        let (url, schema) = (self.url.clone(), self.name.clone());
        Ok(Database::connect(DatabaseOptions { url, schema, connections }).await?)
    }

    /// How a connection of somebody else is opened; it finds its tables in the schema.
    pub(crate) fn connect_options(&self) -> Result<PgConnectOptions, Failure> {
        let options = self.url.parse::<PgConnectOptions>()?;
        Ok(options.options([("search_path", self.name.as_str()), ("jit", "off")]))
    }

    /// Removes the schema and all in it.
    pub(crate) async fn clear(&self) -> Result<(), Failure> {
        let mut conn = PgConnection::connect_with(&self.connect_options()?).await?;
        conn.execute("SET client_min_messages = warning").await?;
        conn.execute(format!("DROP SCHEMA IF EXISTS {} CASCADE", self.name).as_str()).await?;
        conn.close().await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_sqlite_or_postgres_with_or_without_an_address() {
        let postgres = |url: &str| Ok(Store::Postgres(Some(url.to_owned())));
        assert_eq!("sqlite".parse(), Ok(Store::Sqlite));
        assert_eq!("postgres".parse(), Ok(Store::Postgres(None)));
        assert_eq!("postgres://a:b@c/d".parse(), postgres("postgres://a:b@c/d"));
        assert_eq!("postgresql://a:b@c/d".parse(), postgres("postgresql://a:b@c/d"));
        assert_eq!("postgres:postgres://a:b@c/d".parse(), postgres("postgres://a:b@c/d"));
        for wrong in ["", "mysql", "postgres:", "sqlite:x", "mysql://a"] {
            assert!(wrong.parse::<Store>().is_err(), "{wrong}");
        }
    }
}
