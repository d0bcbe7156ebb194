//! Reading: pages, cursors, filters.

use std::collections::BTreeSet;

use super::{Place, all_at};
use crate::{
    Cursor, Deliveries, ListQuery, Orders, Products, Shops, Timeline, ViewError, testing::crowd, view_names,
};

#[tokio::test]
async fn pages_stay_stable_while_new_rows_come() {
    let place = Place::new().await;
    let views = place.views().await;
    views.start(view_names());
    let history = crowd(41, 90);
    let (first, second) = history.commits.split_at(history.commits.len() / 2);
    let head = place.append(first).await;
    all_at(&views, head).await;
    let all = views.list::<Orders>(ListQuery::newest(1_000)).await.unwrap();
    assert!(!all.has_more && all.next.is_none() && all.rows.len() > 30);
    let expected: Vec<_> = all.rows.iter().map(|row| row.order_id).collect();

    let mut rest = second.chunks(second.len() / 5);
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = views.list::<Orders>(ListQuery::newest(7).after(cursor)).await.unwrap();
        assert_eq!(page.has_more, page.next.is_some());
        seen.extend(page.rows.iter().map(|row| row.order_id));
        let Some(next) = page.next else { break };
        cursor = Some(Cursor::from_opaque(&next.to_opaque()).unwrap());
        if let Some(some) = rest.next() {
            let head = place.append(some).await;
            all_at(&views, head).await;
        }
    }
    assert_eq!(seen, expected, "a page repeated or left out rows");

    let oldest = views.list::<Orders>(ListQuery::oldest(3)).await.unwrap();
    assert_eq!(oldest.rows[0].order_id, *expected.last().unwrap());
    assert!(oldest.rows.is_sorted_by_key(|row| row.placed_at));
    let after = views.list::<Orders>(ListQuery::oldest(3).after(oldest.next)).await.unwrap();
    assert!(after.rows[0].placed_at > oldest.rows[2].placed_at);
}

#[tokio::test]
async fn filters_find_the_rows_that_have_all_of_the_values() {
    let place = Place::new().await;
    let views = place.views().await;
    views.start(view_names());
    let head = place.append(&crowd(42, 120).commits).await;
    all_at(&views, head).await;
    let all = views.list::<Orders>(ListQuery::newest(1_000)).await.unwrap().rows;
    let query = ListQuery::newest(1_000).filter("shop_id", "pizza").filter("status", "completed");
    let found = views.list::<Orders>(query).await.unwrap().rows;
    let expected: Vec<_> = all
        .iter()
        .filter(|row| row.shop_id.as_str() == "pizza" && row.status.name() == "completed")
        .cloned()
        .collect();
    assert!(!expected.is_empty());
    assert_eq!(found, expected);

    let order = &all[0];
    assert_eq!(views.get::<Orders>(&order.order_id.to_string()).await.unwrap().as_ref(), Some(order));
    assert_eq!(views.get::<Orders>("no such key").await.unwrap(), None);
    assert_eq!(views.get::<Shops>("pizza").await.unwrap().unwrap().name, "Shop pizza");
    let deliveries = ListQuery::newest(1_000).filter("customer_id", order.customer_id.as_str());
    for delivery in views.list::<Deliveries>(deliveries).await.unwrap().rows {
        assert_eq!(delivery.customer_id, order.customer_id);
    }
    let listed = ListQuery::oldest(1_000).filter("status", "listed");
    assert_eq!(views.list::<Products>(listed).await.unwrap().rows.len(), 24);

    let wrong = views.list::<Orders>(ListQuery::newest(1).filter("total", 1)).await.unwrap_err();
    assert_eq!(wrong, ViewError::UnknownColumn { view: "orders", column: "total".into() });
}

#[tokio::test]
async fn the_timeline_tells_the_steps_of_an_order_in_order_and_hides_its_header() {
    let place = Place::new().await;
    let views = place.views().await;
    views.start(view_names());
    let head = place.append(&crowd(43, 20).commits).await;
    all_at(&views, head).await;
    let order = views.list::<Orders>(ListQuery::newest(1)).await.unwrap().rows.pop().unwrap();
    let id = order.order_id.to_string();
    let steps =
        views.list::<Timeline>(ListQuery::oldest(1_000).filter("order_id", id.as_str())).await.unwrap();
    assert_eq!(steps.rows[0].what, "order.placed");
    assert!(steps.rows.is_sorted_by_key(|step| step.position) && steps.rows.len() > 5);
    assert!(steps.rows.iter().all(|step| step.customer_id == order.customer_id));
    assert_eq!(views.get::<Timeline>(&id).await.unwrap(), None, "the header was shown");
    let all = views.list::<Timeline>(ListQuery::oldest(1_000)).await.unwrap().rows;
    assert!(all.iter().all(|step| step.position > 0));
    let distinct: BTreeSet<_> = all.iter().map(|step| step.position).collect();
    assert_eq!(distinct.len(), all.len());
}
