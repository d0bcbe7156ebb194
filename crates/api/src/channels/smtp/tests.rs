//! Against a small mail server on this machine.

use std::sync::{Mutex, PoisonError};

use domain::{NotifiedChange, Subject};
use sagas::PortError;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

use super::*;
use crate::{
    channels::testing::{order_message, voucher_message},
    settings::Secret,
};

/// A mail server on a port of its own: keeps what is said to it, answers recipients and mails as it was told to.
#[derive(Clone)]
struct Server {
    port: u16,
    said: Arc<Mutex<Vec<String>>>,
}

/// How it answers.
#[derive(Clone, Copy)]
struct Answers {
    ehlo: &'static str,
    rcpt: &'static str,
    end: &'static str,
}

const TAKES_ALL: Answers = Answers { ehlo: "250-here\r\n250 AUTH PLAIN", rcpt: "250 ok", end: "250 taken" };

impl Server {
    async fn start(answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self { port: listener.local_addr().unwrap().port(), said: Arc::default() };
        let said = server.said.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(talk(stream, answers, said.clone()));
            }
        });
        server
    }

    /// Everything that was said, one line each.
    fn said(&self) -> Vec<String> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn has(&self, line: &str) -> bool {
        self.said().iter().any(|said| said == line)
    }

    fn settings(&self) -> Smtp {
        Smtp {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            tls: SmtpTls::None,
            username: String::new(),
            password: Secret::default(),
            from: "Shops <shops@example.com>".to_owned(),
            timeout_ms: 1_000,
        }
    }

    async fn deliver(&self, message: Message) -> Result<(), ChannelError> {
        deliver(&self.settings(), kim(), message).await
    }
}

async fn talk(stream: TcpStream, answers: Answers, said: Arc<Mutex<Vec<String>>>) -> Option<()> {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    writer.write_all(b"220 here\r\n").await.ok()?;
    let mut in_mail = false;
    loop {
        let line = lines.next_line().await.ok()??;
        said.lock().unwrap_or_else(PoisonError::into_inner).push(line.clone());
        let answer = match line.split([' ', ':']).next().unwrap_or_default() {
            "." if in_mail => {
                in_mail = false;
                answers.end
            }
            _ if in_mail => continue,
            "EHLO" => answers.ehlo,
            "RCPT" => answers.rcpt,
            "AUTH" => "235 welcome",
            "DATA" => {
                in_mail = true;
                "354 go on"
            }
            "QUIT" => "221 bye",
            _ => "250 ok",
        };
        writer.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
    }
}

/// Knows one address for everything.
struct Known(Result<Option<Addressee>, PortError>);

#[async_trait]
impl Contacts for Known {
    async fn addressee(&self, _: Subject) -> Result<Option<Addressee>, PortError> {
        self.0.clone()
    }
}

fn kim() -> Known {
    Known(Ok(Some(Addressee { name: "Kim Min-ji".to_owned(), email: "minji@example.com".to_owned() })))
}

async fn deliver(settings: &Smtp, known: Known, message: Message) -> Result<(), ChannelError> {
    SmtpChannel::new(settings, Arc::new(known)).unwrap().deliver(message).await
}

fn confirmed() -> Message {
    order_message(NotifiedChange::OrderConfirmed)
}

#[tokio::test]
async fn a_message_is_a_plain_mail_to_the_recipient() {
    let server = Server::start(TAKES_ALL).await;
    server.deliver(confirmed()).await.unwrap();
    let id = confirmed().notification_id;
    for line in [
        "MAIL FROM:<shops@example.com>",
        "RCPT TO:<minji@example.com>",
        "From: Shops <shops@example.com>",
        "To: \"Kim Min-ji\" <minji@example.com>",
        "Subject: Your order is confirmed",
        &format!("Message-ID: <{id}@example.com>"),
        "Auto-Submitted: auto-generated",
        "Content-Type: text/plain; charset=utf-8",
        "Hello Kim Min-ji,",
        "Thank you. Your order is paid and confirmed.",
    ] {
        assert!(server.has(line), "{line:?} is not in {:#?}", server.said());
    }
    assert!(server.said().iter().any(|line| line.starts_with("Date: ")), "{:#?}", server.said());
    assert!(!server.said().iter().any(|line| line.starts_with("AUTH")), "{:#?}", server.said());
}

#[tokio::test]
async fn the_voucher_goes_with_its_code() {
    let server = Server::start(TAKES_ALL).await;
    server.deliver(voucher_message()).await.unwrap();
    let code = voucher_message().voucher.unwrap().code;
    assert!(server.has(&format!("Voucher code: {}", code.as_str())), "{:#?}", server.said());
}

