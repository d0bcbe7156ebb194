//! A slot is one holder's at a time.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use orderstream_eventlog::{
    StoreError,
    postgres::{Database, Held, Holder, LeaseOptions, Leases},
};
use sqlx::{Connection, Executor, postgres::PgConnection};
use uuid::Uuid;

use crate::setup::schema;

const SLOTS: u16 = 16;

fn leases(database: &Database, label: &str, ttl: Duration) -> Leases {
    let holder = Holder { id: Uuid::now_v7(), label: label.to_owned() };
    Leases::new(database.clone(), holder, LeaseOptions { ttl })
}

async fn is_ours(database: &Database, leases: &Leases, held: &[Held]) -> bool {
    let (leases, held) = (leases.clone(), held.to_vec());
    let check = database.run(move |conn| {
        let (leases, held) = (leases.clone(), held.clone());
        Box::pin(async move { leases.check(conn, "work", &held).await })
    });
    check.await.unwrap()
}

fn slots(held: &[Held]) -> HashSet<u16> {
    held.iter().map(|held| held.slot).collect()
}

#[tokio::test]
async fn a_newcomer_gets_its_fair_share_once_the_other_has_given_away_what_is_too_much() {
    let Some(database) = schema("leases_shared").await else { return };
    let [a, b] = ["a", "b"].map(|label| leases(&database, label, Duration::from_secs(60)));
    let alone = a.balance("work", SLOTS).await.unwrap();
    assert_eq!((alone.held.len(), alone.surplus), (16, 0));
    let waiting = b.balance("work", SLOTS).await.unwrap();
    assert_eq!((waiting.held.len(), waiting.surplus), (0, 0), "nothing is taken from somebody who lives");
    let too_much = a.balance("work", SLOTS).await.unwrap();
    assert_eq!((too_much.held.len(), too_much.surplus), (16, 8));
    let given = &too_much.held[..too_much.surplus];
    a.release("work", given).await.unwrap();
    assert!(!is_ours(&database, &a, given).await, "what was given away is not ours");
    let (ours, theirs) = (a.balance("work", SLOTS).await.unwrap(), b.balance("work", SLOTS).await.unwrap());
    assert_eq!((ours.held.len(), theirs.held.len()), (8, 8));
    assert!(slots(&ours.held).is_disjoint(&slots(&theirs.held)));
    assert!(theirs.held.iter().all(|held| held.epoch == 2), "a new holder has a new epoch");
    assert_eq!(a.members("work").await.unwrap(), [("a".to_owned(), 8), ("b".to_owned(), 8)]);
    a.leave("work").await.unwrap();
    assert_eq!(b.balance("work", SLOTS).await.unwrap().held.len(), 16);
    let other = a.balance("other work", 4).await.unwrap();
    assert_eq!(other.held.len(), 4, "each consumer has slots of its own");
}

#[tokio::test]
async fn a_holder_that_was_paused_finds_that_its_slots_are_somebody_elses() {
    let Some(database) = schema("leases_expired").await else { return };
    let [paused, other] =
        ["paused", "other"].map(|label| leases(&database, label, Duration::from_millis(300)));
    let held = paused.balance("work", SLOTS).await.unwrap().held;
    assert!(is_ours(&database, &paused, &held).await);
    tokio::time::sleep(Duration::from_millis(400)).await;
    let taken = other.balance("work", SLOTS).await.unwrap().held;
    assert_eq!(taken.len(), 16);
    let raised = taken.iter().zip(&held).all(|(now, before)| now.epoch == before.epoch + 1);
    assert!(raised, "{taken:?} after {held:?}");
    assert!(!is_ours(&database, &paused, &held).await);
    assert!(!is_ours(&database, &paused, &held[..1]).await);
    assert!(is_ours(&database, &other, &taken).await);
    assert_eq!(paused.balance("work", SLOTS).await.unwrap().held, [], "and gets none back for asking");
}

