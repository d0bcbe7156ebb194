//! Fuzz targets: whatever comes from outside is read without a panic, and refused in good order when it is wrong.
//!
//! The targets are ordinary tests in `tests/`, with inputs by [bolero](https://docs.rs/bolero): `cargo test -p
//! orderstream-fuzz` gives each some seconds of random inputs, `ORDERSTREAM_FUZZ_SECS=600` more. A failure prints its
//! input, made as small as can be, and `BOLERO_RANDOM_SEED`, with which it comes again. With `cargo install cargo-bolero`
//! and a nightly toolchain, `cargo +nightly bolero test -p orderstream-fuzz NAME --engine libfuzzer` looks for inputs by
//! coverage. What was found is kept in `tests/found.rs`.

pub mod edit;
pub mod scratch;

use std::time::Duration;

/// For how long a target is tried: `ORDERSTREAM_FUZZ_SECS`, or a few seconds.
///
/// # Panics
/// When the variable holds no number.
#[must_use]
pub fn time() -> Duration {
    let said = std::env::var("ORDERSTREAM_FUZZ_SECS").map(|secs| {
        secs.parse().unwrap_or_else(|_| panic!("ORDERSTREAM_FUZZ_SECS={secs}: not a number of seconds"))
    });
    Duration::from_secs(said.unwrap_or(8))
}
