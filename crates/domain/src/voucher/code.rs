//! The code that a guest shows.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Crockford's base 32: no letter that is taken for another.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Eighty random bits as four groups of four characters, such as `7GQ2-K0MN-X4TD-9R3B`: nobody guesses one, and it can
/// be read out over a telephone. *Source*: Crockford's base 32 alphabet.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VoucherCode(String);

impl VoucherCode {
    /// The code of 80 of these bits, which must come from a cryptographic generator.
    #[must_use]
    pub fn from_random(bits: u128) -> Self {
        let mut text = String::with_capacity(19);
        for place in 0..16 {
            if place > 0 && place % 4 == 0 {
                text.push('-');
            }
            text.push(char::from(ALPHABET[((bits >> (5 * place)) & 31) as usize]));
        }
        Self(text)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for VoucherCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
/// A code is as good as the room: it does not show in logs.
impl fmt::Debug for VoucherCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VoucherCode(…)")
    }
}
