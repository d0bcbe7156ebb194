//! The port over HTTP, by the contract in [`crate::wire`] and [`crate::server`]. What an adapter for another provider
//! has to do is all in this file; retries, bulkhead and circuit breaker are not: they are the same for all.
//!
//! | what happens | is |
//! |---|---|
//! | 200 with an answer that can be understood | the answer |
//! | 404 with the code `charge_not_found` to a look-up | nothing known |
//! | no connection: refused, not resolved, not in time, TLS failed | [`GatewayError::Unavailable`]: certainly nothing was sent |
//! | everything else: deadline, broken connection, any other status, an answer that cannot be understood | [`GatewayError::Unknown`] |

use std::{error::Error, time::Duration};

use async_trait::async_trait;
use domain::Money;
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url, redirect};
use sagas::ports::{ChargeOutcome, GatewayError, LedgerPage, PaymentGateway, RefundAnswer, VoidOutcome};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::{
    late::LateAnswers,
    options::GatewayOptionsError,
    wire::{
        ChargeAnswer, ChargeRequest, IDEMPOTENCY_KEY, LedgerAnswer, ProblemDocument, RefundReply,
        RefundRequest, UNKNOWN_CHARGE, VoidAnswer,
    },
};

/// The largest answer that is read. Bytes. *Source*: ours; an answer of the contract has a few hundred.
const MAX_ANSWER: usize = 64 * 1024;
/// The largest page of the books. Bytes. *Source*: ours; the contract's 1000 entries have some 300 kB.
const MAX_PAGE: usize = 4 * 1024 * 1024;
/// The longest reference or code that is taken. Bytes. *Source*: ours; providers' have less than 100.
const MAX_WORD: usize = 255;
/// So long an idle connection is kept. *Source*: ours; shorter than what load balancers commonly allow (60 s).
const KEEP_IDLE: Duration = Duration::from_secs(30);

/// Where the provider is, and how long it may take.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// `http(s)://host:port[/path]`.
    pub url: String,
    /// For a call, from connecting to the last byte of the answer.
    pub deadline: Duration,
    /// For connecting alone.
    pub connect_timeout: Duration,
}

/// What is wrong with a provider's URL. It is not repeated as a whole, since it may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Not a URL.
    #[error("not a URL ({0}): give http://host:port or https://host[:port]")]
    Invalid(String),
    /// Neither http nor https.
    #[error("{0}: is not supported: give http://host:port or https://host[:port]")]
    Scheme(String),
    /// With user or password.
    #[error("it has credentials in it, which would end up in logs: give it without user and password")]
    Credentials,
    /// With query or fragment.
    #[error("it has a part after ? or #: give only the start of the addresses")]
    Query,
}

impl HttpOptions {
    /// Whether the URL can be used.
    ///
    /// # Errors
    /// See [`UrlError`].
    pub fn check(&self) -> Result<(), UrlError> {
        base(&self.url).map(drop)
    }
}

