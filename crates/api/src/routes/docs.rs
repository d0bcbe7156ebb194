//! `/problems`: what the codes of problem documents mean.

use axum::Json;
use serde::Serialize;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    problem::{Code, Problem},
    web::PathId,
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(read))
}

/// What a code means.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Meaning {
    /// The word.
    code: &'static str,
    /// The HTTP status.
    status: u16,
    /// A few words for people.
    title: &'static str,
    /// What it means and what to do.
    meaning: &'static str,
}

impl From<Code> for Meaning {
    fn from(code: Code) -> Self {
        Self {
            code: code.as_str(),
            status: code.status().as_u16(),
            title: code.title(),
            meaning: code.meaning(),
        }
    }
}

/// All codes.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Meanings {
    /// The codes.
    data: Vec<Meaning>,
}

/// What every code of a problem document means.
#[utoipa::path(get, path = "/problems", tag = "problems", security(()),
    responses((status = 200, description = "All codes.", body = Meanings)))]
async fn list() -> Json<Meanings> {
    Json(Meanings { data: Code::ALL.iter().copied().map(Meaning::from).collect() })
}

/// What one code means.
#[utoipa::path(get, path = "/problems/{code}", tag = "problems", params(("code" = String, Path, description = "The code.")),
    security(()), responses((status = 200, description = "The code.", body = Meaning)))]
async fn read(PathId(code): PathId<String>) -> Result<Json<Meaning>, Problem> {
    let unknown = || Problem::new(Code::NotFound, format!("there is no problem code {code:?}"));
    Code::from_name(&code).map(|code| Json(code.into())).ok_or_else(unknown)
}
