//! Resorts, scenario by scenario, over HTTP.
#![allow(clippy::unwrap_used, missing_docs)]

mod world;

use std::collections::BTreeSet;

use chrono::{Days, NaiveDate, Utc};
use futures::future::join_all;
use serde_json::{Value, json};
use world::{Answer, Person, World, text};

fn in_days(days: u64) -> NaiveDate {
    Utc::now().date_naive() + Days::new(days + 1)
}

fn house() -> Value {
    json!({
        "name": "Seaside House", "kind": "pension", "nightly_price": {"amount_minor": 120_000, "currency": "KRW"},
        "open_from": in_days(0), "open_until": in_days(365),
    })
}

/// A resort registered by Mira, with some fields as given.
async fn registered(world: &World, other: Value) -> Value {
    let mut body = house();
    for (name, value) in other.as_object().unwrap() {
        body[name] = value.clone();
    }
    world.manager("mira").post("/v1/resorts", body).await.expect(201)
}

async fn reserve(guest: &Person, resort: &Value, from: u64, until: u64) -> Answer {
    let body = json!({
        "resort_id": resort["resort_id"], "check_in": in_days(from), "check_out": in_days(until),
        "guest": {"name": "Kim Min-ji", "phone": "010-1234-5678"},
    });
    guest.post("/v1/reservations", body).await
}

async fn pay(guest: &Person, stay: &Value, token: &str) -> Answer {
    let path = format!("/v1/payments/{}/pay", text(&stay["payment"], "payment_id"));
    guest.post(&path, json!({"payment_method": token})).await
}

fn path_of(stay: &Value) -> String {
    format!("/v1/reservations/{}", text(stay, "reservation_id"))
}

/// Reads the reservation until the fields (JSON pointers) have these values.
async fn sees(guest: &Person, stay: &Value, fields: &[(&str, &str)]) -> Value {
    let fits =
        |row: &Value| fields.iter().all(|(at, value)| row.pointer(at).is_some_and(|found| found == value));
    guest.sees(&path_of(stay), fits).await
}

async fn paid(guest: &Person, resort: &Value, from: u64, until: u64) -> Value {
    let stay = reserve(guest, resort, from, until).await.expect(201);
    pay(guest, &stay, "tok_ok").await.expect(200);
    sees(guest, &stay, &[("/status", "paid"), ("/voucher/status", "sent")]).await
}

async fn nights(world: &World, resort: &Value, from: u64, until: u64) -> Vec<String> {
    let path = format!(
        "/v1/resorts/{}/nights?from={}&to={}",
        text(resort, "resort_id"),
        in_days(from),
        in_days(until)
    );
    let page = world.customer("anybody").get(&path).await.expect(200);
    page["data"].as_array().unwrap().iter().map(|night| text(night, "status")).collect()
}

