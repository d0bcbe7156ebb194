//! How an order or a reservation has ended, and what was seen on the way.

use domain::{
    Aggregate as _, Event, OrderId, PaymentId, ProductId, Subject,
    notification::{Notification, NotificationEvent},
    order,
    payment::Payment,
    product::Product,
    reservation,
};
use gateway::LedgerKind;
use orderstream_sagas::InstanceState;

use super::World;

/// The payment of an order or a reservation.
pub fn payment_for(subject: Subject) -> PaymentId {
    match subject {
        Subject::Order(id) => order::payment_of(id),
        Subject::Reservation(id) => reservation::payment_of(id),
    }
}

impl World {
    /// The names of all events about an order or a reservation, in order.
    pub async fn events_of(&self, subject: impl Into<Subject>) -> Vec<&'static str> {
        let subject = subject.into().uuid();
        let all = self.log.read_all(0, 100_000).await.unwrap();
        let of_subject = all.iter().filter(|event| event.metadata.correlation_id == subject);
        of_subject.map(|event| event.event.name()).collect()
    }

    /// Waits until the log has so many events of this name about the order or the reservation.
    pub async fn seen(&self, subject: impl Into<Subject>, name: &'static str, times: usize) {
        let subject = subject.into();
        let so_many =
            async || self.events_of(subject).await.iter().filter(|seen| **seen == name).count() >= times;
        self.until(name, so_many).await;
    }

    /// What became of the notifications about an order or a reservation, in the order in which they were queued.
    pub async fn notifications_of(&self, subject: impl Into<Subject>) -> Vec<String> {
        let subject = subject.into();
        let mut found = Vec::new();
        for event in self.log.read_all(0, 100_000).await.unwrap() {
            if let Event::Notification(NotificationEvent::NotificationQueued(queued)) = &event.event
                && queued.subject == subject
            {
                let id = queued.notification_id;
                let status = self.executor.load::<Notification>(&id).await.unwrap().state.status();
                found.push(format!("{} {status}", queued.change.name()));
            }
        }
        found
    }

    /// Pieces on the shelf and pieces put aside.
    pub async fn stock_of(&self, product: ProductId) -> (u64, u64) {
        let product = self.executor.load::<Product>(&product).await.unwrap().state;
        let stock = product.details().and_then(|details| details.stock.as_ref());
        stock.map_or((0, 0), |stock| (stock.available, stock.reserved.values().sum()))
    }

    /// How an order or a reservation has ended, in one line, with whatever is still open. Our books and the provider's
    /// must agree.
    pub async fn end_of(&self, subject: impl Into<Subject>) -> String {
        let subject = subject.into();
        let mut end = match subject {
            Subject::Order(order) => self.end_of_order(order).await,
            Subject::Reservation(reservation) => self.end_of_reservation(reservation).await,
        };
        for instance in self.open().await {
            let at = instance.step.or(instance.awaiting).unwrap_or_default();
            let at = at.split('/').next().unwrap_or_default().to_owned();
            match instance.state {
                InstanceState::Waiting => end += &format!("; {} waits for {at}", instance.process),
                state => end += &format!("; {} {} at {at}", instance.process, state.name()),
            }
        }
        end
    }

    /// Statuses of order, payment and delivery, the shelf, the money that was kept, refunds and coupons.
    async fn end_of_order(&self, order: OrderId) -> String {
        let [of_order, of_payment, of_delivery] = self.status_of(order).await;
        let kept = self.kept_of(order.into()).await;
        let (first, second) = (self.stock_of(self.shelf.first).await, self.stock_of(self.shelf.second).await);
        let shelf = format!("{}+{} and {}+{}", first.0, first.1, second.0, second.1);
        let goods = self.goods_of(order).await;
        format!("{of_order}, {of_payment}, {of_delivery}; shelf {shelf}; kept {kept}{goods}")
    }

    /// The money that was captured and not given back, by our books, which the provider's must confirm.
    pub(super) async fn kept_of(&self, subject: Subject) -> i64 {
        let id = payment_for(subject);
        let payment = self.executor.load::<Payment>(&id).await.unwrap().state;
        let captured =
            matches!(payment.status(), "captured" | "refunding" | "partially_refunded" | "refunded");
        let details = payment.details().filter(|_| captured);
        let kept = details.map_or(0, |details| details.amount.amount_minor - details.refunded());
        self.provider_agrees(id, kept).await;
        kept
    }

    async fn provider_agrees(&self, payment: PaymentId, kept: i64) {
        let key = payment.to_string();
        let books = self.provider.books().await;
        let of_payment = |entry: &&gateway::LedgerEntry| {
            entry.charge_ref.as_ref().is_some_and(|charge| charge.contains(&key))
        };
        let moved = |kind| {
            let entries = books.iter().filter(of_payment).filter(move |entry| entry.kind == kind);
            entries.map(|entry| entry.amount_minor).collect::<Vec<_>>()
        };
        let (charges, refunds) = (moved(LedgerKind::Charge), moved(LedgerKind::Refund));
        assert!(charges.len() <= 1, "a payment is charged once: {books:#?}");
        let left = charges.iter().sum::<i64>() - refunds.iter().sum::<i64>();
        assert_eq!(left, kept, "the provider's books say otherwise: {books:#?}");
    }
}
