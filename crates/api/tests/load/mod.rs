//! People who use the platform under keys and remember every answer; and what must hold of it all in the end. For tests
//! that break something meanwhile.
#![allow(dead_code, unreachable_pub, unused_imports)]

mod actors;
mod books;
mod request;
mod rest;
mod told;

use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures::{StreamExt, stream};
use reqwest::header::RETRY_AFTER;
use serde_json::{Value, json};

pub use actors::{Person, Scene};
pub use books::{agree_with_the_provider, books_agree, nothing_is_asked_for_twice, nothing_is_open};
use told::Told;

pub use request::{Answer, Gone, Request, Who};
pub use rest::Rest;
pub use told::stands_where_it_was_told;

/// How long everything may take to be decided once all of the platform runs.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long one answer may take: more than the longest wait of the platform.
const TIMEOUT: Duration = Duration::from_secs(20);
/// How many requests are sent again at once.
const AGAIN: usize = 8;
/// Between two tries of a request that nobody decided.
const PAUSE: Duration = Duration::from_millis(50);

/// Whoever sends requests, and all that they sent.
pub struct Load {
    client: reqwest::Client,
    tokens: HashMap<Who, String>,
    /// Where the platform answers now: at one address, or at several.
    doors: Vec<Mutex<String>>,
    /// Sends what is not decided again at once, at the next door.
    persistent: bool,
    stopping: AtomicBool,
    numbers: AtomicU64,
    requests: Mutex<Vec<Request>>,
    unanswered: AtomicU64,
    /// Coupons that somebody got, used or not.
    coupons: Mutex<Vec<(Who, String)>>,
    /// Where on the log answers said that they are.
    told: Mutex<Vec<Told>>,
}

impl Load {
    /// People with tokens made by `token` from its arguments. They knock at so many doors; see [`Load::moves_to`].
    pub fn new(token: impl Fn(&[&str]) -> String, doors: usize, persistent: bool) -> Self {
        let customers = ["alice", "bob", "carol"].map(|name| ["--sub", name, "--role", "customer"]);
        let mut tokens: HashMap<Who, String> =
            customers.iter().zip(0..).map(|(arguments, n)| (Who::Customer(n), token(arguments))).collect();
        tokens.insert(Who::Shop, token(&["--sub", "staff", "--role", "shop", "--shop", "pizza"]));
        tokens.insert(Who::Manager, token(&["--sub", "mira", "--role", "manager"]));
        tokens.insert(Who::Admin, token(&["--sub", "root", "--role", "admin"]));
        Self {
            client: reqwest::Client::builder().timeout(TIMEOUT).build().unwrap(),
            tokens,
            doors: (0..doors).map(|_| Mutex::default()).collect(),
            persistent,
            stopping: AtomicBool::new(false),
            numbers: AtomicU64::new(1),
            requests: Mutex::default(),
            unanswered: AtomicU64::new(0),
            coupons: Mutex::default(),
            told: Mutex::default(),
        }
    }

    /// The platform answers at this address from now on.
    pub fn moves_to(&self, door: usize, url: &str) {
        url.clone_into(&mut self.doors[door].lock().unwrap());
    }

