//! Who asks: JSON Web Tokens signed with the key in the data folder, and what each role may do.

mod key;
mod principal;
mod token;

pub use key::{KeyError, Keys};
pub use principal::{Principal, Role};
pub use token::{AUDIENCE, TokenError, TokenRequest};
