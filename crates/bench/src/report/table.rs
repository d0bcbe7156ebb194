//! Reports as text.

use super::{COLUMNS, CaseReport, cells, latency_cells, latency_columns};

/// One table of all cases, their latencies, and what else was seen. `how`: also how each was measured.
pub(crate) fn text(reports: &[CaseReport], how: bool) -> String {
    let mut text = String::new();
    let mut line = |one: &str| {
        text.push_str(one);
        text.push('\n');
    };
    if how {
        for report in reports {
            line(&format!("{}: {}", report.name, report.title));
            report.how.iter().for_each(|how| line(&format!("  {how}")));
        }
        line("");
    }
    let rows: Vec<Vec<String>> =
        reports.iter().flat_map(|report| &report.rows).map(|row| cells(row).to_vec()).collect();
    aligned(&COLUMNS, &rows).iter().for_each(|row| line(row));
    let latencies: Vec<_> = reports.iter().flat_map(|report| &report.latencies).map(latency_cells).collect();
    if !latencies.is_empty() {
        line("");
        aligned(&latency_columns(), &latencies).iter().for_each(|row| line(row));
    }
    for report in reports.iter().filter(|report| !report.figures.is_empty()) {
        line("");
        line(report.name);
        for (what, seen) in &report.figures {
            line(&format!("  {what}: {seen}"));
        }
    }
    text
}

fn aligned(columns: &[&str], rows: &[Vec<String>]) -> Vec<String> {
    let head: Vec<String> = columns.iter().map(|&name| name.to_owned()).collect();
    let width = |column: usize| {
        let cells = rows.iter().chain([&head]).map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    std::iter::once(&head)
        .chain(rows)
        .map(|row| {
            let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}"));
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [vec!["long cell".to_owned(), "1".to_owned()], vec!["± short".to_owned(), "2".to_owned()]];
        assert_eq!(
            aligned(&["a", "b"], &rows),
            ["a          b", "long cell  1", "± short    2"],
            "characters count, not bytes"
        );
    }
}
