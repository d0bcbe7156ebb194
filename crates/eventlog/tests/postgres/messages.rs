//! What is wrong is said in one line that says what to do.

use orderstream_eventlog::{
    LogError, LogReader, StoreError,
    postgres::{Database, DatabaseOptions, LOG, Part, PostgresStore},
};
use sqlx::{Connection, Executor, postgres::PgConnection};

use crate::setup::{connect, migrated, schema};

async fn refused(url: &str, connections: u32) -> StoreError {
    let options = DatabaseOptions { url: url.to_owned(), schema: "messages".to_owned(), connections };
    match Database::connect(options).await {
        Ok(_) => panic!("{url} can be used"),
        Err(error) => error,
    }
}

/// One line that has all of these words, and no password.
fn says(error: impl std::fmt::Display, words: &[&str]) {
    let said = error.to_string();
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(words.iter().all(|word| said.contains(word)), "{said} lacks one of {words:?}");
    assert!(!said.contains("scratch"), "{said} tells the password");
}

#[tokio::test]
async fn who_cannot_connect_is_told_why() {
    let Some(cluster) = scratch_postgres::for_tests() else { return };
    let right = cluster.url("postgres");
    says(
        refused(&right.replace(":scratch@", ":wrong@"), 6).await,
        &["password", "127.0.0.1", "mend user or password"],
    );
    says(refused(&cluster.url("nowhere"), 6).await, &["nowhere", "does not exist", "createdb"]);
    let port = format!(":{}/", cluster.port());
    says(refused(&right.replace(&port, ":1/"), 6).await, &["127.0.0.1:1", "cannot be reached"]);
    says(refused(&right, 3).await, &["3 connections", "at least 4"]);
    says(refused("mysql://orders", 6).await, &["postgres://USER"]);
    let mut admin = PgConnection::connect(&right).await.unwrap();
    admin.execute("CREATE ROLE limited LOGIN PASSWORD 'scratch' CONNECTION LIMIT 0").await.unwrap();
    let limited = refused(&right.replace("//orderstream:", "//limited:"), 6).await;
    says(limited, &["no connection left", "max_connections"]);
}

async fn unusable(database: &Database) -> LogError {
    let reader = LogReader::open_postgres(database).await.err().expect("the reader refuses it, too");
    let error = PostgresStore::open(database).await.err().expect("it cannot be used");
    assert_eq!(error, reader);
    error
}

#[tokio::test]
async fn who_has_no_schema_or_one_of_another_release_is_told_what_to_do() {
    let Some(cluster) = scratch_postgres::for_tests() else { return };
    let url = cluster.url("postgres");
    let none = connect(&url, "no_schema").await;
    says(unusable(&none).await, &["no_schema", "orderstream migrate"]);
    let other_parts = connect(&url, "other_parts").await;
    other_parts.migrate(Part { name: "other", migrations: &["CREATE TABLE other ()"] }).await.unwrap();
    says(unusable(&other_parts).await, &["other_parts", "orderstream migrate"]);

    let older = connect(&url, "older").await;
    older.migrate(Part { name: LOG.name, migrations: &[] }).await.unwrap();
    says(unusable(&older).await, &["older", "at 0", "needs 1", "orderstream migrate"]);

    let newer = migrated(&url, "newer").await;
    let next: &[&str] = &[LOG.migrations[0], "CREATE TABLE next ()"];
    newer.migrate(Part { name: LOG.name, migrations: Vec::leak(next.to_vec()) }).await.unwrap();
    says(unusable(&newer).await, &["schema 2", "knows up to 1", "newer release"]);
    let again = newer.migrate(LOG).await.unwrap_err();
    says(again, &["schema 2", "newer release"]);
}

#[tokio::test]
async fn migrating_twice_or_at_once_does_it_once() {
    let Some(database) = schema("migrated_twice").await else { return };
    let again = database.migrate(LOG).await.unwrap();
    assert_eq!((again.before, again.now), (Some(1), 1));
    let url = scratch_postgres::for_tests().unwrap().url("postgres");
    let fresh = connect(&url, "migrated_at_once").await;
    let (a, b) = tokio::join!(fresh.migrate(LOG), fresh.migrate(LOG));
    let mut before = [a.unwrap().before, b.unwrap().before];
    before.sort_unstable();
    assert_eq!(before, [None, Some(1)]);
}
