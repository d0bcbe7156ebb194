//! Lists show what their filters ask for, the newest first.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Place, all_at, in_a_file_and_in_a_database};
use crate::{
    Coupons, DailyFigures, ListQuery, Refunds, Reservations, Resorts, View, Views, Vouchers, testing::crowd,
    view_names,
};

in_a_file_and_in_a_database! {
    reservations_vouchers_resorts_refunds_coupons_and_figures_are_listed_by_all_their_columns,
}

/// Each filter leaves just the rows that have its value, in the order of the whole list.
async fn filtered<V: View>(views: &Views) {
    let json = |rows: Vec<V::Row>| -> Vec<Value> {
        rows.into_iter().map(|row| serde_json::to_value(row).unwrap()).collect()
    };
    let list = async |query: ListQuery| json(views.list::<V>(query).await.unwrap().rows);
    let all = list(ListQuery::newest(1_000)).await;
    assert!((1..1_000).contains(&all.len()), "{} has {} rows", V::NAME, all.len());
    for column in V::COLUMNS {
        let value = |row: &Value| row.get(column.name).and_then(Value::as_str).map(str::to_owned);
        let values: BTreeSet<_> = all.iter().filter_map(value).collect();
        assert!(!values.is_empty(), "no {} has a {}", V::NAME, column.name);
        for wanted in values {
            let expected: Vec<_> =
                all.iter().filter(|row| value(row).as_ref() == Some(&wanted)).cloned().collect();
            let found = list(ListQuery::newest(1_000).filter(column.name, wanted.as_str())).await;
            assert_eq!(found, expected, "{} with {} {wanted}", V::NAME, column.name);
        }
    }
}

async fn reservations_vouchers_resorts_refunds_coupons_and_figures_are_listed_by_all_their_columns(
    place: Place,
) {
    let views = place.views().await;
    views.start(view_names());
    let head = place.append(&crowd(45, 250).commits).await;
    all_at(&views, head).await;
    filtered::<Reservations>(&views).await;
    filtered::<Vouchers>(&views).await;
    filtered::<Resorts>(&views).await;
    filtered::<Refunds>(&views).await;
    filtered::<Coupons>(&views).await;
    filtered::<DailyFigures>(&views).await;

    let placed = |row: &crate::ReservationRow| row.placed_at;
    let newest = views.list::<Reservations>(ListQuery::newest(1_000)).await.unwrap().rows;
    assert!(newest.iter().map(placed).is_sorted_by(|one, next| one > next));
    let figures = views.list::<DailyFigures>(ListQuery::oldest(1_000)).await.unwrap().rows;
    assert!(figures.iter().all(|row| row.day.is_some()), "a row that only remembers an owner was shown");
    let order = &views.list::<crate::Orders>(ListQuery::newest(1)).await.unwrap().rows[0];
    assert_eq!(views.get::<DailyFigures>(&order.order_id.to_string()).await.unwrap(), None);
}
