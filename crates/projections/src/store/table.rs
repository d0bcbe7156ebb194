//! The table of one build, and the statements that every store writes alike.

use std::{fmt::Write as _, sync::OnceLock};

use super::{postgres, sqlite};
use crate::{ColumnKind, ListQuery, spec::Spec};

/// The table `<view>_v<version>_b<build>`: key, sort, the view's columns, doc.
pub(crate) struct Table {
    pub(crate) spec: &'static Spec,
    pub(crate) build: u32,
    pub(crate) name: String,
    /// Statements, written out once by the store that uses them.
    pub(super) sqlite: OnceLock<sqlite::Statements>,
    pub(super) postgres: OnceLock<postgres::Statements>,
}

impl Table {
    pub(crate) fn new(spec: &'static Spec, build: u32) -> Self {
        let name = table_name(spec.name, spec.version, build);
        Self { spec, build, name, sqlite: OnceLock::new(), postgres: OnceLock::new() }
    }

    /// Whether lists can be filtered by `column`.
    pub(crate) fn has_column(&self, column: &str) -> bool {
        self.spec.columns.iter().any(|known| known.name == column)
    }

    /// The columns as a table definition has them.
    pub(super) fn definition(&self, text: &str, integer: &str) -> String {
        let mut sql = format!("key {text} PRIMARY KEY NOT NULL, sort {integer}");
        for column in self.spec.columns {
            let kind = match column.kind {
                ColumnKind::Text => text,
                ColumnKind::Integer => integer,
            };
            // Writing to a String does not fail.
            let _ = write!(sql, ", {} {kind}", column.name);
        }
        sql
    }

    /// All columns but the document: key, sort, the view's.
    pub(super) fn columns(&self) -> String {
        let mut columns = "key, sort".to_owned();
        for column in self.spec.columns {
            let _ = write!(columns, ", {}", column.name);
        }
        columns
    }

    /// What an upsert does to a row that is there.
    pub(super) fn update(&self) -> String {
        let mut update = "sort = excluded.sort, doc = excluded.doc".to_owned();
        for column in self.spec.columns {
            let _ = write!(update, ", {0} = excluded.{0}", column.name);
        }
        update
    }

    /// Creates the indexes, one statement each; `more` is what the store puts behind the view's columns.
    pub(super) fn create_indexes(&self, more: &str) -> Vec<String> {
        let index = |(number, columns): (usize, &&[&str])| {
            let name = &self.name;
            let list = columns.join(", ");
            // Lists ask for a value of the first column: rows without one need no entry.
            let present = columns.first().copied().unwrap_or("sort");
            format!(
                "CREATE INDEX IF NOT EXISTS {name}_i{number} ON {name} ({list}{more}) WHERE {present} IS NOT NULL"
            )
        };
        self.spec.indexes.iter().enumerate().map(index).collect()
    }

    /// A page of a list. Its parameters, in order: the filters' values; the two ends of a range of keys, if there is one;
    /// if it goes on behind a cursor, that one's sort and key; the limit. `mark` is how the store writes the n-th parameter.
    pub(super) fn list(&self, query: &ListQuery, mark: impl Fn(usize) -> String) -> String {
        let mut sql = format!("SELECT key, sort, doc FROM {} WHERE sort IS NOT NULL", self.name);
        let mut last = 0;
        for (column, _) in &query.filters {
            last += 1;
            let _ = write!(sql, " AND {column} = {}", mark(last));
        }
        if query.parts_of.is_some() {
            let _ = write!(sql, " AND key > {} AND key < {}", mark(last + 1), mark(last + 2));
            last += 2;
        }
        let (direction, beyond) = if query.newest_first { ("DESC", "<") } else { ("ASC", ">") };
        if query.after.is_some() {
            // The first comparison is what an index can use.
            let (sort, key) = (mark(last + 1), mark(last + 2));
            let _ = write!(sql, " AND sort {beyond}= {sort} AND (sort, key) {beyond} ({sort}, {key})");
            last += 2;
        }
        let _ = write!(sql, " ORDER BY sort {direction}, key {direction} LIMIT {}", mark(last + 1));
        sql
    }
}

pub(super) fn table_name(view: &str, version: u32, build: u32) -> String {
    format!("{view}_v{version}_b{build}")
}
