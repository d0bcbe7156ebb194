//! The outage demo: the platform in parts, each a process of its own over one PostgreSQL; parts are killed and started
//! again while people go on. It shows what the originals showed with pods, and counts afterwards that nothing was lost and
//! nothing done twice.

mod crowd;
mod parts;
mod scenes;

use std::path::PathBuf;

use scratch_postgres::{Binaries, Cluster, ClusterOptions};
use uuid::Uuid;

pub(super) use self::parts::PartError;
use self::parts::Parts;
use super::{DemoError, stage::Stage};

/// Plays on a database: one that is given, in a schema of its own that is left there, or a scratch server that is gone
/// afterwards.
pub(super) async fn run(store: Option<String>) -> Result<(), DemoError> {
    let schema = format!("outage_{}", &Uuid::now_v7().simple().to_string()[20..]);
    let (url, cluster) = match store {
        Some(url) => (url, None),
        None => {
            let cluster = scratch().await?;
            (cluster.url("postgres"), Some(cluster))
        }
    };
    let folder = tempfile::Builder::new().prefix("orderstream-outage-").tempdir()?;
    let played = play(&url, &schema, folder.path().to_owned(), cluster.is_none()).await;
    // Ends the server, which blocks.
    tokio::task::spawn_blocking(move || drop(cluster)).await.map_err(std::io::Error::other)?;
    if played.is_err() {
        eprintln!("the logs of the parts are in {}", folder.keep().display());
    }
    played
}

async fn scratch() -> Result<Cluster, DemoError> {
    let binaries = Binaries::find().ok_or(DemoError::NoPostgres)?;
    let options =
        ClusterOptions { settings: vec![("max_connections".into(), "200".into())], ..Default::default() };
    let started = tokio::task::spawn_blocking(move || Cluster::start(binaries, options)).await;
    Ok(started.map_err(std::io::Error::other)??)
}

async fn play(url: &str, schema: &str, folder: PathBuf, kept: bool) -> Result<(), DemoError> {
    let mut parts = Parts::start(url, schema, folder).await?;
    let mut stage = Stage::at(&parts.url("api")?, &parts.folder("api"))?;
    stage.begin("outage", "parts that fail by themselves", 5);
    stage.print(&format!("parts, each a process of its own: {}", parts.names().join(", ")));
    scenes::fulfilment_is_down(&mut stage, &mut parts).await?;
    scenes::loyalty_is_down(&mut stage, &mut parts).await?;
    scenes::views_are_down(&mut stage, &mut parts).await?;
    scenes::payments_are_down(&mut stage, &mut parts).await?;
    scenes::three_instead_of_one(&mut stage, &mut parts).await?;
    parts.stop().await;
    if kept {
        stage.print(&format!("the schema {schema} is left in the database"));
    }
    stage.end();
    Ok(())
}
