//! What is measured, a folder or a file each: options, and a run that ends in a report.

pub(crate) mod append;
pub(crate) mod delivered;
pub(crate) mod growth;
pub(crate) mod hot;
pub(crate) mod lag;
pub(crate) mod orders;
pub(crate) mod payments;
pub(crate) mod reads;
pub(crate) mod rebuild;

use crate::{Failure, context::Context, report::CaseReport};

/// A case with its options.
pub(crate) trait Case {
    fn name(&self) -> &'static str;

    /// Small numbers, that a build without optimisation can do in some seconds.
    fn make_quick(&mut self);

    /// Measures, telling on stderr how far it is.
    fn run(&self, context: &Context) -> Result<CaseReport, Failure>;
}

fn callers(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(callers @ 1..=10_000) => Ok(callers),
        _ => Err("write a number from 1 to 10000".to_owned()),
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.1..=600.0).contains(&seconds) => Ok(seconds),
        _ => Err("write a number from 0.1 to 600".to_owned()),
    }
}
