//! `openapi`: prints the document that a running platform serves at `/openapi.json`.

use super::{CliError, output::Output};

pub(super) fn run(output: &Output) -> Result<(), CliError> {
    output.line(&serde_json::to_string_pretty(&crate::routes::document())?)
}
