//! What every store does. What only several processes on one database can get wrong is in `postgres.rs`, what a server
//! that goes away can in `outages.rs`.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use domain::{ContactId, CustomerId, Timestamp};
use eventlog::{
    Clock, ManualClock,
    postgres::{Database, DatabaseOptions},
};
use sagas::Tokens;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;

mod outages;
mod postgres;

/// A store of a test, with a hand on its time.
struct Fixture {
    accounts: Accounts,
    clock: Arc<ManualClock>,
    place: Place,
}

enum Place {
    File(tempfile::TempDir),
    Schema(Box<Database>),
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(Timestamp::from_timestamp(1_700_000_000, 0).unwrap()))
}

/// A database with our tables in a schema of their own.
async fn database(url: String) -> Database {
    static SCHEMAS: AtomicU32 = AtomicU32::new(0);
    let schema = format!("accounts_{}", SCHEMAS.fetch_add(1, Ordering::Relaxed));
    let database = Database::connect(DatabaseOptions { url, schema, connections: 6 }).await.unwrap();
    database.migrate(ACCOUNTS).await.unwrap();
    database
}

impl Fixture {
    async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = clock();
        let accounts = Accounts::open(&folder.path().join("accounts.db"), clock.clone()).await.unwrap();
        Self { accounts, clock, place: Place::File(folder) }
    }

    /// None where there is no PostgreSQL.
    async fn postgres() -> Option<Self> {
        let database = database(scratch_postgres::for_tests()?.url("postgres")).await;
        let clock = clock();
        let accounts = Accounts::open_postgres(&database, clock.clone()).await.unwrap();
        Some(Self { accounts, clock, place: Place::Schema(Box::new(database)) })
    }

    /// Time passes.
    async fn pass(&self, secs: u32) {
        self.clock.advance(Duration::from_secs(secs.into()));
        // The database's clock has no hands: what it has written gets older.
        if let Place::Schema(database) = &self.place {
            let sql = "UPDATE idempotency SET lease_until = lease_until - make_interval(secs => $1),
                           created_at = created_at - make_interval(secs => $1)";
            sqlx::query(sql).bind(f64::from(secs)).execute(database.pool()).await.unwrap();
        }
    }

    /// The body that is kept with a key.
    async fn kept(&self, key: &str) -> Value {
        match self.accounts.look_up(&request(key, 1)).await.unwrap() {
            KeyState::Answered(answer) => serde_json::from_str(&answer.body).unwrap(),
            other => panic!("{other:?}"),
        }
    }
}

/// The named tests, on both stores.
macro_rules! on_both_stores {
    ($($test:ident),+ $(,)?) => {
        mod in_a_file { $(
            #[tokio::test]
            async fn $test() {
                super::$test(super::Fixture::sqlite().await).await;
            }
        )+ }
        mod in_postgres { $(
            #[tokio::test]
            async fn $test() {
                if let Some(fixture) = super::Fixture::postgres().await {
                    super::$test(fixture).await;
                }
            }
        )+ }
    };
}

on_both_stores!(
    a_key_is_new_then_running_then_answered,
    a_lease_that_ran_out_lets_the_request_go_on_under_the_same_ids,
    a_contact_is_written_with_its_key_and_erased_everywhere,
    contacts_come_in_one_read_without_those_that_are_not_there,
    old_keys_are_forgotten,
    reasons_of_refunds_are_erased_in_stored_answers_too,
    an_answer_of_any_shape_loses_what_is_personal_and_nothing_else,
);

fn request(key: &str, hash: u8) -> KeyedRequest {
    KeyedRequest { space: "customer:alice".to_owned(), key: key.to_owned(), hash: [hash; 32] }
}

const IDS: RequestIds = RequestIds { command_id: Uuid::from_u128(1), minted: Uuid::from_u128(2) };

fn start(key: &str, again: bool) -> Begin {
    Begin { keyed: Some(request(key, 1)), ids: IDS, again, lease: Duration::from_secs(30), contact: None }
}

fn answer() -> StoredAnswer {
    StoredAnswer {
        status: 201,
        headers: vec![("location".to_owned(), "/x".to_owned())],
        body: r#"{"recipient":{"name":"Kim"},"cancellation":{"reason":"mine"}}"#.to_owned(),
        subject: Some("alice".to_owned()),
    }
}

