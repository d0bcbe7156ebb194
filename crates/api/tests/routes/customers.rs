use serde_json::{Value, json};

use crate::{
    common::{TestServer, text},
    staging::{Quiet, eaten, ordered, paid_stay, path_of, refund, refuses_wrong_queries, resort, settled},
};

const PAGE: &str = "/v1/customers/me/page";

#[tokio::test]
async fn a_page_is_its_customers_alone() {
    let server = TestServer::start().await;
    ordered(&server, "phone", "Charger", 1).await;
    let quiet = Quiet::of(&server).await;
    let own =
        [("nobody", 401), ("phone", 403), ("courier", 403), ("mira", 403), ("henry", 200), ("grace", 200)];
    quiet.answers(&own, async |who| who.get(PAGE).await).await;
    let named =
        [("nobody", 401), ("phone", 403), ("mira", 403), ("henry", 404), ("grace", 200), ("admin", 200)];
    quiet.answers(&named, async |who| who.get("/v1/customers/grace/page").await).await;
    quiet.answers(&named, async |who| who.get("/v1/customers/grace/timeline").await).await;
    assert_eq!(server.customer("henry").get(PAGE).await.expect(200)["data"], json!([]));
    // A manager of the same name is somebody else.
    quiet.answers(&[("mira", 403)], async |who| who.get("/v1/customers/mira/page").await).await;
    server.stop().await;
}

#[tokio::test]
async fn a_page_shows_orders_and_reservations_together_each_once_the_newest_first() {
    let server = TestServer::start().await;
    let grace = server.customer("grace");
    let resort = resort(&server, json!({})).await;
    let mut placed = Vec::new();
    for night in 3..6 {
        let stay = paid_stay(&server, &resort, night, night + 1).await;
        placed.insert(0, ("reservation", text(&stay, "reservation_id").to_owned()));
        let order = ordered(&server, "phone", "Charger", 1).await;
        placed.insert(0, ("order", text(&order, "order_id").to_owned()));
    }
    let head = settled(&server).await;
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = grace.get(&format!("{PAGE}?limit=2&min_position=0.{head}{cursor}")).await.expect(200);
        for row in page["data"].as_array().unwrap() {
            let kind = text(row, "kind");
            seen.push((kind.to_owned(), text(row, &format!("{kind}_id")).to_owned()));
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
        // What comes meanwhile is newer than what is still to be read.
        ordered(&server, "phone", "Charger", 1).await;
    }
    let placed: Vec<_> = placed.into_iter().map(|(kind, id)| (kind.to_owned(), id)).collect();
    assert_eq!(seen, placed);
    refuses_wrong_queries(&grace, PAGE).await;
    server.stop().await;
}

#[tokio::test]
async fn what_a_page_shows_is_what_the_things_themselves_show() {
    let server = TestServer::start().await;
    let grace = server.customer("grace");
    let stay = paid_stay(&server, &resort(&server, json!({})).await, 3, 5).await;
    let order = eaten(&server, 1).await;
    settled(&server).await;
    let page = grace.get(PAGE).await.expect(200);
    for (row, path) in [(0, path_of("order", &order)), (1, path_of("reservation", &stay))] {
        let mut alone = grace.get(&path).await.expect(200);
        alone["kind"] = page["data"][row]["kind"].clone();
        assert_eq!(page["data"][row], alone);
    }
    server.stop().await;
}

#[tokio::test]
async fn erasing_a_customer_erases_guests_and_reasons_everywhere() {
    let server = TestServer::start().await;
    let (grace, mira) = (server.customer("grace"), server.manager("mira"));
    let stay = paid_stay(&server, &resort(&server, json!({})).await, 3, 5).await;
    let cancel = format!("{}/cancel", path_of("reservation", &stay));
    grace.post(&cancel, json!({"reason": "my knee"})).await.expect(200);
    let asked = refund(&server, &eaten(&server, 1).await, None).await;
    let shown = mira.get(&path_of("reservation", &stay)).await.expect(200);
    assert_eq!(shown["cancellation"]["reason"], "my knee");
    let quiet = Quiet::of(&server).await;
    let named = [("nobody", 401), ("mira", 403), ("phone", 403), ("henry", 404)];
    quiet.answers(&named, async |who| who.delete("/v1/customers/grace/contacts").await).await;
    grace.delete("/v1/customers/me/contacts").await.expect(204);
    let shown = mira.get(&path_of("reservation", &stay)).await.expect(200);
    assert_eq!(
        (&shown["guest"], &shown["cancellation"]["reason"]),
        (&json!({"erased": true}), &json!("erased"))
    );
    let shown = server.shop("pizza").get(&path_of("refund", &asked)).await.expect(200);
    assert_eq!(shown["reason"], "erased");
    let page: Value = grace.get(PAGE).await.expect(200);
    assert!(!page.to_string().contains("Kim") && !page.to_string().contains("my knee"), "{page}");
    server.stop().await;
}
