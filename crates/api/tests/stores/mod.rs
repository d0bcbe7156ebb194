//! Where the platforms of tests keep what they know: files in a scratch folder, or, with `ORDERSTREAM_TEST_STORE=postgres`,
//! a schema of a scratch PostgreSQL server.
#![allow(dead_code, unreachable_pub)]

use std::path::Path;

use orderstream::{Platform, Settings};

/// Whether the tests run on PostgreSQL.
pub fn on_postgres() -> bool {
    std::env::var("ORDERSTREAM_TEST_STORE").as_deref() == Ok("postgres")
}

/// The settings of a platform in `folder`, its tables made.
pub async fn settings(folder: &Path) -> Settings {
    let mut settings = Settings::scratch(folder);
    if on_postgres() {
        let cluster = tokio::task::spawn_blocking(scratch_postgres::for_tests).await.unwrap();
        settings.store = cluster.expect("ORDERSTREAM_TEST_STORE asks for PostgreSQL").url("postgres");
        settings.postgres.schema = schema(folder);
        settings.postgres.connections = 6;
        settings.postgres.lease_ms = 2_000;
        Platform::migrate(settings.clone()).await.unwrap();
    }
    settings
}

/// A schema for each folder: whoever starts in the same folder finds the same tables.
fn schema(folder: &Path) -> String {
    let name = folder.file_name().unwrap().to_string_lossy().to_lowercase();
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    // Folders may differ in case only.
    let sum = folder
        .to_string_lossy()
        .bytes()
        .fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    format!("t_{plain}_{sum:08x}")
}
