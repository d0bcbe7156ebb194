//! The command line, through the real program.
#![allow(clippy::unwrap_used, missing_docs)]

mod binary;

use std::{
    io::{BufRead, Write},
    path::{Path, PathBuf},
    process::Stdio,
};

use binary::{Serving, command, failure_in, result_in, run_in};
use serde_json::Value;
use tempfile::TempDir;

/// A data folder with the sample shops in it and nobody on it.
fn filled() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    assert_eq!(Serving::start(&data, &[]).terminate(), Some(0));
    (folder, data)
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

fn export(data: &Path) -> String {
    result_in(data, ["events", "export", "-"])
}

#[test]
fn token_prints_one_token_and_makes_folder_and_key() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("new/data");
    let token = result_in(&data, ["token", "--sub", "alice", "--role", "customer"]);
    assert_eq!(token.trim().split('.').count(), 3, "{token}");
    assert_eq!(token.lines().count(), 1);
    assert!(data.join("signing.key").exists());
    let shown = result_in(&data, ["token", "--sub", "staff", "--role", "shop", "--shop", "phone", "--json"]);
    assert!(json(&shown)["token"].is_string());
}

#[test]
fn wrong_usage_exits_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    for wrong in [
        vec!["token", "--sub", "alice", "--role", "king"],
        vec!["token", "--sub", "staff", "--role", "shop"],
        vec!["token", "--sub", "alice", "--role", "customer", "--ttl", "soon"],
        vec!["projections", "rebuild"],
        vec!["projections", "rebuild", "nonsense"],
        vec!["projections", "verify", "orders", "--all"],
        vec!["sagas", "show", "nonsense", "01900000-0000-7000-8000-000000000000"],
        vec!["sagas", "list", "--state", "bored"],
        vec!["events", "tail", "--after", "x"],
        vec!["nonsense"],
    ] {
        let complaint = failure_in(data, &wrong, 2);
        assert!(!complaint.is_empty(), "{wrong:?} said nothing");
    }
    assert_eq!(command().arg("--help").output().unwrap().status.code(), Some(0));
}

#[test]
fn a_setting_that_nobody_knows_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let output =
        command().args(["migrate", "--data"]).arg(folder.path()).env("ORDERSTREAM_LISTENN", "x").output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(2));
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(complaint.contains("listenn") && complaint.contains("\"listen\""), "{complaint}");
}

#[test]
fn settings_that_cannot_work_are_wrong_usage() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    for (name, value) in [
        ("ORDERSTREAM_MAX_BODY_BYTES", "many"),
        ("ORDERSTREAM_STORE", "mysql:x"),
        ("ORDERSTREAM_ONLY", "nobody"),
        ("ORDERSTREAM_NOTIFICATIONS_CHANNEL", "pigeon"),
    ] {
        for wish in ["serve", "migrate"] {
            let output = command().args([wish, "--data"]).arg(&data).env(name, value).output().unwrap();
            let complaint = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{wish} with {name}={value}: {complaint}");
            assert!(!complaint.is_empty());
        }
    }
    assert!(!data.exists(), "wrong settings left a folder");
    // The settings are fine here; the address is not to be had.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    failure_in(&data, ["serve", "--listen", &address], 1);
}

/// Ended instances of two process managers, written as they write them.
fn with_instances(data: &Path, each: u32) {
    let mut work = rusqlite::Connection::open(data.join("work.db")).unwrap();
    let batch = work.transaction().unwrap();
    for number in 0..2 * each {
        let process = ["checkout", "fulfilment"][usize::from(number >= each)];
        batch
            .execute(
                "INSERT INTO instances (process, key, version, status, state, outbox, since, last_position, correlation_id)
                 VALUES (?1, ?2, 1, 'ended', '{}', '[]', 0, 1, ?2)",
                rusqlite::params![process, uuid::Uuid::from_u128(u128::from(number) + 1)],
            )
            .unwrap();
    }
    batch.commit().unwrap();
}

