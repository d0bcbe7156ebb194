//! Waiting for checkout to decide an order, wherever it runs: woken by the log's tailer.

use std::sync::Arc;

use domain::{
    AggregateKind, Envelope, Event, OrderId, StreamId,
    order::{OrderEvent, OrderRejection, payment_of},
    payment::{PaymentEvent, PaymentTiming},
};
use eventlog::CorrelationWatch;
use projections::{OrderRow, order_as_of};
use tokio::time::{Instant, timeout_at};

use crate::{app::App, problem::Problem};

/// What became of an order.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Decision {
    /// It is a deal (or was one, or was cancelled before it could be one): the order tells the rest.
    Deal,
    /// The shop lets customers pay later: it waits for that.
    AwaitingPayment,
    /// No deal.
    Rejected(OrderRejection),
}

fn decided(event: &Envelope) -> Option<Decision> {
    match &event.event {
        Event::Order(OrderEvent::OrderConfirmed(_) | OrderEvent::OrderCancelled(_)) => Some(Decision::Deal),
        Event::Order(OrderEvent::OrderRejected(rejected)) => {
            Some(Decision::Rejected(rejected.reason.clone()))
        }
        Event::Payment(PaymentEvent::PaymentRequested(requested))
            if requested.timing == PaymentTiming::Deferred =>
        {
            Some(Decision::AwaitingPayment)
        }
        _ => None,
    }
}

/// Orders and payments are decided within their first few events.
const ENOUGH: usize = 64;

/// Follows what happens to an order.
pub(super) struct Waiting {
    order_id: OrderId,
    watch: CorrelationWatch,
    seen: Vec<Arc<Envelope>>,
    deadline: Instant,
}

impl Waiting {
    /// From now on.
    pub(super) fn begin(app: &App, order_id: OrderId) -> Self {
        let watch = app.log().watch_correlation(order_id.uuid());
        Self { order_id, watch, seen: Vec::new(), deadline: Instant::now() + app.settings.order_wait() }
    }

    /// The next event of the order, its payment, its delivery; nothing when the time is over.
    async fn next(&mut self) -> Option<Arc<Envelope>> {
        let event = timeout_at(self.deadline, self.watch.recv()).await.ok().flatten()?;
        self.seen.push(event.clone());
        Some(event)
    }

    /// What was decided; nothing when the time is over before. `look`: it may have been decided before we watched.
    pub(super) async fn decision(&mut self, app: &App, look: bool) -> Result<Option<Decision>, Problem> {
        if look && let Some(decision) = self.decided_before(app).await? {
            // What we saw since is not the whole story.
            self.seen.clear();
            return Ok(Some(decision));
        }
        while let Some(event) = self.next().await {
            if let Some(decision) = decided(&event) {
                return Ok(Some(decision));
            }
        }
        Ok(None)
    }

    /// What the log says. Not what the aggregate says: that may be a decision that is not on disk yet.
    async fn decided_before(&self, app: &App) -> Result<Option<Decision>, Problem> {
        let order = StreamId::new(AggregateKind::Order, self.order_id.uuid());
        let payment = StreamId::new(AggregateKind::Payment, payment_of(self.order_id).uuid());
        for stream in [order, payment] {
            let events = app.log().read_stream(stream, 0, ENOUGH).await?;
            if let Some(decision) = events.iter().find_map(|event| decided(event)) {
                return Ok(Some(decision));
            }
        }
        Ok(None)
    }

    /// The order as what we saw makes it; nothing when we did not see it from its beginning.
    pub(super) fn row(&self) -> Option<OrderRow> {
        let begins = |event: &Arc<Envelope>| matches!(event.event, Event::Order(OrderEvent::OrderPlaced(_)));
        if !self.seen.iter().any(begins) {
            return None;
        }
        let own = |event: &&Arc<Envelope>| {
            matches!(event.event, Event::Order(_) | Event::Payment(_) | Event::Delivery(_))
        };
        order_as_of(&self.seen.iter().filter(own).cloned().collect::<Vec<_>>())
    }
}
