//! Our log against the provider's books: a real log, the real sandbox, differences planted in either.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

mod books;
mod differences;
mod mending;
mod moving;
mod shop;
