//! The parts of the program that can run by themselves, by name.

use super::{Settings, SettingsError};

/// The name of the HTTP interface among the consumers.
pub const API: &str = "api";

/// All process managers.
const PROCESSES: &str = "processes";
/// All views.
const VIEWS: &str = "views";
/// What stands before a name to say that the process manager is meant, or the view: some share a name.
const PROCESS: &str = "process:";
const VIEW: &str = "view:";

/// Everything that `only` and `except` can name. A name that a process manager and a view share means both.
#[must_use]
pub fn consumer_names() -> Vec<String> {
    let mut names: Vec<String> = [API, PROCESSES, VIEWS].map(str::to_owned).to_vec();
    for (of_kind, prefix) in [(sagas::process_names(), PROCESS), (projections::view_names(), VIEW)] {
        for name in of_kind {
            if !names.iter().any(|known| known == name) {
                names.push((*name).to_owned());
            }
            names.push(format!("{prefix}{name}"));
        }
    }
    names
}

impl Settings {
    /// Whether the HTTP interface runs in this process.
    #[must_use]
    pub fn runs_api(&self) -> bool {
        self.runs(|entry| entry == API)
    }

    /// Whether the process manager runs in this process.
    #[must_use]
    pub fn runs_process(&self, name: &str) -> bool {
        self.runs(|entry| entry == PROCESSES || entry.strip_prefix(PROCESS).unwrap_or(entry) == name)
    }

    /// Whether the view is folded in this process.
    #[must_use]
    pub fn runs_view(&self, name: &str) -> bool {
        self.runs(|entry| entry == VIEWS || entry.strip_prefix(VIEW).unwrap_or(entry) == name)
    }

    /// Whether this process has anything to do with views: folds one, or answers from them.
    #[must_use]
    pub fn needs_views(&self) -> bool {
        self.runs_api() || projections::view_names().iter().any(|name| self.runs_view(name))
    }

    /// Whether this process has anything to do.
    pub(super) fn runs_anything(&self) -> bool {
        self.needs_views() || sagas::process_names().iter().any(|name| self.runs_process(name))
    }

    fn runs(&self, is_meant: impl Fn(&str) -> bool) -> bool {
        let named = |list: &[String]| list.iter().any(|entry| is_meant(entry));
        if self.only.is_empty() { !named(&self.except) } else { named(&self.only) }
    }
}

/// Refuses a name that nobody has.
pub(super) fn check(key: &'static str, names: &[String]) -> Result<(), SettingsError> {
    let known = consumer_names();
    match names.iter().find(|name| !known.contains(name)) {
        None => Ok(()),
        Some(name) => Err(SettingsError::UnknownConsumer {
            key,
            name: name.clone(),
            nearest: nearest(name, known.iter().map(String::as_str)).unwrap_or(API).to_owned(),
            known,
        }),
    }
}

/// The candidate that looks most like `word`, however unlike it is.
pub(super) fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates.min_by_key(|candidate| strsim::damerau_levenshtein(word, candidate))
}
