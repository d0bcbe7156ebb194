//! Reads that see what was written before: on request for certain (`min_position`), else as far as a short wait goes.

use axum::{
    extract::{FromRequestParts, Query},
    http::{HeaderMap, request::Parts},
};
use domain::Position;
use serde::Deserialize;

use super::{opaque, parse_position};
use crate::{
    app::{App, Services},
    problem::{Code, Problem},
};

/// The header that does what the query parameter `min_position` does.
pub const MIN_POSITION_HEADER: &str = "orderstream-min-position";

/// What a read asks of the view it reads.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The view must have folded this position.
    pub min_position: Option<Position>,
    /// The headers, for If-None-Match.
    pub headers: HeaderMap,
}

#[derive(Deserialize)]
struct Parameter {
    min_position: Option<String>,
}

impl FromRequestParts<App> for Reading {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        let Query(Parameter { min_position }) = Query::try_from_uri(&parts.uri)
            .map_err(|error| Problem::new(Code::InvalidQuery, error.body_text()))?;
        let header = parts.headers.get(MIN_POSITION_HEADER).map(|value| value.to_str().unwrap_or_default());
        let text = min_position.as_deref().or(header);
        let min_position = text
            .map(parse_position)
            .transpose()
            .map_err(|error| Problem::new(Code::InvalidPosition, format!("min_position: {error}")))?;
        Ok(Self { min_position, headers: parts.headers.clone() })
    }
}

impl Services {
    /// Waits until `view` shows what the read asks for.
    ///
    /// # Errors
    /// 400 when the log does not go as far as `min_position`, 503 when the view does not get there in time.
    pub async fn ready_to_read(&self, view: &str, reading: &Reading) -> Result<(), Problem> {
        match reading.min_position {
            Some(position) => {
                // Nobody was ever answered with it: to wait would be in vain.
                if position > self.head() {
                    let end = self.log().head().await?;
                    if position > end {
                        let (want, end) = (opaque(position), opaque(end));
                        let detail = format!("min_position: the log ends at {end}, before {want}");
                        return Err(Problem::new(Code::InvalidPosition, detail));
                    }
                }
                if self.views().wait_for(view, position, self.settings.view_wait()).await {
                    return Ok(());
                }
                let (want, have) = (opaque(position), opaque(self.views().position(view)));
                let detail = format!("the view {view} is at {have}, not at {want} yet: try again");
                Err(Problem::new(Code::ViewBehind, detail))
            }
            // What was answered before this read began is seen, unless the view is slow just now or runs elsewhere.
            None if self.settings.runs_view(view) => {
                self.views().wait_for(view, self.head(), self.settings.fresh_wait()).await;
                Ok(())
            }
            None => Ok(()),
        }
    }
}
