//! How the program is set up: built-in defaults < `orderstream.toml` < environment `ORDERSTREAM_…` < flags.

mod admission;
mod load;
mod notifications;
mod roles;
mod stores;
#[cfg(test)]
mod tests;

use std::{path::PathBuf, time::Duration};

use gateway::GatewayOptions;
pub use gateway::Secret;
use serde::{Deserialize, Serialize};

pub use admission::{Admission, AdmissionError, Rates};
pub use load::SettingsError;
pub use notifications::{ChannelName, Notifications, NotificationsError, Smtp, SmtpTls, Webhook};
pub use roles::{API, consumer_names};
pub use stores::{Postgres, StorePlace};

/// The documented defaults, as they stand in `config/orderstream.toml`.
pub const DEFAULTS: &str = include_str!("../../../../config/orderstream.toml");

/// Flags that override the other sources; flatten them into a command's arguments.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Flags {
    /// Configuration file (default: ./orderstream.toml if it exists).
    #[arg(long, env = "ORDERSTREAM_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Address and port to listen on.
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<String>,
    /// Folder of the embedded store, the signing key and the lock.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Where the event log is kept: sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE.
    #[arg(long, value_name = "STORE")]
    pub store: Option<String>,
    /// Where the views are kept, if not beside the log: sqlite:PATH or postgres://….
    #[arg(long, value_name = "STORE")]
    pub views: Option<String>,
    /// Run only these consumers: process managers, views, "api"; "processes" and "views" are all of a kind.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Run all consumers but these.
    #[arg(long, value_name = "NAME", value_delimiter = ',', conflicts_with = "only")]
    pub except: Vec<String>,
}

/// How the program is set up. Each field is explained in `config/orderstream.toml`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Address and port to listen on.
    pub listen: String,
    /// Folder of the embedded store, the signing key and the lock.
    pub data: PathBuf,
    /// Where the event log is kept; empty: in the data folder. May hold a password.
    pub store: String,
    /// Where the views are kept; empty: beside the log. May hold a password.
    pub views: String,
    /// How PostgreSQL is used.
    pub postgres: Postgres,
    /// Largest size of the event log's file in MiB; 0: as large as the disk allows.
    pub log_max_mib: u32,
    /// Only these consumers run here; empty: all.
    pub only: Vec<String>,
    /// These consumers do not run here.
    pub except: Vec<String>,
    /// File of sample shops; empty: the built-in ones; `none`: no shops.
    pub shops: String,
    /// How long an order waits for its decision. Milliseconds.
    pub order_wait_ms: u64,
    /// How long a cancellation is waited for. Milliseconds.
    pub cancel_wait_ms: u64,
    /// How long a read with `min_position` waits. Milliseconds.
    pub view_wait_ms: u64,
    /// How long a read without `min_position` waits. Milliseconds.
    pub fresh_wait_ms: u64,
    /// Largest request body. Bytes.
    pub max_body_bytes: usize,
    /// Events that a view may be behind before the program calls itself not ready.
    pub ready_lag: u64,
    /// How long requests under way may take to end at shutdown. Milliseconds.
    pub shutdown_wait_ms: u64,
    /// What is taken on at once.
    pub admission: Admission,
    /// How the payment provider is reached.
    pub gateway: GatewayOptions,
    /// Least latency of the sandbox payment provider. Milliseconds.
    pub sandbox_latency_min_ms: u64,
    /// Most latency of the sandbox payment provider. Milliseconds.
    pub sandbox_latency_max_ms: u64,
    /// How customers are told.
    pub notifications: Notifications,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the stores: their addresses may hold passwords.
        f.debug_struct("Settings")
            .field("listen", &self.listen)
            .field("data", &self.data)
            .finish_non_exhaustive()
    }
}

impl Default for Settings {
    fn default() -> Self {
        load::defaults()
    }
}

impl Settings {
    /// Reads all sources.
    ///
    /// # Errors
    /// An unreadable file, an unknown key, a value of the wrong type, an unknown consumer.
    pub fn load(flags: &Flags) -> Result<Self, SettingsError> {
        load::load(flags, std::env::vars().collect())
    }

    /// The defaults with another data folder and any free port: for tests and demos.
    #[must_use]
    pub fn scratch(data: impl Into<PathBuf>) -> Self {
        Self { data: data.into(), listen: "127.0.0.1:0".to_owned(), ..Self::default() }
    }

    /// See [`Settings::order_wait_ms`].
    #[must_use]
    pub fn order_wait(&self) -> Duration {
        Duration::from_millis(self.order_wait_ms)
    }

    /// See [`Settings::cancel_wait_ms`].
    #[must_use]
    pub fn cancel_wait(&self) -> Duration {
        Duration::from_millis(self.cancel_wait_ms)
    }

    /// See [`Settings::view_wait_ms`].
    #[must_use]
    pub fn view_wait(&self) -> Duration {
        Duration::from_millis(self.view_wait_ms)
    }

    /// See [`Settings::fresh_wait_ms`].
    #[must_use]
    pub fn fresh_wait(&self) -> Duration {
        Duration::from_millis(self.fresh_wait_ms)
    }

    /// See [`Settings::shutdown_wait_ms`].
    #[must_use]
    pub fn shutdown_wait(&self) -> Duration {
        Duration::from_millis(self.shutdown_wait_ms)
    }
}
