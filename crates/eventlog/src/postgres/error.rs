//! What PostgreSQL's error codes mean to us.

use sqlx::Error;

use crate::StoreError;

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        let text = plain(&error);
        match &error {
            Error::Database(said) => match said.code().as_deref() {
                Some(code) => of_code(code, text),
                None => Self::Sql(text),
            },
            Error::Configuration(_) => Self::Refused(text),
            Error::Io(_)
            | Error::Tls(_)
            | Error::Protocol(_)
            | Error::PoolTimedOut
            | Error::WorkerCrashed => Self::Unavailable(text),
            Error::PoolClosed => Self::Closed,
            _ => Self::Sql(text),
        }
    }
}

/// *Source*: PostgreSQL, appendix A, error codes.
fn of_code(code: &str, text: String) -> StoreError {
    match code {
        "53300" => StoreError::TooManyConnections(text),
        "53100" => StoreError::Full(text),
        "53200" | "53400" => StoreError::Unavailable(text),
        // Wrong password, no entry in pg_hba.conf, no such database, may not connect, it takes no connections now.
        "28P01" | "28000" | "3D000" | "42501" | "55000" => StoreError::Refused(text),
        // Shutting down, crashed, starting up, cut by an administrator; a standby takes no writes; we were paused in the
        // middle of a transaction and the server gave it up.
        "57P01" | "57P02" | "57P03" | "57P05" | "25006" | "25P03" => StoreError::Unavailable(text),
        // Took too long.
        "57014" => StoreError::Unavailable(text),
        // Serialization failure, deadlock, lock not available.
        "40001" | "40P01" | "55P03" => StoreError::Busy(text),
        _ if code.starts_with("08") || code.starts_with("58") => StoreError::Unavailable(text),
        _ if code.starts_with("23") => StoreError::Constraint(text),
        "XX001" | "XX002" => StoreError::Corrupt(text),
        _ => StoreError::Sql(text),
    }
}

/// Without the library's own preamble.
fn plain(error: &Error) -> String {
    match error {
        Error::Database(said) => said.message().to_owned(),
        Error::Io(error) => error.to_string(),
        Error::Configuration(error) => error.to_string(),
        // The library does not say why, but tries until the time is over.
        Error::PoolTimedOut => {
            "no connection to it within two seconds: it is away, or has none left (max_connections there, \
             postgres.connections here)"
                .to_owned()
        }
        other => other.to_string(),
    }
}
