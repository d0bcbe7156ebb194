//! What is written by hand without a framework: an INSERT and a transaction for each event, into the log's own table. The
//! event is ready: nothing is loaded or decided, and the index over versions alone keeps two writers apart.

use std::sync::Arc;

use domain::{
    AggregateKind, Event, StreamId,
    product::{ProductCommand, ProductListed},
};
use eventlog::{Commit, EncodedCommit, Log, LogOptions, NewEvent, event_id, postgres::LOG};
use rusqlite::{Connection, params};
use sqlx::{
    Executor,
    postgres::{PgPool, PgPoolOptions},
};
use tokio::sync::Mutex;

use super::{Place, giver::Maker, place};
use crate::{
    Failure,
    drive::{Caller, drive},
};

/// Connections to PostgreSQL.
const CONNECTIONS: u32 = 32;

const COLUMNS: &str = "kind, stream_id, version, type, type_version, first, event_id, command_id, correlation_id, \
     actor, recorded_at, payload";

/// Inserts products of `callers` who wait each for theirs; events per second.
pub(super) async fn measure(place: Place<'_>, callers: usize, seconds: f64) -> Result<f64, Failure> {
    match place {
        Place::Sqlite(context) => {
            let folder = context.temporary()?;
            let path = folder.path().join("naive.db");
            // Makes the table.
            Log::open_sqlite(&path, LogOptions::default()).await?.shutdown().await;
            let conn = Connection::open(&path)?;
            conn.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")?;
            inserted(Table::Sqlite(Arc::new(Mutex::new(conn))), callers, seconds).await
        }
        Place::Postgres(server) => {
            let schema = place::cleared(server).await?;
            let database = schema.database(4).await?;
            database.migrate(LOG).await?;
            database.close().await;
            let pool = PgPoolOptions::new()
                .max_connections(CONNECTIONS)
                .min_connections(CONNECTIONS)
                .test_before_acquire(false)
                .connect_with(schema.connect_options()?)
                .await?;
            pool.execute("CREATE SEQUENCE by_hand").await?;
            let rate = inserted(Table::Postgres(pool.clone()), callers, seconds).await;
            pool.close().await;
            schema.clear().await?;
            rate
        }
    }
}

async fn inserted(table: Table, callers: usize, seconds: f64) -> Result<f64, Failure> {
    let maker = Maker::new();
    let writers = (0..callers).map(|_| Writer { table: table.clone(), maker: maker.clone() });
    Ok(drive(writers.collect(), seconds).await?.per_second)
}

#[derive(Clone)]
enum Table {
    /// One connection: more would wait for each other's lock.
    Sqlite(Arc<Mutex<Connection>>),
    Postgres(PgPool),
}

struct Writer {
    table: Table,
    maker: Maker,
}

impl Caller for Writer {
    async fn once(&mut self) -> Result<bool, Failure> {
        let encoded = self.listed()?;
        match &self.table {
            Table::Sqlite(conn) => {
                let conn = conn.clone().lock_owned().await;
                tokio::task::spawn_blocking(move || insert_sqlite(&conn, &encoded)).await??;
            }
            Table::Postgres(pool) => insert_postgres(pool, &encoded).await?,
        }
        Ok(true)
    }
}

impl Writer {
    /// A new product as the executor would have it stored.
    fn listed(&self) -> Result<EncodedCommit, Failure> {
        let id = self.maker.product();
        let ProductCommand::ListProduct { product_id, shop_id, name, price, stock } = self.maker.list(id)
        else {
            return Err("a product is listed by listing it".into());
        };
        let listed = ProductListed { product_id, shop_id, name, price, stock };
        let (stream, context) = (StreamId::new(AggregateKind::Product, id.uuid()), self.maker.context(id));
        let event = Event::Product(listed.into());
        Ok(EncodedCommit::new(Commit {
            stream,
            expected_version: 0,
            events: vec![NewEvent { event_id: event_id(context.command_id, stream, 0, context.at), event }],
            command_id: context.command_id,
            correlation_id: context.correlation_id,
            causation_id: context.causation_id,
            actor: context.actor,
            recorded_at: context.at,
            traceparent: context.traceparent,
        }))
    }
}

fn insert_sqlite(conn: &Connection, encoded: &EncodedCommit) -> Result<(), Failure> {
    let (commit, new) = (&encoded.commit, &encoded.commit.events[0]);
    let sql =
        format!("INSERT INTO events ({COLUMNS}) VALUES (?1, ?2, 1, ?3, ?4, 1, ?5, ?6, ?7, ?8, ?9, ?10)");
    conn.prepare_cached(&sql)?.execute(params![
        commit.stream.kind.code(),
        commit.stream.id.as_bytes(),
        new.event.name(),
        new.event.version(),
        new.event_id.as_bytes(),
        commit.command_id.as_bytes(),
        commit.correlation_id.as_bytes(),
        encoded.actor,
        commit.recorded_at.timestamp_micros(),
        encoded.payloads[0],
    ])?;
    Ok(())
}

async fn insert_postgres(pool: &PgPool, encoded: &EncodedCommit) -> Result<(), Failure> {
    let (commit, new) = (&encoded.commit, &encoded.commit.events[0]);
    let sql = format!(
        "INSERT INTO events (position, {COLUMNS})
         VALUES (nextval('by_hand'), $1, $2, 1, $3, $4, true, $5, $6, $7, $8, $9, $10)"
    );
    sqlx::query(&sql)
        .bind(i16::from(commit.stream.kind.code()))
        .bind(commit.stream.id)
        .bind(new.event.name())
        .bind(i16::try_from(new.event.version())?)
        .bind(new.event_id)
        .bind(commit.command_id)
        .bind(commit.correlation_id)
        .bind(&encoded.actor)
        .bind(commit.recorded_at.timestamp_micros())
        .bind(&encoded.payloads[0])
        .execute(pool)
        .await?;
    Ok(())
}
