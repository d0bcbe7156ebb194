//! Bodies: read within a limit, parsed with the path of what is wrong, validated.

use std::marker::PhantomData;

use axum::{
    body::{Bytes, HttpBody},
    http::{HeaderMap, header},
};
use domain::{Currency, Money, MoneyError};
use futures::StreamExt;
use garde::Validate;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::error::Category;

use crate::problem::{Code, FieldError, Problem};

/// So much of a body that is too large is read and thrown away, so that the client reads the answer instead of seeing
/// its connection break. Bytes.
const DRAIN_LIMIT: usize = 32 << 20;

/// A body that a route takes. Fields that nobody knows must be refused (`#[serde(deny_unknown_fields)]`).
pub trait Body: DeserializeOwned + Validate<Context = ()> + Send {
    /// Whether nothing stands for `{}`.
    const OPTIONAL: bool = false;
}

/// The body of a command that needs none: nothing, or `{}`.
#[derive(Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct NoBody {}

impl Body for NoBody {
    const OPTIONAL: bool = true;
}

/// An amount of money in a body: `{amount_minor, currency}`, checked.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "Object<RawPrice>")]
pub struct Price(pub Money);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPrice {
    amount_minor: i64,
    currency: Currency,
}

impl TryFrom<Object<RawPrice>> for Price {
    type Error = MoneyError;
    fn try_from(Object(raw): Object<RawPrice>) -> Result<Self, MoneyError> {
        Money::new(raw.amount_minor, raw.currency).map(Self)
    }
}

/// A thing that must be written as an object. By itself, serde also takes a list of its fields.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OnlyMaps<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for OnlyMaps<T> {
            type Value = T;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }
        deserializer.deserialize_map(OnlyMaps(PhantomData)).map(Self)
    }
}

/// For `#[serde(deserialize_with)]`: a field that must be written as an object.
///
/// # Errors
/// It is not.
pub fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Object::deserialize(deserializer).map(|Object(value)| value)
}

/// The same for a list of objects.
///
/// # Errors
/// One of them is not.
pub fn objects<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let all: Vec<Object<T>> = Deserialize::deserialize(deserializer)?;
    Ok(all.into_iter().map(|Object(value)| value).collect())
}

/// Reads a body of at most `limit` bytes.
pub(super) async fn read(
    headers: &HeaderMap,
    body: axum::body::Body,
    limit: usize,
) -> Result<Bytes, Problem> {
    let too_large = || {
        Problem::new(
            Code::PayloadTooLarge,
            format!("the body has more than {limit} bytes, which is the limit"),
        )
    };
    let announced =
        headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let mut taken = Vec::with_capacity(announced.unwrap_or(0).min(limit));
    let mut seen = 0_usize;
    if announced.is_some_and(|length| length > DRAIN_LIMIT) || body.is_end_stream() {
        return if body.is_end_stream() { Ok(Bytes::new()) } else { Err(too_large()) };
    }
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Problem::new(Code::BadRequest, "the body broke off"))?;
        seen = seen.saturating_add(chunk.len());
        if seen > DRAIN_LIMIT {
            break;
        }
        if seen <= limit {
            taken.extend_from_slice(&chunk);
        }
    }
    if seen > limit { Err(too_large()) } else { Ok(taken.into()) }
}

/// Parses and validates a body.
pub(super) fn parse<T: Body>(headers: &HeaderMap, bytes: &[u8]) -> Result<T, Problem> {
    let bytes = match bytes {
        [] if T::OPTIONAL => b"{}",
        bytes => {
            must_be_json(headers)?;
            bytes
        }
    };
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Problem::new(
            Code::InvalidUtf8,
            format!("the body is not UTF-8: byte {} is wrong", error.valid_up_to()),
        )
    })?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let Object::<T>(body) = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let field = error.path().to_string();
        wrong_json(&field, error.inner())
    })?;
    deserializer.end().map_err(|error| wrong_json(".", &error))?;
    body.validate().map_err(|report| {
        let error = |(path, error): &(garde::Path, garde::Error)| FieldError {
            field: path.to_string(),
            detail: error.to_string(),
        };
        invalid(report.iter().map(error).collect())
    })?;
    Ok(body)
}

