use chrono::{Days, NaiveDate, Utc};
use domain::TimeZone;
use serde_json::{Value, json};

use crate::{
    common::{TestServer, krw},
    staging::ABSENT,
};

#[tokio::test]
async fn a_night_that_is_over_at_the_resort_is_past_whoever_had_it() {
    let server = TestServer::start().await;
    let admin = server.admin();
    // The two zones have a different date for most of the day: one of them always differs from UTC's.
    for zone in ["Asia/Seoul", "Pacific/Honolulu"] {
        let there: TimeZone = zone.parse().unwrap();
        let today = there.date_at(Utc::now());
        let day = |days: i64| -> NaiveDate {
            if days < 0 {
                today - Days::new(days.unsigned_abs())
            } else {
                today + Days::new(days.unsigned_abs())
            }
        };
        let resort = json!({
            "name": "Lodge", "kind": "pension", "nightly_price": krw(100_000), "time_zone": zone,
            "open_from": day(-30), "open_until": day(30),
        });
        let resort = admin.post("/v1/resorts", resort).await.expect(201);
        let path = format!("/v1/resorts/{}/nights", resort["resort_id"].as_str().unwrap());
        let nights = admin.get(&format!("{path}?from={}&to={}", day(-2), day(2))).await.expect(200);
        if today != there.date_at(Utc::now()) {
            continue; // Midnight came in between.
        }
        let expected = [(-2, "past"), (-1, "past"), (0, "free"), (1, "free")];
        let expected: Vec<Value> =
            expected.iter().map(|(days, status)| json!({"date": day(*days), "status": status})).collect();
        assert_eq!(nights["data"], json!(expected), "{zone}");
    }
    server.stop().await;
}

#[tokio::test]
async fn nights_are_asked_for_with_from_and_to_and_nothing_else() {
    let server = TestServer::start().await;
    let nobody = server.nobody();
    let path = format!("/v1/resorts/{ABSENT}/nights?from=2030-01-01");
    for query in ["", "&until=2030-01-03", "&to=2030-01-03&until=2030-01-04"] {
        nobody.get(&format!("{path}{query}")).await.problem(400, "invalid_query");
    }
    nobody.get(&format!("{path}&to=2030-01-03")).await.problem(404, "resort_not_found");
    server.stop().await;
}

#[test]
fn the_document_shows_what_a_night_can_be() {
    let document = orderstream::routes::document();
    let status = &document["components"]["schemas"]["NightStatus"]["enum"];
    assert_eq!(status, &json!(["past", "free", "taken", "not_open"]));
}
