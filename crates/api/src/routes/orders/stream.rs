//! `GET /v1/orders/{order_id}/stream`: the order's steps as server-sent events, from the first or from where the client
//! was (Last-Event-ID).

use std::{collections::VecDeque, convert::Infallible, time::Duration};

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use domain::{OrderId, Position};
use eventlog::CorrelationWatch;
use futures::{Stream, stream::unfold};
use projections::{Cursor, ListQuery, Timeline, TimelineStep, View};

use super::must_see;
use crate::{
    app::App,
    auth::Principal,
    problem::{Code, Problem},
    web::{PathId, opaque, parse_position, present_step},
};

/// *Source*: proxies commonly cut a connection that is silent for 30 s or more.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How soon a client shall connect again. Milliseconds.
const RECONNECT: Duration = Duration::from_secs(1);
/// Steps read at once.
const PAGE: usize = 100;

/// One event of the stream.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "only describes a shape")]
struct StepEvent {
    /// The step's position. Opaque: give it back as `Last-Event-ID`.
    #[schema(example = "0.42")]
    id: String,
    /// Always `step`.
    #[schema(example = "step")]
    event: String,
    /// After how many milliseconds to connect again.
    retry: u32,
    /// A step as in the order's timeline, as JSON.
    data: String,
}

/// Every step of an order, from the first (or after Last-Event-ID), then as it happens.
#[utoipa::path(get, path = "/v1/orders/{order_id}/stream", tag = "orders",
    params(("order_id" = Uuid, Path, description = "The order."), ("last-event-id" = Option<String>, Header, description = "Go on after this step.")),
    security(("bearer" = [])), responses((status = 200, description = "Events `step`: `id` is the step's position, `data` a step as in the timeline, as JSON.", body = StepEvent, content_type = "text/event-stream")))]
pub(super) async fn stream(
    State(app): State<App>,
    principal: Principal,
    PathId(id): PathId<OrderId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    must_see(&app, &principal, id).await?;
    let after = match headers.get("last-event-id") {
        None => 0,
        Some(value) => parse_position(value.to_str().unwrap_or_default())
            .map_err(|error| Problem::new(Code::InvalidPosition, format!("Last-Event-ID: {error}")))?,
    };
    // Watched before anything is read, so that no step falls in between.
    let watch = app.log().watch_correlation(id.uuid());
    let follow = Follow { head: app.head(), app, id, after, watch, steps: VecDeque::new() };
    let events =
        Sse::new(events(follow)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE).text("keep-alive"));
    let mut response = events.into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Where a client is.
struct Follow {
    app: App,
    id: OrderId,
    /// The last step that was sent.
    after: Position,
    /// What the view must show before it is read again.
    head: Position,
    watch: CorrelationWatch,
    steps: VecDeque<TimelineStep>,
}

fn events(follow: Follow) -> impl Stream<Item = Result<Event, Infallible>> {
    unfold(follow, |mut follow| async move {
        let step = follow.next().await?;
        let data = present_step(&step).to_string();
        let event = Event::default().id(opaque(step.position)).event("step").retry(RECONNECT).data(data);
        Some((Ok(event), follow))
    })
}

impl Follow {
    /// The next step; nothing when the program stops or the view fails, so that the client connects again.
    async fn next(&mut self) -> Option<TimelineStep> {
        let stopping = self.app.stopping.clone();
        loop {
            if let Some(step) = self.steps.pop_front() {
                self.after = step.position;
                return Some(step);
            }
            self.read().await?;
            if !self.steps.is_empty() {
                continue;
            }
            let event = stopping.run_until_cancelled(self.watch.recv()).await.flatten()?;
            self.head = self.head.max(event.position);
        }
    }

    /// Reads the steps after the last one sent, as far as the view must be.
    async fn read(&mut self) -> Option<()> {
        let stopping = self.app.stopping.clone();
        let mut position = self.app.views().subscribe(Timeline::NAME);
        let head = self.head;
        stopping.run_until_cancelled(position.wait_for(|at| *at >= head)).await?.ok()?;
        let sort = i64::try_from(self.after).unwrap_or(i64::MAX);
        // Behind every key of that position.
        let after = Cursor { sort, key: char::MAX.to_string() };
        let query = ListQuery::oldest(PAGE).parts_of(self.id.uuid()).after(Some(after));
        let page = self.app.views().list::<Timeline>(query).await.ok()?;
        self.steps.extend(page.rows);
        Some(())
    }
}
