//! Which store a case measures, and the PostgreSQL server it does so on.

use std::str::FromStr;

use eventlog::postgres::{Database, DatabaseOptions};
use scratch_postgres::{Binaries, Cluster, ClusterOptions, SEARCH_VARIABLE};
use sqlx::{
    Connection, Executor, Row,
    postgres::{PgConnectOptions, PgConnection},
};

type Failure = Box<dyn std::error::Error + Send + Sync>;

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

/// A PostgreSQL server, and a schema on it that this process may make and remove.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) schema: String,
    scratch: Option<Cluster>,
}

impl Server {
    /// The server at `url`, or one that is started now and ends with this value. Blocks for some seconds.
    pub(crate) fn start(url: Option<&str>) -> Result<Self, Failure> {
        let schema = format!("orderstream_bench_{}", std::process::id());
        if let Some(url) = url {
            return Ok(Self { url: url.to_owned(), schema, scratch: None });
        }
        let binaries = Binaries::find().ok_or_else(|| {
            format!(
                "there is no PostgreSQL on this machine: install it (Debian: apt-get install postgresql), name the \
                 folder of its programs in {SEARCH_VARIABLE}, or name a server with --store postgres://…"
            )
        })?;
        let settings = SETTINGS.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let scratch = Cluster::start(binaries, ClusterOptions { durable: true, settings })?;
        Ok(Self { url: scratch.url("postgres"), schema, scratch: Some(scratch) })
    }

    /// The database, without its tables.
    pub(crate) async fn database(&self, connections: u32) -> Result<Database, Failure> {
        let (url, schema) = (self.url.clone(), self.schema.clone());
        Ok(Database::connect(DatabaseOptions { url, schema, connections }).await?)
    }

    /// How a connection of somebody else is opened; it finds its tables in the schema.
    pub(crate) fn connect_options(&self) -> Result<PgConnectOptions, Failure> {
        let options = self.url.parse::<PgConnectOptions>()?;
        Ok(options.options([("search_path", self.schema.as_str()), ("jit", "off")]))
    }

    /// What it is and how safe its commits are.
    pub(crate) async fn describe(&self) -> Result<String, Failure> {
        // Says in words what is wrong with an address.
        self.database(4).await?.close().await;
        let mut conn = PgConnection::connect_with(&self.connect_options()?).await?;
        let mut settings = Vec::new();
        for name in ["server_version", "fsync", "synchronous_commit"] {
            let value = sqlx::query("SELECT current_setting($1)").bind(name).fetch_one(&mut conn).await?;
            settings.push(value.try_get::<String, _>(0)?);
        }
        conn.close().await?;
        let [version, fsync, commit] = settings.try_into().map_err(|_| "three settings were asked for")?;
        let whose = if self.scratch.is_some() { "scratch server" } else { "given server" };
        Ok(format!("PostgreSQL {version} ({whose}, fsync={fsync}, synchronous_commit={commit})"))
    }

    /// Removes the schema and all in it.
    pub(crate) async fn clear(&self) -> Result<(), Failure> {
        let mut conn = PgConnection::connect_with(&self.connect_options()?).await?;
        conn.execute("SET client_min_messages = warning").await?;
        conn.execute(format!("DROP SCHEMA IF EXISTS {} CASCADE", self.schema).as_str()).await?;
        conn.close().await?;
        Ok(())
    }

    /// Has the server write what is dirty now rather than in the middle of a measurement.
    pub(crate) async fn settle(&self) -> Result<(), Failure> {
        let mut conn = PgConnection::connect_with(&self.connect_options()?).await?;
        // On a server that is given we may not be allowed to: it is only for steadier figures.
        let _ = conn.execute("CHECKPOINT").await;
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
