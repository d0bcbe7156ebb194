//! The handle: queue, tailer, watches, checkpoints, shutdown, full disk, the end of a process.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use orderstream_eventlog::{AppendError, Checkpoint, Commit, Log, LogError, LogOptions, SqliteStore};
use support::{Faulty, foreign, id, open, product_id};
use tempfile::tempdir;
use tokio_util::sync::CancellationToken;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn next_gives_every_event_in_order_from_memory_and_from_disk() {
    let folder = tempdir().unwrap();
    let options = LogOptions { ring_capacity: 50, ..LogOptions::default() };
    let log = Log::open_sqlite(&folder.path().join("log.db"), options).await.unwrap();
    let consumer = {
        let log = log.clone();
        tokio::spawn(async move {
            let stop = CancellationToken::new();
            let mut after = 0;
            while after < 400 {
                for event in log.next(after, 7, &stop).await.unwrap() {
                    after += 1;
                    assert_eq!(event.position, after);
                }
            }
        })
    };
    let mut pending = Vec::new();
    for _ in 0..400 {
        pending.push(log.enqueue(foreign(product_id(), 0, 1)));
        tokio::task::yield_now().await;
    }
    for pending in pending {
        let answer = pending.await.unwrap();
        assert!(*log.subscribe_head().borrow() >= answer.position, "answered before it was published");
    }
    consumer.await.unwrap();
    assert_eq!(
        log.read_all(0, 1_000).await.unwrap().len(),
        400,
        "what has left the memory is read from disk"
    );
    assert_eq!(log.read_all(390, 1_000).await.unwrap().len(), 10);
    assert_eq!(log.read_all(400, 1_000).await.unwrap().len(), 0);
}

#[tokio::test]
async fn next_ends_when_stopped_and_at_shutdown() {
    let folder = tempdir().unwrap();
    let log = open(folder.path()).await;
    let wait = |stop: CancellationToken| {
        let log = log.clone();
        tokio::spawn(async move { log.next(0, 10, &stop).await })
    };
    let stop = CancellationToken::new();
    let (stopped, shut) = (wait(stop.clone()), wait(CancellationToken::new()));
    stop.cancel();
    assert_eq!(stopped.await.unwrap(), Ok(vec![]));
    assert!(!shut.is_finished());
    log.shutdown().await;
    assert_eq!(shut.await.unwrap(), Ok(vec![]));
}

