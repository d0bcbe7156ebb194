//! What all cases share: options, the program under test, a PostgreSQL server, folders.

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

use tokio::runtime::Runtime;

use crate::{
    Failure, server,
    store::{Postgres, Store},
};

/// Options of every command.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Small numbers instead of those of the case's own options: shows that it runs, not how fast it is.
    #[arg(long, global = true)]
    quick: bool,
    /// Only on this store: sqlite, postgres (a scratch server, started and ended here), or postgres:URL (a server that
    /// is there; cases work in schemas of their own and remove them) [default: both, with a scratch server].
    #[arg(long, global = true)]
    store: Option<Store>,
    /// The server's program (default: `orderstream` beside this one).
    #[arg(long, global = true)]
    server: Option<PathBuf>,
    /// A folder on the disk to be measured (default: the system's temporary folder). A scratch PostgreSQL server goes
    /// where TMPDIR says.
    #[arg(long, global = true)]
    folder: Option<PathBuf>,
    /// Where logs that take long to make are kept for the next time (default: in the system's temporary folder).
    #[arg(long, global = true, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// All values of all rounds as JSON, into a file, or instead of the table (-).
    #[arg(long, global = true, value_name = "FILE|-")]
    pub(crate) json: Option<PathBuf>,
}

/// What a case works with.
pub(crate) struct Context {
    /// Whether small numbers do.
    pub(crate) quick: bool,
    /// The program under test.
    pub(crate) program: PathBuf,
    /// Where logs are kept that take long to make.
    pub(crate) cache: PathBuf,
    folder: PathBuf,
    store: Option<Store>,
    postgres: OnceLock<Option<Postgres>>,
    runtime: Runtime,
}

impl Context {
    pub(crate) fn new(options: &Options) -> Result<Self, Failure> {
        let temporary = std::env::temp_dir();
        Ok(Self {
            quick: options.quick,
            program: server::program(options.server.as_ref())?,
            cache: options.cache.clone().unwrap_or_else(|| temporary.join("orderstream-bench")),
            folder: options.folder.clone().unwrap_or(temporary),
            store: options.store.clone(),
            postgres: OnceLock::new(),
            runtime: tokio::runtime::Builder::new_multi_thread().enable_all().build()?,
        })
    }

    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// The folder whose disk is measured.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A new folder on the disk that is measured, removed when dropped.
    pub(crate) fn temporary(&self) -> Result<tempfile::TempDir, Failure> {
        Ok(tempfile::Builder::new().prefix("orderstream-bench-").tempdir_in(&self.folder)?)
    }

    /// Whether SQLite is measured.
    pub(crate) fn sqlite(&self) -> bool {
        matches!(self.store, None | Some(Store::Sqlite))
    }

    /// The PostgreSQL server, started when it is first asked for; none when it is not to be measured, or when this
    /// machine has none and nobody asked for it by name.
    pub(crate) fn postgres(&self) -> Result<Option<&Postgres>, Failure> {
        if self.postgres.get().is_none() {
            let server = match &self.store {
                Some(Store::Sqlite) => None,
                Some(Store::Postgres(url)) => Some(Postgres::start(url.as_deref())?),
                None => match Postgres::start(None) {
                    Ok(server) => Some(server),
                    Err(error) => {
                        eprintln!("SKIPPED everything on PostgreSQL: {error}");
                        None
                    }
                },
            };
            // Nobody else sets it: cases run one after the other.
            let _ = self.postgres.set(server);
        }
        Ok(self.postgres.get().and_then(Option::as_ref))
    }

    /// What the PostgreSQL server is, if one was used.
    pub(crate) fn describe_postgres(&self) -> Option<String> {
        let server = self.postgres.get()?.as_ref()?;
        self.block_on(server.describe()).ok()
    }
}
