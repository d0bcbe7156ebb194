use serde_json::{Value, json};

use crate::common::{Client, TestServer, text};

async fn finished(admin: &Client, job: &Value) -> Value {
    let path = format!("/v1/admin/jobs/{}", text(job, "job_id"));
    admin.sees(&path, |job| job["state"] != "running").await
}

#[tokio::test]
async fn views_are_listed_rebuilt_and_verified() {
    let server = TestServer::start().await;
    let (admin, alice) = (server.admin(), server.customer("alice"));
    let product = alice.product("phone", "Charger").await;
    let order = alice.buys("phone", &product, 1).await;
    let views = admin.get("/v1/admin/projections").await.expect(200);
    let names: Vec<&str> = views["data"].as_array().unwrap().iter().map(|view| text(view, "name")).collect();
    assert!(names.contains(&"orders") && names.contains(&"timeline"), "{names:?}");
    let started = admin.act("/v1/admin/projections/orders/rebuild").await;
    let location = started.header("location");
    let job = finished(&admin, &started.expect(202)).await;
    assert_eq!((&job["state"], &job["reports"][0]["view"]), (&json!("done"), &json!("orders")), "{job}");
    assert_eq!(admin.get(&location).await.expect(200), job);
    let job = admin.act("/v1/admin/projections/all/verify").await.expect(202);
    let job = finished(&admin, &job).await;
    let reports = job["reports"].as_array().unwrap();
    assert_eq!(reports.len(), names.len(), "{job}");
    assert!(reports.iter().all(|report| report["different"] == 0 && report["missing"] == 0), "{job}");
    alice.get(&format!("/v1/orders/{}", text(&order, "order_id"))).await.expect(200);
    admin.act("/v1/admin/projections/nonsense/rebuild").await.problem(404, "projection_not_found");
    admin.get("/v1/admin/jobs/01900000-0000-7000-8000-000000000000").await.problem(404, "job_not_found");
    server.stop().await;
}

#[tokio::test]
async fn process_managers_tell_what_they_work_on() {
    let server = TestServer::start().await;
    let (admin, alice) = (server.admin(), server.customer("alice"));
    let product = alice.product("phone", "Charger").await;
    let order = alice.buys("phone", &product, 1).await;
    let waiting = |list: &Value| list["data"].as_array().is_some_and(|all| !all.is_empty());
    let list = admin.sees("/v1/admin/sagas?process=fulfilment&state=waiting", waiting).await;
    assert_eq!(list["data"][0]["key"], order["order_id"]);
    let path = format!("/v1/admin/sagas/fulfilment/{}", text(&order, "order_id"));
    let instance = admin.get(&path).await.expect(200);
    assert!(instance["awaiting"].is_string(), "{instance}");
    admin.act(&format!("{path}/retry")).await.problem(409, "not_stuck");
    admin.act(&format!("{path}/skip")).await.problem(409, "not_stuck");
    admin
        .get("/v1/admin/sagas/checkout/01900000-0000-7000-8000-000000000000")
        .await
        .problem(404, "instance_not_found");
    admin
        .get("/v1/admin/sagas/nonsense/01900000-0000-7000-8000-000000000000")
        .await
        .problem(404, "instance_not_found");
    admin.get("/v1/admin/sagas/checkout/x").await.problem(404, "instance_not_found");
    admin.get("/v1/admin/sagas?state=happy").await.problem(400, "invalid_query");
    let processes = admin.get("/v1/admin/processes").await.expect(200);
    let payments = processes["data"].as_array().unwrap().iter().find(|p| p["name"] == "payments").unwrap();
    assert_eq!(payments["running"], true);
    let server = server.restart_with(|settings| settings.except = vec!["payments".to_owned()]).await;
    let processes = server.admin().get("/v1/admin/processes").await.expect(200);
    let payments = processes["data"].as_array().unwrap().iter().find(|p| p["name"] == "payments").unwrap();
    assert_eq!(payments["running"], false);
    server.stop().await;
}

