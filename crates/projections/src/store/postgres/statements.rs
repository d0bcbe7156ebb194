//! The statements of one build.

use std::fmt::Write as _;

use crate::{ColumnKind, store::Table};

/// Keys are compared byte by byte, as everywhere else in the program.
const TEXT: &str = "text COLLATE \"C\"";

/// The statements of one build, written out once.
pub(in crate::store) struct Statements {
    /// One array for each column: key, sort, the view's, doc.
    pub(super) upsert: String,
    pub(super) delete: String,
    pub(super) fetch: String,
    pub(super) get: String,
    /// A page of all rows by key.
    pub(super) scan: String,
}

impl Statements {
    pub(super) fn of(table: &Table) -> &Self {
        table.postgres.get_or_init(|| Self::new(table))
    }

    fn new(table: &Table) -> Self {
        let (name, columns, update) = (&table.name, table.columns(), table.update());
        let mut arrays = "$1::text[], $2::bigint[]".to_owned();
        let kinds = table.spec.columns.iter().map(|column| column.kind).chain([ColumnKind::Text]);
        for (place, kind) in kinds.enumerate() {
            let kind = match kind {
                ColumnKind::Text => "text",
                ColumnKind::Integer => "bigint",
            };
            // Writing to a String does not fail.
            let _ = write!(arrays, ", ${}::{kind}[]", place + 3);
        }
        Self {
            upsert: format!(
                "INSERT INTO {name} ({columns}, doc) SELECT * FROM unnest({arrays})
                 ON CONFLICT (key) DO UPDATE SET {update}"
            ),
            delete: format!("DELETE FROM {name} WHERE key = ANY($1::text[])"),
            fetch: format!("SELECT key, sort, doc FROM {name} WHERE key = ANY($1::text[])"),
            get: format!("SELECT doc FROM {name} WHERE key = $1 AND sort IS NOT NULL"),
            scan: format!("SELECT {columns}, doc FROM {name} WHERE key > $1 ORDER BY key LIMIT $2"),
        }
    }
}

/// Creates the table, without indexes beside the key's.
pub(super) fn create(table: &Table) -> String {
    format!("CREATE TABLE {} ({}, doc text NOT NULL)", table.name, table.definition(TEXT, "bigint"))
}
