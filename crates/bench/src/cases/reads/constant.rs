//! A server that answers constants: what HTTP itself costs.

use axum::{Router, body::Bytes, http::header::CONTENT_TYPE, routing::get};

use crate::Failure;

/// Options of the process.
#[derive(clap::Args)]
pub(crate) struct Options {
    #[arg(long)]
    listen: String,
    /// Bytes of the answer to /one.
    #[arg(long)]
    one: usize,
    /// Bytes of the answer to /many.
    #[arg(long)]
    many: usize,
}

/// Serves until it is ended.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let route = |bytes: usize| {
        let body = Bytes::from(vec![b' '; bytes]);
        get(move || {
            let body = body.clone();
            async move { ([(CONTENT_TYPE, "application/json")], body) }
        })
    };
    let router = Router::new().route("/one", route(options.one)).route("/many", route(options.many));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(&options.listen).await?;
        axum::serve(listener, router).await?;
        Ok(())
    })
}
