//! Rules of the whole repository as failing checks: which crate may use which, a domain without clock and chance, and
//! files that a reader can take in. Each message says why the rule is there.
//!
//! Only files are read here, so that the checks see code that does not compile, too.
#![allow(clippy::unwrap_used, missing_docs)]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use toml::{Table, Value};

/// *Source*: ours; beyond this a file has more than one subject.
const MAX_LINES: usize = 500;

/// Our crates by package, and which of them each may use in what it ships. Everything else runs backwards.
const LAYERS: [(&str, &[&str]); 7] = [
    ("orderstream-domain", &[]),
    ("orderstream-scratch-postgres", &[]),
    ("orderstream-eventlog", &["orderstream-domain"]),
    ("orderstream-sagas", &["orderstream-eventlog", "orderstream-domain"]),
    ("orderstream-projections", &["orderstream-eventlog", "orderstream-domain"]),
    ("orderstream-gateway", &["orderstream-sagas", "orderstream-eventlog", "orderstream-domain"]),
    (
        "orderstream",
        &[
            "orderstream-projections",
            "orderstream-sagas",
            "orderstream-gateway",
            "orderstream-scratch-postgres",
            "orderstream-eventlog",
            "orderstream-domain",
        ],
    ),
];

/// Not shipped, so they may use everything; nothing may use them.
const NOT_SHIPPED: [&str; 3] = ["orderstream-bench", "orderstream-fuzz", "orderstream-sim"];

/// What would let a decision wait, store or draw a number.
const IMPURE: [&str; 6] = ["tokio", "rusqlite", "sqlx", "axum", "rand", "reqwest"];

/// What reads a clock or draws a number.
const NOT_DETERMINISTIC: [&str; 5] = ["Utc::now", "SystemTime", "rand::", "Uuid::now_v7", "Uuid::new_v4"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn manifest(path: &Path) -> Table {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.parse().unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Every `.rs` file below `folder`, without build output and hidden folders.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && name != "node_modules" && !name.starts_with('.') {
            files.extend(rust_files(&path));
        } else if name.ends_with(".rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The packages that a crate's own code uses; `dev-dependencies` are not shipped and draw no arrow.
fn dependencies(manifest: &Table, workspace: &Table) -> Vec<String> {
    let targets = manifest.get("target").and_then(Value::as_table);
    let tables = targets.into_iter().flat_map(Table::values).filter_map(Value::as_table).chain([manifest]);
    let mut packages = Vec::new();
    for table in tables {
        for kind in ["dependencies", "build-dependencies"] {
            for (name, how) in table.get(kind).and_then(Value::as_table).into_iter().flatten() {
                let inherited = how.get("workspace").is_some().then(|| workspace.get(name)).flatten();
                let package =
                    how.get("package").or_else(|| inherited?.get("package")).and_then(Value::as_str);
                packages.push(package.unwrap_or(name).to_owned());
            }
        }
    }
    packages
}

/// What is wrong with the arrows that leave one crate.
fn wrong_arrows(manifest: &Table, workspace: &Table) -> Vec<String> {
    let package = manifest["package"]["name"].as_str().unwrap();
    let uses = dependencies(manifest, workspace);
    if NOT_SHIPPED.contains(&package) {
        return Vec::new();
    }
    let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == package) else {
        return vec![format!("{package} has no place in the layers: give it one in LAYERS")];
    };
    let ours = |name: &str| LAYERS.iter().any(|(layer, _)| *layer == name) || NOT_SHIPPED.contains(&name);
    let backwards = uses.iter().filter(|name| ours(name) && !allowed.contains(&name.as_str())).map(|name| {
        format!(
            "{package} uses {name}: arrows go api -> {{projections, sagas, gateway}} -> eventlog -> domain, since views \
             that know processes (or a log that knows its readers) cannot be rebuilt, tested or scaled by themselves"
        )
    });
    let impure =
        uses.iter().filter(|name| package == "orderstream-domain" && IMPURE.contains(&name.as_str()));
    let impure = impure.map(|name| {
        format!(
            "{package} uses {name}: the domain decides without I/O, clock and chance, so that every decision can be \
             replayed; put it into the crate that runs the decision"
        )
    });
    backwards.chain(impure).collect()
}

/// Which of `not_deterministic` a source names outside its `#[cfg(test)]` modules and comments, with the line.
fn impure_lines(source: &str) -> Vec<(usize, &'static str)> {
    let mut found = Vec::new();
    let mut lines = source.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        if line.trim() == "#[cfg(test)]" {
            skip_item(&mut lines);
            continue;
        }
        if line.trim_start().starts_with("//") {
            continue;
        }
        for word in NOT_DETERMINISTIC {
            let starts_word = |at: usize| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            if line.match_indices(word).any(|(at, _)| starts_word(at)) {
                found.push((number + 1, word));
            }
        }
    }
    found
}

/// Leaves out the item after an attribute: up to `;`, or up to the brace that stands below its first line (as rustfmt
/// sets it).
fn skip_item<'a>(lines: &mut impl Iterator<Item = (usize, &'a str)>) {
    let Some((_, first)) = lines.find(|(_, line)| !line.trim_start().starts_with('#')) else { return };
    if first.trim_end().ends_with('{') {
        let indent = first.len() - first.trim_start().len();
        let close = format!("{}}}", &first[..indent]);
        lines.find(|(_, line)| *line == close);
    }
}

