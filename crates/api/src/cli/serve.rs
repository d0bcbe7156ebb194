//! `serve`: runs the platform until it is told to stop.

use super::CliError;
use crate::settings::{Flags, Settings};

pub(super) async fn run(flags: &Flags) -> Result<(), CliError> {
    Ok(crate::serve::run(Settings::load(flags)?).await?)
}
