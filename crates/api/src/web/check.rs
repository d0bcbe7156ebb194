//! Validators for fields of bodies, in the words of the domain.

use domain::policy::is_label;

type Checked = Result<(), garde::Error>;

/// A text that people read: 1 to `MAX` characters, not blank, no control characters.
///
/// # Errors
/// It is not.
pub fn label<const MAX: usize>(text: &str, (): &()) -> Checked {
    if is_label(text, MAX) {
        return Ok(());
    }
    Err(garde::Error::new(format!(
        "must have 1 to {MAX} characters, not only blanks, and no control characters"
    )))
}

/// The same, if it is there.
///
/// # Errors
/// It is there and is not.
pub fn optional_label<const MAX: usize>(text: &Option<String>, context: &()) -> Checked {
    text.as_ref().map_or(Ok(()), |text| label::<MAX>(text, context))
}

/// A payment method's token: `tok_` and 1 to 60 of a-z and `_`.
///
/// # Errors
/// It is not.
pub fn payment_method(token: &str, (): &()) -> Checked {
    let word = token.strip_prefix("tok_").unwrap_or_default();
    let good = (1..=60).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    if good { Ok(()) } else { Err(garde::Error::new("must be a payment method's token, such as tok_ok")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_has_no_nul_and_is_not_blank() {
        assert!(label::<3>("abc", &()).is_ok());
        for wrong in ["", "  ", "abcd", "a\0b", "a\nb"] {
            assert!(label::<3>(wrong, &()).is_err(), "{wrong:?} was taken");
        }
    }

    #[test]
    fn a_payment_method_is_a_token() {
        assert!(payment_method("tok_timeout_then_captured", &()).is_ok());
        for wrong in ["", "tok_", "4111111111111111", "tok_OK", "tok_ok\0"] {
            assert!(payment_method(wrong, &()).is_err(), "{wrong:?} was taken");
        }
    }
}
