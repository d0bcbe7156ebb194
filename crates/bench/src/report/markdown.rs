//! Reports as docs/BENCHMARKS.md.

use super::{COLUMNS, CaseReport, cells, latency_cells, latency_columns};

/// What the page says before the figures.
pub(crate) struct Header {
    /// The command that made it.
    pub(crate) command: String,
    /// What it ran on, and when.
    pub(crate) facts: Vec<(String, String)>,
}

/// The whole page.
pub(crate) fn markdown(header: &Header, reports: &[CaseReport]) -> String {
    let mut page = String::from("# Benchmarks\n\n");
    page.push_str(&format!(
        "Made by `{}`: every figure beside its reference of the same run. Do not edit; run it again.\n\n",
        header.command
    ));
    page.push_str(
        "Figures are the median of all rounds, with the least and the most in parentheses. A ratio is taken within \
         each round, so that a busy machine is busy for both sides. What is measured and what measures it share the \
         machine.\n\n",
    );
    page.push_str("| | |\n|---|---|\n");
    for (what, value) in &header.facts {
        page.push_str(&format!("| {} | {} |\n", escaped(what), escaped(value)));
    }
    page.push_str("\n## All cases\n\n");
    let rows = reports.iter().flat_map(|report| {
        report.rows.iter().map(|row| {
            let mut cells = cells(row).to_vec();
            cells[0] = format!("{}: {}", report.name, cells[0]);
            cells
        })
    });
    table(&mut page, &COLUMNS, rows);
    for report in reports {
        page.push_str(&format!("\n## `{}`: {}\n\n", report.name, report.title));
        for how in &report.how {
            page.push_str(&format!("- {how}\n"));
        }
        if !report.rows.is_empty() {
            page.push('\n');
            table(&mut page, &COLUMNS, report.rows.iter().map(|row| cells(row).to_vec()));
        }
        if !report.latencies.is_empty() {
            page.push('\n');
            table(&mut page, &latency_columns(), report.latencies.iter().map(latency_cells));
        }
        if !report.figures.is_empty() {
            page.push_str("\n| also seen | |\n|---|---|\n");
            for (what, seen) in &report.figures {
                page.push_str(&format!("| {} | {} |\n", escaped(what), escaped(seen)));
            }
        }
    }
    page
}

fn table(page: &mut String, columns: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    page.push_str(&format!("| {} |\n|{}\n", columns.join(" | "), "---|".repeat(columns.len())));
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| escaped(cell)).collect();
        page.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
}

fn escaped(cell: &str) -> String {
    cell.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Bound, Goal, Row};

    #[test]
    fn the_page_names_its_command_and_has_each_case_twice() {
        let row = Row::alone("a|b", "sqlite", "events/s", vec![2.0]).against("limit", vec![4.0]);
        let report = CaseReport {
            name: "append",
            title: "appends".to_owned(),
            how: vec!["so".to_owned()],
            rows: vec![row.goal(Goal::Ratio(Bound::AtLeast(0.6)))],
            latencies: Vec::new(),
            figures: vec![("x".to_owned(), "y".to_owned())],
        };
        let header = Header { command: "bench all".to_owned(), facts: Vec::new() };
        let page = markdown(&header, &[report]);
        assert!(page.contains("Made by `bench all`"), "{page}");
        let cells = "sqlite | 2.00 | events/s | limit | 4.00 | 0.50 | ratio >= 0.6 | NO |";
        assert!(page.contains(&format!("| append: a\\|b | {cells}")), "{page}");
        assert!(page.contains(&format!("| a\\|b | {cells}")), "{page}");
        assert!(page.contains("## `append`: appends\n\n- so\n"), "{page}");
    }
}
