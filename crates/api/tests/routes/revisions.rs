use futures::future::join;
use serde_json::json;

use crate::{
    common::TestServer,
    staging::{path_of, resort},
};

#[tokio::test]
async fn two_who_change_different_parts_of_a_policy_at_once_both_get_their_way() {
    let server = TestServer::start().await;
    let mira = server.manager("mira");
    let path = path_of("resort", &resort(&server, json!({})).await);
    for round in 1..=25 {
        let (pay, days) = (json!({"pay_within_secs": 100 + round}), json!({"cancel_days_before": 5 + round}));
        let (one, other) = join(mira.patch(&path, pay), mira.patch(&path, days)).await;
        let (one, other) = (one.expect(200), other.expect(200));
        let last = if one["version"].as_u64() > other["version"].as_u64() { one } else { other };
        let policy = &last["policy"];
        let expected = json!([100 + round, 5 + round]);
        assert_eq!(
            json!([policy["pay_within_secs"], policy["cancel_days_before"]]),
            expected,
            "round {round}"
        );
    }
    server.stop().await;
}
