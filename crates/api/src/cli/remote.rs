//! The admin interface of the platform that holds the data folder.

use std::{path::Path, time::Duration};

use chrono::Utc;
use reqwest::{Method, RequestBuilder};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::CliError;
use crate::auth::{Keys, Role, TokenRequest};

/// How long the token of one command is valid: as long as a rebuild may take.
const TOKEN_TTL: Duration = Duration::from_secs(6 * 3600);
/// How long one call may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A running platform, reached as an admin with a token made from the key in its data folder.
pub(super) struct Remote {
    base: String,
    token: String,
    client: reqwest::Client,
}

impl Remote {
    /// The platform that listens at `address` and keeps its key in `data`.
    pub(super) fn of(data: &Path, address: &str) -> Result<Self, CliError> {
        let request =
            TokenRequest { sub: "command-line".to_owned(), role: Role::Admin, shop: None, ttl: TOKEN_TTL };
        let token = Keys::open_or_create(data)?.issue(&request, Utc::now())?;
        let client = reqwest::Client::builder().timeout(TIMEOUT).build()?;
        Ok(Self { base: format!("http://{}", reachable(address)), token, client })
    }

    /// `GET`; nothing when it answers 404.
    pub(super) async fn find<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, CliError> {
        match self.call(Method::GET, path).await {
            Ok(value) => Ok(Some(serde_json::from_value(value)?)),
            Err(CliError::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// `GET`.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, CliError> {
        Ok(serde_json::from_value(self.call(Method::GET, path).await?)?)
    }

    /// `POST` without a body.
    pub(super) async fn post<T: DeserializeOwned>(&self, path: &str) -> Result<T, CliError> {
        Ok(serde_json::from_value(self.call(Method::POST, path).await?)?)
    }

    /// `POST` with a body.
    pub(super) async fn post_with<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &Value,
    ) -> Result<T, CliError> {
        Ok(serde_json::from_value(self.send(self.request(Method::POST, path).json(body)).await?)?)
    }

    async fn call(&self, method: Method, path: &str) -> Result<Value, CliError> {
        self.send(self.request(method, path)).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base)).bearer_auth(&self.token)
    }

    async fn send(&self, request: RequestBuilder) -> Result<Value, CliError> {
        let response = request.send().await?;
        let (status, text) = (response.status(), response.text().await?);
        if status.is_success() {
            return Ok(serde_json::from_str(&text)?);
        }
        let problem: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        let detail = problem["detail"].as_str().map_or(text, str::to_owned);
        Err(CliError::Refused { base: self.base.clone(), status: status.as_u16(), detail })
    }
}

/// Who listens on all interfaces is reached on this machine's own.
pub(super) fn reachable(address: &str) -> String {
    match address.parse::<std::net::SocketAddr>() {
        Ok(socket) if socket.ip().is_unspecified() && socket.is_ipv4() => {
            format!("127.0.0.1:{}", socket.port())
        }
        Ok(socket) if socket.ip().is_unspecified() => format!("[::1]:{}", socket.port()),
        _ => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_on_all_interfaces_is_reached_on_our_own() {
        assert_eq!(reachable("0.0.0.0:80"), "127.0.0.1:80");
        assert_eq!(reachable("[::]:80"), "[::1]:80");
        assert_eq!(reachable("127.0.0.1:81"), "127.0.0.1:81");
    }
}
