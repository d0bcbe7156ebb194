//! The program ends at each of its named points, with a provider of its own that fails in every way; and nothing that it
//! said is untrue afterwards.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use eventlog::KILL_POINTS;
use gateway::{
    Behaviour, Sandbox, SandboxOptions,
    server::{SandboxServer, SandboxServerOptions},
};
use rand::{Rng, SeedableRng, rngs::StdRng};

use super::{
    agreed,
    binary::Serving,
    end, everybody,
    load::{Load, Scene},
};

/// How long a round may take to come to its point before it is killed where it is.
const PATIENCE: Duration = Duration::from_secs(5);
/// The same for points that an outage leads to, which must outlast the deadline of a payment.
const OUTAGE: Duration = Duration::from_secs(7);
/// How often a point that was not come to is tried.
const TRIES: u32 = 4;

/// How the program is set up: a provider that answers too late is given up soon, and tried again soon.
const SETTINGS: [(&str, &str); 4] = [
    ("ORDERSTREAM_GATEWAY_DEADLINE_MS", "300"),
    ("ORDERSTREAM_GATEWAY_CONNECT_TIMEOUT_MS", "300"),
    ("ORDERSTREAM_GATEWAY_BREAKER_OPEN_MS", "100"),
    ("ORDERSTREAM_ORDER_WAIT_MS", "3000"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_point_at_which_it_ends_loses_an_answer_or_charges_twice() {
    let rounds: usize = setting("ORDERSTREAM_ROUNDS").unwrap_or(KILL_POINTS.len());
    let seed = setting("ORDERSTREAM_SEED").unwrap_or_else(rand::random);
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let folder = tempfile::tempdir().unwrap();
    let (data, books) = (folder.path().join("data"), folder.path().join("books.db"));
    let sandbox = Sandbox::open(&books, SandboxOptions::default()).unwrap();
    let options = SandboxServerOptions::default();
    let provider = SandboxServer::start(sandbox.clone(), "127.0.0.1:0", options).await.unwrap();
    let url = provider.url();

    std::fs::create_dir(&data).unwrap();
    let first = start(&data, &url, None).unwrap();
    let load = Arc::new(Load::new(|arguments| Serving::token(&data, arguments), 1, false));
    load.moves_to(0, &first.url);
    let scene = Scene::set(&load).await;
    first.kill();

    let mut ended_at = BTreeMap::<&str, u32>::new();
    for round in 0..rounds {
        let point = KILL_POINTS[round % KILL_POINTS.len()];
        for _ in 0..TRIES {
            let ended = at_point(point, &data, &url, &sandbox, (&load, &scene), &mut random).await;
            *ended_at.entry(if ended { point } else { "elsewhere" }).or_default() += 1;
            if ended {
                break;
            }
        }
    }
    println!("ended at {ended_at:?}");
    sandbox.behave(Behaviour::default()).unwrap();
    let serving = start(&data, &url, None).unwrap();
    let rest = agreed(serving, &data, &load, &scene).await;
    provider.stop().await;
    let entries = sandbox.entries().await.unwrap();
    println!("{} entries in the provider's books", entries.len());
    end(&data, &entries, &rest);
    sandbox.close().await;
    let never: Vec<_> = KILL_POINTS.iter().filter(|point| !ended_at.contains_key(*point)).collect();
    assert!(never.is_empty() || rounds < KILL_POINTS.len(), "never came to {never:?}");
}

/// Everybody works, again and again, until the program ends at `point`, or its time is over. Whether it ended there.
async fn at_point(
    point: &str,
    data: &Path,
    url: &str,
    sandbox: &Sandbox,
    (load, scene): (&Arc<Load>, &Scene),
    random: &mut StdRng,
) -> bool {
    let voids = point.starts_with("void.");
    let (most, patience) = match point {
        _ if voids => (1, OUTAGE * 2),
        _ if point.starts_with("log.") || point.starts_with("work.") => (200, PATIENCE),
        _ => (8, PATIENCE),
    };
    let kill_at = format!("{point}:{}", random.random_range(1..=most));
    sandbox.behave(behaviour(point, random)).unwrap();
    let Ok(mut serving) = start(data, url, Some(&kill_at)) else { return true };
    load.moves_to(0, &serving.url);
    let (begun, mut down) = (Instant::now(), false);
    while serving.ended().is_none() && begun.elapsed() < patience {
        let people = everybody(load, scene, random);
        while !people.iter().all(tokio::task::JoinHandle::is_finished) && begun.elapsed() < patience {
            tokio::time::sleep(Duration::from_millis(20)).await;
            // Payments that were just begun are overdue when the provider is back.
            if voids && !down && begun.elapsed() > Duration::from_millis(300) {
                down = true;
                sandbox.behave(Behaviour { outage: true, ..Behaviour::default() }).unwrap();
            }
            if voids && begun.elapsed() > OUTAGE {
                sandbox.behave(Behaviour::default()).unwrap();
            }
        }
        if begun.elapsed() >= patience {
            serving.child.kill().unwrap();
        }
        for person in people {
            person.await.unwrap();
        }
        // Everybody goes home at once while nothing can be paid.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let status = serving.child.wait().unwrap();
    // Its own end is an abort (SIGABRT), ours a SIGKILL.
    std::os::unix::process::ExitStatusExt::signal(&status) == Some(6)
}

/// How the provider behaves in a round.
fn behaviour(point: &str, random: &mut StdRng) -> Behaviour {
    let quick = Behaviour { latency_max_ms: 10, ..Behaviour::default() };
    if point.starts_with("look_up.") {
        return Behaviour { drop_rate: 0.3, ..quick };
    }
    if point.starts_with("void.") {
        return Behaviour { latency_min_ms: 100, latency_max_ms: 250, ..Behaviour::default() };
    }
    match random.random_range(0..6) {
        0 => Behaviour { fail_rate: 0.2, ..quick },
        1 => Behaviour { drop_rate: 0.2, ..quick },
        2 => Behaviour { garbage_rate: 0.1, wrong_body_rate: 0.1, ..quick },
        3 => Behaviour { latency_min_ms: 200, latency_max_ms: 320, ..quick },
        _ => quick,
    }
}

fn start(data: &Path, url: &str, kill_at: Option<&str>) -> Result<Serving, std::process::ExitStatus> {
    let mut environment = vec![("ORDERSTREAM_GATEWAY_URL", url)];
    environment.extend(SETTINGS);
    environment.extend(kill_at.map(|at| ("ORDERSTREAM_KILL_AT", at)));
    Serving::start_in(data, &[], &environment)
}

fn setting<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok()?.parse().ok()
}
