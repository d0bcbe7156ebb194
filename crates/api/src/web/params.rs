//! Path ids and query parameters.

use std::{fmt::Display, str::FromStr};

use axum::{
    extract::{FromRequestParts, Path, Query},
    http::{Uri, request::Parts},
};
use serde::de::DeserializeOwned;

use crate::{
    app::App,
    problem::{Code, Problem},
};

/// The id in the path. A text that is no id names nothing: 404.
pub struct PathId<T>(pub T);

impl<T> FromRequestParts<App> for PathId<T>
where
    T: FromStr + Send,
    T::Err: Display,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let text = Path::<String>::from_request_parts(parts, app).await;
        let Path(text) = text.map_err(|error| Problem::new(Code::NotFound, error.body_text()))?;
        text.parse().map(Self).map_err(|error: T::Err| Problem::new(Code::NotFound, error.to_string()))
    }
}

/// Parameters that every read takes beside its own; see [`super::Reading`].
const SHARED: [&str; 1] = ["min_position"];

/// The query parameters. Unknown ones are refused if `T` says so.
pub struct Params<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<App> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let own = |pair: &&str| !SHARED.iter().any(|name| pair.split('=').next() == Some(name));
        let own: Vec<&str> = query.split('&').filter(own).collect();
        let uri = Uri::try_from(format!("/?{}", own.join("&")))
            .map_err(|error| Problem::new(Code::InvalidQuery, error.to_string()))?;
        let Query(params) = Query::try_from_uri(&uri).map_err(|error| {
            let text = error.body_text();
            let detail = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
            Problem::new(Code::InvalidQuery, detail.to_owned())
        })?;
        Ok(Self(params))
    }
}
