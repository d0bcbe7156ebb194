//! Requests under keys, and what their senders know of them.

use std::{
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{PATIENCE, binary::Serving};

/// The platform is gone, or has not decided: nobody knows.
pub(crate) struct Gone;

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Who {
    Customer,
    Shop,
    Manager,
    Admin,
}

/// What was answered.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

/// A request, to be sent again under the same key.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) who: Who,
    pub(crate) key: String,
    pub(crate) path: String,
    pub(crate) body: Value,
    /// Nothing if nobody knows.
    pub(crate) answer: Option<Answer>,
}

impl Request {
    /// Whether the answer says that something was done, or that a payment was declined: such a word stands.
    pub(crate) fn is_done(&self) -> bool {
        self.answer.as_ref().is_some_and(|answer| answer.status < 300 || answer.status == 402)
    }
}

/// Whoever sends requests, and all that they sent.
pub(crate) struct Load {
    client: reqwest::Client,
    tokens: [String; 4],
    numbers: AtomicU64,
    requests: Mutex<Vec<Request>>,
    /// Coupons that somebody got, used or not.
    pub(crate) coupons: Mutex<Vec<String>>,
}

impl Load {
    pub(crate) fn new(data: &Path) -> Self {
        let token = |arguments: &[&str]| Serving::token(data, arguments);
        let tokens = [
            token(&["--sub", "alice", "--role", "customer"]),
            token(&["--sub", "staff", "--role", "shop", "--shop", "pizza"]),
            token(&["--sub", "mira", "--role", "manager"]),
            token(&["--sub", "root", "--role", "admin"]),
        ];
        let (numbers, requests, coupons) = (AtomicU64::new(1), Mutex::default(), Mutex::default());
        Self { client: reqwest::Client::new(), tokens, numbers, requests, coupons }
    }

    /// The next number.
    pub(crate) fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// All that was sent so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// Sends a request under a new key and remembers it with its answer.
    pub(crate) async fn post(&self, url: &str, who: Who, path: &str, body: Value) -> Result<Answer, Gone> {
        let (key, path) = (format!("request-{}", self.number()), path.to_owned());
        let mut request = Request { who, key, path, body, answer: None };
        let answer = self.send(url, &request).await;
        request.answer = answer.as_ref().ok().cloned();
        self.requests.lock().unwrap().push(request);
        answer
    }

    async fn send(&self, url: &str, request: &Request) -> Result<Answer, Gone> {
        let builder = self.client.post(format!("{url}{}", request.path));
        let builder = builder.bearer_auth(&self.tokens[request.who as usize]);
        let sent = builder.header("Idempotency-Key", &request.key).json(&request.body).send().await;
        let response = sent.map_err(|_| Gone)?;
        let status = response.status().as_u16();
        let body: Value = response.json().await.map_err(|_| Gone)?;
        match (status, body["code"].as_str().unwrap_or_default()) {
            (202 | 503, _) | (409, "request_in_progress" | "contended") => Err(Gone),
            (200 | 201 | 402 | 404 | 409, _) => Ok(Answer { status, body }),
            _ => panic!("{request:?} is answered {status} {body}"),
        }
    }

    /// Sends a request again until it is decided.
    pub(crate) async fn send_again(&self, url: &str, request: &Request) -> Answer {
        let begun = Instant::now();
        loop {
            if let Ok(answer) = self.send(url, request).await {
                return answer;
            }
            assert!(begun.elapsed() < PATIENCE, "{request:?} is never decided");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Reads what is at `path`, as an admin.
    pub(crate) async fn get(&self, url: &str, path: &str) -> Result<Value, Gone> {
        let request = self.client.get(format!("{url}{path}")).bearer_auth(&self.tokens[Who::Admin as usize]);
        let response = request.send().await.map_err(|_| Gone)?;
        response.json().await.map_err(|_| Gone)
    }

    /// Reads until it is as wanted, or the platform is gone.
    pub(crate) async fn sees(
        &self,
        url: &str,
        path: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> Result<Value, Gone> {
        loop {
            let body = self.get(url, path).await?;
            if wanted(&body) {
                return Ok(body);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// All entries of a list, as an admin.
    pub(crate) async fn all(&self, url: &str, path: &str) -> Vec<Value> {
        let (mut entries, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.get(url, &format!("{path}?limit=100{cursor}")).await;
            let page = page.unwrap_or_else(|Gone| panic!("{path} is not answered"));
            let rows = page["data"].as_array().unwrap_or_else(|| panic!("no list: {page}"));
            entries.extend(rows.iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return entries,
            }
        }
    }

    /// Makes a thing that the load needs and returns its id.
    pub(crate) async fn makes(&self, url: &str, who: Who, path: &str, body: Value, id: &str) -> String {
        let request = Request {
            who,
            key: format!("make-{}", self.number()),
            path: path.to_owned(),
            body,
            answer: None,
        };
        let made = self.send_again(url, &request).await;
        made.body[id].as_str().unwrap_or_else(|| panic!("{made:?}")).to_owned()
    }
}

/// So many won.
pub(crate) fn won(amount_minor: i64) -> Value {
    json!({"amount_minor": amount_minor, "currency": "KRW"})
}

/// The text at `name`.
#[track_caller]
pub(crate) fn text<'a>(body: &'a Value, name: &str) -> &'a str {
    body[name].as_str().unwrap_or_else(|| panic!("no text {name:?} in {body}"))
}
