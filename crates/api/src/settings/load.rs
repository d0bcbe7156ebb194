//! Reading the sources of the settings, one over the other.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use config::{Config, ConfigError, Environment, File, FileFormat, Value, ValueKind};
use eventlog::StoreError;
use gateway::GatewayOptionsError;

use super::{AdmissionError, DEFAULTS, Flags, NotificationsError, Settings, roles};

/// The file that is read when none is named.
const DEFAULT_FILE: &str = "orderstream.toml";
/// What every variable of ours begins with.
const PREFIX: &str = "ORDERSTREAM_";
/// Variables that are no settings: the file's name, the level of the program's own log, options of the demo, where
/// PostgreSQL's programs are, and what tests are told. What asks for faults is one only where there are any.
const NOT_SETTINGS: [&str; 9] = [
    "ORDERSTREAM_CONFIG",
    "ORDERSTREAM_LOG",
    "ORDERSTREAM_DEMO_",
    scratch_postgres::SEARCH_VARIABLE,
    scratch_postgres::REQUIRE_VARIABLE,
    "ORDERSTREAM_TEST_STORE",
    "ORDERSTREAM_ROUNDS",
    "ORDERSTREAM_SEED",
    "ORDERSTREAM_SEEDS",
];

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The named file is not there.
    #[error("the configuration file {0} does not exist")]
    NoFile(PathBuf),
    /// A key that nobody knows.
    #[error("unknown setting {key:?} in {origin}{}", .nearest.as_ref().map_or(String::new(), |n| format!(": did you mean {n:?}?")))]
    UnknownKey {
        /// The key.
        key: String,
        /// Where it stands.
        origin: String,
        /// The known key that looks most like it.
        nearest: Option<String>,
    },
    /// A consumer that does not exist.
    #[error("unknown consumer {name:?} in {key:?}: did you mean {nearest:?}? There are: {}", .known.join(", "))]
    UnknownConsumer {
        /// `only` or `except`.
        key: &'static str,
        /// The name.
        name: String,
        /// The known name that looks most like it.
        nearest: String,
        /// All there are.
        known: Vec<String>,
    },
    /// Nothing is left to run.
    #[error("only and except leave nothing to run: name \"api\", a process manager or a view")]
    NothingToRun,
    /// Both lists given.
    #[error("only and except exclude each other: give one of them")]
    OnlyAndExcept,
    /// A bad range.
    #[error("sandbox_latency_min_ms ({min}) is larger than sandbox_latency_max_ms ({max})")]
    Latency {
        /// At least.
        min: u64,
        /// At most.
        max: u64,
    },
    /// A database that cannot be used.
    #[error("{key}: {why}")]
    Database {
        /// Which setting.
        key: &'static str,
        /// Why not.
        why: StoreError,
    },
    /// A lease that makes no sense.
    #[error("postgres.lease_ms is {value}: give {least} to {most}")]
    Lease {
        /// Its value.
        value: u64,
        /// At least.
        least: u64,
        /// At most.
        most: u64,
    },
    /// No store that we know.
    #[error(
        "{key}: {kind:?} is not a kind of store; use sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE"
    )]
    UnknownStore {
        /// Which setting.
        key: &'static str,
        /// What stands before the colon.
        kind: String,
    },
    /// What is taken on at once.
    #[error(transparent)]
    Admission(#[from] AdmissionError),
    /// The payment provider.
    #[error(transparent)]
    Gateway(#[from] GatewayOptionsError),
    /// The channel that tells customers.
    #[error(transparent)]
    Notifications(#[from] NotificationsError),
    /// A source cannot be read, or a value has the wrong type.
    #[error("the settings cannot be read: {}", without_excerpt(.0))]
    Unreadable(#[from] ConfigError),
}

/// What the reader of a file says, in one line and without the lines of the file, which may hold a password.
fn without_excerpt(error: &ConfigError) -> String {
    let text = error.to_string();
    let said = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.contains('|'));
    said.collect::<Vec<_>>().join(": ")
}

/// The built-in defaults.
pub(super) fn defaults() -> Settings {
    let config = Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml)).build();
    config
        .and_then(Config::try_deserialize)
        .expect("the built-in defaults are read in a test, so they can be read")
}

/// All sources together; `environment` is handed in so that it can be tested.
pub(super) fn load(flags: &Flags, environment: HashMap<String, String>) -> Result<Settings, SettingsError> {
    let mut builder = Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml));
    if let Some(path) = file(flags)? {
        let source = File::from(path.as_path()).format(FileFormat::Toml);
        check_keys(&Config::builder().add_source(source.clone()).build()?, &path.display().to_string())?;
        builder = builder.add_source(source);
    }
    for environment in environment_sources(environment) {
        check_keys(
            &Config::builder().add_source(environment.clone()).build()?,
            "the environment (ORDERSTREAM_…)",
        )?;
        builder = builder.add_source(environment);
    }
    let mut settings: Settings = builder.build()?.try_deserialize()?;
    override_with(&mut settings, flags);
    check(&settings)?;
    Ok(settings)
}