#[tokio::test]
async fn instances_are_read_page_by_page_across_process_managers() {
    let server = TestServer::start().await;
    let (admin, alice) = (server.admin(), server.customer("alice"));
    let product = alice.product("phone", "Charger").await;
    for _ in 0..3 {
        alice.buys("phone", &product, 1).await;
    }
    let name = |instance: &Value| (text(instance, "process").to_owned(), text(instance, "key").to_owned());
    let names = |page: &Value| page["data"].as_array().unwrap().iter().map(name).collect::<Vec<_>>();
    let processes = |page: &Value| {
        let mut processes: Vec<_> = names(page).into_iter().map(|(process, _)| process).collect();
        processes.dedup();
        processes
    };
    let all = "/v1/admin/sagas?state=ended&limit=1000";
    let page = admin.sees(all, |page| names(page).len() >= 9 && processes(page).len() >= 2).await;
    assert_eq!((&page["has_more"], &page["next_cursor"]), (&json!(false), &Value::Null));
    let (known, mut seen, mut cursor) = (names(&page), Vec::new(), String::new());
    loop {
        let page = admin.get(&format!("/v1/admin/sagas?state=ended&limit=2{cursor}")).await.expect(200);
        seen.extend(names(&page));
        if page["has_more"] == false {
            assert_eq!(page["next_cursor"], Value::Null);
            break;
        }
        assert_eq!(names(&page).len(), 2);
        cursor = format!("&cursor={}", text(&page, "next_cursor"));
    }
    // More may have ended in between, but nothing is left out and nothing comes twice.
    assert!(known.iter().all(|instance| seen.contains(instance)), "{known:?} {seen:?}");
    let mut once = seen.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), seen.len(), "{seen:?}");
    for wrong in ["x", "", "checkout", "nonsense.01900000-0000-7000-8000-000000000000", "checkout.x"] {
        admin.get(&format!("/v1/admin/sagas?cursor={wrong}")).await.problem(400, "invalid_cursor");
    }
    admin.get("/v1/admin/sagas?limit=1001").await.problem(400, "invalid_query");
    admin.get("/v1/admin/sagas?limit=0").await.problem(400, "invalid_query");
    server.stop().await;
}

#[tokio::test]
async fn a_page_that_ends_with_the_log_says_that_there_is_no_more() {
    let server = TestServer::start().await;
    let (admin, head) = (server.admin(), server.head().await);
    let page = admin.get(&format!("/v1/admin/events?limit={head}")).await.expect(200);
    assert_eq!(
        (&page["has_more"], &page["next_after"]),
        (&json!(server.head().await > head), &json!(format!("0.{head}")))
    );
    let one_less = head - 1;
    assert_eq!(admin.get(&format!("/v1/admin/events?limit={one_less}")).await.expect(200)["has_more"], true);
    server.stop().await;
}

#[tokio::test]
async fn the_log_is_read_page_by_page_or_by_stream() {
    let server = TestServer::start().await;
    let admin = server.admin();
    let head = server.head().await;
    let (mut after, mut seen) = ("0.0".to_owned(), 0);
    loop {
        let page = admin.get(&format!("/v1/admin/events?limit=7&after={after}")).await.expect(200);
        seen += page["data"].as_array().unwrap().len();
        after = text(&page, "next_after").to_owned();
        if page["has_more"] == false {
            break;
        }
    }
    assert_eq!((seen as u64, after), (head, format!("0.{head}")));
    let shop = admin.get("/v1/admin/events?stream=shop/phone").await.expect(200);
    assert_eq!(shop["data"][0]["type"], "shop.opened");
    assert_eq!(shop["data"][0]["metadata"]["actor"], "system");
    assert_eq!(shop["data"][0]["payload"]["shop_id"], "phone");
    admin.get("/v1/admin/events?stream=nonsense").await.problem(400, "invalid_query");
    admin.get("/v1/admin/events?limit=1001").await.problem(400, "invalid_query");
    admin.get("/v1/admin/events?after=x").await.problem(400, "invalid_position");
    server.stop().await;
}
