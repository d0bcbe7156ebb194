//! Random lives: people ask, pay, cancel and return, the provider changes its mind every few milliseconds, somebody sets the
//! clock, and the program is killed.

use std::{
    panic::catch_unwind,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

use domain::{PaymentId, payment::PaymentTiming};
use gateway::{Behaviour, method};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use tokio::time::sleep;

use crate::{
    life::{Settings, World},
    network::{DEADLINE, Traffic},
    oracle::Money,
};

/// How many lives are told unless said otherwise: some twenty seconds without optimisation.
const SEEDS: u64 = 80;
/// How many are told at once: most of the time they wait for the disk, or for each other.
const AT_ONCE: usize = 4;
/// How many things happen in a life.
const TURNS: usize = 30;

/// What happened in all lives.
#[derive(Debug, Default)]
struct Sum {
    lives: u64,
    kills: u64,
    memories_lost: u64,
    clock_jumps: u64,
    cancellations: u64,
    callbacks: u64,
    breakers_opened: u64,
    retries_put_off: u64,
    money: Money,
    traffic: Traffic,
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable)
        .ok()
        .map(|text| text.parse().unwrap_or_else(|_| panic!("{variable} is no number")))
}

#[test]
fn whatever_happens_nothing_is_charged_twice_or_for_nobody_and_everything_ends() {
    let seeds = match number("ORDERSTREAM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("ORDERSTREAM_SEEDS").unwrap_or(SEEDS),
    };
    let all = seeds.end - seeds.start;
    let (next, sum) = (AtomicU64::new(seeds.start), Mutex::new(Sum::default()));
    thread::scope(|scope| {
        let at_once = (0..AT_ONCE).map(|_| scope.spawn(|| tell(&next, seeds.end, &sum)));
        for telling in at_once.collect::<Vec<_>>() {
            if let Err(wrong) = telling.join().unwrap() {
                // The others need not go on.
                next.store(seeds.end, SeqCst);
                panic!("{wrong}");
            }
        }
    });
    let sum = sum.into_inner().unwrap();
    println!("{sum:#?}");
    assert_eq!(sum.lives, all);
    if all >= SEEDS {
        sum.everything_happened();
    }
}

/// Tells lives until there are no more; what went wrong in one, if it did.
fn tell(next: &AtomicU64, end: u64, sum: &Mutex<Sum>) -> Result<(), String> {
    loop {
        let seed = next.fetch_add(1, SeqCst);
        if seed >= end {
            return Ok(());
        }
        let told = catch_unwind(|| {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
            runtime.unwrap().block_on(live(seed))
        });
        let again = format!("ORDERSTREAM_SEED={seed} tells it again");
        match told {
            Ok(Ok(life)) => sum.lock().unwrap().add(&life),
            Ok(Err(wrong)) => return Err(format!("seed {seed}: {wrong}\n{again}")),
            Err(_) => return Err(format!("seed {seed} panicked\n{again}")),
        }
    }
}

impl Sum {
    fn everything_happened(&self) {
        for (what, times) in [
            ("kills", self.kills),
            ("memories lost", self.memories_lost),
            ("clock jumps", self.clock_jumps),
            ("cancellations", self.cancellations),
            ("callbacks", self.callbacks),
            ("breakers opened", self.breakers_opened),
            ("money kept", self.money.kept),
            ("money given back", self.money.refunded),
            ("keys closed", self.money.voided),
        ] {
            assert!(times > 0, "no {what} in {} lives", self.lives);
        }
        for (what, times) in self.traffic.all() {
            assert!(times.load(SeqCst) > 0, "no {what} in {} lives", self.lives);
        }
    }

    fn add(&mut self, life: &Self) {
        self.lives += life.lives;
        self.kills += life.kills;
        self.memories_lost += life.memories_lost;
        self.clock_jumps += life.clock_jumps;
        self.cancellations += life.cancellations;
        self.callbacks += life.callbacks;
        self.breakers_opened += life.breakers_opened;
        self.retries_put_off += life.retries_put_off;
        self.money.payments += life.money.payments;
        self.money.captured += life.money.captured;
        self.money.kept += life.money.kept;
        self.money.refunded += life.money.refunded;
        self.money.voided += life.money.voided;
        self.traffic.add(&life.traffic);
    }
}

