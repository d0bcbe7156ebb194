//! Changes to JSON that was good, so that inputs are wrong in one place and right in the others.

use bolero::TypeGenerator;
use serde_json::{Map, Value, json};

/// A change. Which place is meant is a number that is taken modulo the places that there are.
#[derive(Clone, Debug, TypeGenerator)]
pub enum Edit {
    /// A value becomes one of [`ODD`].
    Becomes(u16, u8),
    /// A value becomes this number.
    Number(u16, i64),
    /// A value becomes this text.
    Text(u16, String),
    /// A field or an entry goes away.
    Goes(u16),
    /// A field is added.
    Comes(u16, String, u8),
    /// A value takes the place of another.
    Swaps(u16, u16),
    /// A list has its first entry so many times more.
    Repeats(u16, u8),
    /// A text is cut at a character.
    Cut(u16, u8),
}

/// How a text is changed that need not be JSON any more.
#[derive(Clone, Debug, TypeGenerator)]
pub enum Scratch {
    /// A byte becomes another.
    Byte(u16, u8),
    /// The text ends there.
    Ends(u16),
    /// Bytes come in there.
    Comes(u16, Vec<u8>),
    /// A piece comes again behind itself.
    Doubles(u16, u8),
}

/// Values at which things break.
fn odd(number: u8) -> Value {
    let all: [fn() -> Value; 24] = [
        || Value::Null,
        || json!(true),
        || json!(0),
        || json!(-1),
        || json!(1.5),
        || json!(1e300),
        || json!(i64::MAX),
        || json!(i64::MIN),
        || json!(u64::MAX),
        || json!((1_u64 << 53) - 1),
        || json!(""),
        || json!(" "),
        || json!("\u{0}"),
        || json!("\u{feff}"),
        || json!("\u{202e}x"),
        || json!("x".repeat(70_000)),
        || json!("9999-12-31"),
        || json!("+262142-12-31"),
        || json!("0000-00-00"),
        || json!("00000000-0000-0000-0000-000000000000"),
        || json!([]),
        || json!({}),
        || json!([[[[[[[[[[[[[[[[{}]]]]]]]]]]]]]]]]),
        || json!({"amount_minor": 9_007_199_254_740_991_i64, "currency": "XTS"}),
    ];
    all[usize::from(number) % all.len()]()
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Object(fields) => fields.values().map(count).sum(),
        Value::Array(entries) => entries.iter().map(count).sum(),
        _ => 0,
    }
}

/// The `number`th value, counted from the outside in and from the first to the last.
fn nth<'a>(value: &'a mut Value, number: &mut usize) -> Option<&'a mut Value> {
    if *number == 0 {
        return Some(value);
    }
    *number -= 1;
    match value {
        Value::Object(fields) => fields.values_mut().find_map(|value| nth(value, number)),
        Value::Array(entries) => entries.iter_mut().find_map(|value| nth(value, number)),
        _ => None,
    }
}

fn at(value: &mut Value, place: u16) -> &mut Value {
    let mut number = usize::from(place) % count(value);
    nth(value, &mut number).expect("there are so many")
}

impl Edit {
    /// Makes the change.
    pub fn apply(&self, value: &mut Value) {
        match self {
            Self::Becomes(place, number) => *at(value, *place) = odd(*number),
            Self::Number(place, number) => *at(value, *place) = json!(number),
            Self::Text(place, text) => *at(value, *place) = json!(text),
            Self::Goes(place) => match at(value, *place) {
                Value::Object(fields) => {
                    let name = fields.keys().nth(usize::from(*place) % fields.len().max(1)).cloned();
                    name.map(|name| fields.remove(&name));
                }
                Value::Array(entries) => {
                    entries.pop();
                }
                other => *other = Value::Null,
            },
            Self::Comes(place, name, number) => match at(value, *place) {
                Value::Object(fields) => {
                    fields.insert(name.clone(), odd(*number));
                }
                other => *other = Value::Object(Map::from_iter([(name.clone(), odd(*number))])),
            },
            Self::Swaps(one, other) => {
                let taken = at(value, *one).clone();
                // A value inside itself grows with every change.
                if count(&taken) < 100 {
                    *at(value, *other) = taken;
                }
            }
            Self::Repeats(place, times) => {
                if let Value::Array(entries) = at(value, *place)
                    && let Some(first) = entries.first().cloned()
                {
                    entries.extend(std::iter::repeat_n(first, usize::from(*times)));
                }
            }
            Self::Cut(place, chars) => {
                if let Value::String(text) = at(value, *place) {
                    *text = text.chars().take(usize::from(*chars)).collect();
                }
            }
        }
    }
}

impl Scratch {
    /// Makes the change.
    pub fn apply(&self, text: &mut Vec<u8>) {
        let within = |place: u16, length: usize| usize::from(place) % (length + 1);
        match self {
            Self::Byte(place, byte) => {
                let place = within(*place, text.len().saturating_sub(1));
                text.get_mut(place).into_iter().for_each(|old| *old = *byte);
            }
            Self::Ends(place) => text.truncate(within(*place, text.len())),
            Self::Comes(place, bytes) => {
                let place = within(*place, text.len());
                text.splice(place..place, bytes.iter().copied());
            }
            Self::Doubles(place, length) => {
                let from = within(*place, text.len());
                let piece: Vec<u8> = text[from..].iter().copied().take(usize::from(*length)).collect();
                text.splice(from..from, piece);
            }
        }
    }
}

/// The JSON with a few of the changes, as text, and then a few of those to the text.
#[must_use]
pub fn changed(value: &Value, edits: &[Edit], scratches: &[Scratch]) -> Vec<u8> {
    let mut value = value.clone();
    edits.iter().take(4).for_each(|edit| edit.apply(&mut value));
    let mut text = value.to_string().into_bytes();
    scratches.iter().take(2).for_each(|scratch| scratch.apply(&mut text));
    text
}
