//! Why the platform does not start.

use std::path::PathBuf;

use eventlog::{LogError, StoreError};
use gateway::GatewayOptionsError;
use projections::ViewError;
use sagas::SagaError;

use crate::{auth::KeyError, data_dir::DataDirError, sample_shops::ShopsError, settings::SettingsError};

/// Why the platform did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The settings.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The data folder, for example because somebody else uses it.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The signing key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The event log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A file.
    #[error("{}: {source}", .path.display())]
    Store {
        /// Which.
        path: PathBuf,
        /// Why.
        source: StoreError,
    },
    /// A database.
    #[error("{source}")]
    Database {
        /// Why.
        source: StoreError,
    },
    /// The views.
    #[error(transparent)]
    Views(#[from] ViewError),
    /// The process managers.
    #[error(transparent)]
    Sagas(#[from] SagaError),
    /// The payment provider.
    #[error(transparent)]
    Gateway(#[from] GatewayOptionsError),
    /// The sample shops.
    #[error(transparent)]
    Shops(#[from] ShopsError),
    /// The address.
    #[error("cannot listen on {listen}: {source}")]
    Listen {
        /// The address.
        listen: String,
        /// Why.
        source: std::io::Error,
    },
}
