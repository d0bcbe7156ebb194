//! A history in words, and as one number.

use std::fmt::Write;

use domain::{Envelope, audit::Audit};
use sha2::{Digest, Sha256};

/// What was done, beside the log.
pub(crate) struct Story {
    /// Each with the number of events that there were.
    diary: Vec<(usize, String)>,
    kept: bool,
}

impl Story {
    pub(crate) fn new(kept: bool) -> Self {
        Self { diary: Vec::new(), kept }
    }

    pub(crate) fn note(&mut self, events: usize, what: impl FnOnce() -> String) {
        if self.kept {
            self.diary.push((events, what()));
        }
    }

    /// The log, and between the events what was done.
    pub(crate) fn tell(&self, events: &[Envelope]) -> String {
        let mut text = String::new();
        let mut diary = self.diary.iter().peekable();
        for (place, event) in events.iter().enumerate() {
            while let Some((_, said)) = diary.next_if(|(at, _)| *at <= place) {
                line(&mut text, format_args!("        - {said}"));
            }
            let payload = String::from_utf8(event.event.encode()).unwrap_or_default();
            let short: String = payload.chars().take(160).collect();
            let (name, metadata) = (event.event.name(), &event.metadata);
            let (of, by) = (metadata.correlation_id, &metadata.actor);
            line(&mut text, format_args!("{:>6} {name} of {of} by {by}  {short}", event.position));
        }
        for (_, said) in diary {
            line(&mut text, format_args!("        - {said}"));
        }
        text
    }

    /// What the audit says to these events.
    pub(crate) fn violations(&self, events: &[Envelope]) -> String {
        let mut audit = Audit::new();
        events.iter().for_each(|event| audit.observe(event));
        let mut found: Vec<String> = audit.finish().violations.iter().map(ToString::to_string).collect();
        found.sort();
        found.join("\n")
    }

    /// Everything that happened as one number: events with their ids, times and metadata, and the diary.
    pub(crate) fn hash(&self, events: &[Envelope]) -> String {
        let mut hash = Sha256::new();
        for event in events {
            hash.update(
                serde_json::to_vec(event).expect("events have string keys and no failing serializer"),
            );
        }
        for (at, said) in &self.diary {
            hash.update(at.to_be_bytes());
            hash.update(said.as_bytes());
        }
        hash.finalize().iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

fn line(text: &mut String, words: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "{words}");
}
