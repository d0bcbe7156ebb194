//! Signatures of messages between us and others: what we post to webhooks, and what a payment provider posts to us.
//!
//! `Orderstream-Signature: t=<Unix seconds>,v1=<hex>` proves who sent a message: `v1` is the HMAC-SHA256, under the shared
//! secret, of the bytes `<t>.<body>`. A receiver computes it over the body as it came, compares in constant time, and
//! refuses a `t` that is some minutes off.

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::Secret;

/// The header.
pub const SIGNATURE: &str = "orderstream-signature";
/// So far a message's time may be off, both ways. Seconds. *Source*: what webhooks commonly allow: clocks differ, and a
/// message that somebody overheard is soon worth nothing.
pub const TOLERANCE_SECS: i64 = 300;

/// Why a message is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Not of the shape `t=…,v1=…`.
    #[error("the signature is not written as t=<Unix seconds>,v1=<hex>")]
    Malformed,
    /// Too old, or from the future.
    #[error("the signature's time is {off_secs} s off: at most {TOLERANCE_SECS} s are accepted")]
    Time {
        /// By how much.
        off_secs: u64,
    },
    /// Of another body, time or secret.
    #[error("the signature does not fit the body")]
    Wrong,
}

/// The header's value for a message.
#[must_use]
pub fn sign(secret: &Secret, unix_secs: i64, body: &[u8]) -> String {
    let digest = keyed(secret, &unix_secs.to_string(), body).finalize().into_bytes();
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={unix_secs},v1={hex}")
}

/// Whether the header's value proves that the message came, just now, from somebody who knows the secret.
///
/// # Errors
/// See [`SignatureError`].
pub fn verify(secret: &Secret, header: &str, now_unix_secs: i64, body: &[u8]) -> Result<(), SignatureError> {
    let (time, digest) = header
        .strip_prefix("t=")
        .and_then(|rest| rest.split_once(",v1="))
        .ok_or(SignatureError::Malformed)?;
    let unix_secs: i64 = time.parse().map_err(|_| SignatureError::Malformed)?;
    let digest = bytes(digest).ok_or(SignatureError::Malformed)?;
    // First whether it is genuine, in constant time: nobody else is told what the clock says.
    keyed(secret, time, body).verify_slice(&digest).map_err(|_| SignatureError::Wrong)?;
    match now_unix_secs.abs_diff(unix_secs) {
        off_secs if off_secs > TOLERANCE_SECS.unsigned_abs() => Err(SignatureError::Time { off_secs }),
        _ => Ok(()),
    }
}

fn keyed(secret: &Secret, time: &str, body: &[u8]) -> Hmac<Sha256> {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).expect("HMAC takes a key of any length");
    mac.update(time.as_bytes());
    mac.update(b".");
    mac.update(body);
    mac
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    if !hex.len().is_multiple_of(2) || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..hex.len() / 2).map(|i| u8::from_str_radix(hex.get(2 * i..2 * i + 2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_790_000_000;

    fn secret() -> Secret {
        Secret::new("a shared secret")
    }

    /// Computed with `printf '1790000000.{}' | openssl dgst -sha256 -hmac 'a shared secret'`.
    #[test]
    fn the_signature_is_what_other_tools_compute() {
        let signed = sign(&secret(), NOW, b"{}");
        let digest = "59ec9de7d6a47c8dde14584798cdaf50b28be6115011264cee60e256ad547b3a";
        assert_eq!(signed, format!("t={NOW},v1={digest}"));
        assert_eq!(verify(&secret(), &signed, NOW, b"{}"), Ok(()));
        assert_eq!(
            verify(&secret(), &signed.to_uppercase().replace("T=", "t=").replace("V1", "v1"), NOW, b"{}"),
            Ok(())
        );
    }

    #[test]
    fn another_body_time_or_secret_is_refused() {
        let signed = sign(&secret(), NOW, b"{}");
        assert_eq!(verify(&secret(), &signed, NOW, b"{} "), Err(SignatureError::Wrong));
        assert_eq!(verify(&Secret::new("a guess"), &signed, NOW, b"{}"), Err(SignatureError::Wrong));
        let moved = signed.replace(&NOW.to_string(), &(NOW + 1).to_string());
        assert_eq!(verify(&secret(), &moved, NOW, b"{}"), Err(SignatureError::Wrong));
    }

    #[test]
    fn a_time_is_accepted_five_minutes_both_ways() {
        let signed = sign(&secret(), NOW, b"{}");
        for now in [NOW - TOLERANCE_SECS, NOW + TOLERANCE_SECS] {
            assert_eq!(verify(&secret(), &signed, now, b"{}"), Ok(()));
        }
        for now in [NOW - TOLERANCE_SECS - 1, NOW + TOLERANCE_SECS + 1] {
            let off = Err(SignatureError::Time { off_secs: 301 });
            assert_eq!(verify(&secret(), &signed, now, b"{}"), off);
        }
        let far = sign(&secret(), i64::MIN, b"{}");
        assert!(matches!(verify(&secret(), &far, i64::MAX, b"{}"), Err(SignatureError::Time { .. })));
    }

    #[test]
    fn what_is_no_signature_is_refused() {
        let digest = "59ec9de7d6a47c8dde14584798cdaf50b28be6115011264cee60e256ad547b3a";
        for wrong in [
            "",
            "t=,v1=",
            "t=1",
            "v1=00",
            "t=x,v1=00",
            "t=1,v1=0",
            "t=1,v1=zz",
            "t=1,v1=é",
            &format!("t=1;v1={digest}"),
        ] {
            assert_eq!(verify(&secret(), wrong, NOW, b"{}"), Err(SignatureError::Malformed), "{wrong:?}");
        }
        assert_eq!(verify(&secret(), "t=1,v1=", 1, b"{}"), Err(SignatureError::Wrong));
    }
}
