//! What whoever runs the tests wishes for in the environment.
#![allow(unreachable_pub)]

use std::{env::VarError, fmt::Display, str::FromStr};

/// The value of a variable, if it is set. A wrong one ends the test: it would pass for something else than was asked.
pub fn wish<T: FromStr<Err: Display>>(name: &str) -> Option<T> {
    let text = match std::env::var(name) {
        Ok(text) => text,
        Err(VarError::NotPresent) => return None,
        Err(error) => panic!("{name}: {error}"),
    };
    Some(text.parse().unwrap_or_else(|error| panic!("{name}={text}: {error}")))
}