#[test]
fn a_list_of_instances_says_when_there_are_more_and_follows_all_pages() {
    let (_folder, data) = filled();
    with_instances(&data, 700);
    let list = |more: &[&str]| {
        let arguments = ["sagas", "list", "--state", "ended", "--json"];
        let output = run_in(&data, arguments.iter().chain(more));
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{said}");
        (json(std::str::from_utf8(&output.stdout).unwrap()).as_array().unwrap().clone(), said)
    };
    let check = || {
        let (shown, said) = list(&[]);
        assert_eq!(shown.len(), 100);
        assert!(said.contains("there are more than these 100") && said.contains("--limit"), "{said}");
        let (shown, said) = list(&["--limit", "1399"]);
        assert_eq!(shown.len(), 1399);
        assert!(said.contains("there are more"), "{said}");
        let (shown, said) = list(&["--limit", "1400"]);
        assert_eq!((shown.len(), said.as_str()), (1400, ""));
        assert_eq!(shown.iter().filter(|instance| instance["process"] == "fulfilment").count(), 700);
        let (shown, said) = list(&["--limit", "5000", "--process", "checkout"]);
        assert_eq!((shown.len(), said.as_str()), (700, ""));
    };
    check();
    let serving = Serving::start(&data, &[]);
    check();
    assert_eq!(serving.terminate(), Some(0));
    failure_in(&data, ["sagas", "list", "--limit", "0"], 2);
}

#[test]
fn the_greeting_names_a_command_that_can_be_copied() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("with space");
    let mut serving = command()
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(&data)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    std::io::BufReader::new(serving.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let (_, copied) = line.trim_end().split_once("get a token: ").unwrap();
    let token = std::process::Command::new("sh").args(["-c", copied]).output().unwrap();
    serving.kill().unwrap();
    serving.wait().unwrap();
    assert!(token.status.success(), "{copied:?}: {}", String::from_utf8_lossy(&token.stderr));
    assert_eq!(String::from_utf8(token.stdout).unwrap().trim().split('.').count(), 3);
}

#[test]
fn a_demo_has_no_json_and_says_so() {
    let output = command().args(["demo", "phone", "--json"]).output().unwrap();
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(2), &[][..]), "{complaint}");
    assert!(complaint.contains("--json"), "{complaint}");
}

#[test]
fn openapi_prints_the_document() {
    let output = command().arg("openapi").output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    assert!(document["paths"]["/v1/orders"]["post"].is_object());
}

#[test]
fn migrate_makes_the_databases_once() {
    let folder = tempfile::tempdir().unwrap();
    let first = json(&result_in(folder.path(), ["migrate", "--json"]));
    let names: Vec<&str> = first.as_array().unwrap().iter().map(|d| d["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["log", "accounts", "work", "views"]);
    assert!(
        first.as_array().unwrap().iter().all(|d| d["before"].is_null() && d["schema"].as_u64() > Some(0))
    );
    let second = json(&result_in(folder.path(), ["migrate", "--json"]));
    assert!(second.as_array().unwrap().iter().all(|d| d["before"] == d["schema"]), "{second}");
    assert_eq!(export(folder.path()), "", "no event comes from a migration");
}

#[test]
fn a_folder_without_a_log_is_not_made_by_looking_at_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("none");
    for look in [
        vec!["projections", "list"],
        vec!["sagas", "list"],
        vec!["events", "tail"],
        vec!["events", "export", "-"],
    ] {
        assert!(failure_in(&data, &look, 1).contains("no event log"), "{look:?}");
    }
    assert!(!data.exists());
}

#[cfg(unix)]
#[test]
fn an_export_follows_a_link_and_does_not_replace_it() {
    let folder = tempfile::tempdir().unwrap();
    let (data, real, link) =
        (folder.path().join("d"), folder.path().join("real"), folder.path().join("link"));
    result_in(&data, ["migrate"]);
    std::fs::write(&real, "old").unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    result_in(&data, ["events", "export", link.to_str().unwrap()]);
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(std::fs::read_to_string(&real).unwrap(), export(&data));
}

#[test]
fn an_export_of_an_import_is_identical() {
    let (folder, data) = filled();
    let (first, second) = (folder.path().join("first.jsonl"), folder.path().join("second.jsonl"));
    let copy = folder.path().join("copy");
    result_in(&data, ["events", "export", first.to_str().unwrap()]);
    let report = json(&result_in(&copy, ["events", "import", first.to_str().unwrap(), "--json"]));
    result_in(&copy, ["events", "export", second.to_str().unwrap()]);
    let text = std::fs::read_to_string(&first).unwrap();
    assert_eq!(std::fs::read_to_string(&second).unwrap(), text);
    assert_eq!(report["imported"], text.lines().count());
    assert_eq!(export(&copy), text);
    let line = json(text.lines().next().unwrap());
    for field in ["position", "stream", "version", "type", "type_version", "metadata", "payload"] {
        assert!(!line[field].is_null(), "no {field} in {line}");
    }
    // Once more is nothing more, and through pipes it works as well.
    let mut again = command();
    again.args(["events", "import", "-", "--json", "--data"]).arg(&copy);
    let mut again = again.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    again.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = again.wait_with_output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["imported"], &report["skipped"]), (&0.into(), &text.lines().count().into()));
    // What was imported is served.
    let serving = Serving::start(&copy, &[]);
    drop(serving);
    assert_eq!(export(&copy), text, "the sample shops are there already");
}