#[tokio::test]
async fn events_of_another_process_are_found_by_polling() {
    let folder = tempdir().unwrap();
    let log = Log::start(Faulty::open(folder.path(), true).await, LogOptions::default()).await.unwrap();
    let other = Log::start(Faulty::open(folder.path(), true).await, LogOptions::default()).await.unwrap();
    let product = product_id();
    for n in 0..20 {
        let writer = if n % 2 == 0 { &log } else { &other };
        let position = writer.append(foreign(product, n, 1)).await.unwrap().position;
        assert_eq!(position, n + 1);
    }
    let stop = CancellationToken::new();
    for log in [log, other] {
        log.subscribe_head().wait_for(|head| *head == 20).await.unwrap();
        let versions: Vec<_> =
            log.next(0, 100, &stop).await.unwrap().iter().map(|event| event.version).collect();
        assert_eq!(versions, (1..=20).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_watch_sees_its_correlation_from_its_registration_on() {
    let folder = tempdir().unwrap();
    let log = open(folder.path()).await;
    let (product, correlation_id) = (product_id(), id());
    let ours = |version, quantity| Commit { correlation_id, ..foreign(product, version, quantity) };
    log.append(ours(0, 1)).await.unwrap();
    let mut watch = log.watch_correlation(correlation_id);
    let unused = log.watch_correlation(correlation_id);
    log.append(foreign(product_id(), 0, 1)).await.unwrap();
    log.append(ours(1, 2)).await.unwrap();
    drop(unused);
    log.append(ours(2, 3)).await.unwrap();
    assert_eq!(watch.recv().await.unwrap().version, 2);
    assert_eq!(watch.recv().await.unwrap().version, 3);
    assert_eq!(watch.try_recv(), None);
    log.shutdown().await;
    assert_eq!(watch.recv().await, None);
    assert_eq!(
        log.watch_correlation(correlation_id).recv().await,
        None,
        "a log that is shut down has nothing to wait for"
    );
}

#[tokio::test]
async fn shutdown_writes_what_waits_and_refuses_what_comes() {
    let folder = tempdir().unwrap();
    let log = open(folder.path()).await;
    let pending: Vec<_> = (0..700).map(|_| log.enqueue(foreign(product_id(), 0, 1))).collect();
    log.shutdown().await;
    assert_eq!(log.append(foreign(product_id(), 0, 1)).await, Err(AppendError::ShuttingDown));
    for pending in pending {
        pending.await.unwrap();
    }
    assert_eq!(open(folder.path()).await.head().await, Ok(700));
}

#[tokio::test]
async fn a_queue_that_is_full_says_so_at_once() {
    let folder = tempdir().unwrap();
    let store = Faulty::open(folder.path(), false).await;
    let options = LogOptions { queue_capacity: 3, ..LogOptions::default() };
    let log = Log::start(store.clone(), options).await.unwrap();
    let held = store.gate.lock().await;
    let pending: Vec<_> = (0..3).map(|_| log.enqueue(foreign(product_id(), 0, 1))).collect();
    let over = log.append(foreign(product_id(), 0, 1)).await;
    assert_eq!(over, Err(AppendError::Unavailable("the log's queue is full".to_owned())));
    drop(held);
    for pending in pending {
        pending.await.unwrap();
    }
    assert!(log.append(foreign(product_id(), 0, 1)).await.is_ok());
}

#[tokio::test]
async fn a_full_batch_is_on_its_way_before_the_one_before_it_is_published() {
    let folder = tempdir().unwrap();
    let store = Faulty::open(folder.path(), false).await;
    let options = LogOptions { max_batch_commits: 4, ..LogOptions::default() };
    let log = Log::start(store.clone(), options).await.unwrap();
    store.published.set(log.subscribe_head()).unwrap();
    // Four, four, and two that are no full batch: these wait for callers to come back, who must have been answered.
    let pending: Vec<_> = (0..10).map(|_| log.enqueue(foreign(product_id(), 0, 1))).collect();
    for (n, pending) in (1..).zip(pending) {
        assert_eq!(pending.await.unwrap().position, n);
    }
    assert_eq!(*store.published_before.lock().unwrap(), [0, 0, 8]);
}

#[tokio::test]
async fn a_hot_stream_takes_turns_and_keeps_its_order() {
    let folder = tempdir().unwrap();
    let log = open(folder.path()).await;
    let product = product_id();
    let pending: Vec<_> = (0..300).map(|n| log.enqueue(foreign(product, n, 1))).collect();
    let other = log.enqueue(foreign(product_id(), 0, 1));
    let other = other.await.unwrap();
    for (n, pending) in pending.into_iter().enumerate() {
        assert_eq!(pending.await.unwrap().version, n as u64 + 1);
    }
    assert_eq!(other.position, 65, "the other stream waited for all of the hot one");
}

#[tokio::test]
async fn a_full_disk_loses_nothing_and_the_log_goes_on_when_there_is_room() {
    let folder = tempdir().unwrap();
    let store = Arc::new(SqliteStore::open(&folder.path().join("log.db"), 2).await.unwrap());
    let log = Log::start(store.clone(), LogOptions::default()).await.unwrap();
    log.append(foreign(product_id(), 0, 1)).await.unwrap();
    store.limit_pages(60);
    let mut answered = 1;
    let reason = loop {
        let pending: Vec<_> = (0..50).map(|_| log.enqueue(foreign(product_id(), 0, 1))).collect();
        let mut full = None;
        for pending in pending {
            match pending.await {
                Ok(_) => answered += 1,
                Err(AppendError::Full(reason)) => full = Some(reason),
                other => panic!("{other:?}"),
            }
        }
        if let Some(reason) = full {
            break reason;
        }
        assert!(answered < 10_000, "the bound does not work");
    };
    assert!(reason.contains("full"), "{reason}");
    assert_eq!(log.head().await, Ok(answered), "an answer and the disk differ");
    store.limit_pages(0);
    let position = log.append(foreign(product_id(), 0, 1)).await.unwrap().position;
    assert_eq!(position, answered + 1);
    let read = log.read_all(0, 100_000).await.unwrap();
    assert_eq!(read.len() as u64, answered + 1);
}

#[tokio::test]
async fn a_checkpoint_fits_its_own_log_only() {
    let folder = tempdir().unwrap();
    let log = open(folder.path()).await;
    for _ in 0..3 {
        log.append(foreign(product_id(), 0, 1)).await.unwrap();
    }
    let second = &log.read_all(1, 1).await.unwrap()[0];
    let good = Checkpoint { log_id: log.log_id(), position: 2, event_id: Some(second.metadata.event_id) };
    assert_eq!(log.verify_checkpoint(&good).await, Ok(()));
    assert_eq!(log.verify_checkpoint(&Checkpoint { event_id: None, ..good }).await, Ok(()));
    assert_eq!(log.verify_checkpoint(&Checkpoint { position: 0, event_id: None, ..good }).await, Ok(()));
    for wrong in [
        Checkpoint { log_id: id(), ..good },
        Checkpoint { position: 4, ..good },
        Checkpoint { position: 3, ..good },
        Checkpoint { event_id: Some(id()), ..good },
        Checkpoint { log_id: id(), position: 0, event_id: None },
    ] {
        let error = log.verify_checkpoint(&wrong).await.unwrap_err();
        assert!(matches!(error, LogError::WentBack { head: 3, .. }), "{wrong:?}: {error:?}");
    }
    log.shutdown().await;
    assert_eq!(open(folder.path()).await.verify_checkpoint(&good).await, Ok(()), "the log's id survives");
}

#[tokio::test]
async fn an_event_of_a_newer_release_stops_its_consumer_there_and_says_so() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("log.db");
    let log = open(folder.path()).await;
    log.append(foreign(product_id(), 0, 1)).await.unwrap();
    log.append(foreign(product_id(), 0, 1)).await.unwrap();
    log.shutdown().await;
    let conn = rusqlite::Connection::open(&path).unwrap();
    conn.execute("UPDATE events SET type = 'product.painted' WHERE position = 2", []).unwrap();
    drop(conn);
    let log = open(folder.path()).await;
    let stop = CancellationToken::new();
    assert_eq!(log.next(0, 10, &stop).await.unwrap().len(), 1);
    let error = log.next(1, 10, &stop).await.unwrap_err();
    assert!(matches!(error, LogError::Decode { position: 2, .. }), "{error:?}");
    assert!(error.to_string().contains("product.painted"), "{error}");
}

#[tokio::test]
async fn a_file_that_is_no_log_is_refused_with_a_reason() {
    let folder = tempdir().unwrap();
    std::fs::write(folder.path().join("log.db"), [b'x'; 5_000]).unwrap();
    let error = Log::open_sqlite(&folder.path().join("log.db"), LogOptions::default()).await.err().unwrap();
    assert!(matches!(error, LogError::Corrupt(_)), "{error:?}");
    let nowhere = folder.path().join("missing").join("log.db");
    let error = Log::open_sqlite(&nowhere, LogOptions::default()).await.err().unwrap();
    assert!(matches!(error, LogError::Unavailable(_)), "{error:?}");
}

const CHILD: &str = "EVENTLOG_TEST_CHILD_FOLDER";

/// Not a test by itself: the process that the next test kills. Prints the position of every answered commit.
#[tokio::test]
async fn child_that_appends_until_it_is_killed() {
    let Some(folder) = std::env::var_os(CHILD) else { return };
    let log = open(folder.as_ref()).await;
    loop {
        let pending: Vec<_> = (0..20)
            .map(|_| {
                let mut commit = foreign(product_id(), 0, 1);
                commit.events.push(foreign(product_id(), 0, 2).events.remove(0));
                commit.stream.id = uuid::Uuid::now_v7();
                log.enqueue(commit)
            })
            .collect();
        for pending in pending {
            println!("answered {}", pending.await.unwrap().position);
        }
    }
}

#[tokio::test]
async fn a_killed_process_leaves_every_answered_commit_and_none_by_half() {
    let folder = tempdir().unwrap();
    for _ in 0..3 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_that_appends_until_it_is_killed", "--nocapture"])
            .env(CHILD, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut answered = 0_u64;
        let mut seen = 0;
        while seen < 300 {
            let line = lines.next().unwrap().unwrap();
            if let Some((_, position)) = line.split_once("answered ") {
                answered = answered.max(position.parse().unwrap());
                seen += 1;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        for line in lines.map_while(Result::ok) {
            if let Some(position) =
                line.split_once("answered ").and_then(|(_, position)| position.parse().ok())
            {
                answered = answered.max(position);
            }
        }
        let log = open(folder.path()).await;
        let all = log.read_all(0, 1_000_000).await.unwrap();
        assert!(all.len() as u64 >= answered, "{answered} were answered, {} are there", all.len());
        assert_eq!(all.len() % 2, 0, "half a commit was left");
        assert!(all.iter().zip(1..).all(|(event, position)| event.position == position));
        log.shutdown().await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
