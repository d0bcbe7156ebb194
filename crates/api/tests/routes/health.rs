use crate::common::TestServer;

#[tokio::test]
async fn a_platform_that_is_up_lives_and_is_ready() {
    let server = TestServer::start().await;
    let nobody = server.nobody();
    assert_eq!(nobody.get("/livez").await.expect(200)["status"], "ok");
    assert_eq!(nobody.sees("/readyz", |_| true).await["status"], "ok");
    server.stop().await;
}

#[tokio::test]
async fn a_process_without_the_api_answers_only_for_its_health() {
    let server = TestServer::start_with(|settings| settings.except = vec!["api".to_owned()]).await;
    server.nobody().get("/livez").await.expect(200);
    server.nobody().get("/v1/products").await.problem(404, "no_such_route");
    server.stop().await;
}

#[tokio::test]
async fn a_view_that_is_behind_makes_the_process_not_ready() {
    let server = TestServer::start_with(|settings| settings.ready_lag = 0).await;
    server.nobody().sees("/readyz", |_| true).await;
    // Nobody folds the views any more.
    server.server.platform().app().views().stop().await;
    let (alice, shop) = (server.customer("alice"), server.shop("phone"));
    let product = alice.product("phone", "Charger").await;
    shop.patch(&format!("/v1/products/{product}"), serde_json::json!({"name": "New"})).await.expect(200);
    let problem = server.nobody().get("/readyz").await.problem(503, "not_ready");
    assert!(problem["detail"].as_str().unwrap().contains("view"), "{problem}");
    server.stop().await;
}
