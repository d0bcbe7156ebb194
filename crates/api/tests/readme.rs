//! What the documents say is so: the tour works as it stands in the README, and every file that is named exists.
#![allow(clippy::unwrap_used, missing_docs)]

mod binary;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use binary::Serving;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn document(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap()
}

/// The shell blocks between a heading and the next of the same level.
fn shell_blocks(text: &str, heading: &str) -> String {
    let section = text.split("\n## ").find(|section| section.starts_with(heading)).unwrap();
    let blocks = section.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_tour_of_the_readme_works_as_pasted() {
    let tour = shell_blocks(&document("README.md"), "A tour");
    assert!(tour.lines().count() > 30, "the tour was not found:\n{tour}");
    let folder = tempfile::tempdir().unwrap();
    // The tour uses the data folder ./data, as the platform does by itself.
    let serving = Serving::start(&folder.path().join("data"), &[]);
    let program = Path::new(env!("CARGO_BIN_EXE_orderstream")).parent().unwrap().to_owned();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &tour])
        .current_dir(folder.path())
        .env("PATH", path)
        .env("URL", &serving.url)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let (told, complaint) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{complaint}\n{told}");
    for expected in [
        "\"status\":\"confirmed\"",
        "\"code\":\"payment_declined\"",
        "\"status\":\"accepted\"",
        "\"status\":\"shipped\"",
        "\"status\":\"delivered\"",
        "\"code\":\"too_late_to_cancel\"",
        "\"status\":\"cancelled\"",
        "\"what\":\"payment.refunded\"",
        "order.cancelled  by process:",
    ] {
        assert!(told.contains(expected), "the tour does not show {expected}:\n{told}\n{complaint}");
    }
    assert_eq!(
        told.matches("\"code\"").count(),
        2,
        "the tour shows a problem that it does not announce:\n{told}"
    );
}

#[test]
fn every_file_that_the_documents_name_exists() {
    let mut named = BTreeSet::new();
    for name in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let text = document(name);
        let quoted = text.split('`').skip(1).step_by(2).map(str::to_owned);
        named.extend(quoted.filter(|word| {
            let path = word.starts_with("crates/") || word.starts_with("config/") || word.starts_with(".ci/");
            path && !word.contains(['*', '<', ' ', '\n'])
        }));
    }
    assert!(named.len() > 20, "{named:?}");
    let missing: Vec<&String> = named.iter().filter(|path| !root().join(path).exists()).collect();
    assert!(missing.is_empty(), "these are named but do not exist: {missing:?}");
}
