//! Other ways to read the log: the command line's reader, and the crate postgres-es.

use cqrs_es::{
    Aggregate,
    persist::{PersistedEventRepository, PersistedEventStore},
};
use cqrs_es::{AggregateContext, EventStore};
use domain::{
    AggregateKind,
    product::{Product, ProductCommand},
};
use orderstream_eventlog::{LogReader, transfer::EventLine};
use postgres_es::PostgresEventRepository;
use sqlx::Row;

use crate::{
    setup::{log, schema},
    support::{ctx, executor, list, order_id, product_id, reserve, restock, stream_of},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_reader_of_the_command_line_reads_this_store_as_it_does_files() {
    let Some(database) = schema("reader").await else { return };
    let log = log(&database).await;
    let executor = executor(&log);
    let product = product_id();
    executor.execute::<Product>(&product, list(product, 5), ctx()).await.unwrap();
    for _ in 0..9 {
        executor.execute::<Product>(&product, restock(1), ctx()).await.unwrap();
    }
    let reader = LogReader::open_postgres(&database).await.unwrap();
    assert_eq!((reader.log_id(), reader.head().await), (log.log_id(), Ok(10)));
    let page = reader.read_all(3, 4).await.unwrap();
    assert_eq!(page.iter().map(|event| event.position).collect::<Vec<_>>(), [4, 5, 6, 7]);
    for raw in page {
        let payload = raw.payload.clone();
        let line = EventLine::try_from(raw).unwrap();
        assert_eq!(line.payload.get().as_bytes(), payload, "byte for byte");
    }
    let of_stream = reader.read_stream(stream_of(product), 8, 10).await.unwrap();
    assert_eq!(of_stream.iter().map(|event| event.version).collect::<Vec<_>>(), [9, 10]);
    assert_eq!(reader.read_all(10, 5).await, Ok(vec![]));
    assert_eq!(reader.read_all(u64::MAX, 5).await, Ok(vec![]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_es_folds_our_streams_to_the_same_aggregates() {
    let Some(database) = schema("repository").await else { return };
    let executor = executor(&log(&database).await);
    let products = [product_id(), product_id()];
    for (n, product) in products.iter().enumerate() {
        executor.execute::<Product>(product, list(*product, 5), ctx()).await.unwrap();
        for _ in 0..=n {
            executor.execute::<Product>(product, reserve(order_id()), ctx()).await.unwrap();
            executor.execute::<Product>(product, restock(3), ctx()).await.unwrap();
        }
    }
    executor.execute::<Product>(&products[1], ProductCommand::WithdrawProduct, ctx()).await.unwrap();

    let repository = PostgresEventRepository::new(database.pool().clone()).with_tables("postgres_es", "none");
    let stored = repository.get_events::<Product>(&products[0].to_string()).await.unwrap();
    assert_eq!(stored.len(), 3);
    let strings = stored[0].metadata.as_object().unwrap();
    assert!(strings.values().all(serde_json::Value::is_string), "{strings:?}");
    assert!(
        ["event_id", "command_id", "correlation_id", "actor", "recorded_at"]
            .iter()
            .all(|key| strings.contains_key(*key))
    );
    assert_eq!(strings["recorded_at"], "2025-06-15T15:06:40.000000Z");

    let store = PersistedEventStore::<_, Product>::new_event_store(repository);
    for product in products {
        let ours = executor.load::<Product>(&product).await.unwrap();
        let mut theirs = store.load_aggregate(&product.to_string()).await.unwrap();
        assert_eq!(theirs.aggregate(), &ours.state);
        assert_eq!(theirs.current_sequence as u64, ours.version);
    }
    let nobody = store.load_aggregate(&product_id().to_string()).await.unwrap();
    assert_eq!(nobody.current_sequence, 0);
}

/// A new kind of aggregate needs a line in the view.
#[tokio::test]
async fn the_view_names_every_kind_of_aggregate_as_its_type_is_called() {
    let Some(database) = schema("kinds").await else { return };
    let insert = "INSERT INTO events (position, recorded_at, version, kind, type_version, stream_id, event_id, command_id,
                      correlation_id, first, type, actor, payload)
                  SELECT kind, 0, 1, kind, 1, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(),
                      gen_random_uuid(), true, 'x', 'system', '{}' FROM unnest($1::smallint[]) AS kind";
    let kinds: Vec<i16> = AggregateKind::ALL.iter().map(|kind| i16::from(kind.code())).collect();
    sqlx::query(insert).bind(kinds).execute(database.pool()).await.unwrap();
    let named = sqlx::query("SELECT aggregate_type FROM postgres_es ORDER BY metadata->>'position'");
    let mut named: Vec<String> =
        named.fetch_all(database.pool()).await.unwrap().iter().map(|row| row.get(0)).collect();
    named.sort_unstable();
    let mut expected: Vec<String> = AggregateKind::ALL.iter().map(|kind| format!("{kind:?}")).collect();
    expected.sort_unstable();
    assert_eq!(named, expected);
    assert_eq!(<Product as Aggregate>::TYPE, "Product");
}