/// The files and folders below `file` that exist for tests only: `#[cfg(test)] mod name;`.
fn test_only(file: &Path, source: &str) -> Vec<PathBuf> {
    let stem = file.file_stem().unwrap().to_string_lossy();
    let parent = file.parent().unwrap();
    let home =
        if ["mod", "lib", "main"].contains(&&*stem) { parent.to_path_buf() } else { parent.join(&*stem) };
    let is_test_or_code = |line: &&str| *line == "#[cfg(test)]" || !line.starts_with('#');
    let lines: Vec<&str> = source.lines().map(str::trim).filter(is_test_or_code).collect();
    let modules = lines.windows(2).filter(|pair| pair[0] == "#[cfg(test)]");
    let names = modules.filter_map(|pair| pair[1].strip_prefix("mod ")?.strip_suffix(';'));
    names.flat_map(|name| [home.join(format!("{name}.rs")), home.join(name)]).collect()
}

#[test]
fn dependencies_run_one_way() {
    let root = root();
    let workspace =
        manifest(&root.join("Cargo.toml"))["workspace"]["dependencies"].as_table().unwrap().clone();
    let mut seen = 0;
    let mut wrong = Vec::new();
    for entry in fs::read_dir(root.join("crates")).unwrap() {
        let path = entry.unwrap().path().join("Cargo.toml");
        if path.exists() {
            seen += 1;
            wrong.extend(wrong_arrows(&manifest(&path), &workspace));
        }
    }
    assert!(seen >= LAYERS.len(), "only {seen} crates were found: the check looks in the wrong place");
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn the_domain_reads_no_clock_and_draws_no_number() {
    let files = rust_files(&root().join("crates/domain/src"));
    let sources: BTreeMap<_, _> =
        files.iter().map(|file| (file, fs::read_to_string(file).unwrap())).collect();
    let tests: Vec<_> = sources.iter().flat_map(|(file, source)| test_only(file, source)).collect();
    let shipped: Vec<_> =
        sources.iter().filter(|(file, _)| !tests.iter().any(|test| file.starts_with(test))).collect();
    assert!(
        shipped.len() >= 20,
        "only {} files were found: the check looks in the wrong place",
        shipped.len()
    );
    let mut wrong = Vec::new();
    for (file, source) in shipped {
        for (line, word) in impure_lines(source) {
            wrong.push(format!(
                "{}:{line} names {word}: a decision that reads a clock or draws a number cannot be replayed or tested; \
                 let time and ids come in with the command",
                file.display()
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn no_source_file_is_longer_than_a_reader_can_take_in() {
    let files = rust_files(&root());
    assert!(files.len() >= 50, "only {} files were found: the check looks in the wrong place", files.len());
    let mut wrong = Vec::new();
    for file in files {
        let lines = fs::read_to_string(&file).unwrap().lines().count();
        if lines > MAX_LINES {
            wrong.push(format!(
                "{} has {lines} lines, more than {MAX_LINES}: a file that long has more than one subject and nobody \
                 reads it to its end; split it by subject",
                file.display()
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

fn arrows_of(manifest: &str) -> Vec<String> {
    let workspace = r#"
        domain = { path = "crates/domain", package = "orderstream-domain" }
        sagas = { path = "crates/sagas", package = "orderstream-sagas" }
        orderstream = { path = "crates/api" }
        tokio = "1"
    "#;
    wrong_arrows(&manifest.parse().unwrap(), &workspace.parse().unwrap())
}

#[test]
fn an_arrow_that_runs_back_is_seen_however_it_is_written() {
    let projections = "[package]\nname = \"orderstream-projections\"\n";
    for dependency in [
        "[dependencies]\nsagas.workspace = true",
        "[dependencies]\norderstream = { path = \"../api\" }",
        "[dependencies]\nother = { path = \"../sagas\", package = \"orderstream-sagas\" }",
        "[build-dependencies]\nsagas = { workspace = true }",
        "[dependencies.orderstream-bench]\npath = \"../bench\"",
        "[target.'cfg(unix)'.dependencies]\nsagas.workspace = true",
    ] {
        let wrong = arrows_of(&format!("{projections}{dependency}"));
        assert_eq!(wrong.len(), 1, "{dependency}: {wrong:?}");
        assert!(wrong[0].starts_with("orderstream-projections uses orderstream"), "{wrong:?}");
    }
    for good in [
        "[dependencies]\ndomain.workspace = true\ntokio = \"1\"",
        "[dev-dependencies]\nsagas.workspace = true",
    ] {
        assert_eq!(arrows_of(&format!("{projections}{good}")), [""; 0], "{good}");
    }
}

#[test]
fn a_domain_that_could_wait_or_store_is_seen() {
    let domain = "[package]\nname = \"orderstream-domain\"\n";
    for name in IMPURE {
        let wrong = arrows_of(&format!("{domain}[dependencies]\n{name} = \"1\""));
        assert!(wrong[0].starts_with(&format!("orderstream-domain uses {name}")), "{wrong:?}");
    }
    assert_eq!(arrows_of(&format!("{domain}[dev-dependencies]\ntokio.workspace = true")), [""; 0]);
}

#[test]
fn a_crate_without_a_place_is_seen() {
    let wrong = arrows_of("[package]\nname = \"orderstream-extra\"");
    assert_eq!(wrong, ["orderstream-extra has no place in the layers: give it one in LAYERS"]);
}

#[test]
fn a_clock_is_seen_in_code_and_not_in_tests_or_comments() {
    let source = "\
//! Utc::now is not read here.
fn a() { chrono::Utc::now(); }
#[cfg(test)]
#[allow(dead_code)]
mod tests {
    fn b() { Utc::now(); }
}
#[cfg(test)]
mod more;
fn c() { let operand::X = rand::random(); }
";
    assert_eq!(impure_lines(source), [(2, "Utc::now"), (10, "rand::")]);
    assert_eq!(
        test_only(Path::new("src/order/mod.rs"), source),
        [PathBuf::from("src/order/more.rs"), PathBuf::from("src/order/more")]
    );
    assert_eq!(test_only(Path::new("src/order.rs"), source)[0], PathBuf::from("src/order/more.rs"));
}
