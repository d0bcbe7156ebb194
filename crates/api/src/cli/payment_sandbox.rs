//! `payment-sandbox`: the stand-in payment provider as a server of its own.

use std::{ops::RangeInclusive, path::PathBuf};

use gateway::{
    Sandbox, SandboxOptions, Secret,
    server::{CallbackOptions, SandboxServer, SandboxServerOptions},
};

use super::{CliError, access::Place};
use crate::{StartError, data_dir::DataDir, serve::stop_signal};

/// Arguments of `payment-sandbox`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Address and port to listen on.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8090")]
    listen: String,
    /// How long an answer takes, in milliseconds: 400..620.
    #[arg(long, value_name = "MIN..MAX", default_value = "5..15", value_parser = parse_latency)]
    latency: RangeInclusive<u64>,
    /// Share of the calls that fail without having done anything: 0.0 to 1.0.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = parse_share)]
    fail_rate: f64,
    /// Where it posts what became of each charge and refund: the platform's /v1/payment-callbacks.
    #[arg(long, value_name = "URL", requires = "callback_secret")]
    callback_url: Option<String>,
    /// What it signs these callbacks with; the platform's gateway.callback_secret.
    #[arg(long, value_name = "SECRET", env = "PAYMENT_SANDBOX_CALLBACK_SECRET", hide_env_values = true, value_parser = parse_secret)]
    callback_secret: Option<Secret>,
    /// How often it posts each callback.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    callback_copies: u32,
    /// Folder in which it keeps its books, in a folder of their own.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// The longest answer that can be asked for: ten minutes. *Source*: ours; more is a typing error.
const MAX_LATENCY_MS: u64 = 600_000;

pub(super) async fn run(args: Args) -> Result<(), CliError> {
    let Args { listen, latency, fail_rate, callback_url, callback_secret, callback_copies, data } = args;
    let callbacks = callback_url.map(|url| CallbackOptions {
        url,
        secret: callback_secret.unwrap_or_default(),
        copies: callback_copies,
    });
    // Before anybody can know that it runs, so that no signal ends it the hard way.
    let stop = stop_signal();
    let folder = Place::in_folder(data).settings()?.data.join("payment-sandbox");
    let mut held = DataDir::hold(&folder)?;
    let path = folder.join("sandbox.db");
    let options = SandboxOptions { latency_ms: latency, fail_rate };
    let sandbox = Sandbox::open(&path, options).map_err(|source| StartError::Store { path, source })?;
    let options = SandboxServerOptions { callbacks, ..SandboxServerOptions::default() };
    let server = SandboxServer::start(sandbox.clone(), &listen, options).await?;
    held.announce(&server.address().to_string())?;
    println!("the payment sandbox listens on {} - see {}/openapi.json", server.url(), server.url());
    stop.await;
    tracing::info!("stopping: finishing what is under way");
    server.stop().await;
    sandbox.close().await;
    Ok(())
}

fn parse_latency(text: &str) -> Result<RangeInclusive<u64>, String> {
    let wrong =
        || format!("{text:?} is no range of milliseconds up to {MAX_LATENCY_MS}: write 400..620, or 500");
    let (min, max) = text.split_once("..").unwrap_or((text, text));
    let number = |text: &str| text.parse::<u64>().ok().filter(|millis| *millis <= MAX_LATENCY_MS);
    match (number(min), number(max)) {
        (Some(min), Some(max)) if min <= max => Ok(min..=max),
        _ => Err(wrong()),
    }
}

fn parse_secret(text: &str) -> Result<Secret, String> {
    if text.is_empty() { Err("it is empty: give the secret".to_owned()) } else { Ok(Secret::new(text)) }
}

fn parse_share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| format!("{text:?} is no share: write a number from 0.0 to 1.0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_latency_is_a_range_or_a_number() {
        assert_eq!(parse_latency("400..620"), Ok(400..=620));
        assert_eq!(parse_latency("500"), Ok(500..=500));
        for wrong in ["", "..", "620..400", "a..b", "1..", "400-620", "1..700000"] {
            assert!(parse_latency(wrong).is_err(), "{wrong:?} was taken");
        }
    }
}
