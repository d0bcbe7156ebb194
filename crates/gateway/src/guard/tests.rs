use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use domain::Currency;
use tokio::{sync::Notify, task::JoinHandle, time::Instant};

use super::*;

/// What a call does.
#[derive(Clone)]
enum Act {
    Succeed,
    Decline,
    Fail,
    /// Succeeds after a while. Milliseconds.
    Slowly(u64),
    /// Succeeds or fails when it is told to.
    Wait(Arc<Notify>, bool),
}

/// A provider that does what the script says, then succeeds.
#[derive(Default)]
struct Scripted {
    script: Mutex<VecDeque<Act>>,
    calls: AtomicUsize,
}

impl Scripted {
    async fn act(&self) -> Result<ChargeOutcome, GatewayError> {
        self.calls.fetch_add(1, SeqCst);
        let act = self.script.lock().unwrap().pop_front().unwrap_or(Act::Succeed);
        let captured = Ok(ChargeOutcome::Captured { provider_ref: "ch".to_owned() });
        match act {
            Act::Succeed => captured,
            Act::Decline => Ok(ChargeOutcome::Declined { code: "card_declined".to_owned() }),
            Act::Fail => Err(GatewayError::Unknown("broken".to_owned())),
            Act::Slowly(millis) => {
                tokio::time::sleep(Duration::from_millis(millis)).await;
                captured
            }
            Act::Wait(notify, succeeds) => {
                notify.notified().await;
                if succeeds { captured } else { Err(GatewayError::Unknown("broken".to_owned())) }
            }
        }
    }
}

#[async_trait]
impl PaymentGateway for Scripted {
    async fn charge(&self, _: &str, _: Money, _: &str) -> Result<ChargeOutcome, GatewayError> {
        self.act().await
    }
    async fn void(&self, _: &str) -> Result<VoidOutcome, GatewayError> {
        self.act().await.map(|_| VoidOutcome::Voided)
    }
    async fn refund(&self, _: &str, _: &str, _: Money) -> Result<RefundAnswer, GatewayError> {
        self.act().await.map(|_| RefundAnswer::Refunded { provider_ref: "re".to_owned() })
    }
    async fn look_up(&self, _: &str) -> Result<Option<ChargeOutcome>, GatewayError> {
        self.act().await.map(Some)
    }
}

type Gateway = Arc<Guarded<Scripted>>;

/// The defaults, but judging from ten calls on.
fn ten_calls() -> BreakerOptions {
    BreakerOptions { minimum_calls: 10, ..BreakerOptions::default() }
}

fn gateway(options: BreakerOptions) -> Gateway {
    Arc::new(Guarded::new(Scripted::default(), options))
}

fn script(gateway: &Gateway, acts: impl IntoIterator<Item = Act>) {
    gateway.inner().script.lock().unwrap().extend(acts);
}

async fn charge(gateway: &Gateway) -> Result<ChargeOutcome, GatewayError> {
    gateway.charge("a:1", Money { amount_minor: 1, currency: Currency::KRW }, "tok_ok").await
}

async fn charges(gateway: &Gateway, acts: impl IntoIterator<Item = Act>) {
    for act in acts {
        script(gateway, [act]);
        let _ = charge(gateway).await;
    }
}

/// A charge on a task of its own, under way once this returns.
async fn start(gateway: &Gateway, act: Act) -> JoinHandle<Result<ChargeOutcome, GatewayError>> {
    script(gateway, [act]);
    let gateway = gateway.clone();
    let task = tokio::spawn(async move { charge(&gateway).await });
    tokio::task::yield_now().await;
    task
}

async fn opened() -> Gateway {
    let gateway = gateway(ten_calls());
    charges(&gateway, vec![Act::Fail; 10]).await;
    assert!(matches!(gateway.state(), BreakerState::Open { .. }));
    gateway
}

async fn half_open() -> Gateway {
    let gateway = opened().await;
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(gateway.state(), BreakerState::HalfOpen);
    gateway
}

