//! One HTTP call of a demo, together with what the demo expects of the answer.

use std::fmt;

use serde_json::Value;

/// A call and its expected answer.
#[derive(Clone, Debug)]
pub struct Call {
    pub(super) method: reqwest::Method,
    pub(super) path: String,
    pub(super) body: Option<Value>,
    pub(super) status: u16,
    pub(super) wanted: Vec<(String, Wanted)>,
    pub(super) shown: Vec<String>,
    pub(super) patient: bool,
}

/// What a field of the answer has to be.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Wanted {
    /// This value.
    Equal(Value),
    /// A list that has an entry whose fields are these.
    HasEntry(Vec<(String, Value)>),
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equal(value) => write!(f, "{value}"),
            Self::HasEntry(fields) => {
                let fields: Vec<String> =
                    fields.iter().map(|(name, value)| format!("{name} {value}")).collect();
                write!(f, "a list with an entry of {}", fields.join(", "))
            }
        }
    }
}

/// A `GET`.
pub fn get(path: impl Into<String>) -> Call {
    Call::new(reqwest::Method::GET, path.into(), None)
}

/// A `POST` without a body.
pub fn act(path: impl Into<String>) -> Call {
    Call::new(reqwest::Method::POST, path.into(), None)
}

/// A `POST`.
pub fn post(path: impl Into<String>, body: Value) -> Call {
    Call::new(reqwest::Method::POST, path.into(), Some(body))
}

/// A `PATCH`.
pub fn patch(path: impl Into<String>, body: Value) -> Call {
    Call::new(reqwest::Method::PATCH, path.into(), Some(body))
}

/// A `DELETE`.
pub fn delete(path: impl Into<String>) -> Call {
    Call::new(reqwest::Method::DELETE, path.into(), None)
}

impl Call {
    fn new(method: reqwest::Method, path: String, body: Option<Value>) -> Self {
        Self { method, path, body, status: 200, wanted: Vec::new(), shown: Vec::new(), patient: false }
    }

    /// The status that is expected; 200 unless said.
    #[must_use]
    pub fn answers(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// A field (`payment.status`, `data.0.what`) that must have this value. It is also shown.
    #[must_use]
    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.wanted.push((field.to_owned(), Wanted::Equal(value.into())));
        self.shows(&[field])
    }

    /// The list at `field` must have an entry with these fields.
    #[must_use]
    pub fn with_entry(mut self, field: &str, entry: &[(&str, &str)]) -> Self {
        let entry = entry.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
        self.wanted.push((field.to_owned(), Wanted::HasEntry(entry)));
        self
    }

    /// Fields that are printed.
    #[must_use]
    pub fn shows(mut self, fields: &[&str]) -> Self {
        self.shown.extend(fields.iter().map(|field| (*field).to_owned()));
        self
    }

    /// Asks again for a while until the answer is as expected: for what happens a moment later.
    #[must_use]
    pub fn soon(mut self) -> Self {
        self.patient = true;
        self
    }

    /// What of the answer is not as expected, if anything.
    pub(super) fn complaint(&self, status: u16, body: &Value) -> Option<String> {
        if status != self.status {
            return Some(format!("status {}", self.status));
        }
        let mut wrong = self.wanted.iter().filter(|(name, wanted)| !fits(field(body, name), wanted));
        wrong.next().map(|(name, wanted)| format!("{name} = {wanted}"))
    }
}

fn fits(found: &Value, wanted: &Wanted) -> bool {
    match wanted {
        Wanted::Equal(value) => found == value,
        Wanted::HasEntry(fields) => found.as_array().is_some_and(|entries| {
            entries.iter().any(|entry| fields.iter().all(|(name, value)| field(entry, name) == value))
        }),
    }
}

/// The field at a dotted path; null when there is none.
#[must_use]
pub fn field<'a>(body: &'a Value, path: &str) -> &'a Value {
    path.split('.').fold(body, |value, name| match name.parse::<usize>() {
        Ok(index) if value.is_array() => &value[index],
        _ => &value[name],
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_is_compared_field_by_field() {
        let call = get("/x")
            .with("payment.status", "captured")
            .with_entry("data", &[("event", "a"), ("status", "b")]);
        let entries = json!([{"event": "c"}, {"event": "a", "status": "b"}]);
        let good = json!({"payment": {"status": "captured"}, "data": entries});
        assert_eq!(call.complaint(200, &good), None);
        assert_eq!(call.complaint(404, &good).as_deref(), Some("status 200"));
        let other = json!({"payment": {"status": "declined"}, "data": entries});
        assert_eq!(call.complaint(200, &other).as_deref(), Some("payment.status = \"captured\""));
        let missing = json!({"payment": {"status": "captured"}, "data": []});
        assert!(call.complaint(200, &missing).unwrap().starts_with("data = a list with an entry of event"));
        assert_eq!(field(&json!({"a": [{"b": 1}]}), "a.0.b"), 1);
        assert!(field(&json!({"a": 1}), "a.b.c").is_null());
    }
}
