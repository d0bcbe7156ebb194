use std::collections::HashMap;

use super::{load::*, *};

mod notifications;

fn env(pairs: &[(&str, &str)]) -> HashMap<String, String> {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

fn with_file(text: &str) -> (tempfile::TempDir, Flags) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("o.toml");
    std::fs::write(&path, text).unwrap();
    (folder, Flags { config: Some(path), ..Flags::default() })
}

/// The names of all values, with a dot between a section and what stands in it.
fn names(table: &toml::Table) -> Vec<String> {
    let below = |key: &String, value: &toml::Value| match value.as_table() {
        Some(inner) => names(inner).into_iter().map(|name| format!("{key}.{name}")).collect(),
        None => vec![key.clone()],
    };
    let mut names: Vec<String> = table.iter().flat_map(|(key, value)| below(key, value)).collect();
    names.sort();
    names
}

#[test]
fn the_documented_file_holds_every_setting_and_nothing_else() {
    let file: toml::Table = DEFAULTS.parse().unwrap();
    let written: toml::Table = toml::Table::try_from(Settings::default()).unwrap();
    assert_eq!(names(&file), names(&written));
    assert_eq!(names(&file), known_keys());
    let on_disk =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/orderstream.toml"));
    assert_eq!(on_disk.unwrap(), DEFAULTS);
    assert!(check(&Settings::default()).is_ok());
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let (_folder, mut flags) = with_file("listen = \"a:1\"\norder_wait_ms = 1\nview_wait_ms = 2\n");
    let environment =
        env(&[("ORDERSTREAM_LISTEN", "b:2"), ("ORDERSTREAM_ORDER_WAIT_MS", "7"), ("HOME", "/")]);
    flags.listen = Some("c:3".to_owned());
    let settings = load(&flags, environment).unwrap();
    assert_eq!((settings.listen.as_str(), settings.order_wait_ms, settings.view_wait_ms), ("c:3", 7, 2));
    assert_eq!(settings.fresh_wait_ms, Settings::default().fresh_wait_ms);
}

#[test]
fn an_unknown_key_is_named_together_with_the_nearest_known_one() {
    let (_folder, flags) = with_file("order_wait = 1\n");
    let text = load(&flags, env(&[])).unwrap_err().to_string();
    assert!(text.contains("\"order_wait\"") && text.contains("\"order_wait_ms\""), "{text}");
    let text = load(&Flags::default(), env(&[("ORDERSTREAM_LISTENN", "x")])).unwrap_err().to_string();
    assert!(
        text.contains("\"listenn\"") && text.contains("\"listen\"") && text.contains("environment"),
        "{text}"
    );
}

#[test]
fn a_value_of_the_wrong_type_is_refused() {
    let (_folder, flags) = with_file("order_wait_ms = \"soon\"\n");
    assert!(matches!(load(&flags, env(&[])), Err(SettingsError::Unreadable(_))));
}

#[test]
fn variables_that_are_no_settings_are_left_alone() {
    let other =
        env(&[("ORDERSTREAM_LOG", "debug"), ("ORDERSTREAM_DEMO_TOKEN", "x"), ("ORDERSTREAM_LISTEN", "")]);
    let of_tests = env(&[("ORDERSTREAM_REQUIRE_POSTGRES", "1"), ("ORDERSTREAM_POSTGRES_BIN", "/x")]);
    assert_eq!(load(&Flags::default(), of_tests).unwrap(), Settings::default());
    assert_eq!(load(&Flags::default(), other).unwrap(), Settings::default());
}