/// The start of every address, without a slash at the end.
pub(crate) fn base(url: &str) -> Result<String, UrlError> {
    let url = Url::parse(url).map_err(|error| UrlError::Invalid(error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(UrlError::Scheme(url.scheme().to_owned()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlError::Credentials);
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(UrlError::Query);
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// One segment of a path: everything but unreserved characters is percent-encoded. *Source*: RFC 3986 §2.3.
pub(crate) fn segment(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() + 8);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// A payment provider that is reached over HTTP.
pub struct HttpGateway {
    client: Client,
    base: String,
    deadline: Duration,
    late: LateAnswers,
}

/// So many deadlines after its beginning a charge is given up for good, when its caller has long been told that nothing is
/// known. *Source*: ours; an answer that late helps nobody, since the look-up has come by.
const GIVEN_UP: u32 = 3;

impl HttpGateway {
    /// Makes the client; connects when it is first called. Proxies of the environment are not used: the provider is where
    /// the URL says.
    ///
    /// # Errors
    /// A URL that cannot be used; no TLS.
    pub fn new(options: HttpOptions) -> Result<Self, GatewayOptionsError> {
        let base = base(&options.url)?;
        let client = Client::builder()
            .connect_timeout(options.connect_timeout)
            .pool_idle_timeout(KEEP_IDLE)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| GatewayOptionsError::Client(cause(&error)))?;
        Ok(Self { client, base, deadline: options.deadline, late: LateAnswers::default() })
    }

    fn url(&self, path: &str) -> String {
        format!("{}/v1/{path}", self.base)
    }

    async fn send(&self, request: RequestBuilder) -> Result<(StatusCode, Vec<u8>), GatewayError> {
        send(request, MAX_ANSWER, self.deadline).await
    }

    async fn post<A: DeserializeOwned>(&self, key: &str, request: RequestBuilder) -> Result<A, GatewayError> {
        answer_of(self.send(request.header(IDEMPOTENCY_KEY, key)).await?)
    }

    async fn ask(&self, key: &str) -> Result<Option<ChargeOutcome>, GatewayError> {
        let request = self.client.get(self.url(&format!("charges/{}", segment(key))));
        let (status, body) = self.send(request).await?;
        match status {
            StatusCode::OK => Ok(Some(charge_outcome(understand(&body)?)?)),
            StatusCode::NOT_FOUND if code(&body).as_deref() == Some(UNKNOWN_CHARGE) => Ok(None),
            _ => Err(unexpected(status, &body)),
        }
    }
}

/// Sends, and reads an answer of at most `most` bytes.
async fn send(
    request: RequestBuilder,
    most: usize,
    deadline: Duration,
) -> Result<(StatusCode, Vec<u8>), GatewayError> {
    let answer = async {
        let answer = request.send().await.map_err(not_sent_or_unknown)?;
        Ok((answer.status(), read(answer, most).await?))
    };
    timeout(deadline, answer).await.unwrap_or_else(|_| Err(not_in_time(deadline)))
}

fn not_in_time(deadline: Duration) -> GatewayError {
    GatewayError::Unknown(format!("no answer within {} ms", deadline.as_millis()))
}

fn answer_of<A: DeserializeOwned>((status, body): (StatusCode, Vec<u8>)) -> Result<A, GatewayError> {
    if status == StatusCode::OK { understand(&body) } else { Err(unexpected(status, &body)) }
}

#[async_trait]
impl PaymentGateway for HttpGateway {
    async fn charge(&self, key: &str, amount: Money, token: &str) -> Result<ChargeOutcome, GatewayError> {
        let body = ChargeRequest { amount, payment_method: token.to_owned() };
        let request = self.client.post(self.url("charges")).header(IDEMPOTENCY_KEY, key).json(&body);
        let patience = self.deadline * GIVEN_UP;
        let mut charging =
            tokio::spawn(
                async move { charge_outcome(answer_of(send(request, MAX_ANSWER, patience).await?)?) },
            );
        match timeout(self.deadline, &mut charging).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(failed)) => Err(GatewayError::Unknown(failed.to_string())),
            Err(_) => {
                self.late.keep(key, charging);
                Err(not_in_time(self.deadline))
            }
        }
    }

    async fn void(&self, key: &str) -> Result<VoidOutcome, GatewayError> {
        let request = self.client.post(self.url(&format!("charges/{}/void", segment(key))));
        let answer: VoidAnswer = self.post(key, request).await?;
        if let VoidAnswer::Captured { provider_ref } = &answer {
            word("provider_ref", provider_ref)?;
        }
        Ok(answer.into())
    }

    async fn refund(&self, key: &str, charge_ref: &str, amount: Money) -> Result<RefundAnswer, GatewayError> {
        let body = RefundRequest { charge_ref: charge_ref.to_owned(), amount };
        let request = self.client.post(self.url("refunds")).json(&body);
        let answer: RefundReply = self.post(key, request).await?;
        match &answer {
            RefundReply::Refunded { provider_ref } => word("provider_ref", provider_ref)?,
            RefundReply::Failed { code } => word("code", code)?,
        }
        Ok(answer.into())
    }

    /// The answer to a charge that came too late for its caller is as good as one to the look-up, and often faster.
    async fn look_up(&self, key: &str) -> Result<Option<ChargeOutcome>, GatewayError> {
        let Some(charging) = self.late.take(key) else { return self.ask(key).await };
        tokio::select! {
            biased;
            Ok(Ok(outcome)) = charging => Ok(Some(outcome)),
            answer = self.ask(key) => answer,
        }
    }

    async fn ledger(&self, after: Option<&str>) -> Result<LedgerPage, GatewayError> {
        let query = after.map(|after| format!("?after={}", segment(after))).unwrap_or_default();
        let request = self.client.get(self.url(&format!("ledger{query}")));
        let (status, body) = send(request, MAX_PAGE, self.deadline).await?;
        match status {
            StatusCode::OK => Ok(understand::<LedgerAnswer>(&body)?.into()),
            _ => Err(unexpected(status, &body)),
        }
    }
}

fn charge_outcome(answer: ChargeAnswer) -> Result<ChargeOutcome, GatewayError> {
    match &answer {
        ChargeAnswer::Captured { provider_ref } => word("provider_ref", provider_ref)?,
        ChargeAnswer::Declined { code } => word("code", code)?,
    }
    Ok(answer.into())
}

/// These words are stored for good and handed on, so they have to be ones.
fn word(field: &str, text: &str) -> Result<(), GatewayError> {
    if (1..=MAX_WORD).contains(&text.len()) && !text.contains(char::is_control) {
        return Ok(());
    }
    Err(GatewayError::Unknown(format!("its answer has no usable {field} ({} bytes)", text.len())))
}

fn understand<A: DeserializeOwned>(body: &[u8]) -> Result<A, GatewayError> {
    serde_json::from_slice(body).map_err(|error| {
        let why: String = error.to_string().chars().take(120).collect();
        GatewayError::Unknown(format!("its answer cannot be understood: {why}"))
    })
}

fn unexpected(status: StatusCode, body: &[u8]) -> GatewayError {
    let code = code(body).map(|code| format!(" ({code})")).unwrap_or_default();
    GatewayError::Unknown(format!("it answered {}{code}", status.as_u16()))
}

/// The code of a problem document. The rest of the document is not repeated: it may quote what was sent.
fn code(body: &[u8]) -> Option<String> {
    let code = serde_json::from_slice::<ProblemDocument>(body).ok()?.code;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    (code.len() <= 64 && code.bytes().all(plain)).then_some(code)
}

async fn read(mut answer: Response, most: usize) -> Result<Vec<u8>, GatewayError> {
    let mut body = Vec::new();
    let broken =
        |error: reqwest::Error| GatewayError::Unknown(format!("its answer broke off: {}", cause(&error)));
    while let Some(part) = answer.chunk().await.map_err(broken)? {
        if body.len() + part.len() > most {
            return Err(GatewayError::Unknown(format!("its answer is longer than {most} bytes")));
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}

fn not_sent_or_unknown(error: reqwest::Error) -> GatewayError {
    let why = cause(&error);
    if error.is_connect() {
        GatewayError::Unavailable(format!("no connection: {why}"))
    } else if error.is_builder() {
        GatewayError::Unavailable(format!("the call cannot be written: {why}"))
    } else {
        GatewayError::Unknown(format!("the connection broke: {why}"))
    }
}

/// The innermost reason, without the address.
pub(crate) fn cause(error: &reqwest::Error) -> String {
    let mut innermost: &dyn Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    if std::ptr::addr_eq(innermost, error) { "the call failed".to_owned() } else { innermost.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_segment_of_a_path() {
        assert_eq!(segment("0192-ab:1"), "0192-ab%3A1");
        assert_eq!(segment("a/../b?c#d é"), "a%2F..%2Fb%3Fc%23d%20%C3%A9");
    }

    #[test]
    fn a_url_may_have_a_path_and_a_slash_at_the_end() {
        assert_eq!(base("https://pay.example/eu/").unwrap(), "https://pay.example/eu");
        assert_eq!(base("http://127.0.0.1:9000").unwrap(), "http://127.0.0.1:9000");
    }

    #[test]
    fn words_that_cannot_be_stored_are_not_understood() {
        assert!(word("code", "card_declined").is_ok());
        for text in ["", "a\nb", &"x".repeat(256)] {
            assert!(matches!(word("code", text), Err(GatewayError::Unknown(_))), "{text:?}");
        }
    }

    #[test]
    fn only_a_plain_code_of_a_problem_is_repeated() {
        let body = |code: &str| {
            serde_json::json!({"type": "about:blank", "title": "", "status": 500, "detail": "tok_secret", "code": code})
                .to_string()
        };
        let says = |code: &str| unexpected(StatusCode::BAD_GATEWAY, body(code).as_bytes()).to_string();
        assert!(says("down").ends_with("it answered 502 (down)"));
        assert!(says("<script>").ends_with("it answered 502"));
    }
}
