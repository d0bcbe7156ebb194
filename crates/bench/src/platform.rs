//! The platform under load: its server on a store, with people who may ask as often as they like.

use std::{path::Path, time::Duration};

use serde_json::Value;
use tempfile::TempDir;
use tokio::time::Instant;

use crate::{
    Failure,
    cases::append::{Place, log_limit, log_limit_of_schema},
    context::Context,
    drive::Caller,
    http::{Connection, request},
    server::Server,
    store::{Postgres, Schema},
    tokens::Signer,
};

/// Nobody is refused for asking often: the load comes from few people here.
const UNBOUNDED: [(&str, &str); 4] = [
    ("ORDERSTREAM_ADMISSION_CUSTOMERS_COMMANDS_PER_SECOND", "0"),
    ("ORDERSTREAM_ADMISSION_CUSTOMERS_READS_PER_SECOND", "0"),
    ("ORDERSTREAM_ADMISSION_STAFF_COMMANDS_PER_SECOND", "0"),
    ("ORDERSTREAM_ADMISSION_STAFF_READS_PER_SECOND", "0"),
];

/// How long views and process managers may be behind once nothing more is asked.
const PATIENCE: Duration = Duration::from_secs(120);
/// They are done when they were seen so, one look after the other: what one does is news for another.
const LOOKS: usize = 3;
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A running platform. It ends with this value, and what it wrote goes with it.
pub(crate) struct Platform<'c> {
    pub(crate) store: &'static str,
    pub(crate) server: Server,
    pub(crate) admin: String,
    pub(crate) signer: Signer,
    context: &'c Context,
    database: Option<(&'c Postgres, Schema)>,
    _data: Option<TempDir>,
}

impl<'c> Platform<'c> {
    /// On files in a new folder.
    pub(crate) fn on_files(context: &'c Context) -> Result<Self, Failure> {
        let data = context.temporary()?;
        let mut platform = Self::on(context, data.path(), None)?;
        platform._data = Some(data);
        Ok(platform)
    }

    /// In the data folder that is there, which it goes on with and leaves behind.
    pub(crate) fn on_folder(context: &'c Context, data: &Path) -> Result<Self, Failure> {
        Self::on(context, data, None)
    }

    /// On a store of its own, made for it. [`Self::end`] removes what it leaves in a database.
    pub(crate) fn at(context: &'c Context, place: Place<'c>, what: &str) -> Result<Self, Failure> {
        match place {
            Place::Sqlite(_) => Self::on_files(context),
            Place::Postgres(server) => {
                let (data, schema) = (context.temporary()?, server.schema(what));
                let mut platform = Self::on(context, data.path(), Some((server, schema)))?;
                platform._data = Some(data);
                Ok(platform)
            }
        }
    }

    fn on(
        context: &'c Context,
        data: &Path,
        database: Option<(&'c Postgres, Schema)>,
    ) -> Result<Self, Failure> {
        let settings = UNBOUNDED.map(|(name, value)| (name, value.to_owned()));
        let schema = database.as_ref().map(|(_, schema)| schema);
        let server = Server::start(&context.program, data, schema, &settings)?;
        // By the program, so that the key is there, whoever makes it first.
        let admin = server.token(&["--sub", "bench-admin", "--role", "admin", "--ttl", "12h"])?;
        let signer = Signer::of(server.data())?;
        let store = if database.is_some() { "PostgreSQL" } else { "SQLite" };
        Ok(Self { store, server, admin, signer, context, database, _data: None })
    }

    /// Ends the server and removes its schema.
    pub(crate) async fn end(self) -> Result<(), Failure> {
        let Self { server, database, _data, .. } = self;
        drop(server);
        match database {
            Some((_, schema)) => schema.clear().await,
            None => Ok(()),
        }
    }

    /// Events per second of bare batched inserts of what its log holds last.
    pub(crate) async fn log_limit(&self, seconds: f64) -> Result<f64, Failure> {
        match &self.database {
            Some((server, schema)) => log_limit_of_schema(server, schema, seconds).await,
            None => log_limit(self.context, &self.server.data().join("log.db")).await,
        }
    }

    async fn get(&self, connection: &mut Connection, path: &str) -> Result<Value, Failure> {
        let answer = connection.send("GET", path, &self.admin, "").await?;
        if answer.status != 200 {
            let why = String::from_utf8_lossy(&answer.body);
            return Err(format!("{path} answered {}: {why}", answer.status).into());
        }
        Ok(serde_json::from_slice(&answer.body)?)
    }

    /// Waits until views and process managers have read all of the log; its last position, which is how many events it
    /// holds.
    pub(crate) async fn settled(&self) -> Result<u64, Failure> {
        self.settled_within(PATIENCE).await
    }

    pub(crate) async fn settled_within(&self, patience: Duration) -> Result<u64, Failure> {
        let mut connection = Connection::open(self.server.address()).await?;
        let (begin, mut told, mut looks) = (Instant::now(), Instant::now(), 0);
        loop {
            let views = self.get(&mut connection, "/v1/admin/projections").await?;
            let processes = self.get(&mut connection, "/v1/admin/processes").await?;
            let behind = behind(&views).max(behind(&processes));
            looks = if behind == 0 { looks + 1 } else { 0 };
            if looks == LOOKS {
                return Ok(head(&views));
            }
            if begin.elapsed() > patience {
                return Err(format!("{behind} events are still to be read after {patience:?}").into());
            }
            if told.elapsed() > Duration::from_secs(5) {
                eprintln!("  {behind} events are still to be read");
                told = Instant::now();
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Customers who each order one piece of the same product, which does not run out, again and again.
    pub(crate) async fn customers(&self, how_many: usize, shop: &str) -> Result<Vec<Customer>, Failure> {
        let body = self.server.order_body(shop, &self.admin).await?;
        let mut customers = Vec::new();
        for number in 0..how_many {
            let token = self.signer.token(&format!("bench-{number}"), "customer")?;
            customers.push(Customer {
                connection: Connection::open(self.server.address()).await?,
                order: request("POST", "/v1/orders", &token, &body),
            });
        }
        Ok(customers)
    }
}

/// Events that the one furthest behind has still to read.
fn behind(status: &Value) -> u64 {
    let lags = status["data"].as_array().into_iter().flatten().filter_map(|one| one["lag"].as_u64());
    lags.max().unwrap_or(0)
}

fn head(views: &Value) -> u64 {
    let heads = views["data"].as_array().into_iter().flatten().filter_map(|one| one["head"].as_u64());
    heads.max().unwrap_or(0)
}

/// Somebody who orders, and waits until the order is paid and confirmed.
pub(crate) struct Customer {
    connection: Connection,
    order: Vec<u8>,
}

impl Caller for Customer {
    async fn once(&mut self) -> Result<bool, Failure> {
        let answer = self.connection.send_prepared(&self.order).await?;
        Ok(answer.status == 201)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_furthest_behind_counts() {
        let status = serde_json::json!({ "data": [{ "lag": 1, "head": 9 }, { "lag": 7, "head": 9 }, {}] });
        assert_eq!((behind(&status), head(&status)), (7, 9));
        assert_eq!(behind(&serde_json::json!({})), 0);
    }
}
