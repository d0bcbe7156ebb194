use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    common::{TestServer, krw, text},
    staging::{
        ABSENT, Quiet, in_days, is_done_once, method, paid_stay, path_of, pay_path, refuses_wrong_queries,
        resort, saves_the_body, stay, walked,
    },
};

#[tokio::test]
async fn a_reservation_is_seen_by_its_guest_and_its_manager_and_nobody_else() {
    let server = TestServer::start().await;
    let resort = resort(&server, json!({})).await;
    let paid = paid_stay(&server, &resort, 3, 5).await;
    let path = path_of("reservation", &paid);
    let quiet = Quiet::of(&server).await;
    let strangers = [("nobody", 401), ("henry", 404), ("otto", 404), ("phone", 404), ("courier", 404)];
    let theirs = [("grace", 200), ("mira", 200), ("admin", 200)];
    let all = [&strangers[..], &theirs].concat();
    quiet.answers(&all, async |who| who.get(&path).await).await;
    quiet.answers(&all, async |who| who.get(&format!("{path}/timeline")).await).await;
    let lists = [("nobody", 401), ("phone", 403), ("courier", 403), ("henry", 200), ("otto", 200)];
    quiet.answers(&lists, async |who| who.get("/v1/reservations").await).await;
    for stranger in [server.customer("henry"), server.manager("otto")] {
        assert_eq!(stranger.get("/v1/reservations").await.expect(200)["data"], json!([]));
    }
    for reader in [server.customer("grace"), server.manager("mira"), server.admin()] {
        let page = reader.get("/v1/reservations").await.expect(200);
        assert_eq!(page["data"][0]["reservation_id"], paid["reservation_id"]);
    }
    let place = [("nobody", 401), ("mira", 403), ("phone", 403), ("courier", 403), ("admin", 403)];
    quiet.answers(&place, async |who| who.post("/v1/reservations", stay(&resort, 7, 8)).await).await;
    let cancel = [("nobody", 401), ("henry", 404), ("otto", 404), ("phone", 403), ("courier", 403)];
    quiet.answers(&cancel, async |who| who.act(&format!("{path}/cancel")).await).await;
    let pay = [("nobody", 401), ("henry", 404), ("mira", 403), ("phone", 403), ("admin", 403)];
    quiet.answers(&pay, async |who| who.post(&pay_path(&paid), method("tok_ok")).await).await;
    server.manager("mira").act(&format!("{path}/cancel")).await.expect(200);
    server.stop().await;
}

#[tokio::test]
async fn a_reservation_and_its_cancellation_are_done_once_under_their_keys() {
    let server = TestServer::start().await;
    let grace = server.customer("grace");
    let resort = resort(&server, json!({})).await;
    let (body, other) = (stay(&resort, 3, 5), stay(&resort, 3, 6));
    let first =
        is_done_once(&grace, "/v1/reservations", body.clone(), 201, ("/v1/reservations", other)).await;
    assert_eq!(walked(&grace, "/v1/reservations", "reservation_id").await, [text(&first, "reservation_id")]);
    // Another guest's key is another key, and the nights are gone.
    let henry = server.customer("henry");
    let quiet = Quiet::of(&server).await;
    let again = henry.post_with("/v1/reservations", ("idempotency-key", "once"), body);
    quiet.refuses(again, 409, "nights_taken").await;
    let cancel = format!("{}/cancel", path_of("reservation", &first));
    let key = ("idempotency-key", "off");
    let cancelled = grace.post_with(&cancel, key, json!({"reason": "rain"})).await.expect(200);
    let quiet = Quiet::of(&server).await;
    let again = grace.post_with(&cancel, key, json!({"reason": "rain"})).await;
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.expect(200), cancelled);
    let other = grace.post_with(&cancel, key, json!({"reason": "sun"}));
    quiet.refuses(other, 422, "idempotency_key_reused").await;
    quiet.refuses(grace.act(&cancel), 409, "already_cancelled").await;
    server.stop().await;
}