fn must_be_json(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json")) {
        return Ok(());
    }
    let given = if kind.is_empty() { "none".to_owned() } else { format!("{kind:?}") };
    let detail = format!("the content type must be application/json, but there is {given}");
    Err(Problem::new(Code::UnsupportedMediaType, detail))
}

fn wrong_json(field: &str, error: &serde_json::Error) -> Problem {
    if error.classify() != Category::Data {
        return Problem::new(Code::MalformedJson, format!("the body is not JSON: {error}"));
    }
    let text = error.to_string();
    // Line and column say less than the field's path.
    let detail = text.split(" at line ").next().unwrap_or(&text).to_owned();
    let unknown = detail.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next());
    if let Some(name) = unknown {
        let parent = field.strip_suffix(name).unwrap_or(field).trim_end_matches('.');
        let path = if parent.is_empty() { name.to_owned() } else { format!("{parent}.{name}") };
        let told = format!("the field {path:?} is not known here: {detail}");
        return Problem::new(Code::UnknownField, told).with_errors(vec![FieldError { field: path, detail }]);
    }
    invalid(vec![FieldError { field: field.to_owned(), detail }])
}

/// 422 for fields that are wrong.
pub(super) fn invalid(errors: Vec<FieldError>) -> Problem {
    let told: Vec<String> = errors.iter().map(|error| format!("{}: {}", error.field, error.detail)).collect();
    Problem::new(Code::InvalidBody, told.join("; ")).with_errors(errors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, Validate)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Inner {
        #[garde(range(min = 1))]
        quantity: i64,
    }

    #[derive(Debug, Deserialize, Validate)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Outer {
        #[garde(dive)]
        #[serde(deserialize_with = "objects")]
        lines: Vec<Inner>,
        #[garde(skip)]
        #[serde(default)]
        price: Option<Price>,
    }
    impl Body for Outer {}

    fn problem(text: &[u8]) -> (Code, String) {
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, "application/json".parse().unwrap())]);
        let problem = parse::<Outer>(&headers, text).unwrap_err();
        let field = problem.to_json()["errors"][0]["field"].as_str().unwrap_or_default().to_owned();
        (problem.code(), field)
    }

    #[test]
    fn each_thing_that_can_be_wrong_has_its_code_and_names_the_field() {
        assert_eq!(problem(b"{"), (Code::MalformedJson, String::new()));
        assert_eq!(problem(b"{\"lines\":[]} x"), (Code::MalformedJson, String::new()));
        assert_eq!(problem(b"\xff"), (Code::InvalidUtf8, String::new()));
        assert_eq!(
            problem(br#"{"lines":[{"quantity":1,"x":2}]}"#),
            (Code::UnknownField, "lines[0].x".to_owned())
        );
        assert_eq!(problem(br#"{"lines":[],"status":"paid"}"#), (Code::UnknownField, "status".to_owned()));
        assert_eq!(
            problem(br#"{"lines":[{"quantity":"1"}]}"#),
            (Code::InvalidBody, "lines[0].quantity".to_owned())
        );
        assert_eq!(
            problem(br#"{"lines":[{"quantity":0}]}"#),
            (Code::InvalidBody, "lines[0].quantity".to_owned())
        );
        let price = br#"{"lines":[],"price":{"amount_minor":-1,"currency":"KRW"}}"#;
        assert_eq!(problem(price), (Code::InvalidBody, "price".to_owned()));
        assert_eq!(problem(br"{}").0, Code::InvalidBody);
        assert_eq!(problem(b"[[]]"), (Code::InvalidBody, ".".to_owned()));
        assert_eq!(problem(br#"{"lines":[[1]]}"#), (Code::InvalidBody, "lines[0]".to_owned()));
    }

    #[test]
    fn only_json_is_taken() {
        let problem = parse::<Outer>(&HeaderMap::new(), b"{\"lines\":[]}").unwrap_err();
        assert_eq!(problem.code(), Code::UnsupportedMediaType);
        assert!(parse::<NoBody>(&HeaderMap::new(), b"").is_ok());
    }
}
