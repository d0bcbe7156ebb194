//! Reading: pages, cursors, filters.

use std::collections::BTreeSet;

use super::{Place, all_at, in_a_file_and_in_a_database};
use crate::{
    Cursor, CustomerEntry, Deliveries, ListQuery, Orders, Products, Reservations, Shops, Timeline, ViewError,
    testing::{Scenario, crowd, story},
    view_names,
};

in_a_file_and_in_a_database! {
    pages_stay_stable_while_new_rows_come,
    filters_find_the_rows_that_have_all_of_the_values,
    the_timeline_tells_the_steps_of_an_order_in_order_and_hides_its_header,
    a_customers_page_shows_orders_and_reservations_together_in_time_order,
    the_timeline_of_a_reservation_is_found_by_it,
}

async fn pages_stay_stable_while_new_rows_come(place: Place) {
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

async fn filters_find_the_rows_that_have_all_of_the_values(place: Place) {
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

async fn the_timeline_tells_the_steps_of_an_order_in_order_and_hides_its_header(place: Place) {
    let views = place.views().await;
    views.start(view_names());
    let head = place.append(&crowd(43, 20).commits).await;
    all_at(&views, head).await;
    let order = views.list::<Orders>(ListQuery::newest(1)).await.unwrap().rows.pop().unwrap();
    let id = order.order_id.to_string();
    let steps =
        views.list::<Timeline>(ListQuery::oldest(1_000).parts_of(order.order_id.uuid())).await.unwrap();
    assert_eq!(steps.rows[0].what, "order.placed");
    assert!(steps.rows.is_sorted_by_key(|step| step.position) && steps.rows.len() > 5);
    assert!(steps.rows.iter().all(|step| step.customer_id == order.customer_id));
    assert!(steps.rows.iter().all(|step| step.order_id == Some(order.order_id)));
    assert_eq!(views.get::<Timeline>(&id).await.unwrap(), None, "the header was shown");
    let all = views.list::<Timeline>(ListQuery::oldest(1_000)).await.unwrap().rows;
    assert!(all.iter().all(|step| step.position > 0));
    let distinct: BTreeSet<_> = all.iter().map(|step| step.position).collect();
    assert_eq!(distinct.len(), all.len());
}

async fn a_customers_page_shows_orders_and_reservations_together_in_time_order(place: Place) {
    let views = place.views().await;
    views.start(view_names());
    let head = place.append(&crowd(44, 400).commits).await;
    all_at(&views, head).await;
    let reservations = views.list::<Reservations>(ListQuery::newest(1_000)).await.unwrap().rows;
    let orders = views.list::<Orders>(ListQuery::newest(1_000)).await.unwrap().rows;
    let (mut mixed, mut seen) = (0, 0);
    let customers: BTreeSet<_> = reservations.iter().map(|row| row.customer_id.clone()).collect();
    for customer in &customers {
        let own = orders.iter().filter(|row| row.customer_id == *customer);
        let booked = reservations.iter().filter(|row| row.customer_id == *customer);
        let mut expected: Vec<_> = own
            .map(|row| (row.placed_at, row.order_id.uuid()))
            .chain(booked.map(|row| (row.placed_at, row.reservation_id.uuid())))
            .collect();
        expected.sort_unstable_by(|one, other| other.cmp(one));
        let (mut found, mut cursor) = (Vec::new(), None);
        loop {
            let page = views.customer_page(customer.as_str(), cursor, 2).await.unwrap();
            assert!(page.rows.len() <= 2 && page.has_more == page.next.is_some());
            found.extend(page.rows.iter().map(|entry| match entry {
                CustomerEntry::Order(row) => (row.placed_at, row.order_id.uuid()),
                CustomerEntry::Reservation(row) => (row.placed_at, row.reservation_id.uuid()),
            }));
            let Some(next) = page.next else { break };
            cursor = Some(Cursor::from_opaque(&next.to_opaque()).unwrap());
        }
        assert_eq!(found, expected, "{customer}");
        mixed += usize::from(found.iter().any(|(_, id)| orders.iter().any(|row| row.order_id.uuid() == *id)));
        seen += found.len();

        let all = ListQuery::oldest(1_000).filter("customer_id", customer.as_str());
        let steps = views.list::<Timeline>(all).await.unwrap().rows;
        assert!(steps.is_sorted_by_key(|step| step.position) && steps.is_sorted_by_key(|step| step.at));
        assert!(steps.iter().all(|step| step.order_id.is_some() != step.reservation_id.is_some()));
    }
    assert!(mixed > 5 && seen > customers.len(), "{mixed} customers have both");
    assert_eq!(views.customer_page("nobody", None, 10).await.unwrap().rows, []);
}

async fn the_timeline_of_a_reservation_is_found_by_it(place: Place) {
    let views = place.views().await;
    views.start(view_names());
    let head = place.append(&story(Scenario::Stayed).commits).await;
    all_at(&views, head).await;
    let row = views.list::<Reservations>(ListQuery::newest(1)).await.unwrap().rows.pop().unwrap();
    let query = ListQuery::oldest(100).parts_of(row.reservation_id.uuid());
    let steps = views.list::<Timeline>(query).await.unwrap().rows;
    let whats: Vec<_> = steps.iter().map(|step| step.what.as_ref()).collect();
    assert_eq!(whats[..3], ["reservation.requested", "resort.nights_held", "reservation.confirmed"]);
    assert_eq!(whats.last(), Some(&"reservation.completed"));
    assert!(whats.contains(&"voucher.sent") && whats.contains(&"payment.captured"));
}
