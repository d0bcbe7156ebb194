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

/// An address for e-mail, if it is there: printable ASCII, one `@`, a name of 1 to 64 characters before it and a host
/// behind it, 254 characters in all. Whether mail arrives there is not known before it is sent.
///
/// # Errors
/// It is there and is not.
pub fn optional_email(email: &Option<String>, (): &()) -> Checked {
    let Some(email) = email else { return Ok(()) };
    let printable = email.len() <= 254 && email.bytes().all(|b| b.is_ascii_graphic());
    let name = email.split_once('@').map_or("", |(name, _)| name);
    // The same rules as where it is used, so that nothing is taken here that cannot be sent to.
    if printable && (1..=64).contains(&name.len()) && email.parse::<lettre::Address>().is_ok() {
        return Ok(());
    }
    Err(garde::Error::new("must be an e-mail address, such as minji@example.com"))
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

    #[test]
    fn an_email_address_is_one_that_mail_can_be_sent_to() {
        assert!(optional_email(&None, &()).is_ok());
        for good in ["minji@example.com", "kim.min+ji@mail.example.co.kr", "a@b.kr"] {
            assert!(optional_email(&Some(good.to_owned()), &()).is_ok(), "{good:?} was refused");
        }
        let long = format!("{}@example.com", "a".repeat(65));
        let wrong = [
            "",
            "@",
            "minji",
            "minji@",
            "@example.com",
            "a b@example.com",
            "a@b@c.com",
            "a@b.com\r\nBcc: c@d.com",
            "Kim <kim@example.com>",
            "김@example.com",
            "a@exa mple.com",
            "a@b.com,c@d.com",
            "a@b\0.com",
            &long,
        ];
        for wrong in wrong {
            assert!(optional_email(&Some(wrong.to_owned()), &()).is_err(), "{wrong:?} was taken");
        }
    }
}
