//! Why a command did not work.

use std::path::PathBuf;

use eventlog::{AppendError, LogError, StoreError, transfer::ImportError};
use projections::ViewError;
use sagas::{ReconcileError, SagaError, reconcile::MendError};

use crate::{
    StartError,
    auth::{KeyError, TokenError},
    data_dir::{DataDirError, Holder},
    demo::DemoError,
    settings::SettingsError,
};

/// Why a command did not work.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// It was called in a way that cannot work.
    #[error("{0}")]
    Usage(String),
    /// The folder holds no log yet.
    #[error("there is no event log at {}: run `orderstream serve` or `orderstream migrate` first", .0.display())]
    NoLog(PathBuf),
    /// The command needs the data folder for itself.
    #[error("the data folder {} is in use by {holder}; stop it first: {why}", .path.display())]
    Held {
        /// The folder.
        path: PathBuf,
        /// By whom.
        holder: Holder,
        /// Why it cannot be shared.
        why: &'static str,
    },
    /// Others work on the database that the command needs for itself.
    #[error("an import needs the log for itself: stop these processes first: {0}")]
    Worked(String),
    /// There is no such thing.
    #[error("there is no {what} {name}")]
    NotFound {
        /// What was looked for.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// A check found differences.
    #[error("{0} of the views differ from the log; `orderstream projections rebuild NAME` makes them anew")]
    Differences(usize),
    /// The audit of the log found violations.
    #[error("{0} violations of invariants; docs/INVARIANTS.md says what each of them means and who keeps it")]
    Violations(u64),
    /// The log and the provider's books differ.
    #[error("the log and the payment provider's books differ in {0} places")]
    PaymentsDiffer(u64),
    /// The log and the books could not be compared.
    #[error(transparent)]
    Reconcile(Box<ReconcileError>),
    /// What differs could not be mended.
    #[error(transparent)]
    Mend(Box<MendError>),
    /// The running platform refused.
    #[error("the platform at {base} answered {status}: {detail}")]
    Refused {
        /// Where.
        base: String,
        /// HTTP status.
        status: u16,
        /// The problem's detail.
        detail: String,
    },
    /// The running platform cannot be reached.
    #[error("the platform cannot be reached: {0}")]
    Unreachable(#[from] reqwest::Error),
    /// A job of the running platform ended early.
    #[error("the {what} ended early: {error}")]
    Job {
        /// What it was.
        what: &'static str,
        /// Why.
        error: String,
    },
    /// A file cannot be read or written.
    #[error("{}: {source}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The result cannot be written.
    #[error("the result cannot be written: {0}")]
    Output(#[from] std::io::Error),
    /// An answer that cannot be understood, or a result that cannot be written as JSON.
    #[error("JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// Settings.
    #[error(transparent)]
    Settings(Box<SettingsError>),
    /// The data folder.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The signing key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A token.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// An append.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// An import.
    #[error(transparent)]
    Import(Box<ImportError>),
    /// A database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A view.
    #[error(transparent)]
    View(#[from] ViewError),
    /// A process manager.
    #[error(transparent)]
    Saga(#[from] SagaError),
    /// The platform does not start.
    #[error(transparent)]
    Start(Box<StartError>),
    /// The payment sandbox does not start.
    #[error(transparent)]
    Sandbox(#[from] gateway::server::SandboxServerError),
    /// A demo.
    #[error(transparent)]
    Demo(Box<DemoError>),
}

/// The large ones are boxed: every command returns this type, and mostly nothing is wrong.
macro_rules! boxed {
    ($($variant:ident($error:ty)),*) => {$(
        impl From<$error> for CliError {
            fn from(error: $error) -> Self {
                Self::$variant(Box::new(error))
            }
        }
    )*};
}
boxed!(
    Start(StartError),
    Demo(DemoError),
    Settings(SettingsError),
    Import(ImportError),
    Reconcile(ReconcileError),
    Mend(MendError)
);

impl CliError {
    /// 2 for wrong usage, settings among it, else 1.
    #[must_use]
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Settings(_) => 2,
            Self::Start(error) if matches!(**error, StartError::Settings(_)) => 2,
            _ => 1,
        }
    }
}