#[tokio::test]
async fn an_etag_of_a_reservation_saves_its_body_and_guards_its_cancellation() {
    let server = TestServer::start().await;
    let grace = server.customer("grace");
    let resort = resort(&server, json!({})).await;
    let placed = grace.post("/v1/reservations", stay(&resort, 3, 5)).await;
    let (path, at) = (placed.header("location"), placed.header("orderstream-position"));
    assert_eq!(path, path_of("reservation", &placed.body));
    let seen = grace.get(&format!("{path}?min_position={at}")).await.expect(200);
    let fields = |body: &Value| body.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(fields(&seen), fields(&placed.body), "the answer to the command has another shape");
    let old = placed.header("etag");
    grace.post(&pay_path(&seen), method("tok_ok")).await.expect(200);
    grace.sees(&path, |row| row["voucher"]["status"] == "sent").await;
    assert_ne!(saves_the_body(&grace, &path).await, old);
    let quiet = Quiet::of(&server).await;
    let cancel = |tag: &'static str| {
        let path = format!("{path}/cancel");
        let grace = grace.clone();
        async move { grace.post_with(&path, ("if-match", tag), json!({})).await }
    };
    quiet.refuses(cancel("\"1-0.1\""), 412, "version_mismatch").await;
    quiet.refuses(cancel("rubbish"), 400, "invalid_header").await;
    cancel("*").await.expect(200);
    server.stop().await;
}

#[tokio::test]
async fn reservations_are_listed_page_by_page_by_resort_and_by_status() {
    let server = TestServer::start().await;
    let (grace, mira) = (server.customer("grace"), server.manager("mira"));
    let (here, there) = (resort(&server, json!({})).await, resort(&server, json!({})).await);
    let mut ids = Vec::new();
    for night in 3..8 {
        let placed = grace.post("/v1/reservations", stay(&here, night, night + 1)).await.expect(201);
        ids.push(text(&placed, "reservation_id").to_owned());
    }
    ids.reverse();
    assert_eq!(walked(&grace, "/v1/reservations", "reservation_id").await, ids);
    let other = server.customer("henry").post("/v1/reservations", stay(&there, 3, 4)).await.expect(201);
    let by_resort = |resort: &Value| format!("/v1/reservations?resort_id={}", text(resort, "resort_id"));
    assert_eq!(walked(&mira, &by_resort(&here), "reservation_id").await, ids);
    assert_eq!(
        walked(&mira, &by_resort(&there), "reservation_id").await,
        [text(&other, "reservation_id").to_owned()]
    );
    assert_eq!(walked(&mira, "/v1/reservations", "reservation_id").await.len(), 6);
    grace.act(&format!("/v1/reservations/{}/cancel", ids[1])).await.expect(200);
    assert_eq!(walked(&grace, "/v1/reservations?status=cancelled", "reservation_id").await, ids[1..2]);
    refuses_wrong_queries(&grace, "/v1/reservations").await;
    let timeline = format!("/v1/reservations/{}/timeline", ids[0]);
    let steps = walked(&grace, &timeline, "what").await;
    assert_eq!(steps[0], "reservation.requested");
    refuses_wrong_queries(&grace, &timeline).await;
    server.stop().await;
}

