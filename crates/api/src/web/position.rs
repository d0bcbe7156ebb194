//! Positions as they leave the process: opaque texts.
//!
//! *Shape*: `LOG.POSITION`, where LOG numbers the event log (there is one today: 0). Clients hand them back unchanged;
//! more logs can then be told apart without a change of theirs. A bare number is read as a position of log 0.

use domain::Position;

/// The header of command answers that tells where the command is in the log.
pub const POSITION_HEADER: &str = "orderstream-position";

/// A text that is no position.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a position: use one of an answer, unchanged")]
pub struct PositionError(String);

/// The text for a position.
#[must_use]
pub fn opaque(position: Position) -> String {
    format!("0.{position}")
}

/// Reads a text that [`opaque`] wrote.
///
/// # Errors
/// It is none.
pub fn parse_position(text: &str) -> Result<Position, PositionError> {
    let digits = text.strip_prefix("0.").unwrap_or(text);
    let plain = (1..=19).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    // SQLite counts in signed numbers: nothing beyond them is ever a position.
    let position = digits.parse::<Position>().ok().filter(|position| plain && *position <= i64::MAX as u64);
    position.ok_or_else(|| PositionError(text.chars().take(64).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_as_it_is_written() {
        assert_eq!(parse_position(&opaque(42)), Ok(42));
        assert_eq!(parse_position("42"), Ok(42));
        for wrong in
            ["", "x", "-1", "+1", "1.5", "0.", "0.0x1", "99999999999999999999", "9999999999999999999"]
        {
            assert!(parse_position(wrong).is_err(), "{wrong:?} was taken");
        }
    }
}
