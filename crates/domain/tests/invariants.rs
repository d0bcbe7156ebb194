//! `docs/INVARIANTS.md` and the code name the same invariants, in the same order.
#![allow(clippy::unwrap_used, missing_docs)]

use std::{fs, path::Path};

use orderstream_domain::audit::invariant_names;

/// The first cell of every row whose first cell is code.
fn documented(text: &str) -> Vec<&str> {
    text.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`').map(|(name, _)| name)).collect()
}

#[test]
fn every_invariant_is_documented_and_every_documented_one_is_checked() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/INVARIANTS.md");
    let text = fs::read_to_string(path).unwrap();
    let mut documented = documented(&text);
    let mut checked = invariant_names();
    documented.sort_unstable();
    checked.sort_unstable();
    assert_eq!(documented, checked, "left: docs/INVARIANTS.md, right: crates/domain/src/audit");
}

#[test]
fn names_are_stable_words() {
    let names = invariant_names();
    assert!(names.iter().all(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '_')));
    let mut unique = names.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), names.len());
}