#[tokio::test]
async fn each_wrong_stay_has_its_own_problem_and_appends_nothing() {
    let server = TestServer::start().await;
    let grace = server.customer("grace");
    let resort = resort(&server, json!({})).await;
    grace.post("/v1/reservations", stay(&resort, 20, 22)).await.expect(201);
    let good = stay(&resort, 3, 5);
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        body
    };
    let guest = |name: &str, value: Value| {
        let mut body = good.clone();
        body["guest"][name] = value;
        body
    };
    let cases = [
        ("check_out before check_in", stay(&resort, 5, 3), 422, "invalid_dates"),
        ("no night", stay(&resort, 5, 5), 422, "invalid_dates"),
        ("a hundred years", stay(&resort, 5, 36_505), 422, "invalid_dates"),
        ("91 nights", stay(&resort, 30, 121), 422, "invalid_dates"),
        ("a night long past", with("check_in", json!("2020-01-01")), 422, "invalid_dates"),
        ("no date", with("check_in", json!("tomorrow")), 422, "invalid_body"),
        ("no day of the calendar", with("check_in", json!("2030-02-31")), 422, "invalid_body"),
        ("a night that is taken", stay(&resort, 19, 21), 409, "nights_taken"),
        ("a night that is not on offer", stay(&resort, 364, 366), 409, "not_open"),
        ("another price", with("expected_total", krw(1)), 409, "price_changed"),
        ("an unknown resort", with("resort_id", json!(ABSENT)), 404, "resort_not_found"),
        ("a resort that is no id", with("resort_id", json!("seaside")), 422, "invalid_body"),
        ("no guest", with("guest", Value::Null), 422, "invalid_body"),
        ("a guest without a name", guest("name", json!(" ")), 422, "invalid_body"),
        ("a guest with a line break", guest("phone", json!("1\n2")), 422, "invalid_body"),
        ("an address that is none", guest("email", json!("minji")), 422, "invalid_body"),
        ("a status", with("status", json!("paid")), 422, "unknown_field"),
        ("a payment", with("payment_method", json!("tok_ok")), 422, "unknown_field"),
    ];
    let quiet = Quiet::of(&server).await;
    for (what, body, status, code) in cases {
        println!("{what}");
        quiet.refuses(grace.post("/v1/reservations", body), status, code).await;
    }
    let absent = format!("/v1/reservations/{ABSENT}");
    quiet.refuses(grace.get(&absent), 404, "reservation_not_found").await;
    quiet.refuses(grace.act(&format!("{absent}/cancel")), 404, "reservation_not_found").await;
    let mut right = good.clone();
    right["expected_total"] = krw(240_000);
    grace.post("/v1/reservations", right).await.expect(201);
    server.stop().await;
}

#[tokio::test]
async fn a_stay_is_paid_once_and_not_after_its_deadline() {
    let server = TestServer::start().await;
    let grace = server.customer("grace");
    let (paid, hasty) =
        (resort(&server, json!({})).await, resort(&server, json!({"pay_within_secs": 1})).await);
    let late = grace.post("/v1/reservations", stay(&hasty, 3, 5)).await.expect(201);
    let paid = paid_stay(&server, &paid, 3, 5).await;
    grace.sees(&path_of("reservation", &late), |row| row["status"] == "expired").await;
    let quiet = Quiet::of(&server).await;
    quiet.refuses(grace.post(&pay_path(&paid), method("tok_ok")), 409, "already_captured").await;
    quiet.refuses(grace.post(&pay_path(&late), method("tok_ok")), 409, "payment_expired").await;
    let cancel = format!("{}/cancel", path_of("reservation", &late));
    quiet.refuses(grace.act(&cancel), 409, "reservation_expired").await;
    let entries = server.server.platform().sandbox().entries().await.unwrap();
    assert_eq!(entries.len(), 1, "{entries:?}");
    server.stop().await;
}

#[tokio::test]
async fn a_deadline_holds_although_nobody_watches_it() {
    let server = TestServer::start().await;
    let grace = server.customer("grace");
    let resort = resort(&server, json!({"pay_within_secs": 1})).await;
    let held = grace.post("/v1/reservations", stay(&resort, 3, 5)).await.expect(201);
    let server = server.restart_with(|settings| settings.except = vec!["payments".to_owned()]).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let quiet = Quiet::of(&server).await;
    let late = server.customer("grace").post(&pay_path(&held), method("tok_ok")).await;
    quiet.refuses(async { late }, 409, "payment_overdue").await;
    server.stop().await;
}

#[tokio::test]
async fn a_stay_that_is_near_cannot_be_cancelled() {
    let server = TestServer::start().await;
    let grace = server.customer("grace");
    let resort = resort(&server, json!({"cancel_days_before": 30})).await;
    let paid = paid_stay(&server, &resort, 3, 5).await;
    let quiet = Quiet::of(&server).await;
    let cancel = format!("{}/cancel", path_of("reservation", &paid));
    quiet.refuses(grace.act(&cancel), 409, "too_late_to_cancel").await;
    quiet.refuses(server.manager("mira").act(&cancel), 409, "too_late_to_cancel").await;
    for (reason, code) in [(json!("x".repeat(501)), "invalid_body"), (json!("\0"), "invalid_body")] {
        quiet.refuses(grace.post(&cancel, json!({"reason": reason})), 422, code).await;
    }
    quiet.refuses(grace.post(&cancel, json!({"refund": true})), 422, "unknown_field").await;
    assert_eq!(paid["check_in"], json!(in_days(3)));
    server.stop().await;
}