    /// No new requests by people.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    fn goes_on(&self) -> Result<(), Gone> {
        if self.stopping.load(Ordering::Relaxed) { Err(Gone) } else { Ok(()) }
    }

    /// The next number.
    fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// All that was sent so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// How many tries were not decided.
    pub fn unanswered(&self) -> u64 {
        self.unanswered.load(Ordering::Relaxed)
    }

    /// Sends a request under a new key and remembers it with its answer.
    pub async fn post(&self, who: Who, path: &str, body: Value) -> Result<Answer, Gone> {
        let number = self.number();
        let (key, path) = (format!("request-{number}"), path.to_owned());
        let mut request = Request { who, key, path, body, answer: None };
        let answer = if self.persistent {
            Ok(self.send_again(&request).await)
        } else {
            self.send(number as usize, &request).await
        };
        request.answer = answer.as_ref().ok().cloned();
        self.requests.lock().unwrap().push(request);
        answer
    }

    /// Sends a request once.
    pub async fn send(&self, door: usize, request: &Request) -> Result<Answer, Gone> {
        let answer = self.try_to_send(door, request).await;
        if answer.is_err() {
            self.unanswered.fetch_add(1, Ordering::Relaxed);
        }
        answer
    }

    async fn try_to_send(&self, door: usize, request: &Request) -> Result<Answer, Gone> {
        let (status, body) = loop {
            match self.ask(door, request).await? {
                // A few people send as fast as they can under one name.
                (429, _) => tokio::time::sleep(PAUSE).await,
                answer => break answer,
            }
        };
        match (status, body["code"].as_str().unwrap_or_default()) {
            (202 | 503, _) | (409, "request_in_progress" | "contended") => Err(Gone),
            (200 | 201 | 402 | 404 | 409, _) => Ok(Answer { status, body }),
            _ => panic!("{request:?} is answered {status} {body}"),
        }
    }

    /// Sends a request once, and gives what comes back, whatever it is.
    pub async fn ask(&self, door: usize, request: &Request) -> Result<(u16, Value), Gone> {
        let builder = self.client.post(format!("{}{}", self.door(door), request.path));
        let builder = builder.bearer_auth(&self.tokens[&request.who]);
        let sent = builder.header("Idempotency-Key", &request.key).json(&request.body).send().await;
        let response = sent.map_err(|_| Gone)?;
        let (status, retry_after) =
            (response.status().as_u16(), response.headers().contains_key(RETRY_AFTER));
        // A 202 says how far the log is, and not where it is itself.
        let said = (status != 202).then(|| response.headers().get("orderstream-position")).flatten();
        let position = said.cloned();
        let body: Value = response.json().await.map_err(|_| Gone)?;
        if let Some(told) = position.and_then(|position| Told::of(request, position.to_str().ok()?, &body)) {
            self.told.lock().unwrap().push(told);
        }
        assert!(status != 503 || retry_after, "no Retry-After: {request:?} is answered {body}");
        Ok((status, body))
    }

    /// Sends a request, at one door after the other, until it is decided.
    pub async fn send_again(&self, request: &Request) -> Answer {
        let (begun, first) = (Instant::now(), self.number() as usize);
        for door in first.. {
            if let Ok(answer) = self.send(door, request).await {
                return answer;
            }
            assert!(begun.elapsed() < PATIENCE * 2, "{request:?} is never decided");
            tokio::time::sleep(PAUSE).await;
        }
        unreachable!("no end of doors")
    }

    /// All requests with their answers. Sent again under its key, a request has one answer: the first, if something was
    /// done. A refusal leaves no trace, so that it is not asked for again.
    pub async fn decided(&self) -> Vec<(Request, Answer)> {
        let again = self.requests().into_iter().map(|request| async move {
            let first = request.answer.clone();
            if let Some(refusal) = first.clone().filter(|_| !request.is_done()) {
                return (request, refusal);
            }
            let answer = self.send_again(&request).await;
            if let Some(first) = first {
                assert_eq!(answer.status, first.status, "{request:?} changed its answer: {}", answer.body);
                for (name, value) in first.body.as_object().unwrap() {
                    let same = !name.ends_with("_id") || answer.body[name] == *value;
                    assert!(same, "{request:?}: {}", answer.body);
                }
            }
            (request, answer)
        });
        stream::iter(again).buffered(AGAIN).collect().await
    }

    /// Reads what is at `path`, as an admin.
    pub async fn get(&self, path: &str) -> Result<Value, Gone> {
        let url = format!("{}{path}", self.door(self.number() as usize));
        let request = self.client.get(url).bearer_auth(&self.tokens[&Who::Admin]);
        let response = request.send().await.map_err(|_| Gone)?;
        response.json().await.map_err(|_| Gone)
    }

    /// Reads until it is as wanted, or the platform is gone.
    pub async fn sees(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Result<Value, Gone> {
        loop {
            match self.get(path).await {
                Ok(body) if wanted(&body) => return Ok(body),
                Err(Gone) if !self.persistent => return Err(Gone),
                _ => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    }

    /// All entries of a list, as an admin.
    pub async fn all(&self, path: &str) -> Vec<Value> {
        let (mut entries, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.get(&format!("{path}?limit=100{cursor}")).await;
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
    pub async fn makes(&self, who: Who, path: &str, body: Value, id: &str) -> String {
        let key = format!("make-{}", self.number());
        let made = self.send_again(&Request { who, key, path: path.to_owned(), body, answer: None }).await;
        made.body[id].as_str().unwrap_or_else(|| panic!("{made:?}")).to_owned()
    }

    fn door(&self, number: usize) -> String {
        self.doors[number % self.doors.len()].lock().unwrap().clone()
    }
}

/// So many won.
fn won(amount_minor: i64) -> Value {
    json!({"amount_minor": amount_minor, "currency": "KRW"})
}

/// The text at `name`.
#[track_caller]
pub fn text<'a>(body: &'a Value, name: &str) -> &'a str {
    body[name].as_str().unwrap_or_else(|| panic!("no text {name:?} in {body}"))
}
