//! Verification finds what is wrong, and only that.

use super::{Place, all_at, in_a_file_and_in_a_database, kept::Kept};
use crate::{VerifyReport, testing::crowd, view_names};

in_a_file_and_in_a_database! {
    rows_changed_by_hand_are_found_and_a_rebuild_heals_them,
    verification_is_clean_while_the_views_go_on,
}

async fn rows_changed_by_hand_are_found_and_a_rebuild_heals_them(place: Place) {
    let views = place.views().await;
    views.start(view_names());
    let history = crowd(31, 40);
    let head = place.append(&history.commits).await;
    all_at(&views, head).await;
    let clean = views.verify("orders", |_| {}).await.unwrap();
    let placed = place.stored("orders").await.len() as u64;
    assert!(placed > 20 && clean.is_clean() && clean.same == placed && clean.position == head, "{clean:#?}");

    let kept = place.kept();
    let table = kept.live_table("orders").await;
    let keys: Vec<String> = place.stored("orders").await.into_keys().collect();
    let change = async |sql: &str, key: &str| {
        let sql = sql.replace("orders", &table).replace("?1", &format!("'{key}'"));
        assert_eq!(kept.change(&sql).await, 1);
    };
    let one = match &kept {
        Kept::File(_) => "json_set(doc, '$.total.amount_minor', 1)",
        Kept::Database(_) => "jsonb_set(doc::jsonb, '{total,amount_minor}', '1')::text",
    };
    change(&format!("UPDATE orders SET doc = {one} WHERE key = ?1"), &keys[3]).await;
    change("UPDATE orders SET status = 'lost' WHERE key = ?1", &keys[5]).await;
    change("DELETE FROM orders WHERE key = ?1", &keys[7]).await;
    let made_up = "INSERT INTO orders SELECT ?1, sort, customer_id, shop_id, status, doc FROM orders LIMIT 1";
    change(made_up, "zzz").await;
    // Only spelled differently: that is no difference.
    change("UPDATE orders SET doc = ' ' || doc WHERE key = ?1", &keys[9]).await;

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
    assert_eq!(place.stored("orders").await, super::folded("orders", &history.envelopes()));
    let scratch = place.tables().await;
    assert_eq!(scratch.len(), view_names().len() + 1, "only the replaced build is left beside: {scratch:?}");
}

async fn verification_is_clean_while_the_views_go_on(place: Place) {
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
