//! Answers say where on the log they stand: what stands there has to be about the same thing.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::{Load, Request, text};

/// Where an answer said that it is.
pub(super) struct Told {
    key: String,
    path: String,
    position: u64,
    /// Everything that the answer names by an id.
    ids: BTreeSet<String>,
}

impl Told {
    pub(super) fn of(request: &Request, position: &str, body: &Value) -> Option<Self> {
        let position = position.rsplit('.').next()?.parse().ok()?;
        let mut ids = BTreeSet::new();
        collect(body, &mut ids);
        Some(Self { key: request.key.clone(), path: request.path.clone(), position, ids })
    }
}

fn collect(value: &Value, ids: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(id) if name.ends_with("_id") => drop(ids.insert(id.clone())),
                    other => collect(other, ids),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, ids)),
        _ => {}
    }
}

/// No answer is lost from the log: where it said that it is, there is an event about something that it names. An event that
/// was lost leaves its position to another one. Answers how many were looked up.
pub async fn stands_where_it_was_told(load: &Load) -> usize {
    let mut about = HashMap::new();
    let mut after = "0".to_owned();
    loop {
        let page = load.get(&format!("/v1/admin/events?limit=1000&after={after}")).await;
        let page = page.unwrap_or_else(|_| panic!("the events are not answered"));
        let events = page["data"].as_array().unwrap_or_else(|| panic!("no events: {page}"));
        for event in events {
            let position = text(event, "position").rsplit('.').next().and_then(|it| it.parse::<u64>().ok());
            let stream = text(event, "stream").rsplit('/').next().unwrap_or_default().to_owned();
            about.insert(position.unwrap(), [text(&event["metadata"], "correlation_id").to_owned(), stream]);
        }
        if events.is_empty() || page["has_more"] == false {
            break;
        }
        text(&page, "next_after").clone_into(&mut after);
    }
    let told = load.told.lock().unwrap();
    for Told { key, path, position, ids } in told.iter() {
        let there = about.get(position);
        assert!(
            there.is_some_and(|there| there.iter().any(|id| ids.contains(id))),
            "the answer to {key} ({path}) is lost from the log: at {position}, where it was told to be, is {}",
            there.map_or("nothing".to_owned(), |there| format!("something of {there:?}, and not of {ids:?}"))
        );
    }
    told.len()
}