/// Works in the transaction for so long.
async fn work(conn: &mut PgConnection, time: Duration) {
    let begun = Instant::now();
    while begun.elapsed() < time {
        conn.execute("SELECT 1").await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_check_holds_the_slot_until_its_transaction_ends() {
    let Some(database) = schema("leases_checked").await else { return };
    let ttl = Duration::from_millis(400);
    let [ours, other] = ["ours", "other"].map(|label| leases(&database, label, ttl));
    let held = ours.take_if_free("work", 3).await.unwrap().unwrap();
    let mut conn = database.pool().acquire().await.unwrap();
    let mut transaction = conn.begin().await.unwrap();
    assert!(ours.check(&mut transaction, "work", &[held]).await.unwrap());
    work(&mut transaction, ttl + ttl / 4).await;
    let taking = tokio::spawn(async move { other.take_if_free("work", 3).await.unwrap() });
    work(&mut transaction, ttl / 2).await;
    assert!(!taking.is_finished(), "it was taken from under a running transaction");
    transaction.commit().await.unwrap();
    assert_eq!(taking.await.unwrap().unwrap().epoch, held.epoch + 1);
}

#[tokio::test]
async fn a_holder_that_is_paused_inside_its_transaction_loses_the_slot_and_the_transaction() {
    let Some(database) = schema("leases_paused").await else { return };
    let ttl = Duration::from_millis(200);
    let [paused, other] = ["paused", "other"].map(|label| leases(&database, label, ttl));
    let held = paused.take_if_free("work", 3).await.unwrap().unwrap();
    let mut conn = database.pool().acquire().await.unwrap().detach();
    let mut transaction = conn.begin().await.unwrap();
    assert!(paused.check(&mut transaction, "work", &[held]).await.unwrap());
    tokio::time::sleep(ttl * 2).await;
    let taken = other.take_if_free("work", 3).await.unwrap();
    assert_eq!(taken.map(|taken| taken.epoch), Some(held.epoch + 1), "nobody waits for who is paused");
    let late = StoreError::from(transaction.commit().await.unwrap_err());
    assert!(late.is_passing(), "what it had begun is undone, and it may begin anew: {late}");
}

#[tokio::test]
async fn what_is_taken_for_a_short_piece_of_work_is_not_part_of_our_share() {
    let Some(database) = schema("leases_guest").await else { return };
    let ours = leases(&database, "ours", Duration::from_secs(60));
    let guest = ours.take_if_free("work", 3).await.unwrap().unwrap();
    let held = ours.balance("work", SLOTS).await.unwrap().held;
    assert_eq!((held.len(), slots(&held).contains(&3)), (15, false));
    assert!(is_ours(&database, &ours, &[guest]).await);
    assert_eq!(ours.take_if_free("work", 3).await.unwrap(), None);
    ours.release("work", &[guest]).await.unwrap();
    assert!(!is_ours(&database, &ours, &[guest]).await);
    assert_eq!(ours.balance("work", SLOTS).await.unwrap().held.len(), 16);
}

#[tokio::test]
async fn who_retires_keeps_what_it_has_until_it_gives_it_away() {
    let Some(database) = schema("leases_retired").await else { return };
    let [retiring, other] =
        ["retiring", "other"].map(|label| leases(&database, label, Duration::from_secs(60)));
    let held = retiring.balance("work", SLOTS).await.unwrap().held;
    retiring.retire("work").await.unwrap();
    assert!(is_ours(&database, &retiring, &held).await);
    retiring.release("work", &held[2..]).await.unwrap();
    assert_eq!(other.balance("work", SLOTS).await.unwrap().held.len(), 14);
    assert!(is_ours(&database, &retiring, &held[..2]).await);
    retiring.leave("work").await.unwrap();
    assert_eq!(other.balance("work", SLOTS).await.unwrap().held.len(), 16);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_claim_at_once_no_two_hold_the_same_slot() {
    let Some(database) = schema("leases_claimed").await else { return };
    for round in 1..=10 {
        let claim = (0..6).map(|n| {
            let leases = leases(&database, &n.to_string(), Duration::from_secs(60));
            tokio::spawn(async move {
                let consumer = format!("work {round}");
                let held = leases.balance(&consumer, SLOTS).await.unwrap().held;
                let single = leases.take_if_free(&format!("single {round}"), 0).await.unwrap();
                (held, single)
            })
        });
        let (mut all, mut singles) = (Vec::new(), 0);
        for claim in claim.collect::<Vec<_>>() {
            let (held, single) = claim.await.unwrap();
            all.extend(held.iter().map(|held| held.slot));
            singles += usize::from(single.is_some());
        }
        let distinct: HashSet<_> = all.iter().copied().collect();
        assert_eq!(distinct.len(), all.len(), "round {round}: a slot has two holders: {all:?}");
        assert_eq!(singles, 1, "round {round}");
    }
}
