//! A log is moved as text: what comes out goes in, and comes out the same.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::{path::Path, sync::Arc};

use domain::product::Product;
use orderstream_eventlog::{
    Executor, Log, LogError, LogOptions, LogReader, SqliteStore, Store,
    transfer::{EventLine, Import, ImportError, ImportReport},
};
use support::{ctx, list, order_id, product_id, reserve};

async fn executor_on(store: Arc<SqliteStore>) -> Executor {
    support::executor(&Log::start(store, LogOptions::default()).await.unwrap())
}

/// A log with some hundred events on several streams.
async fn fill(path: &Path) {
    let store = Arc::new(SqliteStore::open(path, 1).await.unwrap());
    let executor = executor_on(store.clone()).await;
    for _ in 0..5 {
        let product = product_id();
        executor.execute::<Product>(&product, list(product, 1_000), ctx()).await.unwrap();
        for _ in 0..40 {
            executor.execute::<Product>(&product, reserve(order_id()), ctx()).await.unwrap();
        }
    }
    executor.log().shutdown().await;
}

async fn export(path: &Path) -> Vec<String> {
    let reader = LogReader::open(path).await.unwrap();
    let mut lines = Vec::new();
    while let Some(page) =
        Some(reader.read_all(lines.len() as u64, 64).await.unwrap()).filter(|p| !p.is_empty())
    {
        lines.extend(
            page.into_iter().map(|raw| serde_json::to_string(&EventLine::try_from(raw).unwrap()).unwrap()),
        );
    }
    lines
}

async fn import(path: &Path, lines: &[String]) -> Result<ImportReport, ImportError> {
    let store = Arc::new(SqliteStore::open(path, 1).await.unwrap());
    let mut import = Import::begin(store.clone()).await.unwrap();
    let mut outcome = Ok(());
    for line in lines {
        outcome = import.line(line).await;
        if outcome.is_err() {
            break;
        }
    }
    let report = match outcome {
        Ok(()) => import.finish().await,
        Err(error) => Err(error),
    };
    store.close().await;
    report
}

#[tokio::test]
async fn an_export_of_an_import_is_identical() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("a.db"), folder.path().join("b.db"));
    fill(&first).await;
    let lines = export(&first).await;
    let report = import(&second, &lines).await.unwrap();
    assert_eq!((report.imported, report.skipped, report.position), (205, 0, 205));
    assert_eq!(export(&second).await, lines);
}

#[tokio::test]
async fn an_interrupted_import_goes_on_where_it_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("a.db"), folder.path().join("b.db"));
    fill(&first).await;
    let lines = export(&first).await;
    import(&second, &lines[..70]).await.unwrap();
    let report = import(&second, &lines).await.unwrap();
    assert_eq!((report.imported, report.skipped), (135, 70));
    assert_eq!(export(&second).await, lines);
}

#[tokio::test]
async fn a_log_that_holds_something_else_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("a.db"), folder.path().join("b.db"));
    fill(&first).await;
    fill(&second).await;
    let (lines, before) = (export(&first).await, export(&second).await);
    let error = import(&second, &lines).await.unwrap_err();
    assert!(matches!(error, ImportError::NotEmpty { line: 1, position: 1 }), "{error}");
    assert_eq!(export(&second).await, before);
}

#[tokio::test]
async fn a_wrong_line_is_named_and_nothing_of_its_batch_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let first = folder.path().join("a.db");
    fill(&first).await;
    let good = export(&first).await;
    let altered = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut line: serde_json::Value = serde_json::from_str(&good[9]).unwrap();
        change(&mut line);
        line.to_string()
    };
    let wrong = [
        ("{\"position\":", "EOF"),
        (&altered(&|l| l["position"] = 11.into()), "a line is missing"),
        (&altered(&|l| l["version"] = 11.into()), "has version 11 where 10 follows"),
        (&altered(&|l| l["type"] = "product.eaten".into()), "product.eaten"),
        (&altered(&|l| l["stream"] = "product/x".into()), "is not a stream"),
        (&altered(&|l| l["surplus"] = 1.into()), "unknown field"),
        (&altered(&|l| l["payload"]["quantity"] = "many".into()), "cannot be read"),
        (&altered(&|l| l["metadata"]["actor"] = "nobody".into()), "names no actor"),
        (
            &altered(&|l| {
                let earlier: serde_json::Value = serde_json::from_str(&good[2]).unwrap();
                l["metadata"]["command_id"] = earlier["metadata"]["command_id"].clone();
            }),
            "apart from each other",
        ),
    ];
    for (number, (line, reason)) in wrong.iter().enumerate() {
        let second = folder.path().join(format!("{number}.db"));
        let mut lines = good.clone();
        (*line).clone_into(&mut lines[9]);
        let error = import(&second, &lines).await.unwrap_err().to_string();
        assert!(error.starts_with("line 10: ") && error.contains(reason), "{line} gave {error}");
        assert_eq!(export(&second).await.len(), 0, "after {line}");
    }
}

#[tokio::test]
async fn a_reader_follows_a_log_that_is_being_written_and_does_not_create_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    assert!(matches!(LogReader::open(&path).await, Err(LogError::Unavailable(_))));
    assert!(!path.exists());
    let store = Arc::new(SqliteStore::open(&path, 1).await.unwrap());
    let reader = LogReader::open(&path).await.unwrap();
    assert_eq!((reader.head().await.unwrap(), reader.log_id()), (0, store.log_id().await.unwrap()));
    let executor = executor_on(store.clone()).await;
    let product = product_id();
    executor.execute::<Product>(&product, list(product, 3), ctx()).await.unwrap();
    assert_eq!(reader.head().await.unwrap(), 1);
    assert_eq!(reader.read_all(0, 10).await.unwrap(), store.read_all(0, 10).await.unwrap());
}
