//! A server that goes and comes back, and answers that get lost on the way.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::AtomicBool,
    time::Instant,
};

use futures::future::join_all;
use scratch_postgres::{Binaries, Cluster, ClusterOptions};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::*;

fn ids(n: u128) -> RequestIds {
    RequestIds { command_id: Uuid::from_u128(n), minted: Uuid::from_u128(n + 1_000_000) }
}

/// A server that a test may stop. None where there is no PostgreSQL.
fn own_cluster() -> Option<Arc<Cluster>> {
    scratch_postgres::for_tests()?;
    // What was answered must be there after a crash.
    let options = ClusterOptions { durable: true, settings: Vec::new() };
    Some(Arc::new(Cluster::start(Binaries::find()?, options).unwrap()))
}

#[tokio::test(flavor = "multi_thread")]
async fn begins_that_were_answered_are_there_after_a_crash_and_none_twice() {
    let Some(cluster) = own_cluster() else { return };
    let database = database(cluster.url("postgres")).await;
    let accounts = [0, 1].map(|_| Accounts::open_postgres(&database, clock()));
    let accounts: Vec<Accounts> = join_all(accounts).await.into_iter().map(Result::unwrap).collect();
    let keys = Arc::new(AtomicU32::new(0));
    // Two processes race for every key, each with ids and a contact of its own; they ask again when the store is away.
    let racers = (0..16_u128).map(|racer| {
        let (accounts, keys) = (accounts[usize::from(racer % 2 == 0)].clone(), keys.clone());
        tokio::spawn(async move {
            let (mut gone, mut away) = (Vec::new(), 0_u32);
            loop {
                // Every key is drawn by two of them.
                let key = u128::from(keys.fetch_add(1, Ordering::Relaxed) / 2);
                if key >= 4_000 {
                    return (gone, away);
                }
                let mine = Begin {
                    ids: ids(key * 100 + racer),
                    contact: Some(contact(key * 100 + racer)),
                    ..start(&key.to_string(), false)
                };
                match accounts.begin(mine.clone()).await {
                    Ok(Begun::Go) => gone.push((key, mine.ids)),
                    Ok(Begun::Not(_)) => {}
                    Err(StoreError::Unavailable(_)) => away += 1,
                    Err(error) => panic!("{error}"),
                }
            }
        })
    });
    let racers: Vec<_> = racers.collect();
    while keys.load(Ordering::Relaxed) < 2_000 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // An answer that is given while the server is away is kept when it is back.
    accounts[0].begin(start("answered", false)).await.unwrap();
    tokio::task::block_in_place(|| cluster.stop_at_once()).unwrap();
    let before = Instant::now();
    accounts[0].finish(request("answered", 1), answer());
    assert!(before.elapsed() < Duration::from_millis(500));
    tokio::time::sleep(Duration::from_millis(500)).await;
    tokio::task::block_in_place(|| cluster.resume()).unwrap();

    let mut gone = BTreeMap::new();
    let mut away = 0;
    for racer in join_all(racers).await {
        let (keys, unavailable) = racer.unwrap();
        away += unavailable;
        for (key, ids) in keys {
            assert!(gone.insert(key.to_string(), ids).is_none(), "{key} went twice");
        }
    }
    let rows: Vec<(String, Uuid)> =
        sqlx::query_as("SELECT key, command_id FROM idempotency WHERE key <> 'answered'")
            .fetch_all(database.pool())
            .await
            .unwrap();
    let contacts: Vec<(Uuid,)> =
        sqlx::query_as("SELECT contact_id FROM contacts").fetch_all(database.pool()).await.unwrap();
    let contacts: BTreeSet<Uuid> = contacts.into_iter().map(|(id,)| id).collect();
    assert_eq!(contacts.len(), rows.len(), "a contact is there if and only if its key is");
    let rows: BTreeMap<String, Uuid> = rows.into_iter().collect();
    for (key, ids) in &gone {
        assert_eq!(rows.get(key), Some(&ids.command_id), "{key}");
        assert!(contacts.contains(&ids.command_id), "{key}");
    }
    assert_eq!(accounts[1].look_up(&request("0", 1)).await.unwrap(), KeyState::Running);
    let mut kept = KeyState::New;
    for _ in 0..100 {
        kept = accounts[1].look_up(&request("answered", 1)).await.unwrap();
        if kept == KeyState::Answered(answer()) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(kept, KeyState::Answered(answer()));
    // Only a begin that was not answered may be missing.
    assert!(gone.len() + away as usize >= 4_000, "{} went, {away} not answered", gone.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_server_everything_is_unavailable_soon_and_goes_on_with_it() {
    let Some(cluster) = own_cluster() else { return };
    let database = database(cluster.url("postgres")).await;
    let accounts = Accounts::open_postgres(&database, clock()).await.unwrap();
    accounts.begin(start("running", false)).await.unwrap();
    tokio::task::block_in_place(|| cluster.stop_at_once()).unwrap();
    let before = Instant::now();
    assert!(matches!(accounts.begin(start("k", false)).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(accounts.contact(contact(1).contact_id).await, Err(StoreError::Unavailable(_))));
    assert!(before.elapsed() < Duration::from_secs(9), "{:?}", before.elapsed());
    let before = Instant::now();
    accounts.release(&request("running", 1)).await.unwrap();
    assert!(before.elapsed() < Duration::from_millis(1_500), "{:?}", before.elapsed());
    tokio::task::block_in_place(|| cluster.resume()).unwrap();
    assert_eq!(accounts.begin(start("k", false)).await.unwrap(), Begun::Go);
    let mut state = KeyState::New;
    for _ in 0..100 {
        state = accounts.look_up(&request("running", 1)).await.unwrap();
        if state == KeyState::Again(IDS) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{state:?}");
}

/// The key of a request whose next answer is lost.
const LOST: &str = "lost";

/// Passes everything on to a server. When told so, it loses the answer to the next message that holds [`LOST`], and the
/// connection with it.
async fn line_to(cluster: &Cluster) -> (u16, Arc<AtomicBool>) {
    let (loses, port) = (Arc::new(AtomicBool::new(false)), cluster.port());
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let line = (listener.local_addr().unwrap().port(), loses.clone());
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            tokio::spawn(pass_on(client, server, loses.clone()));
        }
    });
    line
}

async fn pass_on(client: TcpStream, server: TcpStream, loses: Arc<AtomicBool>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let cut = AtomicBool::new(false);
    let there = async {
        let mut buffer = vec![0; 65_536];
        while let Ok(read @ 1..) = from_client.read(&mut buffer).await {
            let concerned = buffer[..read].windows(LOST.len()).any(|bytes| bytes == LOST.as_bytes());
            if concerned && loses.swap(false, Ordering::SeqCst) {
                cut.store(true, Ordering::SeqCst);
            }
            to_server.write_all(&buffer[..read]).await.unwrap();
        }
    };
    let back = async {
        let mut buffer = vec![0; 65_536];
        while let Ok(read @ 1..) = from_server.read(&mut buffer).await {
            if cut.load(Ordering::SeqCst) {
                return;
            }
            to_client.write_all(&buffer[..read]).await.unwrap();
        }
    };
    tokio::select! { () = there => {}, () = back => {} }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_begin_whose_answer_was_lost_is_known_again() {
    let Some(cluster) = scratch_postgres::for_tests() else { return };
    let (port, loses) = line_to(cluster).await;
    let url = cluster.url("postgres").replace(&format!(":{}/", cluster.port()), &format!(":{port}/"));
    let database = database(url).await;
    let accounts = Accounts::open_postgres(&database, clock()).await.unwrap();
    for again in [false, true] {
        loses.store(true, Ordering::SeqCst);
        let begin = Begin { contact: Some(contact(7)), ..start(LOST, again) };
        assert_eq!(accounts.begin(begin.clone()).await.unwrap(), Begun::Go);
        assert!(!loses.load(Ordering::SeqCst), "no answer was lost");
        assert_eq!(accounts.begin(begin).await.unwrap(), Begun::Not(KeyState::Running));
        accounts.release(&request(LOST, 1)).await.unwrap();
    }
    assert_eq!(
        accounts.contact(contact(7).contact_id).await.unwrap(),
        Some(Contact::Present(contact(7).data))
    );
}