fn contact(id: u128) -> NewContact {
    NewContact {
        contact_id: ContactId::from_uuid(Uuid::from_u128(id)),
        owner: "alice".parse::<CustomerId>().unwrap(),
        kind: ContactKind::Recipient,
        data: json!({"recipient": {"name": "Kim"}, "payment_method": "tok_ok"}),
    }
}

async fn a_key_is_new_then_running_then_answered(f: Fixture) {
    assert_eq!(f.accounts.look_up(&request("k", 1)).await.unwrap(), KeyState::New);
    assert_eq!(f.accounts.begin(start("k", false)).await.unwrap(), Begun::Go);
    assert_eq!(f.accounts.begin(start("k", false)).await.unwrap(), Begun::Not(KeyState::Running));
    assert_eq!(f.accounts.look_up(&request("k", 2)).await.unwrap(), KeyState::OtherRequest);
    f.accounts.finish(request("k", 1), answer());
    for _ in 0..3 {
        assert_eq!(f.accounts.look_up(&request("k", 1)).await.unwrap(), KeyState::Answered(answer()));
        assert_eq!(f.accounts.look_up(&request("k", 2)).await.unwrap(), KeyState::OtherRequest);
        f.accounts.release(&request("other", 1)).await.unwrap();
        tokio::task::yield_now().await;
    }
}

async fn a_lease_that_ran_out_lets_the_request_go_on_under_the_same_ids(f: Fixture) {
    f.accounts.begin(start("k", false)).await.unwrap();
    f.pass(31).await;
    assert_eq!(f.accounts.look_up(&request("k", 1)).await.unwrap(), KeyState::Again(IDS));
    assert_eq!(f.accounts.begin(start("k", true)).await.unwrap(), Begun::Go);
    assert_eq!(f.accounts.begin(start("k", true)).await.unwrap(), Begun::Not(KeyState::Running));
    // Both runs end, the one that was too slow as well.
    f.accounts.release(&request("k", 1)).await.unwrap();
    f.accounts.release(&request("k", 1)).await.unwrap();
    assert_eq!(f.accounts.look_up(&request("k", 1)).await.unwrap(), KeyState::Again(IDS));
}

#[tokio::test]
async fn a_new_process_ends_the_leases_of_the_one_before() {
    let f = Fixture::sqlite().await;
    f.accounts.begin(start("k", false)).await.unwrap();
    f.accounts.close().await;
    let Place::File(folder) = &f.place else { unreachable!("a file was asked for") };
    let accounts = Accounts::open(&folder.path().join("accounts.db"), f.clock.clone()).await.unwrap();
    assert_eq!(accounts.look_up(&request("k", 1)).await.unwrap(), KeyState::Again(IDS));
}

async fn a_contact_is_written_with_its_key_and_erased_everywhere(f: Fixture) {
    let with_contact = Begin { contact: Some(contact(7)), ..start("k", false) };
    assert_eq!(f.accounts.begin(with_contact.clone()).await.unwrap(), Begun::Go);
    let id = contact(7).contact_id;
    assert_eq!(f.accounts.payment_token(id).await.unwrap().as_deref(), Some("tok_ok"));
    f.accounts.finish(request("k", 1), answer());
    let alice: CustomerId = "alice".parse().unwrap();
    assert_eq!(f.accounts.erase(&alice).await.unwrap(), 1);
    assert_eq!(f.accounts.erase(&alice).await.unwrap(), 0);
    let erased = f.accounts.contact(id).await.unwrap().unwrap();
    assert_eq!(erased.member("recipient", &json!({"erased": true})), json!({"erased": true}));
    assert_eq!(f.accounts.payment_token(id).await.unwrap(), None);
    // A second run of the same request does not bring it back.
    f.accounts.begin(Begin { keyed: None, contact: Some(contact(7)), ..start("k", false) }).await.unwrap();
    assert_eq!(f.accounts.contact(id).await.unwrap(), Some(Contact::Erased));
    assert_eq!(
        f.kept("k").await,
        json!({"recipient": {"erased": true}, "cancellation": {"reason": "erased"}})
    );
}

async fn old_keys_are_forgotten(f: Fixture) {
    f.accounts.begin(start("old", false)).await.unwrap();
    f.pass(60).await;
    f.accounts.begin(start("young", false)).await.unwrap();
    let before = f.clock.now() - chrono::Duration::seconds(30);
    assert_eq!(f.accounts.forget_keys(before).await.unwrap(), 1);
    assert_eq!(f.accounts.look_up(&request("old", 1)).await.unwrap(), KeyState::New);
    assert_eq!(f.accounts.look_up(&request("young", 1)).await.unwrap(), KeyState::Running);
}

