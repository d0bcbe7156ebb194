use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    common::{TestServer, krw, text},
    staging::{
        ABSENT, Quiet, house, in_days, is_done_once, paid_stay, path_of, pay_path, refuses_wrong_queries,
        resort, saves_the_body, stay, walked,
    },
};

#[tokio::test]
async fn only_managers_register_resorts_and_only_their_own_change_them() {
    let server = TestServer::start().await;
    let path = path_of("resort", &resort(&server, json!({})).await);
    let quiet = Quiet::of(&server).await;
    let without = [("nobody", 401), ("grace", 403), ("phone", 403), ("courier", 403)];
    quiet.answers(&without, async |who| who.post("/v1/resorts", house()).await).await;
    let others = [&without[..], &[("otto", 404)]].concat();
    let renamed = json!({"name": "Mine"});
    quiet.answers(&others, async |who| who.patch(&path, renamed.clone()).await).await;
    quiet.answers(&others, async |who| who.delete(&path).await).await;
    let everybody = ["nobody", "grace", "phone", "courier", "mira", "otto", "admin"].map(|who| (who, 200));
    let nights = format!("{path}/nights?from={}&to={}", in_days(1), in_days(2));
    for public in [&path, &nights, "/v1/resorts"] {
        quiet.answers(&everybody, async |who| who.get(public).await).await;
    }
    let admin = server.admin();
    assert_eq!(admin.patch(&path, json!({"name": "Dune House"})).await.expect(200)["name"], "Dune House");
    assert_eq!(admin.post("/v1/resorts", house()).await.expect(201)["manager_id"], "root");
    server.manager("mira").delete(&path).await.expect(204);
    server.stop().await;
}

#[tokio::test]
async fn a_resort_is_registered_once_under_its_key() {
    let server = TestServer::start().await;
    let mira = server.manager("mira");
    let mut other = house();
    other["name"] = json!("Dune House");
    let first = is_done_once(&mira, "/v1/resorts", house(), 201, ("/v1/resorts", other)).await;
    let page = mira.get("/v1/resorts").await.expect(200);
    assert_eq!(page["data"].as_array().unwrap().len(), 1, "{page}");
    assert_eq!(page["data"][0]["resort_id"], first["resort_id"]);
    server.stop().await;
}

#[tokio::test]
async fn an_etag_of_a_resort_saves_its_body_and_guards_its_changes() {
    let server = TestServer::start().await;
    let (grace, mira) = (server.customer("grace"), server.manager("mira"));
    let path = path_of("resort", &resort(&server, json!({})).await);
    let tag = saves_the_body(&grace, &path).await;
    let change = |method: Method, tag: &str, name: &str| {
        let request = mira.request(method, &path).header("if-match", tag);
        mira.send(request.json(&json!({"name": name})))
    };
    let changed = change(Method::PATCH, &tag, "Dune House").await;
    let newer = changed.header("etag");
    assert_eq!(changed.expect(200)["name"], "Dune House");
    assert_ne!(newer, tag);
    let quiet = Quiet::of(&server).await;
    quiet.refuses(change(Method::PATCH, &tag, "Mine"), 412, "version_mismatch").await;
    quiet.refuses(change(Method::PATCH, "2", "Mine"), 400, "invalid_header").await;
    let retire = |tag: &str| mira.send(mira.request(Method::DELETE, &path).header("if-match", tag));
    quiet.refuses(retire(&tag), 412, "version_mismatch").await;
    assert_eq!(grace.get_with(&path, ("if-none-match", &tag)).await.expect(200)["name"], "Dune House");
    retire(&newer).await.expect(204);
    server.stop().await;
}

#[tokio::test]
async fn resorts_are_listed_page_by_page_by_manager_and_by_status() {
    let server = TestServer::start().await;
    let nobody = server.nobody();
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(text(&resort(&server, json!({})).await, "resort_id").to_owned());
    }
    ids.reverse();
    assert_eq!(walked(&nobody, "/v1/resorts", "resort_id").await, ids);
    server.manager("otto").post("/v1/resorts", house()).await.expect(201);
    assert_eq!(walked(&nobody, "/v1/resorts?manager_id=mira", "resort_id").await, ids);
    let retired = server.manager("mira").delete(&format!("/v1/resorts/{}", ids[0])).await;
    // A read that names the position of what was done sees it.
    let at = retired.header("orderstream-position");
    let open = nobody.get(&format!("/v1/resorts?manager_id=mira&min_position={at}")).await.expect(200);
    assert_eq!(open["data"].as_array().unwrap().len(), 4);
    assert_eq!(walked(&nobody, "/v1/resorts?status=retired", "resort_id").await, ids[..1]);
    assert_eq!(walked(&nobody, "/v1/resorts?status=all", "resort_id").await.len(), 6);
    refuses_wrong_queries(&nobody, "/v1/resorts").await;
    nobody.get("/v1/resorts?status=happy").await.problem(400, "invalid_query");
    server.stop().await;
}

