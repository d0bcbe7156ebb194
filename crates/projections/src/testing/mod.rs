//! Histories to fold, and the checks that every view passes.

mod checks;
mod history;
mod orders;
pub(crate) mod places;
mod returns;
mod scripts;
mod stays;

pub(crate) use checks::{applied_twice_is_once, fold_rows, tolerates_any_order, windows_do_not_matter};
pub(crate) use history::History;
pub(crate) use scripts::{Random, Scenario, crowd, story};
