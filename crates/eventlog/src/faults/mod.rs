//! What tests break on purpose, in builds with the feature `faults`: points at which the process ends, and planted bugs.
//!
//! Tests ask for the feature among their dev-dependencies. What is shipped is built without: there, [`kill_point`] and
//! [`planted`] are nothing, and the variables that ask for faults are unknown settings, which a program refuses.

mod bug;
mod kill;

pub use bug::{Bug, planted};
#[cfg(feature = "faults")]
pub use kill::KILL_POINTS;
pub use kill::kill_point;

/// What ends the process at a point.
#[cfg(feature = "faults")]
const KILL_VARIABLE: &str = "ORDERSTREAM_KILL_AT";
/// What plants a bug.
#[cfg(feature = "faults")]
const BUG_VARIABLE: &str = "ORDERSTREAM_BUG";

/// The variables that ask for faults.
#[cfg(feature = "faults")]
pub const FAULT_VARIABLES: &[&str] = &[KILL_VARIABLE, BUG_VARIABLE];
/// None in what is shipped.
#[cfg(not(feature = "faults"))]
pub const FAULT_VARIABLES: &[&str] = &[];

/// Reads what is asked for, so that a name that is none shows at the start.
pub(crate) fn read() {
    #[cfg(feature = "faults")]
    {
        kill::read();
        bug::read();
    }
}
