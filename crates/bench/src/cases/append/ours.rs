//! Our side: commands through the executor, loaded, decided, appended.

use std::sync::Arc;

use domain::ProductId;
use eventlog::{
    Executor, ExecutorOptions, Log, LogOptions,
    postgres::{Database, LOG, PostgresStore},
};

use super::{
    Load, Place, Streams,
    bare::Written,
    giver::{Giver, Maker},
    place,
};
use crate::{
    Failure,
    drive::{Caller, Yield, drive},
};

/// Connections of a process; only one of them appends.
const CONNECTIONS: u32 = 8;

/// What one run gave, and what it wrote.
pub(crate) struct Ours {
    pub(crate) run: Yield,
    pub(super) events_per_batch: f64,
    pub(super) written: Written,
}

/// A new log, and what has to be kept for it.
enum Home {
    Sqlite(tempfile::TempDir, std::path::PathBuf),
    Postgres(Database),
}

async fn open(place: Place<'_>, options: LogOptions) -> Result<(Log, Home), Failure> {
    match place {
        Place::Sqlite(context) => {
            let folder = context.temporary()?;
            let path = folder.path().join("log.db");
            Ok((Log::open_sqlite(&path, options).await?, Home::Sqlite(folder, path)))
        }
        Place::Postgres(server) => {
            let database = place::cleared(server).await?.database(CONNECTIONS).await?;
            database.migrate(LOG).await?;
            let log = Log::start(Arc::new(PostgresStore::open(&database).await?), options).await?;
            Ok((log, Home::Postgres(database)))
        }
    }
}

/// Runs `load` on a new log, run as `options` say.
pub(crate) async fn measure(
    place: Place<'_>,
    load: Load,
    options: LogOptions,
    seconds: f64,
) -> Result<Ours, Failure> {
    let (log, home) = open(place, options).await?;
    let giver = Giver::new(Executor::new(log.clone(), None, ExecutorOptions::default()), Maker::new());
    let shared = match load.streams {
        Streams::One => Some(giver.list().await?),
        Streams::New | Streams::Existing => None,
    };
    let products = prepare(&giver, load, shared).await?;
    let before = log.stats();
    let commander = |products| Commander { giver: giver.clone(), products, next: 0 };
    let run = drive(products.into_iter().map(commander).collect(), seconds).await?;
    let after = log.stats();
    log.shutdown().await;
    drop(log);
    let batches = (after.batches - before.batches).max(1);
    let written = match home {
        Home::Sqlite(folder, path) => Written::Sqlite(folder, path),
        Home::Postgres(database) => {
            let written = Written::in_schema(&database).await?;
            database.close().await;
            written
        }
    };
    Ok(Ours { run, events_per_batch: (after.events - before.events) as f64 / batches as f64, written })
}

/// The products of each caller.
async fn prepare(
    giver: &Giver,
    load: Load,
    shared: Option<ProductId>,
) -> Result<Vec<Vec<ProductId>>, Failure> {
    let listing = (0..load.callers).map(|_| {
        let giver = giver.clone();
        tokio::spawn(async move {
            let mut own = Vec::from_iter(shared);
            for _ in 0..load.streams.of_each_caller() {
                own.push(giver.list().await?);
            }
            Ok::<_, Failure>(own)
        })
    });
    let mut products = Vec::new();
    for own in listing.collect::<Vec<_>>() {
        products.push(own.await??);
    }
    Ok(products)
}

/// Gives commands: to its products in turn, or to a new one each time when it has none.
struct Commander {
    giver: Giver,
    products: Vec<ProductId>,
    next: usize,
}

impl Caller for Commander {
    async fn once(&mut self) -> Result<bool, Failure> {
        match self.products.get(self.next) {
            Some(product) => self.giver.restock(*product).await?,
            None => drop(self.giver.list().await?),
        }
        self.next = (self.next + 1) % self.products.len().max(1);
        Ok(true)
    }
}
