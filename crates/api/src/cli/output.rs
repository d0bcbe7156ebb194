//! Results on stdout: as a table for people, as JSON for programs.

use std::io::Write;

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use super::CliError;

/// How results are printed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Output {
    json: bool,
}

impl Output {
    pub(super) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether JSON is asked for.
    pub(super) fn is_json(self) -> bool {
        self.json
    }

    /// One line. A reader that closed the pipe has seen enough: that ends the program without a complaint.
    pub(super) fn line(self, text: &str) -> Result<(), CliError> {
        let mut stdout = std::io::stdout().lock();
        match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
            other => Ok(other?),
        }
    }

    /// The value as JSON, or the text that `otherwise` makes of it.
    pub(super) fn value<T: Serialize>(
        self,
        value: &T,
        otherwise: impl FnOnce(&T) -> String,
    ) -> Result<(), CliError> {
        let text = if self.json { serde_json::to_string_pretty(value)? } else { otherwise(value) };
        self.line(&text)
    }
}

/// A table with a head.
pub(super) fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(head);
    for row in rows {
        table.add_row(row);
    }
    table.to_string()
}
