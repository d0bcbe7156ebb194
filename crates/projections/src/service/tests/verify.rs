//! Verification finds what is wrong, and only that.

use super::{Place, all_at, live_table};
use crate::{VerifyReport, testing::crowd, view_names};

#[tokio::test]
async fn rows_changed_by_hand_are_found_and_a_rebuild_heals_them() {
    let place = Place::new().await;
    let views = place.views().await;
    views.start(view_names());
    let history = crowd(31, 40);
    let head = place.append(&history.commits).await;
    all_at(&views, head).await;
    let clean = views.verify("orders", |_| {}).await.unwrap();
    let placed = place.stored("orders").len() as u64;
    assert!(placed > 20 && clean.is_clean() && clean.same == placed && clean.position == head, "{clean:#?}");

    let conn = rusqlite::Connection::open(place.views_db()).unwrap();
    let table = live_table(&conn, "orders");
    let keys: Vec<String> = place.stored("orders").into_keys().collect();
    let change = |sql: &str, key: &str| {
        assert_eq!(conn.execute(&sql.replace("orders", &table), [key]).unwrap(), 1);
    };
    change("UPDATE orders SET doc = json_set(doc, '$.total.amount_minor', 1) WHERE key = ?1", &keys[3]);
    change("UPDATE orders SET status = 'lost' WHERE key = ?1", &keys[5]);
    change("DELETE FROM orders WHERE key = ?1", &keys[7]);
    change(
        "INSERT INTO orders SELECT ?1, sort, customer_id, shop_id, status, doc FROM orders LIMIT 1",
        "zzz",
    );
    // Only spelled differently: that is no difference.
    change("UPDATE orders SET doc = ' ' || doc WHERE key = ?1", &keys[9]);

    let report = views.verify("orders", |_| {}).await.unwrap();
    assert!(!report.is_clean());
    assert_eq!((report.same, report.different, report.missing, report.unexpected), (placed - 3, 2, 1, 1));
    let found: Vec<&str> = report.differences.iter().map(|difference| difference.key.as_str()).collect();
    assert_eq!(found, [&keys[3], &keys[5], &keys[7], "zzz"]);
    let [total, status, lost, made_up] = report.differences.as_slice() else { unreachable!() };
    assert_eq!(total.live.as_ref().unwrap()["doc"]["total"]["amount_minor"], 1);
    assert_ne!(total.refolded.as_ref().unwrap()["doc"]["total"]["amount_minor"], 1);
    assert_eq!(status.live.as_ref().unwrap()["status"], "lost");
    assert!(lost.live.is_none() && lost.refolded.is_some());
    assert!(made_up.live.is_some() && made_up.refolded.is_none());

    views.rebuild("orders", |_| {}).await.unwrap();
    assert!(views.verify("orders", |_| {}).await.unwrap().is_clean());
    assert_eq!(place.stored("orders"), super::folded("orders", &history.envelopes()));
    let scratch = super::tables(&place.views_db());
    assert_eq!(scratch.len(), view_names().len() + 1, "only the replaced build is left beside: {scratch:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn verification_is_clean_while_the_views_go_on() {
    let place = Place::new().await;
    let views = place.views().await;
    views.start(view_names());
    let history = crowd(32, 600);
    let (first, second) = history.commits.split_at(history.commits.len() / 2);
    let at = place.append(first).await;
    all_at(&views, at).await;
    let (log, commits) = (place.log.clone(), second.to_vec());
    let writing = tokio::spawn(async move {
        for some in commits.chunks(30) {
            super::append(&log, some).await;
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    });
    let reports = views.verify_all(|_| {}).await.unwrap();
    writing.await.unwrap();
    assert_eq!(reports.len(), view_names().len());
    assert!(reports.iter().all(VerifyReport::is_clean), "{reports:#?}");
    assert!(reports.iter().all(|report| report.position >= at && report.same > 0));
}
