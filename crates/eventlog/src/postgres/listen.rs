//! Being told when another process has appended.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use sqlx::{
    Connection,
    postgres::{PgConnectOptions, PgListener, PgPool, PgPoolOptions},
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Pause before a listener that was lost is set up anew: polling goes on meanwhile.
const PAUSE: Duration = Duration::from_millis(500);
/// A listener that hears nothing for so long asks whether its connection still lives.
const ASK_AFTER: Duration = Duration::from_secs(15);
/// How long the answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the listening task and the store share.
#[derive(Default)]
pub(super) struct Ear {
    pub(super) heard: Notify,
    /// The server's process behind the connection that this process appends through: what that one tells is known here.
    pub(super) own_process: AtomicU32,
}

/// The channel that the log in `schema` tells its appends on.
fn channel(schema: &str) -> String {
    format!("orderstream_{schema}")
}

/// Listens until `stop`.
pub(super) async fn listen(
    options: PgConnectOptions,
    schema: String,
    ear: Arc<Ear>,
    stop: CancellationToken,
) {
    let pool = PgPoolOptions::new().max_connections(1).max_lifetime(None).idle_timeout(None);
    let pool =
        pool.acquire_timeout(PATIENCE).connect_lazy_with(options.application_name("orderstream listen"));
    let channel = channel(&schema);
    loop {
        let lost = tokio::select! {
            () = stop.cancelled() => break,
            lost = listen_once(&pool, &channel, &ear) => lost,
        };
        tracing::debug!(error = %lost, "not told of appends for now: the log is polled");
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
    pool.close().await;
}

/// Until the connection is lost.
async fn listen_once(pool: &PgPool, channel: &str, ear: &Ear) -> sqlx::Error {
    match try_listen(pool, channel, ear).await {
        Ok(()) => sqlx::Error::WorkerCrashed,
        Err(error) => error,
    }
}

async fn try_listen(pool: &PgPool, channel: &str, ear: &Ear) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.eager_reconnect(false);
    listener.listen(channel).await?;
    // Whatever was appended while nobody listened.
    ear.heard.notify_one();
    loop {
        match tokio::time::timeout(ASK_AFTER, listener.try_recv()).await {
            Ok(Ok(Some(told))) => {
                if told.process_id() != ear.own_process.load(Ordering::Relaxed) {
                    ear.heard.notify_one();
                }
            }
            Ok(Ok(None)) => return Ok(()),
            Ok(Err(error)) => return Err(error),
            Err(_) => {
                let connection = sqlx::Acquire::acquire(&mut listener).await?;
                match tokio::time::timeout(PATIENCE, connection.ping()).await {
                    Ok(alive) => alive?,
                    Err(_) => return Ok(()),
                }
            }
        }
    }
}