async fn has_nights(world: &World, resort: &Value, from: u64, until: u64, wanted: &[&str]) {
    for _ in 0..200 {
        if nights(world, resort, from, until).await == wanted {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(nights(world, resort, from, until).await, wanted);
}

#[tokio::test]
async fn resort_01_a_manager_registers_a_resort() {
    let world = World::start().await;
    let resort = registered(&world, json!({})).await;
    assert_eq!((&resort["name"], &resort["kind"]), (&json!("Seaside House"), &json!("pension")));
    assert_eq!(resort["nightly_price"], json!({"amount_minor": 120_000, "currency": "KRW"}));
    assert_eq!((&resort["status"], &resort["time_zone"]), (&json!("open"), &json!("Asia/Seoul")));
    let anybody = world.customer("grace");
    let path = format!("/v1/resorts/{}", text(&resort, "resort_id"));
    assert_eq!(anybody.get(&path).await.expect(200)["open_from"], json!(in_days(0)));
    // Only a manager registers, and only the one who did changes it.
    anybody.post("/v1/resorts", house()).await.problem(403, "forbidden");
    world.manager("other").patch(&path, json!({"name": "Mine"})).await.problem(404, "resort_not_found");
    let changed = world.manager("mira").patch(&path, json!({"name": "Dune House"})).await.expect(200);
    assert_eq!(changed["name"], "Dune House");
    world.stop().await;
}

#[tokio::test]
async fn resort_02_a_customer_picks_a_resort_and_reserves_it() {
    let world = World::start().await;
    let resort = registered(&world, json!({})).await;
    let grace = world.customer("grace");
    let list = grace.sees("/v1/resorts", |page| page["data"][0]["resort_id"] == resort["resort_id"]).await;
    assert_eq!(list["data"].as_array().unwrap().len(), 1);
    let stay = reserve(&grace, &resort, 10, 13).await.expect(201);
    assert_eq!((&stay["status"], &stay["nights"]), (&json!("awaiting_payment"), &json!(3)));
    assert_eq!(stay["total"], json!({"amount_minor": 360_000, "currency": "KRW"}));
    assert_eq!(stay["guest"]["name"], "Kim Min-ji");
    // Nobody else sees it.
    world.customer("henry").get(&path_of(&stay)).await.problem(404, "reservation_not_found");
    world.manager("other").get(&path_of(&stay)).await.problem(404, "reservation_not_found");
    world.manager("mira").get(&path_of(&stay)).await.expect(200);
    world.stop().await;
}

#[tokio::test]
async fn resort_03_the_customer_pays_later_as_a_step_of_its_own() {
    let world = World::start().await;
    let resort = registered(&world, json!({})).await;
    let grace = world.customer("grace");
    let stay = reserve(&grace, &resort, 10, 12).await.expect(201);
    assert!(stay["payment"]["due_at"].is_string(), "{stay}");
    pay(&world.customer("henry"), &stay, "tok_ok").await.problem(404, "payment_not_found");
    pay(&grace, &stay, "tok_declined").await.problem(402, "payment_declined");
    let payment = pay(&grace, &stay, "tok_ok").await.expect(200);
    assert_eq!(
        (&payment["status"], &payment["reservation_id"]),
        (&json!("captured"), &stay["reservation_id"])
    );
    pay(&grace, &stay, "tok_ok").await.problem(409, "already_captured");
    sees(&grace, &stay, &[("/status", "paid"), ("/payment/status", "captured")]).await;
    world.stop().await;
}

#[tokio::test]
async fn resort_03_waiting_for_payment_does_not_last_for_ever() {
    let world = World::start().await;
    let resort = registered(&world, json!({"pay_within_secs": 1, "notify": ["reservation_expired"]})).await;
    let grace = world.customer("grace");
    let stay = reserve(&grace, &resort, 10, 12).await.expect(201);
    sees(&grace, &stay, &[("/status", "expired"), ("/payment/status", "expired")]).await;
    has_nights(&world, &resort, 10, 12, &["free", "free"]).await;
    let late = pay(&grace, &stay, "tok_ok").await;
    assert_eq!(late.status, 409, "{late:?}");
    grace.post(&format!("{}/cancel", path_of(&stay)), json!({})).await.problem(409, "reservation_expired");
    let told = grace.sees("/v1/notifications", |page| page["data"][0]["status"] == "sent").await;
    assert_eq!(told["data"][0]["event"], "reservation_expired");
    world.stop().await;
}

#[tokio::test]
async fn resort_04_a_confirmed_reservation_makes_the_resort_unavailable_for_those_nights() {
    let world = World::start().await;
    let resort = registered(&world, json!({})).await;
    reserve(&world.customer("grace"), &resort, 10, 12).await.expect(201);
    has_nights(&world, &resort, 9, 13, &["free", "taken", "taken", "free"]).await;
    let henry = world.customer("henry");
    let taken = reserve(&henry, &resort, 11, 13).await.problem(409, "nights_taken");
    assert_eq!(taken["night"], json!(in_days(11)));
    // Whoever leaves on a day does not stay its night.
    reserve(&henry, &resort, 12, 13).await.expect(201);
    reserve(&henry, &resort, 9, 10).await.expect(201);
    world.stop().await;
}

#[tokio::test]
async fn resort_04_no_night_is_given_to_two_of_200_at_once() {
    let world = World::start().await;
    let resort = registered(&world, json!({})).await;
    let wishes = (0..200_u64).map(|number| {
        let (guest, resort) = (world.customer(&format!("guest-{number}")), resort.clone());
        let from = 20 + number % 10;
        async move { (from, reserve(&guest, &resort, from, from + 1 + number % 4).await) }
    });
    let answers = join_all(wishes).await;
    let mut given = BTreeSet::new();
    let mut held = 0;
    for (from, answer) in &answers {
        match answer.status {
            201 => {
                held += 1;
                let nights = answer.body["nights"].as_u64().unwrap();
                for night in *from..*from + nights {
                    assert!(given.insert(night), "the night {night} was given twice");
                }
            }
            409 => assert_eq!(answer.body["code"], "nights_taken"),
            other => panic!("answered {other}: {}", answer.body),
        }
    }
    assert!((3..=13).contains(&held), "{held} of 200 were given nights");
    let taken = nights(&world, &resort, 20, 33).await;
    assert_eq!(taken.iter().filter(|status| *status == "taken").count(), given.len());
    world.stop().await;
}

#[tokio::test]
async fn resort_05_a_voucher_is_sent_to_the_customer() {
    let world = World::start().await;
    let resort = registered(&world, json!({"notify": []})).await;
    let grace = world.customer("grace");
    let stay = paid(&grace, &resort, 10, 12).await;
    let code = text(&stay["voucher"], "code");
    assert_eq!(code.len(), 19, "{code}");
    let told = grace.sees("/v1/notifications", |page| page["data"][0]["status"] == "sent").await;
    assert_eq!(told["data"][0]["event"], "voucher_send_requested");
    let path = format!("/v1/vouchers/{}", text(&stay["voucher"], "voucher_id"));
    assert_eq!(grace.get(&path).await.expect(200)["code"], code);
    world.customer("henry").get(&path).await.problem(404, "voucher_not_found");
    grace.act(&format!("{path}/send")).await.problem(403, "forbidden");
    assert_eq!(world.manager("mira").act(&format!("{path}/send")).await.expect(200)["sendings"], 2);
    world.stop().await;
}

#[tokio::test]
async fn resort_05_nobody_guesses_the_code_of_a_voucher() {
    let world = World::start().await;
    let resort = registered(&world, json!({})).await;
    let grace = world.customer("grace");
    let mut codes = BTreeSet::new();
    for number in 0..5 {
        let stay = paid(&grace, &resort, 10 + number, 11 + number).await;
        let code = text(&stay["voucher"], "code").replace('-', "");
        assert!(!text(&stay, "reservation_id").to_uppercase().contains(&code[..4]), "{code}");
        assert!(codes.insert(code[..6].to_owned()), "two codes begin alike");
    }
    world.stop().await;
}

#[tokio::test]
async fn resort_06_the_customer_can_cancel_a_confirmed_reservation() {
    let world = World::start().await;
    let resort = registered(&world, json!({})).await;
    let grace = world.customer("grace");
    let stay = paid(&grace, &resort, 10, 12).await;
    let cancel = format!("{}/cancel", path_of(&stay));
    world.customer("henry").post(&cancel, json!({})).await.problem(404, "reservation_not_found");
    let cancelled = grace.post(&cancel, json!({"reason": "the children are ill"})).await.expect(200);
    assert_eq!(
        (&cancelled["status"], &cancelled["cancellation"]["reason"]),
        (&json!("cancelled"), &json!("the children are ill"))
    );
    grace.post(&cancel, json!({})).await.problem(409, "already_cancelled");
    // One that is not paid yet can be cancelled too.
    let second = reserve(&grace, &resort, 20, 22).await.expect(201);
    grace.post(&format!("{}/cancel", path_of(&second)), json!({})).await.expect(200);
    sees(&grace, &second, &[("/status", "cancelled"), ("/payment/status", "voided")]).await;
    // One that begins tomorrow cannot, when the resort wants to know two days before.
    let strict = registered(&world, json!({"cancel_days_before": 2})).await;
    let near = paid(&grace, &strict, 0, 1).await;
    grace.post(&format!("{}/cancel", path_of(&near)), json!({})).await.problem(409, "too_late_to_cancel");
    world.stop().await;
}

#[tokio::test]
async fn resort_07_cancelling_deactivates_the_voucher() {
    let world = World::start().await;
    let resort = registered(&world, json!({})).await;
    let grace = world.customer("grace");
    let stay = paid(&grace, &resort, 10, 12).await;
    grace.post(&format!("{}/cancel", path_of(&stay)), json!({})).await.expect(200);
    sees(&grace, &stay, &[("/voucher/status", "deactivated")]).await;
    let path = format!("/v1/vouchers/{}", text(&stay["voucher"], "voucher_id"));
    grace.sees(&path, |voucher| voucher["status"] == "deactivated").await;
    let send = format!("{path}/send");
    world.manager("mira").act(&send).await.problem(409, "voucher_deactivated");
    world.stop().await;
}

#[tokio::test]
async fn resort_08_cancelling_cancels_the_payment() {
    let world = World::start().await;
    let resort = registered(&world, json!({})).await;
    let grace = world.customer("grace");
    let stay = paid(&grace, &resort, 10, 12).await;
    grace.post(&format!("{}/cancel", path_of(&stay)), json!({})).await.expect(200);
    let payment = format!("/v1/payments/{}", text(&stay["payment"], "payment_id"));
    let payment = grace.sees(&payment, |payment| payment["status"] == "refunded").await;
    assert_eq!((&payment["refunded"], &payment["amount"]), (&stay["total"], &stay["total"]));
    world.stop().await;
}

#[tokio::test]
async fn resort_09_cancelling_makes_the_nights_available_again() {
    let world = World::start().await;
    let resort = registered(&world, json!({})).await;
    let grace = world.customer("grace");
    let stay = paid(&grace, &resort, 10, 12).await;
    has_nights(&world, &resort, 10, 12, &["taken", "taken"]).await;
    grace.post(&format!("{}/cancel", path_of(&stay)), json!({})).await.expect(200);
    has_nights(&world, &resort, 10, 12, &["free", "free"]).await;
    reserve(&world.customer("henry"), &resort, 10, 12).await.expect(201);
    world.stop().await;
}

#[tokio::test]
async fn resort_10_the_customer_sees_reservation_payment_and_voucher_on_one_page() {
    let world = World::start().await;
    let resort = registered(&world, json!({})).await;
    let grace = world.customer("grace");
    let phone = grace.product("phone", "Charger").await;
    let before = grace.buys("phone", &phone, 1).await;
    let stay = paid(&grace, &resort, 10, 12).await;
    let after = grace.buys("phone", &phone, 1).await;
    assert_eq!(stay["resort_name"], "Seaside House");
    assert_eq!(
        (&stay["payment"]["status"], &stay["voucher"]["status"]),
        (&json!("captured"), &json!("sent"))
    );
    // Orders and reservations together, in time order, the newest first.
    let page = grace.sees("/v1/customers/me/page", |page| page["data"].as_array().unwrap().len() == 3).await;
    assert_eq!(page["data"][0]["order_id"], after["order_id"]);
    assert_eq!(page["data"][1]["reservation_id"], stay["reservation_id"]);
    assert_eq!(page["data"][1]["voucher"]["status"], "sent");
    assert_eq!(page["data"][2]["order_id"], before["order_id"]);
    let first = grace.get("/v1/customers/me/page?limit=2").await.expect(200);
    assert_eq!((&first["has_more"], first["data"].as_array().unwrap().len()), (&json!(true), 2));
    let rest = format!("/v1/customers/me/page?limit=2&cursor={}", text(&first, "next_cursor"));
    let rest = grace.get(&rest).await.expect(200);
    assert_eq!((&rest["data"][0]["order_id"], &rest["has_more"]), (&before["order_id"], &json!(false)));
    // And every step of both, on one timeline.
    let all = |page: &Value| {
        let has = |what: &str| page["data"].as_array().unwrap().iter().any(|step| step["what"] == what);
        has("voucher.sent") && has("order.confirmed") && has("resort.nights_held")
    };
    grace.sees("/v1/customers/me/timeline?limit=100", all).await;
    let nobody = world.customer("henry").get("/v1/customers/me/page").await.expect(200);
    assert_eq!(nobody["data"], json!([]));
    world.stop().await;
}

#[tokio::test]
async fn resort_payment_voucher_and_page_being_down_never_stop_reservations() {
    let world = World::start().await;
    let resort = registered(&world, json!({})).await;
    let down = ["payments", "vouchers", "notifications", "reservations", "resorts"];
    let world = world.restart_with(|settings| settings.except = down.map(str::to_owned).to_vec()).await;
    let grace = world.customer("grace");
    let stay = reserve(&grace, &resort, 10, 12).await;
    assert_eq!(stay.status, 201, "{stay:?}");
    reserve(&world.customer("henry"), &resort, 11, 13).await.problem(409, "nights_taken");
    let world = world.restart_with(|_| {}).await;
    let grace = world.customer("grace");
    let stay = sees(&grace, &stay.body, &[("/status", "awaiting_payment")]).await;
    pay(&grace, &stay, "tok_ok").await.expect(200);
    sees(&grace, &stay, &[("/status", "paid"), ("/voucher/status", "sent")]).await;
    world.stop().await;
}

#[tokio::test]
async fn resort_bad_input_is_named_and_leaves_nothing_on_the_log() {
    let world = World::start().await;
    let resort = registered(&world, json!({})).await;
    let (grace, admin) = (world.customer("grace"), world.admin());
    let events = admin.get("/v1/admin/events?limit=1000").await.expect(200)["data"].as_array().unwrap().len();
    reserve(&grace, &resort, 12, 10).await.problem(422, "invalid_dates");
    reserve(&grace, &resort, 10, 10).await.problem(422, "invalid_dates");
    reserve(&grace, &resort, 10, 36_500).await.problem(422, "invalid_dates");
    reserve(&grace, &resort, 360, 380).await.problem(409, "not_open");
    let mut past = json!({
        "resort_id": resort["resort_id"], "check_in": "2020-01-01", "check_out": "2020-01-03",
        "guest": {"name": "Kim Min-ji", "phone": "010-1234-5678"},
    });
    grace.post("/v1/reservations", past.clone()).await.problem(422, "invalid_dates");
    past["check_in"] = json!("2020-02-31");
    grace.post("/v1/reservations", past.clone()).await.problem(422, "invalid_body");
    past["check_in"] = json!("2020-01-01");
    past["status"] = json!("paid");
    grace.post("/v1/reservations", past).await.problem(422, "unknown_field");
    let mut never = house();
    never["open_until"] = never["open_from"].clone();
    world.manager("mira").post("/v1/resorts", never).await.problem(422, "invalid_dates");
    let mut nowhere = house();
    nowhere["time_zone"] = json!("Mars/Olympus");
    world.manager("mira").post("/v1/resorts", nowhere).await.problem(422, "invalid_body");
    let after = admin.get("/v1/admin/events?limit=1000").await.expect(200)["data"].as_array().unwrap().len();
    assert_eq!(after, events, "something was appended");
    // A retired resort takes no more reservations, and keeps those that it has.
    let stay = reserve(&grace, &resort, 10, 12).await.expect(201);
    let path = format!("/v1/resorts/{}", text(&resort, "resort_id"));
    world.manager("mira").delete(&path).await.expect(204);
    world.manager("mira").delete(&path).await.problem(409, "already_retired");
    reserve(&grace, &resort, 20, 22).await.problem(409, "resort_retired");
    pay(&grace, &stay, "tok_ok").await.expect(200);
    sees(&grace, &stay, &[("/status", "paid")]).await;
    world.stop().await;
}