/// The variables as sources: first those whose settings are texts, taken as they are (a password "007" stays one), then
/// the others, read as numbers, booleans and lists.
fn environment_sources(variables: HashMap<String, String>) -> [Environment; 2] {
    let known = known();
    let name_of = |key: &str| format!("{PREFIX}{}", key.replace('.', "_")).to_lowercase();
    let (mut texts, mut others) = (HashMap::new(), HashMap::new());
    for (name, value) in variables.into_iter().filter(|(name, _)| is_setting(name)) {
        match known.iter().find(|(key, _)| name_of(key) == name.to_lowercase()) {
            // A dot leads into a section.
            Some((key, is_text)) => {
                let name = format!("{PREFIX}{key}");
                if *is_text { texts.insert(name, value) } else { others.insert(name, value) }
            }
            None => others.insert(name, value),
        };
    }
    let source = || Environment::with_prefix("ORDERSTREAM").prefix_separator("_").ignore_empty(true);
    let others = source()
        .try_parsing(true)
        .list_separator(",")
        .with_list_parse_key("only")
        .with_list_parse_key("except")
        .source(Some(others));
    [source().source(Some(texts)), others]
}

fn is_setting(variable: &str) -> bool {
    variable.starts_with(PREFIX)
        && !NOT_SETTINGS
            .iter()
            .chain(eventlog::FAULT_VARIABLES)
            .any(|other| if other.ends_with('_') { variable.starts_with(other) } else { variable == *other })
}

fn file(flags: &Flags) -> Result<Option<PathBuf>, SettingsError> {
    match &flags.config {
        Some(path) if path.is_file() => Ok(Some(path.clone())),
        Some(path) => Err(SettingsError::NoFile(path.clone())),
        None => Ok(Some(Path::new(DEFAULT_FILE)).filter(|path| path.is_file()).map(Path::to_owned)),
    }
}

/// The names of all settings, with a dot between a section and what stands in it.
pub(super) fn known_keys() -> Vec<String> {
    known().into_iter().map(|(key, _)| key).collect()
}

/// The same, each with whether it is a text.
fn known() -> Vec<(String, bool)> {
    let defaults = Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml)).build();
    let defaults: Option<HashMap<String, Value>> = defaults.and_then(Config::try_deserialize).ok();
    leaves(defaults.expect("the built-in defaults are read in a test, so they can be read"))
}

fn leaves(table: HashMap<String, Value>) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    for (key, value) in table {
        match value.kind {
            ValueKind::Table(inner) => {
                found.extend(leaves(inner).into_iter().map(|(below, text)| (format!("{key}.{below}"), text)));
            }
            kind => found.push((key, matches!(kind, ValueKind::String(_)))),
        }
    }
    found.sort();
    found
}

fn check_keys(source: &Config, origin: &str) -> Result<(), SettingsError> {
    let known = known_keys();
    let given = leaves(source.clone().try_deserialize()?);
    match given.into_iter().find(|(key, _)| !known.contains(key)) {
        None => Ok(()),
        Some((key, _)) => Err(SettingsError::UnknownKey {
            nearest: roles::nearest(&key, known.iter().map(String::as_str)).map(str::to_owned),
            key,
            origin: origin.to_owned(),
        }),
    }
}

fn override_with(settings: &mut Settings, flags: &Flags) {
    let Flags { config: _, listen, data, store, views, only, except } = flags.clone();
    if let Some(listen) = listen {
        settings.listen = listen;
    }
    if let Some(data) = data {
        settings.data = data;
    }
    if let Some(store) = store {
        settings.store = store;
    }
    if let Some(views) = views {
        settings.views = views;
    }
    // A flag replaces both lists, since they exclude each other.
    if !only.is_empty() || !except.is_empty() {
        (settings.only, settings.except) = (only, except);
    }
}

/// What holds between settings.
pub(super) fn check(settings: &Settings) -> Result<(), SettingsError> {
    if !settings.only.is_empty() && !settings.except.is_empty() {
        return Err(SettingsError::OnlyAndExcept);
    }
    roles::check("only", &settings.only)?;
    roles::check("except", &settings.except)?;
    let (min, max) = (settings.sandbox_latency_min_ms, settings.sandbox_latency_max_ms);
    if min > max {
        return Err(SettingsError::Latency { min, max });
    }
    if !settings.runs_anything() {
        return Err(SettingsError::NothingToRun);
    }
    settings.check_stores()?;
    settings.admission.check()?;
    settings.gateway.check()?;
    settings.notifications.check()?;
    Ok(())
}
