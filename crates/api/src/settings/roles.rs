//! The parts of the program that can run by themselves, by name.

use super::SettingsError;

/// The name of the HTTP interface among the consumers.
pub const API: &str = "api";

/// Everything that `only` and `except` can name.
#[must_use]
pub fn consumer_names() -> Vec<&'static str> {
    let mut names = vec![API];
    names.extend(sagas::process_names());
    // A process manager and a view may share a name: naming it means both.
    names.extend(projections::view_names().iter().filter(|name| !sagas::process_names().contains(name)));
    names
}

/// Refuses a name that nobody has.
pub(super) fn check(key: &'static str, names: &[String]) -> Result<(), SettingsError> {
    let known = consumer_names();
    match names.iter().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => Err(SettingsError::UnknownConsumer {
            key,
            name: name.clone(),
            nearest: nearest(name, known.iter().copied()).unwrap_or(API).to_owned(),
            known,
        }),
    }
}

/// The candidate that looks most like `word`, however unlike it is.
pub(super) fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates.min_by_key(|candidate| strsim::damerau_levenshtein(word, candidate))
}