fn refused_for(answer: Result<ChargeOutcome, GatewayError>, why: &str) {
    match answer {
        Err(GatewayError::Unavailable(text)) => assert!(text.contains(why), "{text}"),
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn nine_failures_do_not_open_it_and_the_tenth_does() {
    let gateway = gateway(ten_calls());
    charges(&gateway, vec![Act::Fail; 9]).await;
    assert_eq!(gateway.state(), BreakerState::Closed);
    charges(&gateway, [Act::Fail]).await;
    assert_eq!(gateway.state(), BreakerState::Open { retry_after: Duration::from_secs(2) });
}

#[tokio::test(start_paused = true)]
async fn half_of_the_calls_failing_opens_it_and_less_does_not() {
    let gateway = gateway(ten_calls());
    charges(&gateway, vec![Act::Succeed; 6]).await;
    charges(&gateway, vec![Act::Fail; 5]).await;
    assert_eq!(gateway.state(), BreakerState::Closed);
    charges(&gateway, [Act::Fail]).await;
    assert!(matches!(gateway.state(), BreakerState::Open { .. }));
}

#[tokio::test(start_paused = true)]
async fn the_window_slides_so_a_long_good_past_does_not_hide_a_breakdown() {
    let gateway = gateway(ten_calls());
    charges(&gateway, vec![Act::Succeed; 10_000]).await;
    charges(&gateway, vec![Act::Fail; 24]).await;
    assert_eq!(gateway.state(), BreakerState::Closed);
    assert_eq!((gateway.figures().window_calls, gateway.figures().window_failures), (50, 24));
    charges(&gateway, [Act::Fail]).await;
    assert!(matches!(gateway.state(), BreakerState::Open { .. }));
}

#[tokio::test(start_paused = true)]
async fn declines_are_successes() {
    let gateway = gateway(ten_calls());
    charges(&gateway, vec![Act::Decline; 60]).await;
    assert_eq!(gateway.state(), BreakerState::Closed);
    assert_eq!(gateway.figures().window_failures, 0);
}

#[tokio::test(start_paused = true)]
async fn voids_refunds_and_look_ups_count_like_charges() {
    let gateway = gateway(BreakerOptions { window: 4, minimum_calls: 4, ..ten_calls() });
    script(&gateway, vec![Act::Fail; 4]);
    let one = Money { amount_minor: 1, currency: Currency::KRW };
    assert!(gateway.void("a:1").await.is_err());
    assert!(gateway.refund("r:1", "ch", one).await.is_err());
    assert!(gateway.look_up("a:1").await.is_err());
    assert_eq!(gateway.figures().window_failures, 3);
    let _ = charge(&gateway).await;
    assert!(matches!(gateway.look_up("a:1").await, Err(GatewayError::Unavailable(_))));
    assert!(matches!(gateway.void("a:1").await, Err(GatewayError::Unavailable(_))));
    assert!(matches!(gateway.refund("r:1", "ch", one).await, Err(GatewayError::Unavailable(_))));
    assert_eq!(gateway.inner().calls.load(SeqCst), 4);
}

#[tokio::test(start_paused = true)]
async fn calls_that_are_all_slow_open_it_although_they_succeed() {
    let gateway = gateway(ten_calls());
    charges(&gateway, vec![Act::Slowly(1499); 10]).await;
    assert_eq!(gateway.state(), BreakerState::Closed);
    charges(&gateway, vec![Act::Slowly(1500); 39]).await;
    assert_eq!(gateway.state(), BreakerState::Closed);
    charges(&gateway, [Act::Slowly(1500)]).await;
    assert!(matches!(gateway.state(), BreakerState::Open { .. }));
}

#[tokio::test(start_paused = true)]
async fn an_open_one_calls_nobody_and_says_for_how_long() {
    let gateway = opened().await;
    let asked = gateway.inner().calls.load(SeqCst);
    tokio::time::advance(Duration::from_millis(1500)).await;
    let before = Instant::now();
    refused_for(charge(&gateway).await, "circuit breaker is open");
    assert_eq!(before.elapsed(), Duration::ZERO);
    assert_eq!(gateway.inner().calls.load(SeqCst), asked);
    let retry_after = Duration::from_millis(500);
    assert_eq!(gateway.availability(), Availability::Unavailable { retry_after });
    assert_eq!((gateway.figures().opened, gateway.figures().refused), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn it_is_half_open_by_the_clock_alone() {
    let gateway = half_open().await;
    assert_eq!(gateway.availability(), Availability::Available);
}

#[tokio::test(start_paused = true)]
async fn three_probes_that_succeed_close_it_and_begin_a_new_window() {
    let gateway = half_open().await;
    charges(&gateway, vec![Act::Succeed; 2]).await;
    assert_eq!(gateway.state(), BreakerState::HalfOpen);
    charges(&gateway, [Act::Succeed]).await;
    assert_eq!(gateway.state(), BreakerState::Closed);
    assert_eq!(gateway.figures().window_calls, 0);
    charges(&gateway, vec![Act::Fail; 9]).await;
    assert_eq!(gateway.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_fails_opens_it_again_for_the_whole_time() {
    let gateway = half_open().await;
    charges(&gateway, [Act::Succeed, Act::Fail]).await;
    assert_eq!(gateway.state(), BreakerState::Open { retry_after: Duration::from_secs(2) });
    assert_eq!(gateway.figures().opened, 2);
}

#[tokio::test(start_paused = true)]
async fn probes_that_are_all_slow_open_it_again() {
    let gateway = half_open().await;
    charges(&gateway, vec![Act::Slowly(1500); 3]).await;
    assert!(matches!(gateway.state(), BreakerState::Open { .. }));
}

#[tokio::test(start_paused = true)]
async fn no_more_than_three_probes_are_under_way_at_once() {
    let gateway = half_open().await;
    let go = Arc::new(Notify::new());
    let mut probes = Vec::new();
    for _ in 0..3 {
        probes.push(start(&gateway, Act::Wait(go.clone(), true)).await);
    }
    refused_for(charge(&gateway).await, "3 probes are under way");
    assert_eq!(gateway.inner().calls.load(SeqCst), 13);
    go.notify_waiters();
    for probe in probes {
        assert!(probe.await.unwrap().is_ok());
    }
    assert_eq!(gateway.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_probe_whose_caller_goes_away_gives_its_place_back() {
    let gateway = half_open().await;
    for _ in 0..3 {
        let probe = start(&gateway, Act::Wait(Arc::new(Notify::new()), true)).await;
        probe.abort();
        assert!(probe.await.unwrap_err().is_cancelled());
    }
    charges(&gateway, vec![Act::Succeed; 3]).await;
    assert_eq!(gateway.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn results_of_calls_from_before_it_opened_count_neither_way() {
    let gateway = gateway(ten_calls());
    let (good, bad) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let mut old = Vec::new();
    for _ in 0..3 {
        old.push(start(&gateway, Act::Wait(good.clone(), true)).await);
    }
    old.push(start(&gateway, Act::Wait(bad.clone(), false)).await);
    charges(&gateway, vec![Act::Fail; 10]).await;
    tokio::time::advance(Duration::from_secs(2)).await;
    charges(&gateway, [Act::Succeed]).await;
    good.notify_waiters();
    bad.notify_waiters();
    for call in old {
        let _ = call.await.unwrap();
    }
    assert_eq!(gateway.state(), BreakerState::HalfOpen, "old results are no probes");
    charges(&gateway, vec![Act::Succeed; 2]).await;
    assert_eq!(gateway.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_bulkhead_bounds_what_is_under_way_and_the_wait_for_it_and_the_breaker_does_not_mind() {
    let options = BreakerOptions { slow_call_ms: 50, ..ten_calls() };
    let guarded = Guarded::new(Scripted::default(), options);
    let gateway = Arc::new(guarded.with_bulkhead(2, Duration::from_millis(100)));
    let go = Arc::new(Notify::new());
    let first = start(&gateway, Act::Wait(go.clone(), true)).await;
    let second = start(&gateway, Act::Wait(go.clone(), true)).await;
    assert_eq!((gateway.figures().under_way, gateway.figures().places), (2, Some(2)));
    for _ in 0..20 {
        let before = Instant::now();
        refused_for(charge(&gateway).await, "2 calls were under way for 100 ms");
        assert_eq!(before.elapsed(), Duration::from_millis(100));
    }
    assert_eq!(gateway.inner().calls.load(SeqCst), 2);
    assert_eq!(gateway.state(), BreakerState::Closed);
    let waiting = start(&gateway, Act::Succeed).await;
    tokio::time::advance(Duration::from_millis(80)).await;
    go.notify_waiters();
    for call in [first, second, waiting] {
        assert!(call.await.unwrap().is_ok());
    }
    let figures = gateway.figures();
    assert_eq!((figures.window_calls, figures.window_slow), (3, 2), "the wait for a place is no slowness");
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_does_not_make_anybody_wait_for_a_place() {
    let guarded = Guarded::new(Scripted::default(), ten_calls());
    let gateway = Arc::new(guarded.with_bulkhead(11, Duration::from_secs(2)));
    let mut hanging = Vec::new();
    for _ in 0..11 {
        hanging.push(start(&gateway, Act::Slowly(1_000_000)).await);
    }
    gateway.breaker.admit().unwrap().finish(Some(&GatewayError::Unknown("broken".to_owned())));
    for _ in 0..9 {
        gateway.breaker.admit().unwrap().finish(Some(&GatewayError::Unknown("broken".to_owned())));
    }
    let before = Instant::now();
    refused_for(charge(&gateway).await, "circuit breaker is open");
    assert_eq!(before.elapsed(), Duration::ZERO);
    hanging.iter().for_each(JoinHandle::abort);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_permitted_while_it_is_open_and_as_much_as_there_are_probes_when_it_is_half_open() {
    let gateway = opened().await;
    let Err(wait) = gateway.permit(Try::First) else { panic!("a try while it is open") };
    assert_eq!(wait, Duration::from_secs(2));
    assert_eq!(gateway.permit(Try::Again), Err(wait));
    assert_eq!(gateway.figures().refused, 0, "nobody was refused, since nobody called");
    tokio::time::advance(wait).await;
    let permitted = (0..100).filter(|_| gateway.permit(Try::First).is_ok()).count();
    assert_eq!(permitted, 3, "as many as there are probes");
    // They have gone elsewhere: others find out.
    tokio::time::advance(Duration::from_millis(50)).await;
    assert_eq!(gateway.permit(Try::Again), Ok(()));
    let calls = [start(&gateway, Act::Slowly(10)).await, start(&gateway, Act::Slowly(10)).await];
    let last = start(&gateway, Act::Slowly(10)).await;
    tokio::time::advance(Duration::from_millis(5)).await;
    assert!(gateway.permit(Try::First).is_err(), "the probes are under way");
    for call in calls.into_iter().chain([last]) {
        call.await.unwrap().unwrap();
    }
    assert_eq!(gateway.state(), BreakerState::Closed);
    assert!((0..1000).all(|_| gateway.permit(Try::First).is_ok()));
}

#[tokio::test(start_paused = true)]
async fn first_tries_are_always_permitted_and_retries_within_their_budget() {
    let options = RetryOptions { ratio: 0.1, per_second: 5 };
    let gateway = Guarded::new(Scripted::default(), ten_calls()).with_retries(options);
    let retries = || (0..1000).filter(|_| gateway.permit(Try::Again).is_ok()).count();
    assert_eq!(retries(), 10);
    assert_eq!(retries(), 0);
    assert!((0..100).all(|_| gateway.permit(Try::First).is_ok()));
    assert_eq!(retries(), 10, "a tenth of a hundred");
    let figures = PaymentGateway::figures(&gateway).unwrap();
    assert_eq!((figures.first_tries, figures.retries, figures.retries_left), (100, 20, 0));
    assert_eq!((figures.state, figures.open_for_ms, figures.last_error), ("closed", 0, None));
    assert!(figures.retries_put_off > 900);
}

#[tokio::test(start_paused = true)]
async fn its_figures_say_how_long_it_is_open_and_why() {
    let figures = PaymentGateway::figures(&*opened().await).unwrap();
    assert_eq!((figures.state, figures.open_for_ms, figures.opened), ("open", 2000, 1));
    assert!(figures.last_error.unwrap().contains("broken"));
}