async fn reasons_of_refunds_are_erased_in_stored_answers_too(f: Fixture) {
    f.accounts.begin(start("k", false)).await.unwrap();
    let body = json!({"refunds": [{"amount": 1, "reason": "burnt"}, {"amount": 2, "reason": "cold"}, {"amount": 3}]});
    f.accounts.finish(request("k", 1), StoredAnswer { body: body.to_string(), ..answer() });
    // Another answer of theirs, without any.
    f.accounts.begin(start("other", false)).await.unwrap();
    f.accounts.finish(request("other", 1), answer());
    f.accounts.erase(&"alice".parse().unwrap()).await.unwrap();
    let refunds =
        json!([{"amount": 1, "reason": "erased"}, {"amount": 2, "reason": "erased"}, {"amount": 3}]);
    assert_eq!(f.kept("k").await, json!({"refunds": refunds}));
    assert_eq!(
        f.kept("other").await,
        json!({"recipient": {"erased": true}, "cancellation": {"reason": "erased"}})
    );
}

async fn contacts_come_in_one_read_without_those_that_are_not_there(f: Fixture) {
    for id in [1, 2] {
        let begin = Begin { keyed: None, contact: Some(contact(id)), ..start("", false) };
        assert_eq!(f.accounts.begin(begin).await.unwrap(), Begun::Go);
    }
    let ids = [1, 2, 3].map(|id| contact(id).contact_id);
    let found = f.accounts.contacts(ids.to_vec()).await.unwrap();
    assert_eq!(found.len(), 2);
    assert!(ids[..2].iter().all(|id| found[id] == Contact::Present(contact(1).data)));
    assert!(f.accounts.contacts(Vec::new()).await.unwrap().is_empty());
}

async fn an_answer_of_any_shape_loses_what_is_personal_and_nothing_else(f: Fixture) {
    let erased = json!({"erased": true});
    let shapes = [
        (json!({"guest": {"name": "Kim"}, "n": 1}), json!({"guest": erased, "n": 1})),
        (json!({"recipient": null, "guest": "x"}), json!({"recipient": erased, "guest": erased})),
        (json!({"reason": "ill", "amount": 0.1}), json!({"reason": "erased", "amount": 0.1})),
        (json!({"reason": null}), json!({"reason": "erased"})),
        (
            json!({"cancellation": {"by": "me", "reason": "a"}}),
            json!({"cancellation": {"by": "me", "reason": "erased"}}),
        ),
        (json!({"cancellation": {"by": "me"}}), json!({"cancellation": {"by": "me"}})),
        (json!({"cancellation": null}), json!({"cancellation": null})),
        (json!({"refunds": []}), json!({"refunds": []})),
        (json!({"deep": {"reason": "kept"}}), json!({"deep": {"reason": "kept"}})),
        (json!({"n": "a\u{0}b", "reason": "\u{0}"}), json!({"n": "a\u{0}b", "reason": "erased"})),
        (json!({"n": "\\u0000 \\\\u0000"}), json!({"n": "\\u0000 \\\\u0000"})),
        (json!([1, {"reason": "kept"}]), json!([1, {"reason": "kept"}])),
        (json!("reason"), json!("reason")),
    ];
    for (n, (body, _)) in shapes.iter().enumerate() {
        let key = n.to_string();
        f.accounts.begin(start(&key, false)).await.unwrap();
        f.accounts.finish(request(&key, 1), StoredAnswer { body: body.to_string(), ..answer() });
        assert_eq!(f.kept(&key).await, *body);
    }
    f.accounts.begin(start("empty", false)).await.unwrap();
    f.accounts.finish(request("empty", 1), StoredAnswer { body: String::new(), ..answer() });
    f.accounts.erase(&"alice".parse().unwrap()).await.unwrap();
    for (n, (_, erased)) in shapes.iter().enumerate() {
        // PostgreSQL's JSON knows no NUL: it becomes the character that stands for one that cannot be shown.
        let kept = f.kept(&n.to_string()).await.to_string().replace('\u{fffd}', "\\u0000");
        assert_eq!(kept, erased.to_string());
    }
    let empty = f.accounts.look_up(&request("empty", 1)).await.unwrap();
    assert_eq!(empty, KeyState::Answered(StoredAnswer { body: String::new(), ..answer() }));
}
