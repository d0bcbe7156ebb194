//! Entity tags: `"version-position"`. If-Match compares the stream's version, If-None-Match the whole.

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{Position, Version};

use super::opaque;
use crate::problem::{Code, Problem};

/// The tag of a resource whose stream is at `version` and whose row was last touched at `position`.
#[must_use]
pub fn etag(version: Version, position: Position) -> String {
    format!("\"{version}-{}\"", opaque(position))
}

/// What If-Match asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfMatch {
    /// Any version, as long as the thing exists.
    Any,
    /// This version.
    Version(Version),
}

impl IfMatch {
    /// Reads the header, if it is there.
    ///
    /// # Errors
    /// It is neither `*` nor a tag of ours.
    pub fn from_headers(headers: &HeaderMap) -> Result<Option<Self>, Problem> {
        let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
        let text = value.to_str().unwrap_or_default().trim();
        if text == "*" {
            return Ok(Some(Self::Any));
        }
        let tag = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        let version = tag.and_then(|tag| tag.split_once('-')?.0.parse().ok());
        version.map(|version| Some(Self::Version(version))).ok_or_else(|| {
            Problem::new(
                Code::InvalidHeader,
                format!("If-Match: {text:?} is not an ETag of this interface, nor *"),
            )
        })
    }

    /// The version that the command must meet, if any.
    #[must_use]
    pub fn version(self) -> Option<Version> {
        match self {
            Self::Any => None,
            Self::Version(version) => Some(version),
        }
    }
}

/// 304, if the client has this very tag already.
#[must_use]
pub fn not_modified(headers: &HeaderMap, tag: &str) -> Option<Response> {
    let given = headers.get(header::IF_NONE_MATCH)?.to_str().ok()?;
    let weak = |text: &str| text.trim().trim_start_matches("W/").to_owned();
    let same = given.trim() == "*" || given.split(',').any(|one| weak(one) == tag);
    let value = HeaderValue::from_str(tag).ok()?;
    same.then(|| (StatusCode::NOT_MODIFIED, [(header::ETAG, value)]).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::IF_MATCH, HeaderValue::from_static(value))])
    }

    #[test]
    fn if_match_reads_the_version_of_a_tag() {
        let tag = etag(3, 17);
        assert_eq!(tag, "\"3-0.17\"");
        let map = HeaderMap::from_iter([(header::IF_MATCH, HeaderValue::from_str(&tag).unwrap())]);
        assert_eq!(IfMatch::from_headers(&map).unwrap(), Some(IfMatch::Version(3)));
        assert_eq!(IfMatch::from_headers(&headers("*")).unwrap(), Some(IfMatch::Any));
        assert_eq!(IfMatch::from_headers(&HeaderMap::new()).unwrap(), None);
        assert!(IfMatch::from_headers(&headers("W/\"3-0.1\"")).is_err());
        assert!(IfMatch::from_headers(&headers("3")).is_err());
    }
}
