//! Prometheus' text format for what is only known when it is asked for.
//!
//! *Source*: Prometheus, exposition formats, text-based format 0.0.4.

use std::fmt::{Display, Write};

/// What a family's numbers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Only grows while the process lives.
    Counter,
    /// Goes up and down.
    Gauge,
}

/// The text, family by family.
#[derive(Default)]
pub(super) struct Page {
    text: String,
}

/// A family: its numbers are written one after the other.
pub(super) struct Family<'a> {
    text: &'a mut String,
    name: &'static str,
}

impl Page {
    /// A family of numbers.
    pub(super) fn family(&mut self, kind: Kind, name: &'static str, help: &str) -> Family<'_> {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        debug_assert_eq!(kind == "counter", name.ends_with("_total"), "{name}");
        put(&mut self.text, format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
        Family { text: &mut self.text, name }
    }

    /// A gauge without labels.
    pub(super) fn gauge(&mut self, name: &'static str, help: &str, value: impl Display) {
        self.family(Kind::Gauge, name, help).put(&[], value);
    }

    /// A counter without labels.
    pub(super) fn counter(&mut self, name: &'static str, help: &str, value: impl Display) {
        self.family(Kind::Counter, name, help).put(&[], value);
    }

    /// All of it, and after it what is in the format already.
    pub(super) fn and(mut self, more: &str) -> String {
        self.text.push_str(more);
        self.text
    }
}

impl Family<'_> {
    /// One number of the family.
    pub(super) fn put(&mut self, labels: &[(&str, &str)], value: impl Display) {
        self.text.push_str(self.name);
        for (at, (name, value)) in labels.iter().enumerate() {
            let before = if at == 0 { '{' } else { ',' };
            put(self.text, format_args!("{before}{name}=\"{}\"", escaped(value)));
        }
        let end = if labels.is_empty() { "" } else { "}" };
        put(self.text, format_args!("{end} {value}\n"));
    }
}

fn put(text: &mut String, what: std::fmt::Arguments<'_>) {
    text.write_fmt(what).expect("a text takes everything");
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_written_with_help_type_and_escaped_labels() {
        let mut page = Page::default();
        page.counter("a_total", "As.", 3);
        let mut family = page.family(Kind::Gauge, "b", "Bs.");
        family.put(&[("x", "say \"hi\"\\"), ("y", "2\n")], 0.5);
        let expected = "# HELP a_total As.\n# TYPE a_total counter\na_total 3\n# HELP b Bs.\n# TYPE b gauge\n\
            b{x=\"say \\\"hi\\\"\\\\\",y=\"2\\n\"} 0.5\nmore\n";
        assert_eq!(page.and("more\n"), expected);
    }
}
