//! `health`: asks a process whether it is ready, for those who watch over processes without a tool of their own.

use std::time::Duration;

use serde_json::Value;

use super::{CliError, access::Place, output::Output, remote::reachable};

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Arguments of `health`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where it listens, such as http://127.0.0.1:8080 (default: the configured address).
    url: Option<String>,
}

pub(super) async fn run(args: Args, output: &Output) -> Result<(), CliError> {
    let base = match args.url {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => format!("http://{}", reachable(&Place::default().settings()?.listen)),
    };
    let client = reqwest::Client::builder().timeout(TIMEOUT).build()?;
    let response = client.get(format!("{base}/readyz")).send().await?;
    let (status, text) = (response.status(), response.text().await?);
    if status.is_success() {
        return output.value(&serde_json::json!({"status": "ok"}), |_| "ready".to_owned());
    }
    let problem: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
    let detail = problem["detail"].as_str().map_or(text, str::to_owned);
    Err(CliError::Refused { base, status: status.as_u16(), detail })
}
