use serde_json::json;

use crate::{
    common::{TestServer, text},
    staging::{
        ABSENT, Quiet, is_done_once, paid_stay, path_of, refuses_wrong_queries, resort, saves_the_body,
        walked,
    },
};

#[tokio::test]
async fn a_voucher_is_seen_by_its_guest_and_its_manager_and_sent_by_the_manager() {
    let server = TestServer::start().await;
    let paid = paid_stay(&server, &resort(&server, json!({})).await, 3, 5).await;
    let path = path_of("voucher", &paid["voucher"]);
    let quiet = Quiet::of(&server).await;
    let readers = [
        ("nobody", 401),
        ("henry", 404),
        ("otto", 404),
        ("phone", 404),
        ("courier", 404),
        ("grace", 200),
        ("mira", 200),
        ("admin", 200),
    ];
    quiet.answers(&readers, async |who| who.get(&path).await).await;
    let lists = [("nobody", 401), ("phone", 403), ("courier", 403)];
    quiet.answers(&lists, async |who| who.get("/v1/vouchers").await).await;
    for stranger in [server.customer("henry"), server.manager("otto")] {
        assert_eq!(stranger.get("/v1/vouchers").await.expect(200)["data"], json!([]));
    }
    let senders = [("nobody", 401), ("grace", 403), ("phone", 403), ("courier", 403), ("otto", 404)];
    quiet.answers(&senders, async |who| who.act(&format!("{path}/send")).await).await;
    server.admin().act(&format!("{path}/send")).await.expect(200);
    server.stop().await;
}

#[tokio::test]
async fn a_voucher_is_sent_once_under_a_key_and_only_at_its_version() {
    let server = TestServer::start().await;
    let mira = server.manager("mira");
    let resort = resort(&server, json!({})).await;
    let (paid, other) = (paid_stay(&server, &resort, 3, 5).await, paid_stay(&server, &resort, 7, 8).await);
    let (path, other) = (path_of("voucher", &paid["voucher"]), path_of("voucher", &other["voucher"]));
    let (send, send_other) = (format!("{path}/send"), format!("{other}/send"));
    let sent = is_done_once(&mira, &send, json!({}), 200, (&send_other, json!({}))).await;
    assert_eq!(sent["sendings"], 2);
    assert_eq!(mira.get(&path).await.expect(200)["sendings"], 2);
    let quiet = Quiet::of(&server).await;
    let tag = saves_the_body(&server.customer("grace"), &path).await;
    let guarded = |tag: &str| {
        let (mira, send, tag) = (mira.clone(), send.clone(), tag.to_owned());
        async move { mira.post_with(&send, ("if-match", &tag), json!({})).await }
    };
    quiet.refuses(guarded("\"1-0.1\""), 412, "version_mismatch").await;
    assert_eq!(guarded(&tag).await.expect(200)["sendings"], 3);
    server.stop().await;
}

#[tokio::test]
async fn a_voucher_is_sent_twenty_times_and_never_once_it_is_deactivated() {
    let server = TestServer::start().await;
    let (grace, mira) = (server.customer("grace"), server.manager("mira"));
    let resort = resort(&server, json!({})).await;
    let (often, off) = (paid_stay(&server, &resort, 3, 5).await, paid_stay(&server, &resort, 7, 8).await);
    let send = |voucher| format!("{}/send", path_of("voucher", voucher));
    for _ in 1..20 {
        mira.act(&send(&often["voucher"])).await.expect(200);
    }
    grace.act(&format!("{}/cancel", path_of("reservation", &off))).await.expect(200);
    grace.sees(&path_of("voucher", &off["voucher"]), |voucher| voucher["status"] == "deactivated").await;
    let quiet = Quiet::of(&server).await;
    quiet.refuses(mira.act(&send(&often["voucher"])), 409, "voucher_sent_often_enough").await;
    quiet.refuses(mira.act(&send(&off["voucher"])), 409, "voucher_deactivated").await;
    let absent = format!("/v1/vouchers/{ABSENT}");
    quiet.refuses(mira.get(&absent), 404, "voucher_not_found").await;
    quiet.refuses(mira.act(&format!("{absent}/send")), 404, "voucher_not_found").await;
    quiet.refuses(mira.post(&send(&often["voucher"]), json!({"code": "x"})), 422, "unknown_field").await;
    server.stop().await;
}

#[tokio::test]
async fn vouchers_are_listed_page_by_page_by_reservation_and_by_status() {
    let server = TestServer::start().await;
    let (grace, mira) = (server.customer("grace"), server.manager("mira"));
    let resort = resort(&server, json!({})).await;
    let (mut stays, mut ids) = (Vec::new(), Vec::new());
    for night in 3..6 {
        let paid = paid_stay(&server, &resort, night, night + 1).await;
        ids.insert(0, text(&paid["voucher"], "voucher_id").to_owned());
        stays.insert(0, paid);
    }
    assert_eq!(walked(&grace, "/v1/vouchers", "voucher_id").await, ids);
    assert_eq!(walked(&mira, "/v1/vouchers?status=sent", "voucher_id").await, ids);
    let one = format!("/v1/vouchers?reservation_id={}", text(&stays[1], "reservation_id"));
    assert_eq!(walked(&mira, &one, "voucher_id").await, ids[1..2]);
    assert_eq!(walked(&mira, "/v1/vouchers?status=deactivated", "voucher_id").await, [""; 0]);
    let sent = mira.act(&format!("/v1/vouchers/{}/send", ids[2])).await;
    let at = sent.header("orderstream-position");
    let seen = grace.get(&format!("/v1/vouchers/{}?min_position={at}", ids[2])).await.expect(200);
    assert_eq!(seen["sendings"], 2);
    refuses_wrong_queries(&grace, "/v1/vouchers").await;
    server.stop().await;
}
