//! How a database is reached, and what to do when it is not.

use std::{str::FromStr, time::Duration};

use sqlx::{
    ConnectOptions, Connection,
    postgres::{PgConnectOptions, PgConnection},
};

use crate::StoreError;

/// How long a first connection may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where a database is, and how much of it is ours.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseOptions {
    /// `postgres://user:password@host:port/database`, with libpq's parameters.
    pub url: String,
    /// The schema that holds our tables.
    pub schema: String,
    /// Most connections of this process.
    pub connections: u32,
}

/// Connections that the smallest process needs: one writes the log, one listens, the others read and work.
pub(super) const FEWEST_CONNECTIONS: u32 = 4;
/// Connections that the log keeps to itself: the one that it is written through, and the one that listens.
pub(super) const OF_THE_LOG: u32 = 2;

impl std::fmt::Debug for DatabaseOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without the URL, which may hold a password.
        f.debug_struct("DatabaseOptions").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl DatabaseOptions {
    /// What makes no sense is refused before anything is tried.
    ///
    /// # Errors
    /// [`StoreError::Refused`], in words for whoever wrote it.
    pub fn check(&self) -> Result<(), StoreError> {
        self.parsed().map(drop)
    }

    /// The address without user and password.
    #[must_use]
    pub fn place(&self) -> String {
        match PgConnectOptions::from_str(&self.url) {
            Ok(parsed) => place(&parsed),
            Err(_) => "an address that is none".to_owned(),
        }
    }

    pub(super) fn parsed(&self) -> Result<PgConnectOptions, StoreError> {
        if self.connections < FEWEST_CONNECTIONS {
            let (few, least) = (self.connections, FEWEST_CONNECTIONS);
            return Err(StoreError::Refused(format!(
                "{few} connections are too few: it takes at least {least}"
            )));
        }
        if let Some(unknown) = unknown_parameter(&self.url) {
            return Err(StoreError::Refused(format!(
                "the address has a parameter {unknown:?} that nobody knows"
            )));
        }
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let begins = self.schema.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
        if !begins || !self.schema.bytes().all(plain) || self.schema.len() > 40 {
            let wrong = format!("{:?} is no name for a schema: use a-z, 0-9 and _, at most 40", self.schema);
            return Err(StoreError::Refused(wrong));
        }
        let unreadable = |why: &str| {
            StoreError::Refused(format!(
                "the address cannot be read ({why}): it is written postgres://USER:PASSWORD@HOST:PORT/DATABASE"
            ))
        };
        // The parser takes any scheme for ours.
        if !["postgres://", "postgresql://"].iter().any(|scheme| self.url.starts_with(scheme)) {
            return Err(unreadable("it is none of PostgreSQL"));
        }
        let parsed = PgConnectOptions::from_str(&self.url).map_err(|error| unreadable(&error.to_string()))?;
        Ok(parsed
            .application_name("orderstream")
            .statement_cache_capacity(512)
            .options([
                ("search_path", self.schema.as_str()),
                // Whoever waited for a lock must then see what was committed meanwhile.
                ("default_transaction_isolation", "read\\ committed"),
                // Compiling a query of ours costs more than running it.
                ("jit", "off"),
                // What hangs shall end before a connection does.
                ("statement_timeout", "60s"),
                ("lock_timeout", "30s"),
                ("idle_in_transaction_session_timeout", "60s"),
            ])
            .disable_statement_logging())
    }
}

fn place(parsed: &PgConnectOptions) -> String {
    let database = parsed.get_database().unwrap_or_else(|| parsed.get_username());
    format!("{}:{}/{database}", parsed.get_host(), parsed.get_port())
}

/// Connects once, to say in plain words what is wrong if something is.
pub(super) async fn try_out(parsed: &PgConnectOptions) -> Result<(), StoreError> {
    let place = place(parsed);
    let connected = tokio::time::timeout(PATIENCE, PgConnection::connect_with(parsed)).await;
    let error = match connected {
        Ok(Ok(connection)) => {
            // It worked: how it ends does not matter.
            let _ = connection.close().await;
            return Ok(());
        }
        Ok(Err(error)) => error,
        Err(_) => {
            let secs = PATIENCE.as_secs();
            return Err(StoreError::Unavailable(format!(
                "PostgreSQL at {place} does not answer within {secs} s"
            )));
        }
    };
    if let sqlx::Error::Io(error) = &error {
        return Err(StoreError::Unavailable(format!(
            "PostgreSQL at {place} cannot be reached ({error}): is it running, and is the address right?"
        )));
    }
    let code = error.as_database_error().and_then(|said| said.code()).unwrap_or_default().into_owned();
    Err(match StoreError::from(error) {
        StoreError::Refused(reason) => {
            StoreError::Refused(format!("PostgreSQL at {place}: {reason}{}", what_to_do(&code)))
        }
        StoreError::Unavailable(reason) => {
            StoreError::Unavailable(format!("PostgreSQL at {place}: {reason}"))
        }
        other => other,
    })
}

/// The parameters that an address may have. *Source*: sqlx, `PgConnectOptions`.
const PARAMETERS: [&str; 18] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

/// The first parameter of the address that nobody knows: a mistyped `sslmode` must not pass for one.
fn unknown_parameter(url: &str) -> Option<&str> {
    let (_, query) = url.split_once('?')?;
    let names = query.split('&').map(|pair| pair.split('=').next().unwrap_or_default());
    let known = |name: &str| PARAMETERS.contains(&name) || name.starts_with("options[") || name.is_empty();
    names.into_iter().find(|name| !known(name))
}

/// What helps against a refusal. *Source* of the codes: PostgreSQL, appendix A.
fn what_to_do(code: &str) -> &'static str {
    match code {
        "28P01" | "28000" => "; mend user or password in the address",
        "3D000" => "; create the database (createdb), or mend its name in the address",
        "42501" => "; the user needs the right to connect to the database",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(&mut DatabaseOptions)) -> String {
        let url = "postgres://shop:secret@localhost:5432/orders".to_owned();
        let mut options = DatabaseOptions { url, schema: "orderstream".to_owned(), connections: 8 };
        assert_eq!(options.check(), Ok(()));
        change(&mut options);
        let said = options.check().unwrap_err().to_string();
        assert!(!said.contains("secret"), "{said}");
        said
    }

    #[test]
    fn what_makes_no_sense_is_refused_in_words_that_help() {
        assert!(refused(|o| o.connections = 2).contains("at least 4"));
        assert!(refused(|o| o.url.push_str("?sslmode=require&sslmod=require")).contains("sslmod"));
        assert!(refused(|o| o.schema = "Robert'); drop".to_owned()).contains("a-z"));
        assert!(
            refused(|o| o.url = "postgres://shop:secret@localhost:port/orders".to_owned()).contains("USER")
        );
    }
}
