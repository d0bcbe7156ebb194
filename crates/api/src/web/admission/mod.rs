//! Admission control: what is taken on at once is bounded, and what goes beyond is refused before it costs anything.
//!
//! ```text
//! connection ── a place? else it waits        (crate::serve)
//!   └ request ── a place of its class? else 503 overloaded          (admit: by method and route alone)
//!       └ principal ── a token in its bucket? else 429 rate_limited     (once the bearer is known)
//!           └ pays now ── can payments be made, a place to wait? else 503   (before anything is written)
//! ```
//!
//! Invariants: a refusal writes nothing and is not remembered under an idempotency key. A command holds its place until
//! its work has ended, also when its client hangs up; a stream until it ends. Health, metrics and operators have places
//! of their own, and no class takes another's.
//!
//! Queues and tasks elsewhere are bounded by these: tasks of commands and commits that wait at the log by `commands` (and
//! by the bounds of process managers), watchers of the log by `commands` and `streams` and each by the events of one
//! order, jobs by one of each kind for each view. Ends of idempotency keys are written after a command has given its place
//! back: in batches, and none waits for longer than ten seconds.

mod bound;
mod class;
mod rates;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::{
    body::{Body, HttpBody},
    extract::{Request, State},
    http::Extensions,
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures::StreamExt;

use self::rates::Standing;
pub(crate) use self::{
    bound::{Bound, Place},
    class::{Class, Kind},
    rates::Buckets,
};
use super::meters::Refused;
use crate::{
    app::App,
    auth::Principal,
    problem::{Code, Problem},
    settings::Settings,
};

/// A body that is refused unread is read so far, so that the connection can be used again. Bytes.
const DRAIN: u64 = 64 * 1024;
/// And so long.
const DRAIN_WAIT: Duration = Duration::from_millis(100);

/// The bounds of a process.
pub(crate) struct Admission {
    classes: [Bound; Class::ALL.len()],
    pub(crate) connections: Bound,
    pub(crate) waiting_for_payment: Bound,
    pub(crate) buckets: Buckets,
}

impl Admission {
    pub(crate) fn new(settings: &Settings) -> Self {
        let bounds = &settings.admission;
        Self {
            classes: Class::ALL.map(|class| Bound::new(class.places(bounds))),
            connections: Bound::new(bounds.connections),
            waiting_for_payment: Bound::new(settings.waiting_for_payment()),
            buckets: Buckets::new(bounds),
        }
    }

    pub(crate) fn of(&self, class: Class) -> &Bound {
        &self.classes[class as usize]
    }
}

/// What an admitted request carries.
#[derive(Clone)]
pub(crate) struct Admitted {
    kind: Kind,
    class: Class,
    place: Arc<Place>,
    standing: Arc<OnceLock<Standing>>,
}

impl Admitted {
    /// The place that a request holds, for work that outlives it.
    pub(crate) fn place(extensions: &Extensions) -> Option<Arc<Place>> {
        extensions.get::<Self>().map(|admitted| admitted.place.clone())
    }
}

/// A middleware that lets a request in if there is a place of its class, and says in the answer what is left to its
/// principal.
pub(crate) async fn admit(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let (class, kind) = (Class::of(&request), Kind::of(request.method()));
    let Some(place) = app.admission.of(class).enter() else {
        app.meters.refused(class, Refused::Places);
        drain(request.into_body()).await;
        return overloaded(class, app.admission.of(class).places()).into_response();
    };
    let place = Arc::new(place);
    let admitted = Admitted { kind, class, place: place.clone(), standing: Arc::default() };
    request.extensions_mut().insert(admitted.clone());
    let mut response = next.run(request).await;
    if let Some(standing) = admitted.standing.get() {
        standing.write(response.headers_mut());
    }
    if class == Class::Streams && response.status().is_success() {
        return response.map(|body| held(body, place));
    }
    response
}

/// Takes one from the principal's bucket.
///
/// # Errors
/// 429 when there is nothing in it.
pub(crate) fn count(app: &App, extensions: &Extensions, principal: &Principal) -> Result<(), Problem> {
    let Some(admitted) = extensions.get::<Admitted>() else { return Ok(()) };
    if admitted.standing.get().is_some() {
        return Ok(());
    }
    let Some(standing) = app.admission.buckets.take(principal, admitted.kind) else { return Ok(()) };
    let refused_for = standing.refused_for;
    let said = standing.to_string();
    // Nobody else sets it: a request is handled by one task.
    let _ = admitted.standing.set(standing);
    let Some(wait) = refused_for else { return Ok(()) };
    app.meters.refused(admitted.class, Refused::Rate);
    Err(Problem::new(Code::RateLimited, format!("{said}: wait")).retry_after(wait))
}

/// A place among those who wait for the payment provider.
///
/// # Errors
/// 503 when there is none: nothing has been written yet.
pub(crate) fn place_to_pay(app: &App) -> Result<Place, Problem> {
    let waiting = &app.admission.waiting_for_payment;
    waiting.enter().ok_or_else(|| {
        app.meters.refused(Class::Commands, Refused::WaitingForPayment);
        let detail = format!("{} payments wait for their provider, and no more are begun", waiting.places());
        Problem::new(Code::Overloaded, detail)
    })
}

fn overloaded(class: Class, places: usize) -> Problem {
    let name = class.name();
    let detail = format!("{places} requests of the class {name} are under way, and no more are begun");
    Problem::new(Code::Overloaded, detail)
}

/// The body, which holds the place until it ends.
fn held(body: Body, place: Arc<Place>) -> Body {
    Body::from_stream(body.into_data_stream().map(move |data| {
        let _held = &place;
        data
    }))
}

/// Reads a small body, so that its client reads the answer and can go on with the connection.
async fn drain(body: Body) {
    if body.is_end_stream() || body.size_hint().upper().is_none_or(|most| most > DRAIN) {
        return;
    }
    let mut data = body.into_data_stream();
    let _ = tokio::time::timeout(DRAIN_WAIT, async { while let Some(Ok(_)) = data.next().await {} }).await;
}
