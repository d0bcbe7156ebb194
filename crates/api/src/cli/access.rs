//! How a command gets at a data folder: by itself under the lock, or through the platform that runs on it.

use std::path::PathBuf;

use eventlog::LogReader;

use super::{CliError, remote::Remote};
use crate::{
    Platform, StartError,
    data_dir::{DataDir, DataDirError, Holder},
    platform::Databases,
    settings::{Flags, Settings, StorePlace},
};

/// Which data folder a command is about.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct Place {
    /// Configuration file (default: ./orderstream.toml if it exists).
    #[arg(long, env = "ORDERSTREAM_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of the embedded store, the signing key and the lock.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where the event log is kept: sqlite:PATH or postgres://….
    #[arg(long, value_name = "STORE")]
    store: Option<String>,
    /// Where the views are kept: sqlite:PATH or postgres://….
    #[arg(long, value_name = "STORE")]
    views: Option<String>,
}

/// The data folder, got hold of.
pub(super) enum Access {
    /// Nobody runs on it: this process holds it and has opened everything in it.
    Here(Box<Platform>),
    /// A platform runs on it.
    There(Remote),
}

impl Place {
    /// The configured place, with another data folder if one is given.
    pub(super) fn in_folder(data: Option<PathBuf>) -> Self {
        Self { data, ..Self::default() }
    }

    /// The settings that hold there.
    pub(super) fn settings(&self) -> Result<Settings, CliError> {
        let Self { config, data, store, views } = self.clone();
        Ok(Settings::load(&Flags { config, data, store, views, ..Flags::default() })?)
    }
}

/// Gets hold of the stores, which must hold a log. A database is used beside whoever else uses it.
pub(super) async fn access(settings: &Settings) -> Result<Access, CliError> {
    if let StorePlace::Sqlite(log) = settings.log_place()?
        && !log.exists()
    {
        return Err(CliError::NoLog(log));
    }
    match Platform::open_idle(settings.clone()).await {
        Ok(platform) => Ok(Access::Here(Box::new(platform))),
        Err(StartError::DataDir(DataDirError::InUse { path, holder })) => match listening(holder) {
            Ok(address) => Ok(Access::There(Remote::of(&settings.data, &address)?)),
            Err(holder) => Err(DataDirError::InUse { path, holder }.into()),
        },
        Err(error) => Err(error.into()),
    }
}

/// Takes the data folder for this process alone, creating it if need be.
pub(super) fn hold_alone(settings: &Settings, why: &'static str) -> Result<DataDir, CliError> {
    DataDir::hold(&settings.data).map_err(|error| match error {
        DataDirError::InUse { path, holder: Some(holder) } => CliError::Held { path, holder, why },
        other => other.into(),
    })
}

fn listening(holder: Option<Holder>) -> Result<String, Option<Holder>> {
    match holder {
        Some(Holder { listen: Some(address), .. }) => Ok(address),
        other => Err(other),
    }
}

/// The log, to be read whether or not a platform runs on it.
pub(super) async fn reader(settings: &Settings) -> Result<LogReader, CliError> {
    match settings.log_place()? {
        StorePlace::Sqlite(path) if !path.exists() => Err(CliError::NoLog(path)),
        StorePlace::Sqlite(path) => Ok(LogReader::open(&path).await?),
        StorePlace::Postgres(options) => {
            let database = Databases::default().connect(&options).await?;
            Ok(LogReader::open_postgres(&database).await?)
        }
    }
}
