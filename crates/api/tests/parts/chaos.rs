//! What goes wrong: drawn from a seed, so that it goes wrong the same way again.

use std::{sync::Arc, time::Duration};

use rand::{Rng, rngs::StdRng, seq::SliceRandom};
use sqlx::{Connection, PgConnection};
use tokio::task::JoinSet;

use crate::platform::{LEASE_MS, Platform, SANDBOX, resume, stop_at_once};

/// The parts of each kind.
const KINDS: [[&str; 2]; 3] = [["api-1", "api-2"], ["processes-1", "processes-2"], ["views-1", "views-2"]];

/// One trouble.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    /// SIGKILL; started again after so long.
    Kill(&'static str, Duration),
    /// SIGTERM; started again after so long.
    Terminate(&'static str, Duration),
    /// SIGSTOP for so long, which is longer than its leases live.
    Pause(&'static str, Duration),
    /// The database is gone at once, and back after so long.
    NoDatabase(Duration),
    /// The database ends some connections.
    Disconnect,
}

/// Every kind of trouble once, on one of the parts that it may befall, in any order.
fn deck(random: &mut StdRng) -> Vec<Trouble> {
    let mut pause = |range: std::ops::Range<u64>| Duration::from_millis(random.random_range(range));
    let waits: [Duration; 7] = std::array::from_fn(|_| pause(50..2_000));
    let frozen = [(); 2].map(|()| pause(LEASE_MS + 300..LEASE_MS + 1_500));
    let no_database = pause(500..3_000);
    let other = random.random_range(0..3);
    let mut one = |kind: usize| KINDS[kind][random.random_range(0..2)];
    let mut troubles = vec![
        Trouble::Kill(one(0), waits[0]),
        Trouble::Kill(one(1), waits[1]),
        Trouble::Kill(one(2), waits[2]),
        Trouble::Kill(SANDBOX, waits[3]),
        Trouble::Terminate(one(0), waits[4]),
        Trouble::Terminate(one(1), waits[5]),
        Trouble::Terminate(one(2), waits[6]),
        // Most has to be fenced where work is done for others.
        Trouble::Pause(one(1), frozen[0]),
        Trouble::Pause(one(other), frozen[1]),
        Trouble::NoDatabase(no_database),
        Trouble::Disconnect,
    ];
    troubles.shuffle(random);
    troubles
}

/// Makes trouble, one before the other is over; then all parts run again.
pub(crate) async fn round(platform: &Arc<Platform>, random: &mut StdRng) {
    let mut under_way = JoinSet::new();
    for trouble in deck(random) {
        tokio::time::sleep(Duration::from_millis(random.random_range(200..1_500))).await;
        println!("{trouble:?}");
        let platform = platform.clone();
        under_way.spawn(async move { make(&platform, trouble).await });
    }
    while let Some(over) = under_way.join_next().await {
        over.unwrap();
    }
}

async fn make(platform: &Platform, trouble: Trouble) {
    match trouble {
        Trouble::Kill(part, wait) => {
            platform.kill(part).await;
            tokio::time::sleep(wait).await;
            platform.start_part(part).await;
        }
        Trouble::Terminate(part, wait) => {
            platform.terminate(part).await;
            tokio::time::sleep(wait).await;
            platform.start_part(part).await;
        }
        Trouble::Pause(part, time) => platform.pause(part, time).await,
        Trouble::NoDatabase(time) => {
            stop_at_once(&platform.cluster).await;
            tokio::time::sleep(time).await;
            resume(&platform.cluster).await;
        }
        Trouble::Disconnect => {
            // It may be gone just now.
            let Ok(mut connection) = PgConnection::connect(&platform.cluster.url("postgres")).await else {
                return;
            };
            let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND random() < 0.5";
            let _ = sqlx::query(end).execute(&mut connection).await;
        }
    }
}
