//! What the program says when its database is not what it should be: one line, and what to do.

use std::{path::Path, time::Duration};

use futures::future::join_all;
use sqlx::{Connection, PgConnection};
use tokio::process::Command;

use crate::{CONNECTIONS, binary, database, platform::on_database};

/// How long it may take to give up.
const PATIENCE: Duration = Duration::from_secs(20);
/// Connections of the server that has too few.
const FEW: u32 = 12;

/// Runs a command that has to end with this status; gives the one line that it says.
async fn said(url: &str, schema: &str, command: &[&str], status: i32) -> String {
    said_with(url, schema, command, status, "6").await
}

async fn said_with(url: &str, schema: &str, command: &[&str], status: i32, connections: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut program = binary::command();
    on_database(&mut program, url, schema, Path::new(folder.path()));
    program.env("ORDERSTREAM_LISTEN", "127.0.0.1:0").env("ORDERSTREAM_POSTGRES_CONNECTIONS", connections);
    let mut program = Command::from(program);
    let output = tokio::time::timeout(PATIENCE, program.args(command).kill_on_drop(true).output()).await;
    let output = output.unwrap_or_else(|_| panic!("{command:?} does not end")).unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(status), "{command:?}: {text}");
    // What the log says besides is not meant.
    let logged = [" INFO ", " WARN ", " ERROR "];
    let lines: Vec<&str> =
        text.lines().filter(|line| !logged.iter().any(|kind| line.contains(kind))).collect();
    let [line] = lines[..] else { panic!("{command:?}: {text}") };
    assert!(line.starts_with("orderstream: "), "{command:?}: {text}");
    for secret in ["scratch", "opensesame"] {
        assert!(!text.contains(secret), "{command:?}: {text}");
    }
    line.to_owned()
}

fn migrate(url: &str, schema: &str) {
    let folder = tempfile::tempdir().unwrap();
    let mut program = binary::command();
    on_database(&mut program, url, schema, folder.path());
    assert!(program.arg("migrate").output().unwrap().status.success());
}

async fn run(url: &str, statement: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::query(statement).execute(&mut connection).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_cannot_be_used_is_told_in_one_line() {
    let Some(cluster) = database(CONNECTIONS).await else { return };
    let (good, nowhere) = (cluster.url("postgres"), cluster.url("nowhere"));
    let nobody = good.replace(&format!(":{}/", cluster.port()), ":1/");
    let wrong = good.replace(":scratch@", ":opensesame@");
    let commands = [["serve"].as_slice(), &["migrate"], &["events", "verify"], &["projections", "list"]];
    for (url, says) in [
        (&nobody, "127.0.0.1:1/postgres cannot be reached"),
        (&wrong, "password authentication failed"),
        (&nowhere, "database \"nowhere\" does not exist"),
    ] {
        for text in join_all(commands.map(|command| said(url, "messages", command, 1))).await {
            assert!(text.contains(says), "{text}");
        }
    }
    for text in join_all(commands.map(|command| said_with(&good, "messages", command, 2, "1"))).await {
        assert!(text.contains("at least 4"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_that_is_not_there_or_is_newer_is_told_in_one_line() {
    let Some(cluster) = database(CONNECTIONS).await else { return };
    let (url, schema) = (&cluster.url("postgres"), "versions");
    let commands = [["serve"].as_slice(), &["serve", "--only", "views"], &["events", "verify"]];
    for text in join_all(commands.map(|command| said(url, schema, command, 1))).await {
        assert!(text.contains("orderstream migrate"), "{text}");
    }
    migrate(url, schema);
    run(url, &format!("UPDATE {schema}.schema_parts SET version = version + 1 WHERE part = 'work'")).await;
    let commands = [["serve"].as_slice(), &["migrate"], &["serve", "--only", "processes"]];
    for text in join_all(commands.map(|command| said(url, schema, command, 1))).await {
        assert!(text.contains("newer"), "{text}");
    }
    run(url, &format!("UPDATE {schema}.schema_parts SET version = version - 1 WHERE part = 'work'")).await;
    run(url, &format!("DELETE FROM {schema}.schema_parts WHERE part = 'views'")).await;
    let text = said(url, schema, &["serve"], 1).await;
    assert!(text.contains("orderstream migrate"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_few_connections_are_told_in_one_line() {
    let Some(cluster) = database(FEW).await else { return };
    let (url, schema) = (&cluster.url("postgres"), "few");
    migrate(url, schema);
    let mut others = Vec::new();
    while let Ok(connection) = PgConnection::connect(url).await {
        others.push(connection);
    }
    let none_left = [["serve"].as_slice(), &["migrate"], &["events", "verify"]];
    for text in join_all(none_left.map(|command| said(url, schema, command, 1))).await {
        assert!(text.contains("max_connections"), "{text}");
    }
    // Some are left, but fewer than it takes.
    for _ in 0..3 {
        others.pop().unwrap().close().await.unwrap();
        let text = said(url, schema, &["serve"], 1).await;
        assert!(text.contains("max_connections"), "{text}");
    }
}
