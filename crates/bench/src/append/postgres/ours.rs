//! Our side: appends to the log as they are, and commands that are decided before.

use std::sync::Arc;

use domain::{
    AggregateKind, Event, ProductId, StreamId, Version,
    product::{ProductCommand, ProductEvent, ProductListed, ProductRestocked},
};
use eventlog::{
    Commit, Executor, ExecutorOptions, Log, LogOptions, NewEvent, event_id,
    postgres::{LOG, PostgresStore},
};

use super::{
    Failure, Load, Streams,
    bare::{self, Rows},
    drive::{Caller, Yield, drive},
};
use crate::{
    append::giver::{Giver, Maker},
    store::Server,
};

/// Connections of a process; only one of them appends.
const CONNECTIONS: u32 = 8;

/// Where a measurement enters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// `Log::append`, with events that are ready.
    Append,
    /// `Executor::execute_any`: loaded, decided, appended.
    Command,
}

/// What one run gave, and what it wrote.
pub(super) struct Ours {
    pub(super) run: Yield,
    pub(super) events_per_batch: f64,
    pub(super) rows: Rows,
}

/// Runs `load` on a new log, run as `options` say.
pub(super) async fn measure(
    server: &Server,
    entry: Entry,
    load: Load,
    options: LogOptions,
    seconds: f64,
) -> Result<Ours, Failure> {
    server.clear().await?;
    let database = server.database(CONNECTIONS).await?;
    database.migrate(LOG).await?;
    let log = Log::start(Arc::new(PostgresStore::open(&database).await?), options).await?;
    let maker = Maker::new();
    let giver = Giver::new(Executor::new(log.clone(), None, ExecutorOptions::default()), maker.clone());
    let shared = match load.streams {
        Streams::One => Some(giver.list().await?),
        Streams::New | Streams::Existing => None,
    };
    let products = prepare(&giver, load, shared).await?;
    let before = log.stats();
    let run = match entry {
        Entry::Append => {
            let appender = |streams: Vec<ProductId>| Appender {
                log: log.clone(),
                maker: maker.clone(),
                streams: streams.into_iter().map(|product| (product, 1)).collect(),
                next: 0,
            };
            drive(products.into_iter().map(appender).collect(), seconds).await?
        }
        Entry::Command => {
            let commander = |products| Commander { giver: giver.clone(), products, next: 0 };
            drive(products.into_iter().map(commander).collect(), seconds).await?
        }
    };
    let after = log.stats();
    log.shutdown().await;
    let rows = bare::read(&database).await?;
    database.close().await;
    let batches = (after.batches - before.batches).max(1);
    Ok(Ours { run, events_per_batch: (after.events - before.events) as f64 / batches as f64, rows })
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
    async fn once(&mut self) -> Result<(), Failure> {
        match self.products.get(self.next) {
            Some(product) => self.giver.restock(*product).await?,
            None => drop(self.giver.list().await?),
        }
        self.next = (self.next + 1) % self.products.len().max(1);
        Ok(())
    }
}

/// Appends to streams of its own, whose versions it knows.
struct Appender {
    log: Log,
    maker: Maker,
    streams: Vec<(ProductId, Version)>,
    next: usize,
}

impl Appender {
    async fn append(&self, product: ProductId, version: Version, event: ProductEvent) -> Result<(), Failure> {
        let stream = StreamId::new(AggregateKind::Product, product.uuid());
        let ctx = self.maker.context(product);
        let event_id = event_id(ctx.command_id, stream, 0, ctx.at);
        let commit = Commit {
            stream,
            expected_version: version,
            events: vec![NewEvent { event_id, event: Event::from(event) }],
            command_id: ctx.command_id,
            correlation_id: ctx.correlation_id,
            causation_id: ctx.causation_id,
            actor: ctx.actor,
            recorded_at: ctx.at,
            traceparent: ctx.traceparent,
        };
        self.log.append(commit).await?;
        Ok(())
    }
}

impl Caller for Appender {
    async fn once(&mut self) -> Result<(), Failure> {
        let Some((product, version)) = self.streams.get(self.next).copied() else {
            let product = self.maker.product();
            let listed = self.maker.list(product);
            return self.append(product, 0, listed_by(listed)?).await;
        };
        self.append(product, version, ProductRestocked { quantity: 1 }.into()).await?;
        self.streams[self.next].1 += 1;
        self.next = (self.next + 1) % self.streams.len();
        Ok(())
    }
}

/// The event that the command leads to.
fn listed_by(command: ProductCommand) -> Result<ProductEvent, Failure> {
    match command {
        ProductCommand::ListProduct { product_id, shop_id, name, price, stock } => {
            Ok(ProductListed { product_id, shop_id, name, price, stock }.into())
        }
        other => Err(format!("{other:?} lists nothing").into()),
    }
}
