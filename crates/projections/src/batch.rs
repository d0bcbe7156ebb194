//! Rows on their way into the store: encoded once, without an allocation for each value.

use std::ops::Range;

use domain::Position;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use serde::Serialize;
use uuid::Uuid;

use crate::RowKey;

/// The changes that one window makes to one view.
#[derive(Debug)]
pub(crate) struct Batch {
    /// All texts, one behind the other.
    text: Vec<u8>,
    /// All values, row by row: key, sort, the view's columns, doc.
    cells: Vec<Cell>,
    /// Values per row.
    width: usize,
    deletes: Vec<RowKey>,
}

#[derive(Debug)]
enum Cell {
    Null,
    Integer(i64),
    Word(&'static str),
    Text(Range<usize>),
}

impl Batch {
    pub(crate) fn new(columns: usize) -> Self {
        Self { text: Vec::new(), cells: Vec::new(), width: columns + 3, deletes: Vec::new() }
    }

    /// Adds a row.
    pub(crate) fn upsert<R: Serialize>(
        &mut self,
        key: &RowKey,
        sort: Option<Position>,
        row: &R,
        columns: impl FnOnce(&R, &mut Columns<'_>),
    ) {
        let from = self.text.len();
        key.write(&mut self.text);
        self.cells.push(Cell::Text(from..self.text.len()));
        self.cells.push(sort.map_or(Cell::Null, |position| Cell::Integer(as_integer(position))));
        columns(row, &mut Columns(self));
        let from = self.text.len();
        serde_json::to_writer(&mut self.text, row)
            .expect("rows have string keys and no failing serializer, and memory takes every byte");
        self.cells.push(Cell::Text(from..self.text.len()));
        debug_assert_eq!(self.cells.len() % self.width, 0, "a view gives a value for each of its columns");
    }

    /// Removes a row.
    pub(crate) fn delete(&mut self, key: RowKey) {
        self.deletes.push(key);
    }

    pub(crate) fn deletes(&self) -> &[RowKey] {
        &self.deletes
    }

    /// How many rows are written.
    pub(crate) fn len(&self) -> usize {
        self.cells.len() / self.width
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.cells.is_empty() && self.deletes.is_empty()
    }

    /// The values of `count` rows from row `first` on, in the order of the parameters of an upsert.
    pub(crate) fn parameters(&self, first: usize, count: usize) -> impl Iterator<Item = Parameter<'_>> {
        let cells = &self.cells[first * self.width..(first + count) * self.width];
        cells.iter().map(|cell| Parameter { text: &self.text, cell })
    }

    /// Keys, places and documents.
    #[cfg(test)]
    pub(crate) fn documents(&self) -> Vec<(String, Option<Position>, serde_json::Value)> {
        let text = |cell: &Cell| match cell {
            Cell::Text(range) => &self.text[range.clone()],
            _ => unreachable!("keys and documents are texts"),
        };
        let sort = |cell: &Cell| match cell {
            Cell::Integer(position) => Some(position.unsigned_abs()),
            _ => None,
        };
        let row = |cells: &[Cell]| {
            let key = String::from_utf8(text(&cells[0]).to_vec()).unwrap();
            (key, sort(&cells[1]), serde_json::from_slice(text(&cells[self.width - 1])).unwrap())
        };
        self.cells.chunks(self.width).map(row).collect()
    }
}

/// A position as SQL knows numbers. Beyond 2^63 events the end of the range serves.
pub(crate) fn as_integer(position: Position) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

/// One value, ready to be bound.
pub(crate) struct Parameter<'a> {
    text: &'a [u8],
    cell: &'a Cell,
}

impl ToSql for Parameter<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.cell {
            Cell::Null => ValueRef::Null,
            Cell::Integer(number) => ValueRef::Integer(*number),
            Cell::Word(word) => ValueRef::Text(word.as_bytes()),
            Cell::Text(range) => ValueRef::Text(&self.text[range.clone()]),
        }))
    }
}

/// Takes the values of a row's columns, in the order of [`View::COLUMNS`](crate::View::COLUMNS).
#[derive(Debug)]
pub struct Columns<'a>(&'a mut Batch);

impl Columns<'_> {
    /// A text.
    pub fn text(&mut self, text: &str) -> &mut Self {
        let from = self.0.text.len();
        self.0.text.extend_from_slice(text.as_bytes());
        self.push(Cell::Text(from..from + text.len()))
    }
    /// A text that is known when the program is built.
    pub fn word(&mut self, word: &'static str) -> &mut Self {
        self.push(Cell::Word(word))
    }
    /// An id, as text.
    pub fn id(&mut self, id: Uuid) -> &mut Self {
        self.text(id.hyphenated().encode_lower(&mut Uuid::encode_buffer()))
    }
    /// A whole number.
    pub fn integer(&mut self, number: i64) -> &mut Self {
        self.push(Cell::Integer(number))
    }
    /// Nothing: no filter finds the row.
    pub fn null(&mut self) -> &mut Self {
        self.push(Cell::Null)
    }
    /// A text, if there is one.
    pub fn text_or_null(&mut self, text: Option<&str>) -> &mut Self {
        match text {
            Some(text) => self.text(text),
            None => self.null(),
        }
    }
    /// An id, if there is one.
    pub fn id_or_null(&mut self, id: Option<Uuid>) -> &mut Self {
        match id {
            Some(id) => self.id(id),
            None => self.null(),
        }
    }
    fn push(&mut self, cell: Cell) -> &mut Self {
        self.0.cells.push(cell);
        self
    }
}