async fn live(seed: u64) -> Result<Sum, String> {
    let mut sum = Sum { lives: 1, ..Sum::default() };
    let mut random = StdRng::seed_from_u64(seed);
    let mut world = World::new(Settings::default()).await;
    let mut ids: Vec<PaymentId> = Vec::new();
    for _ in 0..TURNS {
        match random.random_range(0..100) {
            0..30 => ids.push(ask(&world, &mut random).await),
            30..50 => world.behave(mood(&mut random)),
            50..60 => {
                for turn in 0..random.random_range(2..8) {
                    world.behave(Behaviour { outage: turn % 2 == 0, ..mood(&mut random) });
                    sleep(Duration::from_millis(random.random_range(0..4))).await;
                }
            }
            60..68 => {
                if let Some(id) = ids.choose(&mut random) {
                    world.pay(*id, card(&mut random)).await;
                }
            }
            68..76 => {
                if let Some(id) = ids.choose(&mut random) {
                    sum.cancellations += 1;
                    world.cancel(*id).await;
                }
            }
            76..80 => {
                if let Some(id) = ids.choose(&mut random) {
                    world.return_some(*id).await;
                }
            }
            80..84 => sum.callbacks += world.call_back().await,
            84..90 => {
                sum.clock_jumps += 1;
                world.clock.jump(random.random_range(-5_000..5_000));
            }
            90..99 => world.kill().await,
            _ => {
                sum.memories_lost += 1;
                world.kill_and_forget().await;
            }
        }
        sleep(Duration::from_micros(random.random_range(0..6_000))).await;
    }
    // All is well again, and nobody has time left to pay.
    world.behave(Behaviour::default());
    world.clock.jump(3_600_000);
    world.ended().await?;
    // What is still on its way to the provider arrives.
    sleep(DEADLINE).await;
    sum.money = world.audit().await?;
    (sum.breakers_opened, sum.retries_put_off) = world.guarded();
    sum.kills = world.kills;
    sum.traffic = world.network.traffic.so_far();
    Ok(sum)
}

fn card(random: &mut StdRng) -> &'static str {
    [method::OK, method::OK, method::DECLINED, method::TIMEOUT_THEN_CAPTURED].choose(random).unwrap()
}

async fn ask(world: &World, random: &mut StdRng) -> PaymentId {
    // Some are due while they are charged.
    let within = Duration::from_millis(*[30, 1_000, 600_000, 600_000].choose(random).unwrap());
    if random.random_bool(0.3) {
        return world.ask(PaymentTiming::Deferred, None, within).await;
    }
    let token = random.random_bool(0.95).then(|| card(random));
    world.ask(PaymentTiming::AtOrder, token, within).await
}

/// How the provider is from now on.
fn mood(random: &mut StdRng) -> Behaviour {
    let deadline = u64::try_from(DEADLINE.as_millis()).unwrap();
    let rate = random.random_range(0.1..1.0);
    let well = Behaviour::default();
    match random.random_range(0..10) {
        0 | 1 => well,
        2 => Behaviour { outage: true, ..well },
        3 => Behaviour { fail_rate: rate, ..well },
        // About as long as a caller waits.
        4 => Behaviour { latency_min_ms: deadline / 2, latency_max_ms: deadline * 3 / 2, ..well },
        5 => Behaviour { late_answer_ms: deadline * 2, ..well },
        6 => Behaviour { garbage_rate: rate, ..well },
        7 => Behaviour { wrong_body_rate: rate, ..well },
        8 => Behaviour { drop_rate: rate, ..well },
        _ => Behaviour {
            latency_max_ms: deadline,
            fail_rate: 0.2,
            garbage_rate: 0.1,
            wrong_body_rate: 0.1,
            drop_rate: 0.3,
            ..well
        },
    }
}
