//! What a demo prints: who does what, what the platform answers, and the count of scenarios shown.

use std::io::{IsTerminal, Write};

use serde_json::Value;

/// Longest text of a body that is printed whole.
const LONGEST_BODY: usize = 160;

/// Prints to stdout; in colour only for a terminal and only when `NO_COLOR` is not set.
pub(super) struct Narrator {
    colour: bool,
}

impl Narrator {
    /// A narrator for this process.
    #[must_use]
    pub(super) fn new() -> Self {
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { colour: !no_colour && std::io::stdout().is_terminal() }
    }

    /// A demo or a scenario begins.
    pub(super) fn title(&self, text: &str) {
        self.print(&format!("\n{}", self.paint("1", text)));
    }

    /// Somebody does something.
    pub(super) fn deed(&self, who: &str, what: &str) {
        self.print(&format!("  {} {what}", self.paint("36", who)));
    }

    /// The call that does it.
    pub(super) fn call(&self, method: &str, path: &str, body: Option<&Value>) {
        let body = body.map(|body| format!(" {}", shorten(&body.to_string()))).unwrap_or_default();
        self.print(&format!("    {method} {path}{}", self.paint("2", &body)));
    }

    /// What came back.
    pub(super) fn answer(&self, status: &str, fields: &str) {
        self.print(&format!("    -> {} {fields}", self.paint("32", status)));
    }

    /// A remark.
    pub(super) fn remark(&self, text: &str) {
        self.print(&format!("  {text}"));
    }

    /// Plain text, such as a table.
    pub(super) fn print(&self, text: &str) {
        // A reader that closed the pipe has seen enough.
        let _ = writeln!(std::io::stdout(), "{text}");
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour && !text.is_empty() {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

impl Default for Narrator {
    fn default() -> Self {
        Self::new()
    }
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(LONGEST_BODY) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A value as people read it: money with its currency, texts without quotes.
#[must_use]
pub(super) fn readable(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(money) if money.contains_key("amount_minor") && money.contains_key("currency") => {
            let digits = money["amount_minor"].as_i64().unwrap_or_default().to_string();
            format!("{} {}", grouped(&digits), money["currency"].as_str().unwrap_or_default())
        }
        other => other.to_string(),
    }
}

fn grouped(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    format!("{sign}{text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_shown_with_its_currency_and_in_groups_of_three() {
        assert_eq!(
            readable(&serde_json::json!({"amount_minor": 1_155_000, "currency": "KRW"})),
            "1,155,000 KRW"
        );
        assert_eq!(readable(&serde_json::json!({"amount_minor": -29_000, "currency": "KRW"})), "-29,000 KRW");
        assert_eq!(readable(&serde_json::json!("paid")), "paid");
        assert_eq!(readable(&serde_json::json!(3)), "3");
    }
}
