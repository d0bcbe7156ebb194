//! Rows on their way into the store: encoded once, without an allocation for each value.

use std::ops::Range;

use domain::Position;
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

    /// The values of `count` rows from row `first` on, row by row: key, sort, the view's columns, doc.
    pub(crate) fn values(&self, first: usize, count: usize) -> impl Iterator<Item = Datum<'_>> {
        let cells = &self.cells[first * self.width..(first + count) * self.width];
        cells.iter().map(|cell| self.datum(cell))
    }

    /// The values of the same rows in one place of them: 0 is the key, the last one the doc.
    pub(crate) fn column(&self, place: usize, first: usize, count: usize) -> impl Iterator<Item = Datum<'_>> {
        let cells = &self.cells[first * self.width..(first + count) * self.width];
        cells.iter().skip(place).step_by(self.width).map(|cell| self.datum(cell))
    }

    fn datum(&self, cell: &Cell) -> Datum<'_> {
        match cell {
            Cell::Null => Datum::Null,
            Cell::Integer(number) => Datum::Integer(*number),
            Cell::Word(word) => Datum::Text(word.as_bytes()),
            Cell::Text(range) => Datum::Text(&self.text[range.clone()]),
        }
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

/// One value, as it lies in a batch.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Datum<'a> {
    /// Nothing.
    Null,
    /// A whole number.
    Integer(i64),
    /// A text: UTF-8, since it was written from one.
    Text(&'a [u8]),
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