#[test]
fn an_import_into_a_log_that_holds_something_else_is_refused() {
    let (_folder, data) = filled();
    let (folder, other) = filled();
    let file = folder.path().join("log.jsonl");
    result_in(&other, ["events", "export", file.to_str().unwrap()]);
    let before = export(&data);
    let complaint = failure_in(&data, ["events", "import", file.to_str().unwrap()], 1);
    assert!(complaint.contains("already holds another event"), "{complaint}");
    assert_eq!(export(&data), before);
}

#[test]
fn a_wrong_line_is_named_and_nothing_is_imported() {
    let (folder, data) = filled();
    let mut lines: Vec<String> = export(&data).lines().map(str::to_owned).collect();
    lines[3] = lines[3].replace("\"type\":\"", "\"type\":\"un");
    let file = folder.path().join("wrong.jsonl");
    std::fs::write(&file, lines.join("\n")).unwrap();
    let copy = folder.path().join("copy");
    let complaint = failure_in(&copy, ["events", "import", file.to_str().unwrap()], 1);
    assert!(complaint.contains("line 4: "), "{complaint}");
    assert_eq!(export(&copy), "");
}

#[test]
fn views_are_listed_verified_and_rebuilt_without_a_server() {
    let (_folder, data) = filled();
    let views = json(&result_in(&data, ["projections", "list", "--json"]));
    let names: Vec<&str> =
        views.as_array().unwrap().iter().map(|view| view["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"orders") && names.contains(&"timeline"), "{names:?}");
    let reports = json(&result_in(&data, ["projections", "verify", "--all", "--json"]));
    assert_eq!(reports.as_array().unwrap().len(), names.len());
    let reports = json(&result_in(&data, ["projections", "rebuild", "--all", "--json"]));
    assert_eq!(reports.as_array().unwrap().len(), names.len());
    let table = result_in(&data, ["projections", "rebuild", "products"]);
    assert!(table.contains("products") && !table.contains('\u{1b}'), "{table}");
}

#[test]
fn a_row_changed_by_hand_is_found_and_healed() {
    let (_folder, data) = filled();
    let views = rusqlite::Connection::open(data.join("views.db")).unwrap();
    let table: String = views
        .query_row(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'products\\_v%' ESCAPE '\\'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let changed = format!("UPDATE {table} SET status = 'odd' WHERE key = (SELECT min(key) FROM {table})");
    assert_eq!(views.execute(&changed, []).unwrap(), 1);
    drop(views);
    let output = run_in(&data, ["projections", "verify", "products", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report[0]["different"], report[0]["differences"].as_array().unwrap().len()), (&1.into(), 1));
    result_in(&data, ["projections", "rebuild", "products"]);
    result_in(&data, ["projections", "verify", "products"]);
}

#[test]
fn a_second_server_is_refused_and_told_who_holds_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let first = Serving::start(folder.path(), &[]);
    let complaint = failure_in(folder.path(), ["serve", "--listen", "127.0.0.1:0"], 1);
    let address = first.url.strip_prefix("http://").unwrap();
    assert!(complaint.contains(&first.child.id().to_string()) && complaint.contains(address), "{complaint}");
    assert_eq!(first.terminate(), Some(0));
}

#[test]
fn commands_work_beside_a_running_server() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let serving = Serving::start(data, &[]);
    let events = result_in(data, ["events", "tail", "--after", "0", "--limit", "3", "--json"]);
    let positions: Vec<u64> = events.lines().map(|line| json(line)["position"].as_u64().unwrap()).collect();
    assert_eq!(positions, [1, 2, 3]);
    assert!(result_in(data, ["events", "show", "shop/phone"]).contains("shop.opened"));
    failure_in(data, ["events", "show", "shop/nowhere"], 1);
    let views = json(&result_in(data, ["projections", "list", "--json"]));
    assert!(views.as_array().unwrap().iter().any(|view| view["name"] == "orders"), "{views}");
    let rebuilt = json(&result_in(data, ["projections", "rebuild", "products", "--json"]));
    assert_eq!(rebuilt[0]["view"], "products");
    let verified = json(&result_in(data, ["projections", "verify", "--all", "--json"]));
    assert_eq!(verified.as_array().unwrap().len(), views.as_array().unwrap().len());
    assert!(json(&result_in(data, ["sagas", "list", "--json"])).is_array());
    failure_in(data, ["sagas", "show", "checkout", "01900000-0000-7000-8000-000000000000"], 1);
    failure_in(data, ["sagas", "retry", "checkout", "01900000-0000-7000-8000-000000000000"], 1);
    let refused = failure_in(data, ["events", "import", "-"], 1);
    assert!(
        refused.contains("stop it first") && refused.contains(serving.url.strip_prefix("http://").unwrap())
    );
    failure_in(data, ["migrate"], 1);
    assert_eq!(serving.terminate(), Some(0));
    // The same questions are answered without it.
    assert!(json(&result_in(data, ["sagas", "list", "--state", "stuck", "--json"])).is_array());
    failure_in(data, ["sagas", "skip", "checkout", "01900000-0000-7000-8000-000000000000"], 1);
}

#[test]
fn tail_follows_what_comes() {
    let (_folder, data) = filled();
    let end = export(&data).lines().count().to_string();
    let mut tail = command();
    tail.args(["events", "tail", "--limit", "1", "--after", &end, "--data"]).arg(&data);
    let tail = tail.stdout(Stdio::piped()).spawn().unwrap();
    let serving = Serving::start(&data, &[]);
    let token = Serving::token(&data, &["--sub", "staff", "--role", "shop", "--shop", "books"]);
    let book = serde_json::json!({"name": "News", "price": {"amount_minor": 100, "currency": "KRW"}});
    let listed = tokio::runtime::Runtime::new().unwrap().block_on(async {
        let url = format!("{}/v1/shops/books/products", serving.url);
        reqwest::Client::new().post(url).bearer_auth(token).json(&book).send().await.unwrap().status()
    });
    assert_eq!(listed, 201);
    let output = tail.wait_with_output().unwrap();
    let line = String::from_utf8(output.stdout).unwrap();
    assert!(line.contains("product.listed") && line.contains("by shop:books"), "{line}");
}

#[test]
fn a_demo_plays_on_a_running_server() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let serving = Serving::start(data, &[]);
    let told = result_in(data, ["demo", "phone", "--against", &serving.url]);
    assert!(told.ends_with("phone: 9 of 9 scenarios shown\n"), "{told}");
    assert!(!told.contains('\u{1b}'), "colours in a pipe");
    let other = tempfile::tempdir().unwrap();
    assert!(
        failure_in(other.path(), ["demo", "phone", "--against", &serving.url], 1).contains("no signing key")
    );
}

#[test]
fn the_demos_show_all_scenarios() {
    let output = command().args(["demo", "all"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let told = String::from_utf8(output.stdout).unwrap();
    for line in
        ["phone: 9 of 9 scenarios shown", "books: 9 of 9 scenarios shown", "kitchen: 8 of 8 scenarios shown"]
    {
        assert!(told.lines().any(|found| found == line), "{told}");
    }
}
