//! The table of one build and its statements, written out once.

use std::fmt::Write as _;

use crate::spec::Spec;

/// Rows of one upsert statement, the largest first: prepared multi-row statements beat single rows several times.
const UPSERT_ROWS: [usize; 4] = [64, 16, 4, 1];
/// Keys of one fetch statement.
const FETCH_KEYS: [usize; 3] = [64, 8, 1];

/// The table `<view>_v<version>_b<build>`: key, sort, the view's columns, doc.
pub(crate) struct Table {
    pub(crate) spec: &'static Spec,
    pub(crate) build: u32,
    pub(crate) name: String,
    /// Number of rows, statement.
    pub(super) upserts: Vec<(usize, String)>,
    /// Number of keys, statement.
    pub(super) fetches: Vec<(usize, String)>,
    pub(super) get: String,
    pub(super) delete: String,
    /// All rows by key.
    pub(super) scan: String,
}

impl Table {
    pub(crate) fn new(spec: &'static Spec, build: u32) -> Self {
        let name = format!("{}_v{}_b{build}", spec.name, spec.version);
        let columns: String = spec.columns.iter().map(|column| format!(", {}", column.name)).collect();
        Self {
            upserts: UPSERT_ROWS.map(|rows| (rows, upsert(&name, spec, rows))).into(),
            fetches: FETCH_KEYS
                .map(|keys| {
                    let marks = vec!["?"; keys].join(",");
                    (keys, format!("SELECT key, sort, doc FROM {name} WHERE key IN ({marks})"))
                })
                .into(),
            get: format!("SELECT doc FROM {name} WHERE key = ?1 AND sort IS NOT NULL"),
            delete: format!("DELETE FROM {name} WHERE key = ?1"),
            scan: format!("SELECT key, sort{columns}, doc FROM {name} ORDER BY key"),
            spec,
            build,
            name,
        }
    }

    /// Creates the table, without indexes beside the key's.
    pub(super) fn create(&self) -> String {
        let mut sql = format!("CREATE TABLE {} (key TEXT PRIMARY KEY NOT NULL, sort INTEGER", self.name);
        for column in self.spec.columns {
            let kind = match column.kind {
                crate::ColumnKind::Text => "TEXT",
                crate::ColumnKind::Integer => "INTEGER",
            };
            // Writing to a String does not fail.
            let _ = write!(sql, ", {} {kind}", column.name);
        }
        sql.push_str(", doc TEXT NOT NULL) STRICT, WITHOUT ROWID");
        sql
    }

    /// Creates the indexes, one statement each.
    pub(super) fn create_indexes(&self) -> Vec<String> {
        let index = |(number, columns): (usize, &&[&str])| {
            let name = &self.name;
            format!("CREATE INDEX IF NOT EXISTS {name}_i{number} ON {name} ({})", columns.join(", "))
        };
        self.spec.indexes.iter().enumerate().map(index).collect()
    }

    /// Whether lists can be filtered by `column`.
    pub(crate) fn has_column(&self, column: &str) -> bool {
        self.spec.columns.iter().any(|known| known.name == column)
    }
}

fn upsert(name: &str, spec: &Spec, rows: usize) -> String {
    let mut columns = "key, sort".to_owned();
    let mut update = "sort = excluded.sort".to_owned();
    for column in spec.columns.iter().map(|column| column.name).chain(["doc"]) {
        let _ = write!(columns, ", {column}");
        let _ = write!(update, ", {column} = excluded.{column}");
    }
    let row = format!("({})", vec!["?"; spec.columns.len() + 3].join(","));
    let values = vec![row.as_str(); rows].join(",");
    format!("INSERT INTO {name} ({columns}) VALUES {values} ON CONFLICT (key) DO UPDATE SET {update}")
}