#[tokio::test]
async fn nights_are_shown_for_a_year_at_most_and_only_of_resorts_that_are_there() {
    let server = TestServer::start().await;
    let nobody = server.nobody();
    let resort = resort(&server, json!({})).await;
    paid_stay(&server, &resort, 3, 5).await;
    let path = format!("{}/nights", path_of("resort", &resort));
    let ask = |from: u64, until: u64| {
        let path = format!("{path}?from={}&to={}", in_days(from), in_days(until));
        let nobody = &nobody;
        async move { nobody.get(&path).await }
    };
    let page = ask(2, 6).await.expect(200);
    let statuses: Vec<&str> =
        page["data"].as_array().unwrap().iter().map(|night| text(night, "status")).collect();
    assert_eq!(statuses, ["free", "taken", "taken", "free"]);
    assert_eq!(ask(0, 366).await.expect(200)["data"].as_array().unwrap().len(), 366);
    assert_eq!(ask(400, 401).await.expect(200)["data"][0]["status"], "not_open");
    ask(0, 367).await.problem(400, "invalid_query");
    ask(2, 2).await.problem(400, "invalid_query");
    ask(2, 1).await.problem(400, "invalid_query");
    nobody.get(&path).await.problem(400, "invalid_query");
    nobody.get(&format!("{path}?from=2030-02-31&to=2030-03-02")).await.problem(400, "invalid_query");
    let absent = format!("/v1/resorts/{ABSENT}");
    nobody.get(&absent).await.problem(404, "resort_not_found");
    nobody
        .get(&format!("{absent}/nights?from=2030-01-01&to=2030-01-02"))
        .await
        .problem(404, "resort_not_found");
    nobody.get("/v1/resorts/seaside").await.problem(404, "not_found");
    server.stop().await;
}

#[tokio::test]
async fn a_wrong_resort_has_its_own_problem_and_leaves_no_trace() {
    let server = TestServer::start().await;
    let mira = server.manager("mira");
    let path = path_of("resort", &resort(&server, json!({})).await);
    let quiet = Quiet::of(&server).await;
    let cases = [
        ("name", json!(""), "invalid_body"),
        ("name", json!("x".repeat(101)), "invalid_body"),
        ("kind", json!("a\u{7}b"), "invalid_body"),
        ("nightly_price", krw(-1), "invalid_body"),
        ("nightly_price", json!(120_000), "invalid_body"),
        ("open_until", json!(in_days(0)), "invalid_dates"),
        ("pay_within_secs", json!(0), "invalid_policy"),
        ("notify", json!(["reservation_paid", "reservation_paid"]), "invalid_policy"),
        ("notify", json!(["weather"]), "invalid_body"),
        ("manager_id", json!("otto"), "unknown_field"),
    ];
    for (field, value, code) in cases {
        let mut body = house();
        body[field] = value.clone();
        quiet.refuses(mira.post("/v1/resorts", body), 422, code).await;
        quiet.refuses(mira.patch(&path, json!({field: value})), 422, code).await;
    }
    let mut nowhere = house();
    nowhere["time_zone"] = json!("Mars/Olympus");
    quiet.refuses(mira.post("/v1/resorts", nowhere), 422, "invalid_body").await;
    quiet.refuses(mira.patch(&format!("/v1/resorts/{ABSENT}"), json!({})), 404, "resort_not_found").await;
    server.stop().await;
}

#[tokio::test]
async fn a_retired_resort_keeps_its_guests_and_takes_no_more() {
    let server = TestServer::start().await;
    let (grace, mira) = (server.customer("grace"), server.manager("mira"));
    let resort = resort(&server, json!({})).await;
    let path = path_of("resort", &resort);
    let held: Value = grace.post("/v1/reservations", stay(&resort, 3, 5)).await.expect(201);
    mira.delete(&path).await.expect(204);
    let quiet = Quiet::of(&server).await;
    quiet.refuses(grace.post("/v1/reservations", stay(&resort, 7, 9)), 409, "resort_retired").await;
    quiet.refuses(mira.delete(&path), 409, "already_retired").await;
    grace.post(&pay_path(&held), json!({"payment_method": "tok_ok"})).await.expect(200);
    assert_eq!(grace.get(&path).await.expect(200)["status"], "retired");
    server.stop().await;
}
