//! Several processes on one database: each handle stands for one.

use futures::future::join_all;

use super::*;

struct Two {
    first: Fixture,
    second: Accounts,
}

/// Two processes. None where there is no PostgreSQL.
async fn two() -> Option<Two> {
    let first = Fixture::postgres().await?;
    let Place::Schema(database) = &first.place else { unreachable!("a database was asked for") };
    let options = DatabaseOptions {
        url: scratch_postgres::for_tests()?.url("postgres"),
        schema: database.schema().to_owned(),
        connections: 6,
    };
    let other = Database::connect(options).await.unwrap();
    let second = Accounts::open_postgres(&other, clock()).await.unwrap();
    Some(Two { first, second })
}

fn alice() -> CustomerId {
    "alice".parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_all_who_begin_with_a_key_at_once_one_goes() {
    let Some(Two { first, second }) = two().await else { return };
    for key in 0..40_u128 {
        let begin = |n: u128, by: Accounts| {
            let ids = RequestIds { command_id: Uuid::from_u128(key * 10 + n), ..IDS };
            let mine = Begin { ids, ..start(&key.to_string(), false) };
            tokio::spawn(async move { (mine.ids, by.begin(mine).await.unwrap()) })
        };
        let runs = (0..8).map(|n| begin(n, if n % 2 == 0 { &first.accounts } else { &second }.clone()));
        let (gone, others): (Vec<_>, Vec<_>) =
            join_all(runs).await.into_iter().map(Result::unwrap).partition(|(_, begun)| *begun == Begun::Go);
        assert_eq!(gone.len(), 1, "{key}");
        assert!(others.iter().all(|(_, begun)| *begun == Begun::Not(KeyState::Running)), "{others:?}");
        second.release(&request(&key.to_string(), 1)).await.unwrap();
        first.accounts.release(&request(&key.to_string(), 1)).await.unwrap();
        let state = second.look_up(&request(&key.to_string(), 1)).await.unwrap();
        assert_eq!(state, KeyState::Again(gone[0].0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_all_who_go_on_with_a_request_at_once_one_goes() {
    let Some(Two { first, second }) = two().await else { return };
    for key in 0..20 {
        let key = key.to_string();
        first.accounts.begin(start(&key, false)).await.unwrap();
        first.pass(31).await;
        let begin = |n| {
            let (by, start) = (if n % 2 == 0 { &first.accounts } else { &second }.clone(), start(&key, true));
            tokio::spawn(async move { by.begin(start).await.unwrap() })
        };
        let begun: Vec<Begun> = join_all((0..8).map(begin)).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(begun.iter().filter(|begun| **begun == Begun::Go).count(), 1, "{begun:?}");
        let running = Begun::Not(KeyState::Running);
        assert_eq!(begun.iter().filter(|begun| **begun == running).count(), 7, "{begun:?}");
    }
}

#[tokio::test]
async fn a_lease_that_ran_out_goes_to_another_process_under_the_same_ids() {
    let Some(Two { first, second }) = two().await else { return };
    let k = request("k", 1);
    assert_eq!(first.accounts.begin(start("k", false)).await.unwrap(), Begun::Go);
    assert_eq!(second.look_up(&k).await.unwrap(), KeyState::Running);
    assert_eq!(second.begin(start("k", true)).await.unwrap(), Begun::Not(KeyState::Running));
    first.pass(31).await;
    assert_eq!(second.look_up(&k).await.unwrap(), KeyState::Again(IDS));
    assert_eq!(second.begin(start("k", true)).await.unwrap(), Begun::Go);
    // The first wakes up late: the lease is not theirs to end.
    first.accounts.release(&k).await.unwrap();
    assert_eq!(second.look_up(&k).await.unwrap(), KeyState::Running);
    assert_eq!(first.accounts.begin(start("k", true)).await.unwrap(), Begun::Not(KeyState::Running));
    second.finish(k.clone(), answer());
    assert_eq!(second.look_up(&k).await.unwrap(), KeyState::Answered(answer()));
    // What was answered once is answered for ever.
    first.accounts.finish(k.clone(), StoredAnswer { status: 402, ..answer() });
    assert_eq!(first.accounts.look_up(&k).await.unwrap(), KeyState::Answered(answer()));
}

#[tokio::test]
async fn a_run_that_outlives_its_lease_ends_no_later_run_of_its_process() {
    let Some(Two { first, second }) = two().await else { return };
    let k = request("k", 1);
    first.accounts.begin(start("k", false)).await.unwrap();
    first.pass(31).await;
    assert_eq!(first.accounts.begin(start("k", true)).await.unwrap(), Begun::Go);
    first.accounts.release(&k).await.unwrap();
    assert_eq!(second.look_up(&k).await.unwrap(), KeyState::Running);
    first.accounts.release(&k).await.unwrap();
    assert_eq!(second.look_up(&k).await.unwrap(), KeyState::Again(IDS));
}

#[tokio::test]
async fn a_process_that_starts_ends_no_lease_and_one_that_stops_gives_its_own_back() {
    let Some(Two { first, second }) = two().await else { return };
    first.accounts.begin(start("k", false)).await.unwrap();
    second.begin(start("l", false)).await.unwrap();
    let Place::Schema(database) = &first.place else { unreachable!("a database was asked for") };
    let third = Accounts::open_postgres(database, clock()).await.unwrap();
    assert_eq!(third.look_up(&request("k", 1)).await.unwrap(), KeyState::Running);
    first.accounts.close().await;
    assert_eq!(third.look_up(&request("k", 1)).await.unwrap(), KeyState::Again(IDS));
    assert_eq!(third.look_up(&request("l", 1)).await.unwrap(), KeyState::Running);
}

#[tokio::test]
async fn a_caller_who_hangs_up_while_they_begin_leaves_no_lease() {
    let Some(Two { first, second }) = two().await else { return };
    let Place::Schema(database) = &first.place else { unreachable!("a database was asked for") };
    let mut blocker = database.pool().begin().await.unwrap();
    sqlx::query("LOCK TABLE idempotency").execute(&mut *blocker).await.unwrap();
    let hung_up =
        tokio::time::timeout(Duration::from_millis(100), first.accounts.begin(start("k", false))).await;
    assert!(hung_up.is_err());
    blocker.commit().await.unwrap();
    let mut state = KeyState::New;
    for _ in 0..100 {
        state = second.look_up(&request("k", 1)).await.unwrap();
        if state == KeyState::Again(IDS) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{state:?}");
}

#[tokio::test]
async fn what_one_process_erases_is_gone_in_the_others_at_once() {
    let Some(Two { first, second }) = two().await else { return };
    let id = contact(7).contact_id;
    let with_contact = Begin { contact: Some(contact(7)), ..start("k", false) };
    first.accounts.begin(with_contact).await.unwrap();
    assert_eq!(first.accounts.contact(id).await.unwrap(), Some(Contact::Present(contact(7).data)));
    first.accounts.begin(start("late", false)).await.unwrap();
    first.accounts.finish(request("k", 1), answer());
    assert_eq!(second.erase(&alice()).await.unwrap(), 1);
    let erased = json!({"recipient": {"erased": true}, "cancellation": {"reason": "erased"}});
    assert_eq!(first.kept("k").await, erased);
    assert_eq!(first.accounts.contact(id).await.unwrap(), Some(Contact::Erased));
    assert_eq!(first.accounts.payment_token(id).await.unwrap(), None);
    // A request that had begun before, and has read what it is about to answer.
    first.accounts.finish(request("late", 1), answer());
    assert_eq!(first.kept("late").await, erased);
    let said: Value = serde_json::from_str(&answer().body).unwrap();
    // What the customer says afterwards is theirs to say, and what others say is not touched.
    first.accounts.begin(start("after", false)).await.unwrap();
    first.accounts.finish(request("after", 1), answer());
    assert_eq!(first.kept("after").await, said);
    second.erase(&"bob".parse().unwrap()).await.unwrap();
    assert_eq!(first.kept("after").await, said);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_slips_past_an_erasure_at_the_same_time() {
    let Some(Two { first, second }) = two().await else { return };
    for round in 0..30 {
        let keys: Vec<String> = (0..8).map(|n| format!("{round}-{n}")).collect();
        for key in &keys {
            first.accounts.begin(start(key, false)).await.unwrap();
        }
        let erase = tokio::spawn({
            let second = second.clone();
            async move { second.erase(&alice()).await.unwrap() }
        });
        for key in &keys {
            first.accounts.finish(request(key, 1), answer());
            tokio::task::yield_now().await;
        }
        erase.await.unwrap();
        for key in &keys {
            assert_eq!(first.kept(key).await["recipient"], json!({"erased": true}), "{key}");
        }
    }
}

#[tokio::test]
async fn a_database_without_our_tables_is_refused_in_words_that_help() {
    let Some(cluster) = scratch_postgres::for_tests() else { return };
    let (url, schema) = (cluster.url("postgres"), "nobody_made_it".to_owned());
    let database = Database::connect(DatabaseOptions { url, schema, connections: 4 }).await.unwrap();
    let error = Accounts::open_postgres(&database, clock()).await.err().unwrap();
    assert!(matches!(error, StoreError::NoSchema { .. }), "{error}");
    assert!(error.to_string().contains("orderstream migrate"), "{error}");
}
