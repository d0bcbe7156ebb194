//! `events verify`, as a user runs it: on a log of a demo, beside a running platform, and on one that was tampered with.
#![allow(clippy::unwrap_used, missing_docs)]

mod binary;
mod common;

use std::{io::Write, path::Path, process::Stdio};

use serde_json::{Value, json};

use binary::{Serving, command, failure_in, result_in, run_in};
use common::{TestServer, order_of};

/// A data folder with the log of a demo in it.
fn filled(data: &Path) {
    let serving = Serving::start(data, &[]);
    let url = serving.url.clone();
    result_in(data, ["demo", "phone", "--against", &url]);
    assert_eq!(serving.terminate(), Some(0));
}

fn report(data: &Path) -> Value {
    let output = run_in(data, ["events", "verify", "--json"]);
    serde_json::from_slice(&output.stdout).unwrap()
}

fn violated(report: &Value, invariant: &str) -> u64 {
    let rows = report["invariants"].as_array().unwrap();
    rows.iter().find(|row| row["invariant"] == invariant).unwrap()["violated"].as_u64().unwrap()
}

#[test]
fn a_good_log_is_verified_offline_and_beside_a_running_platform() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path());
    let shown = result_in(folder.path(), ["events", "verify"]);
    assert!(shown.contains("money_balances") && shown.contains("every invariant holds"), "{shown}");
    let offline = report(folder.path());
    assert!(offline["events"].as_u64().unwrap() > 20, "{offline}");
    assert_eq!(offline["violations"], Value::Array(Vec::new()));

    let serving = Serving::start(folder.path(), &[]);
    let beside = report(folder.path());
    assert!(beside["events"].as_u64() >= offline["events"].as_u64());
    assert_eq!(serving.terminate(), Some(0));
}

#[tokio::test]
async fn what_is_open_names_the_event_that_began_it() {
    let server = TestServer::start().await;
    let policy =
        json!({"payment": {"when": "deferred", "pay_within_secs": 3600}, "cancellable_until": "accepted"});
    server.admin().put("/v1/shops/later", json!({"name": "Later", "policy": policy})).await.expect(201);
    let product = server.shop("later").lists("later", "Sofa", 500, Some(5)).await;
    server.customer("alice").post("/v1/orders", order_of("later", &product, 1)).await.expect(201);
    server.server.stop().await;
    let shown = result_in(server.folder.path(), ["events", "verify"]);
    assert!(shown.contains("open: ") && shown.contains("pieces are put aside"), "{shown}");
    assert!(!shown.contains("since 0:"), "{shown}");
}

#[test]
fn a_log_that_was_tampered_with_is_found_and_exits_with_1() {
    let folder = tempfile::tempdir().unwrap();
    let (data, copy) = (folder.path().join("data"), folder.path().join("copy"));
    filled(&data);
    // The log of a shop that took one won more than the order costs.
    let text = result_in(&data, ["events", "export", "-"]);
    let tampered: Vec<String> = text
        .lines()
        .map(|line| {
            let mut event: Value = serde_json::from_str(line).unwrap();
            if event["type"] == "payment.captured" {
                let amount = event["payload"]["amount"]["amount_minor"].as_i64().unwrap();
                event["payload"]["amount"]["amount_minor"] = (amount + 1).into();
            }
            event.to_string()
        })
        .collect();
    let mut import = command();
    import.args(["events", "import", "-", "--data"]).arg(&copy).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut import = import.spawn().unwrap();
    import.stdin.take().unwrap().write_all((tampered.join("\n") + "\n").as_bytes()).unwrap();
    assert!(import.wait().unwrap().success());

    assert!(failure_in(&copy, ["events", "verify"], 1).contains("violations of invariants"));
    let report = report(&copy);
    for invariant in ["money_balances", "no_charge_without_order_or_reservation", "delivered_only_if_paid"] {
        assert!(violated(&report, invariant) > 0, "{invariant} in {report:#}");
    }
    assert_eq!(violated(&report, "positions_gapless"), 0);
}

#[test]
fn a_folder_without_a_log_cannot_be_verified() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("none");
    assert!(failure_in(&data, ["events", "verify"], 1).contains("no event log"));
    assert!(!data.exists());
}