#[tokio::test]
async fn a_name_of_any_script_and_with_any_sign_stays_a_name() {
    let server = Server::start(TAKES_ALL).await;
    for name in ["김민지", "Kim, \"M\" <evil@example.com>", "a\r\nBcc: evil@example.com"] {
        let to = Addressee { name: name.to_owned(), email: "minji@example.com".to_owned() };
        deliver(&server.settings(), Known(Ok(Some(to))), confirmed()).await.unwrap();
    }
    let recipients: Vec<_> = server.said().into_iter().filter(|line| line.starts_with("RCPT")).collect();
    assert_eq!(recipients, ["RCPT TO:<minji@example.com>"; 3]);
    let mut headers = false;
    for line in server.said() {
        headers = line == "DATA" || (headers && !line.is_empty());
        assert!(!headers || !line.starts_with("Bcc"), "a header was smuggled in: {:#?}", server.said());
    }
}

#[tokio::test]
async fn a_reply_of_4xx_is_tried_again_and_one_of_5xx_is_final() {
    let later = Server::start(Answers { rcpt: "450 busy with minji@example.com", ..TAKES_ALL }).await;
    let error = later.deliver(confirmed()).await.unwrap_err();
    assert_eq!(error, ChannelError::Transient("the mail server answered 450".to_owned()));
    let never = Server::start(Answers { rcpt: "550 nobody here", ..TAKES_ALL }).await;
    let error = never.deliver(confirmed()).await.unwrap_err();
    assert_eq!(error, ChannelError::Permanent("smtp_550".to_owned()));
    let not_now = Server::start(Answers { end: "451 later", ..TAKES_ALL }).await;
    assert!(matches!(not_now.deliver(confirmed()).await, Err(ChannelError::Transient(_))));
    let not_this = Server::start(Answers { end: "554 no", ..TAKES_ALL }).await;
    assert_eq!(not_this.deliver(confirmed()).await, Err(ChannelError::Permanent("smtp_554".to_owned())));
}

#[tokio::test]
async fn without_an_address_nothing_is_sent_and_nothing_is_tried_again() {
    let server = Server::start(TAKES_ALL).await;
    let refused = deliver(&server.settings(), Known(Ok(None)), confirmed()).await;
    assert_eq!(refused, Err(ChannelError::Permanent("no_address".to_owned())));
    let wrong = Addressee { name: "x".to_owned(), email: "nowhere".to_owned() };
    let refused = deliver(&server.settings(), Known(Ok(Some(wrong))), confirmed()).await;
    assert_eq!(refused, Err(ChannelError::Permanent("bad_address".to_owned())));
    let store_down = Known(Err(PortError("the disk is gone".to_owned())));
    let refused = deliver(&server.settings(), store_down, confirmed()).await;
    assert_eq!(refused, Err(ChannelError::Transient("the disk is gone".to_owned())));
    assert!(server.said().is_empty(), "{:#?}", server.said());
}

#[tokio::test]
async fn a_server_that_is_away_or_says_nothing_is_asked_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = Server { port, said: Arc::default() };
    let settings = Smtp { timeout_ms: 100, ..server.settings() };
    // It takes the connection and says nothing.
    assert!(matches!(deliver(&settings, kim(), confirmed()).await, Err(ChannelError::Transient(_))));
    drop(listener);
    assert!(matches!(deliver(&settings, kim(), confirmed()).await, Err(ChannelError::Transient(_))));
}

#[tokio::test]
async fn who_we_are_is_said_when_it_is_set() {
    let server = Server::start(TAKES_ALL).await;
    let password = Secret::new("s3cret");
    let settings = Smtp { username: "shops".to_owned(), password, ..server.settings() };
    deliver(&settings, kim(), confirmed()).await.unwrap();
    // Base 64 of "\0shops\0s3cret".
    assert!(server.has("AUTH PLAIN AHNob3BzAHMzY3JldA=="), "{:#?}", server.said());
}

#[tokio::test]
async fn a_server_that_does_not_encrypt_although_it_should_learns_nothing() {
    let server = Server::start(TAKES_ALL).await;
    for tls in [SmtpTls::Starttls, SmtpTls::Tls] {
        let password = Secret::new("s3cret");
        let settings = Smtp { tls, username: "shops".to_owned(), password, ..server.settings() };
        assert!(matches!(deliver(&settings, kim(), confirmed()).await, Err(ChannelError::Transient(_))));
    }
    let told = |line: &String| line.starts_with("AUTH") || line.starts_with("MAIL") || line.contains("minji");
    assert!(!server.said().iter().any(told), "{:#?}", server.said());
}
