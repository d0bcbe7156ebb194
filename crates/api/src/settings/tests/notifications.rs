//! The section `[notifications]`, from all sources.

use super::*;

const WEBHOOK: &str = "[notifications]\nchannel = \"webhook\"\n";

fn complaint(file: &str, variables: &[(&str, &str)]) -> String {
    let (_folder, flags) = with_file(file);
    let text = load(&flags, env(variables)).unwrap_err().to_string();
    assert!(!text.contains('\n'), "more than one line: {text}");
    text
}

#[test]
fn a_channel_is_set_up_in_the_file_and_its_secret_in_the_environment() {
    let (_folder, flags) = with_file(&format!("{WEBHOOK}webhook.url = \"https://example.com/hook\"\n"));
    let environment = env(&[
        ("ORDERSTREAM_NOTIFICATIONS_WEBHOOK_SECRET", "007"),
        ("ORDERSTREAM_NOTIFICATIONS_WEBHOOK_TIMEOUT_MS", "250"),
        ("ORDERSTREAM_NOTIFICATIONS_WEBHOOK_ALLOW_PRIVATE_ADDRESSES", "true"),
    ]);
    let webhook = load(&flags, environment).unwrap().notifications.webhook;
    assert_eq!((webhook.secret.expose(), webhook.timeout_ms), ("007", 250));
    assert!(webhook.allow_private_addresses);
    assert_eq!(webhook.target().unwrap().as_str(), "https://example.com/hook");
}

#[test]
fn an_unknown_key_of_a_section_is_named_with_the_nearest_one() {
    let text = complaint("[notifications.webhook]\nsecrt = \"x\"\n", &[]);
    let named = |text: &str| {
        text.contains("\"notifications.webhook.secrt\"") && text.contains("\"notifications.webhook.secret\"")
    };
    assert!(named(&text), "{text}");
    let text = complaint("", &[("ORDERSTREAM_NOTIFICATIONS_CHANEL", "log")]);
    assert!(
        text.contains("\"notifications_chanel\"") && text.contains("\"notifications.channel\""),
        "{text}"
    );
}

#[test]
fn what_a_channel_needs_and_does_not_have_is_named() {
    let hook = "webhook.url = \"https://example.com/\"\n";
    let smtp = "[notifications]\nchannel = \"smtp\"\nsmtp.host = \"mail.example.com\"\n";
    let from = "smtp.from = \"shop@example.com\"\n";
    for (file, key) in [
        (WEBHOOK.to_owned(), "notifications.webhook.url is missing"),
        (format!("{WEBHOOK}{hook}"), "notifications.webhook.secret is missing"),
        ("[notifications]\nchannel = \"smtp\"\n".to_owned(), "notifications.smtp.host is missing"),
        (smtp.to_owned(), "notifications.smtp.from is missing"),
        (format!("{smtp}{from}smtp.username = \"u\"\n"), "notifications.smtp.password is missing"),
        (format!("{smtp}{from}smtp.password = \"p\"\n"), "notifications.smtp.username is missing"),
    ] {
        let text = complaint(&file, &[]);
        assert!(text.starts_with(key), "{text}");
    }
}

#[test]
fn what_is_wrong_is_named() {
    let section = |line: &str| format!("[notifications]\n{line}\n");
    let hook = |line: &str| format!("{WEBHOOK}webhook.secret = \"s3cret\"\n{line}\n");
    let smtp = |line: &str| {
        let server = "channel = \"smtp\"\nsmtp.host = \"mail.example.com\"";
        format!("[notifications]\n{server}\n{line}\n")
    };
    for (file, key) in [
        (
            section("channel = \"fax\""),
            "\"fax\" is not a channel; use \"log\", \"webhook\" or \"smtp\" for key `notifications.channel`",
        ),
        (section("smtp.tls = \"ssl\""), "\"starttls\", \"tls\" or \"none\" for key `notifications.smtp.tls`"),
        (section("smtp.port = 70000"), "notifications.smtp.port"),
        (section("webhook.timeout_ms = \"soon\""), "notifications.webhook.timeout_ms"),
        (section("webhook = 1"), "notifications.webhook"),
        (hook("webhook.url = \"example.com/hook\""), "notifications.webhook.url: relative URL"),
        (hook("webhook.url = \"ftp://example.com/\""), "notifications.webhook.url: it is not http"),
        (hook("webhook.url = \"https://u:p@example.com/\""), "notifications.webhook.url: it holds a user"),
        (
            hook("webhook.url = \"https://example.com/\"\nwebhook.timeout_ms = 0"),
            "notifications.webhook.timeout_ms is 0 ms",
        ),
        (smtp("smtp.from = \"shop\""), "notifications.smtp.from: \"shop\""),
        (
            smtp("smtp.from = \"a@b.com\"\nsmtp.timeout_ms = 600001"),
            "notifications.smtp.timeout_ms is 600001",
        ),
    ] {
        let text = complaint(&file, &[]);
        assert!(text.contains(key), "{text}");
        assert!(!text.contains("s3cret") && !text.contains(":p@"), "a secret is in {text}");
    }
}

#[test]
fn a_private_address_is_refused_however_it_is_written_unless_it_is_allowed() {
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0",
        "10.1.2.3:8080",
        "169.254.169.254",
        "[::1]",
        "[::ffff:10.0.0.1]",
        "[fd00::1]",
        "[64:ff9b::7f00:1]",
    ] {
        let file = format!("{WEBHOOK}webhook.secret = \"s\"\nwebhook.url = \"http://{host}/\"\n");
        let text = complaint(&file, &[]);
        assert!(text.contains("not a public address"), "{host}: {text}");
        let allowed = env(&[("ORDERSTREAM_NOTIFICATIONS_WEBHOOK_ALLOW_PRIVATE_ADDRESSES", "true")]);
        let (_folder, flags) = with_file(&file);
        assert!(load(&flags, allowed).is_ok(), "{host} was refused");
    }
}

#[test]
fn secrets_are_not_shown() {
    let mut settings = Settings::default();
    settings.notifications.webhook.secret = Secret::new("s3cret");
    settings.notifications.smtp.password = Secret::new("s3cret");
    let shown = format!("{settings:?} {}", toml::to_string(&settings).unwrap());
    assert!(!shown.contains("s3cret") && shown.contains("(hidden)"), "{shown}");
}
