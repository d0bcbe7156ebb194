//! `token`: prints a JSON Web Token, and nothing else.

use std::{path::PathBuf, time::Duration};

use chrono::Utc;

use super::{CliError, access::Place, output::Output};
use crate::auth::{Keys, Role, TokenError, TokenRequest};

/// Arguments of `token`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Whose token: a pseudonym such as alice, never a name or an address.
    #[arg(long, value_name = "NAME")]
    sub: String,
    /// What its bearer may do.
    #[arg(long)]
    role: Role,
    /// Whose shop; needed for the role shop.
    #[arg(long, value_name = "ID")]
    shop: Option<String>,
    /// How long it is valid: 90s, 30m, 12h, 7d.
    #[arg(long, default_value = "12h", value_parser = parse_ttl)]
    ttl: Duration,
    /// Folder of the signing key; it and the key are made if need be.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

pub(super) fn run(args: Args, output: &Output) -> Result<(), CliError> {
    let settings = Place::in_folder(args.data).settings()?;
    let request = TokenRequest { sub: args.sub, role: args.role, shop: args.shop, ttl: args.ttl };
    let keys = Keys::open_or_create(&settings.data)?;
    let token = keys.issue(&request, Utc::now()).map_err(|error| match error {
        TokenError::Claim { .. } => CliError::Usage(error.to_string()),
        other => other.into(),
    })?;
    output.value(&serde_json::json!({ "token": token }), |_| token.clone())
}

fn parse_ttl(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no duration: write a number and s, m, h or d, such as 12h");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let number: u64 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| wrong())?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    number.checked_mul(seconds).filter(|total| *total > 0).map(Duration::from_secs).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(parse_ttl("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_ttl("12h"), Ok(Duration::from_secs(43_200)));
        for wrong in ["", "12", "h", "-1h", "0s", "1y", "12 h", "5ü"] {
            assert!(parse_ttl(wrong).is_err(), "{wrong:?} was taken");
        }
    }
}
