//! The statements of one build that are used all the time.

use crate::store::Table;

/// Rows of one upsert statement, the largest first: prepared multi-row statements beat single rows several times.
const UPSERT_ROWS: [usize; 4] = [64, 16, 4, 1];
/// Keys of one fetch statement.
const FETCH_KEYS: [usize; 3] = [64, 8, 1];

/// The statements of one build, written out once.
pub(in crate::store) struct Statements {
    /// Number of rows, statement.
    pub(super) upserts: Vec<(usize, String)>,
    /// Number of keys, statement.
    pub(super) fetches: Vec<(usize, String)>,
    pub(super) get: String,
    pub(super) delete: String,
    /// All rows by key.
    pub(super) scan: String,
}

impl Statements {
    pub(super) fn of(table: &Table) -> &Self {
        table.sqlite.get_or_init(|| Self::new(table))
    }

    fn new(table: &Table) -> Self {
        let (name, columns) = (&table.name, table.columns());
        let fetch = |keys| {
            let marks = vec!["?"; keys].join(",");
            (keys, format!("SELECT key, sort, doc FROM {name} WHERE key IN ({marks})"))
        };
        Self {
            upserts: UPSERT_ROWS.map(|rows| (rows, upsert(table, rows))).into(),
            fetches: FETCH_KEYS.map(fetch).into(),
            get: format!("SELECT doc FROM {name} WHERE key = ?1 AND sort IS NOT NULL"),
            delete: format!("DELETE FROM {name} WHERE key = ?1"),
            scan: format!("SELECT {columns}, doc FROM {name} ORDER BY key"),
        }
    }
}

/// Creates the table, without indexes beside the key's. No `NOT NULL` where a row's own type sees to it: a statement that
/// may fail in the middle has SQLite copy every page that it touches, to be able to take back the statement alone.
///
/// Rows have a rowid: without one a row stands in the key's own tree, and to compare keys there SQLite reads whole rows, with
/// the pages that they overflow to.
pub(super) fn create(table: &Table) -> String {
    let (name, columns) = (&table.name, table.definition("TEXT", "INTEGER"));
    format!("CREATE TABLE {name} ({columns}, doc TEXT) STRICT")
}

/// Creates the indexes, one statement each. The key, by which rows of one place are listed, stands in them.
pub(super) fn create_indexes(table: &Table) -> Vec<String> {
    table.create_indexes(", key")
}

/// `OR FAIL`, for the same reason; the transaction's rollback takes back what a failed statement has done.
fn upsert(table: &Table, rows: usize) -> String {
    let row = format!("({})", vec!["?"; table.spec.columns.len() + 3].join(","));
    let values = vec![row.as_str(); rows].join(",");
    let (name, columns, update) = (&table.name, table.columns(), table.update());
    format!(
        "INSERT OR FAIL INTO {name} ({columns}, doc) VALUES {values} ON CONFLICT (key) DO UPDATE SET {update}"
    )
}
