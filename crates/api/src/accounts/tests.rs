use std::{sync::Arc, time::Duration};

use domain::{ContactId, CustomerId, Timestamp};
use eventlog::{Clock, ManualClock};
use sagas::Tokens;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;

struct Fixture {
    accounts: Accounts,
    clock: Arc<ManualClock>,
    folder: tempfile::TempDir,
}

async fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(Timestamp::from_timestamp(1_700_000_000, 0).unwrap()));
    let accounts = Accounts::open(&folder.path().join("accounts.db"), clock.clone()).await.unwrap();
    Fixture { accounts, clock, folder }
}

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

#[tokio::test]
async fn a_key_is_new_then_running_then_answered() {
    let f = fixture().await;
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

#[tokio::test]
async fn a_lease_that_ran_out_lets_the_request_go_on_under_the_same_ids() {
    let f = fixture().await;
    f.accounts.begin(start("k", false)).await.unwrap();
    f.clock.advance(Duration::from_secs(31));
    assert_eq!(f.accounts.look_up(&request("k", 1)).await.unwrap(), KeyState::Again(IDS));
    assert_eq!(f.accounts.begin(start("k", true)).await.unwrap(), Begun::Go);
    assert_eq!(f.accounts.begin(start("k", true)).await.unwrap(), Begun::Not(KeyState::Running));
    f.accounts.release(&request("k", 1)).await.unwrap();
    assert_eq!(f.accounts.look_up(&request("k", 1)).await.unwrap(), KeyState::Again(IDS));
}

#[tokio::test]
async fn a_new_process_ends_the_leases_of_the_one_before() {
    let f = fixture().await;
    f.accounts.begin(start("k", false)).await.unwrap();
    f.accounts.close().await;
    let accounts = Accounts::open(&f.folder.path().join("accounts.db"), f.clock.clone()).await.unwrap();
    assert_eq!(accounts.look_up(&request("k", 1)).await.unwrap(), KeyState::Again(IDS));
}

#[tokio::test]
async fn a_contact_is_written_with_its_key_and_erased_everywhere() {
    let f = fixture().await;
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
    f.accounts.recent.lock().unwrap().clear();
    let KeyState::Answered(kept) = f.accounts.look_up(&request("k", 1)).await.unwrap() else {
        panic!("not kept")
    };
    let body: Value = serde_json::from_str(&kept.body).unwrap();
    assert_eq!(body, json!({"recipient": {"erased": true}, "cancellation": {"reason": "erased"}}));
}

#[tokio::test]
async fn old_keys_are_forgotten() {
    let f = fixture().await;
    f.accounts.begin(start("old", false)).await.unwrap();
    f.clock.advance(Duration::from_secs(60));
    f.accounts.begin(start("young", false)).await.unwrap();
    let before = f.clock.now() - chrono::Duration::seconds(30);
    assert_eq!(f.accounts.forget_keys(before).await.unwrap(), 1);
    assert_eq!(f.accounts.look_up(&request("old", 1)).await.unwrap(), KeyState::New);
    assert_eq!(f.accounts.look_up(&request("young", 1)).await.unwrap(), KeyState::Running);
}

#[tokio::test]
async fn reasons_of_refunds_are_erased_in_stored_answers_too() {
    let f = fixture().await;
    f.accounts.begin(start("k", false)).await.unwrap();
    let body = json!({"refunds": [{"amount": 1, "reason": "burnt"}, {"amount": 2, "reason": "cold"}, {"amount": 3}]});
    f.accounts.finish(request("k", 1), StoredAnswer { body: body.to_string(), ..answer() });
    // Another answer of theirs, without any.
    f.accounts.begin(start("other", false)).await.unwrap();
    f.accounts.finish(request("other", 1), answer());
    f.accounts.erase(&"alice".parse().unwrap()).await.unwrap();
    f.accounts.recent.lock().unwrap().clear();
    let kept = async |key| match f.accounts.look_up(&request(key, 1)).await.unwrap() {
        KeyState::Answered(answer) => serde_json::from_str::<Value>(&answer.body).unwrap(),
        other => panic!("{other:?}"),
    };
    let refunds =
        json!([{"amount": 1, "reason": "erased"}, {"amount": 2, "reason": "erased"}, {"amount": 3}]);
    assert_eq!(kept("k").await, json!({"refunds": refunds}));
    let other = kept("other").await;
    assert_eq!(other, json!({"recipient": {"erased": true}, "cancellation": {"reason": "erased"}}));
}