#[test]
fn consumers_are_chosen_by_name() {
    let settings = load(&Flags::default(), env(&[("ORDERSTREAM_EXCEPT", "fulfilment,orders")])).unwrap();
    assert!(!settings.runs_process("fulfilment") && !settings.runs_view("orders"));
    assert!(settings.runs_process("checkout") && settings.runs_view("timeline") && settings.runs_api());
    let only = |names: &[&str]| {
        let flags = Flags { only: names.iter().map(|name| (*name).to_owned()).collect(), ..Flags::default() };
        load(&flags, env(&[("ORDERSTREAM_EXCEPT", "fulfilment")])).unwrap()
    };
    let settings = only(&["api"]);
    assert!(settings.runs_api() && !settings.runs_process("checkout") && settings.needs_views());
    let settings = only(&["process:payments"]);
    assert!(settings.runs_process("payments") && !settings.runs_view("payments") && !settings.needs_views());
    let settings = only(&["view:payments"]);
    assert!(!settings.runs_process("payments") && settings.runs_view("payments") && !settings.runs_api());
    let settings = only(&["payments"]);
    assert!(settings.runs_process("payments") && settings.runs_view("payments"));
    let settings = only(&["processes"]);
    assert!(settings.runs_process("checkout") && !settings.runs_view("orders") && !settings.runs_api());
    let flags = Flags { only: vec!["fulfillment".to_owned()], ..Flags::default() };
    let text = load(&flags, env(&[])).unwrap_err().to_string();
    assert!(text.contains("\"fulfilment\""), "{text}");
}

#[test]
fn a_store_is_a_file_or_a_database_and_everything_else_is_refused() {
    let flags = |store: &str| Flags { store: Some(store.to_owned()), ..Flags::default() };
    assert!(matches!(load(&flags("mysql:x"), env(&[])), Err(SettingsError::UnknownStore { .. })));
    let settings = load(&flags("sqlite:/tmp/x.db"), env(&[])).unwrap();
    assert_eq!(settings.log_place().unwrap(), StorePlace::Sqlite(PathBuf::from("/tmp/x.db")));
    assert_eq!(settings.views_place().unwrap(), StorePlace::Sqlite(PathBuf::from("./data/views.db")));
    assert!(settings.needs_the_data_folder());

    let settings = load(&flags("postgres://shop:secret@localhost/x"), env(&[])).unwrap();
    assert_eq!(settings.log_place().unwrap(), settings.views_place().unwrap());
    assert!(settings.needs_the_data_folder(), "the books of the sandbox are in it");
    assert!(!format!("{settings:?}").contains("secret"));
    let elsewhere = env(&[("ORDERSTREAM_GATEWAY_URL", "http://localhost:8090")]);
    assert!(!load(&flags("postgres://shop:secret@localhost/x"), elsewhere).unwrap().needs_the_data_folder());
}

#[test]
fn a_database_that_makes_no_sense_is_refused_without_showing_its_password() {
    let refused = |variables: &[(&str, &str)]| {
        let text = load(&Flags::default(), env(variables)).unwrap_err().to_string();
        assert!(!text.contains("secret"), "{text}");
        text
    };
    let store = ("ORDERSTREAM_STORE", "postgres://shop:secret@localhost/x");
    assert!(refused(&[("ORDERSTREAM_STORE", "postgres://shop:secret@localhost:x/x")]).starts_with("store: "));
    assert!(refused(&[("ORDERSTREAM_STORE", "mysql://shop:secret@localhost/x")]).contains("\"mysql\""));
    assert!(refused(&[store, ("ORDERSTREAM_POSTGRES_SCHEMA", "a; b")]).contains("schema"));
    assert!(refused(&[store, ("ORDERSTREAM_POSTGRES_CONNECTIONS", "1")]).contains("at least 4"));
    assert!(refused(&[("ORDERSTREAM_POSTGRES_LEASE_MS", "5")]).contains("lease_ms is 5"));
    assert!(refused(&[("ORDERSTREAM_GATEWAY_URL", "ftp://x")]).contains("gateway.url"));
}

#[test]
fn a_file_that_cannot_be_read_is_told_in_one_line_without_what_stands_in_it() {
    let (_folder, flags) = with_file("listen = \"a:1\"\nstore = \"postgres://shop:secret@localhost/x\n");
    let text = load(&flags, env(&[])).unwrap_err().to_string();
    assert!(text.contains("line 2") && text.lines().count() == 1 && !text.contains("secret"), "{text}");
}

#[test]
fn a_process_that_has_nothing_to_run_is_refused() {
    let all = env(&[("ORDERSTREAM_EXCEPT", "api,views,processes")]);
    assert!(matches!(load(&Flags::default(), all), Err(SettingsError::NothingToRun)));
}
