//! The door: takes connections in, as many as may be, and reads requests from them.
//!
//! Not `axum::serve`: it has neither a bound nor a limit of time for headers, so that idle or slow connections, which cost
//! their client nothing, would take all memory and descriptors.

use std::{
    io,
    time::{Duration, Instant},
};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::{app::App, web::Place};

/// How much of a header is read. Bytes. *Source*: ours; tokens and cookies of a few KiB fit many times over.
const HEADER_BYTES: usize = 64 * 1024;
/// When to accept again after an error of the machine, such as no descriptor left.
const ACCEPT_AGAIN: Duration = Duration::from_millis(500);
/// How often it is written to the program's log that all connections are taken.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// Serves until `close`, then lets every connection finish the request that it is at. Dropped, it cuts them all.
pub(super) async fn serve(listener: TcpListener, app: App, router: Router, close: CancellationToken) {
    let graceful = GracefulShutdown::new();
    let mut builder = http1::Builder::new();
    // An idle connection is one whose next header takes long: one limit for both.
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(app.settings.admission.header_wait())
        .max_buf_size(HEADER_BYTES);
    let mut connections = JoinSet::new();
    let mut said = None;
    while let Some((stream, place)) = close.run_until_cancelled(accept(&listener, &app, &mut said)).await {
        let service = TowerToHyperService::new(router.clone());
        let connection = graceful.watch(builder.serve_connection(TokioIo::new(stream), service));
        connections.spawn(async move {
            let _place = place;
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    graceful.shutdown().await;
}

/// The next connection, once there is a place for it.
async fn accept(listener: &TcpListener, app: &App, said: &mut Option<Instant>) -> (TcpStream, Place) {
    let connections = &app.admission.connections;
    let place = match connections.enter() {
        Some(place) => place,
        None => {
            if said.is_none_or(|at| at.elapsed() >= SAY_EVERY) {
                *said = Some(Instant::now());
                let places = connections.places();
                tracing::warn!(places, "all connections are taken: further ones wait");
            }
            connections.wait().await
        }
    };
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Answers are written whole: nothing is won by waiting for more.
                let _ = stream.set_nodelay(true);
                return (stream, place);
            }
            Err(error) if is_the_clients(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be accepted");
                tokio::time::sleep(ACCEPT_AGAIN).await;
            }
        }
    }
}

fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
