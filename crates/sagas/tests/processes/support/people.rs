//! What people do: shops list products, customers order, pay and cancel, couriers deliver.

use domain::{
    Actor, AnyCommand, CancellableUntil, Class, ContactId, CustomerId, Event, Money, NotifiedChange, OrderId,
    PaymentTerms, ProductId, Quantity, ShopId, ShopPolicy,
    delivery::{Delivery, DeliveryCommand},
    notification::{Notification, NotificationEvent},
    order::{CancellationCause, Order, OrderCommand, OrderLine, contact_of, delivery_of, payment_of},
    payment::{Payment, PaymentCommand},
    product::{Product, ProductCommand},
};
use eventlog::{AnyError, Clock, CommandContext, Executed};
use gateway::{LedgerKind, method};
use orderstream_sagas::InstanceState;
use tokio::time::Instant;
use uuid::Uuid;

use super::{PATIENCE, World};

/// What is on sale in every world: ten at 900, five at 50.
pub struct Shelf {
    pub first: ProductId,
    pub second: ProductId,
}

impl Default for Shelf {
    fn default() -> Self {
        let none = ProductId::from_uuid(Uuid::nil());
        Self { first: none, second: none }
    }
}

/// Paid at order; cancellable until accepted.
pub fn at_order() -> ShopPolicy {
    ShopPolicy {
        payment: PaymentTerms::AtOrder { decide_within_secs: 300 },
        preparation: false,
        cancellable_until: CancellableUntil::Accepted,
        notify: vec![],
    }
}

/// Paid within an hour.
pub fn deferred() -> ShopPolicy {
    ShopPolicy { payment: PaymentTerms::Deferred { pay_within_secs: 3600 }, ..at_order() }
}

/// What a customer wants. The default: one of the first and two of the second, for 1000, with a good card.
pub struct Wish {
    pub policy: ShopPolicy,
    pub lines: Vec<(ProductId, i64, i64)>,
    /// None: there is none, as after the customer had it erased.
    pub token: Option<&'static str>,
}

impl Wish {
    pub fn of(world: &World) -> Self {
        let lines = vec![(world.shelf.first, 1, 900), (world.shelf.second, 2, 50)];
        Self { policy: at_order(), lines, token: Some(method::OK) }
    }
    pub fn policy(self, policy: ShopPolicy) -> Self {
        Self { policy, ..self }
    }
    pub fn notify(mut self, notify: &[NotifiedChange]) -> Self {
        self.policy.notify = notify.to_vec();
        self
    }
    pub fn lines(self, lines: &[(ProductId, i64, i64)]) -> Self {
        Self { lines: lines.to_vec(), ..self }
    }
    pub fn token(self, token: &'static str) -> Self {
        Self { token: Some(token), ..self }
    }
    pub fn no_token(self) -> Self {
        Self { token: None, ..self }
    }
}

pub fn shop() -> ShopId {
    "phone".parse().unwrap()
}
fn customer() -> CustomerId {
    "alice".parse().unwrap()
}
fn won(amount_minor: i64) -> Money {
    Money::new(amount_minor, domain::Currency::KRW).unwrap()
}
fn delivery(order: OrderId, command: DeliveryCommand) -> AnyCommand {
    AnyCommand::Delivery { id: delivery_of(order), command }
}

impl World {
    /// Gives a command as somebody from outside: with one id, again and again until the log answers.
    pub async fn give(&self, about: Uuid, command: AnyCommand) -> Result<Executed, AnyError> {
        let context = CommandContext {
            command_id: self.ids.next_anywhere(),
            correlation_id: about,
            causation_id: None,
            actor: Actor::System,
            at: self.clock.now(),
            traceparent: None,
        };
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.executor.execute_any(command.clone(), context.clone()).await {
                Err(error) if error.class == Class::Transient && Instant::now() < deadline => {}
                answer => return answer,
            }
        }
    }

    pub(super) async fn stock_up(&mut self) {
        self.shelf = Shelf { first: self.list(900, Some(10)).await, second: self.list(50, Some(5)).await };
    }

    pub fn new_product(&self) -> ProductId {
        ProductId::from_uuid(self.ids.next(shop().partition()))
    }
    pub async fn list(&self, price: i64, stock: Option<u64>) -> ProductId {
        let id = self.new_product();
        self.list_as(id, price, stock).await;
        id
    }
    pub async fn list_as(&self, id: ProductId, price: i64, stock: Option<u64>) {
        let (shop_id, name, price) = (shop(), "Phone".to_owned(), won(price));
        let command = ProductCommand::ListProduct { product_id: id, shop_id, name, price, stock };
        self.give(id.uuid(), AnyCommand::Product { id, command }).await.unwrap();
    }
    pub async fn withdraw(&self, id: ProductId) {
        let command = ProductCommand::WithdrawProduct;
        self.give(id.uuid(), AnyCommand::Product { id, command }).await.unwrap();
    }

    /// Places an order and does not wait for anything.
    pub async fn place(&self, wish: Wish) -> OrderId {
        let id = OrderId::from_uuid(self.ids.next(shop().partition()));
        let contact_id = contact_of(id);
        if let Some(token) = wish.token {
            self.keep(contact_id, token);
        }
        let line = |(product_id, quantity, price): &(ProductId, i64, i64)| OrderLine {
            product_id: *product_id,
            name: "Phone".to_owned(),
            option: None,
            quantity: Quantity::try_from(*quantity).unwrap(),
            unit_price: won(*price),
        };
        let command = OrderCommand::PlaceOrder {
            order_id: id,
            shop_id: shop(),
            customer_id: customer(),
            lines: wish.lines.iter().map(line).collect(),
            expected_total: None,
            policy: wish.policy,
            contact_id,
            at: self.clock.now(),
        };
        self.give(id.uuid(), AnyCommand::Order { id, command }).await.unwrap();
        id
    }

    /// Places an order and waits until it is decided.
    pub async fn order(&self, wish: Wish) -> OrderId {
        let order = self.place(wish).await;
        self.settle().await;
        order
    }

    fn keep(&self, contact: ContactId, token: &str) {
        self.purse.tokens.lock().unwrap().insert(contact, token.to_owned());
    }

    /// Pays an order of a shop that is paid later.
    pub async fn pay(&self, order: OrderId, token: &str) -> Result<Executed, AnyError> {
        let method = ContactId::from_uuid(self.ids.next(shop().partition()));
        self.keep(method, token);
        let command = PaymentCommand::StartCapture { method, at: self.clock.now() };
        self.give(order.uuid(), AnyCommand::Payment { id: payment_of(order), command }).await
    }

    pub async fn cancel(&self, order: OrderId) -> Result<Executed, AnyError> {
        let by = Actor::Customer(customer());
        let command =
            OrderCommand::RequestCancellation { by, cause: CancellationCause::Requested, reason_id: None };
        self.give(order.uuid(), AnyCommand::Order { id: order, command }).await
    }

    pub async fn accept(&self, order: OrderId) -> Result<Executed, AnyError> {
        let command = DeliveryCommand::AcceptDelivery { by: Actor::Shop(shop()) };
        self.give(order.uuid(), delivery(order, command)).await
    }
    pub async fn ship(&self, order: OrderId) -> Result<Executed, AnyError> {
        let command = DeliveryCommand::ShipDelivery { by: Actor::Shop(shop()) };
        self.give(order.uuid(), delivery(order, command)).await
    }
    pub async fn accept_and_ship(&self, order: OrderId) {
        self.accept(order).await.unwrap();
        self.ship(order).await.unwrap();
    }
    pub async fn complete(&self, order: OrderId) -> Result<Executed, AnyError> {
        let command = DeliveryCommand::CompleteDelivery { by: Actor::Courier(customer()) };
        self.give(order.uuid(), delivery(order, command)).await
    }
    pub async fn fail(&self, order: OrderId) -> Result<Executed, AnyError> {
        let command = DeliveryCommand::FailDelivery { by: Actor::Courier(customer()), reason_id: None };
        self.give(order.uuid(), delivery(order, command)).await
    }
    pub async fn shop_cancels(&self, order: OrderId) -> Result<Executed, AnyError> {
        let command = DeliveryCommand::CancelDelivery { by: Actor::Shop(shop()), reason_id: None };
        self.give(order.uuid(), delivery(order, command)).await
    }

    pub async fn status_of(&self, order: OrderId) -> [&'static str; 3] {
        use domain::Aggregate as _;
        let (payment, delivery) = (payment_of(order), delivery_of(order));
        [
            self.executor.load::<Order>(&order).await.unwrap().state.status(),
            self.executor.load::<Payment>(&payment).await.unwrap().state.status(),
            self.executor.load::<Delivery>(&delivery).await.unwrap().state.status(),
        ]
    }

    /// The names of all events about an order, in order.
    pub async fn events_of(&self, order: OrderId) -> Vec<&'static str> {
        let all = self.log.read_all(0, 100_000).await.unwrap();
        let of_order = all.iter().filter(|event| event.metadata.correlation_id == order.uuid());
        of_order.map(|event| event.event.name()).collect()
    }

    /// Waits until the log has so many events of this name about the order.
    pub async fn seen(&self, order: OrderId, name: &'static str, times: usize) {
        let so_many =
            async || self.events_of(order).await.iter().filter(|seen| **seen == name).count() >= times;
        self.until(name, so_many).await;
    }

    /// What became of the notifications about an order, in the order in which they were queued.
    pub async fn notifications_of(&self, order: OrderId) -> Vec<String> {
        use domain::Aggregate as _;
        let mut found = Vec::new();
        for event in self.log.read_all(0, 100_000).await.unwrap() {
            if let Event::Notification(NotificationEvent::NotificationQueued(queued)) = &event.event
                && queued.order_id == order
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

    /// How an order has ended, in one line: statuses of order, payment and delivery, the shelf, the money that was kept,
    /// and whatever is still open. Our books and the provider's must agree.
    pub async fn end_of(&self, order: OrderId) -> String {
        let [of_order, of_payment, of_delivery] = self.status_of(order).await;
        let payment = self.executor.load::<Payment>(&payment_of(order)).await.unwrap().state;
        let captured = matches!(of_payment, "captured" | "refunding" | "partially_refunded" | "refunded");
        let kept = payment
            .details()
            .filter(|_| captured)
            .map_or(0, |details| details.amount.amount_minor - details.refunded());
        self.provider_agrees(order, kept).await;
        let (first, second) = (self.stock_of(self.shelf.first).await, self.stock_of(self.shelf.second).await);
        let shelf = format!("{}+{} and {}+{}", first.0, first.1, second.0, second.1);
        let mut end = format!("{of_order}, {of_payment}, {of_delivery}; shelf {shelf}; kept {kept}");
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

    async fn provider_agrees(&self, order: OrderId, kept: i64) {
        let key = payment_of(order).to_string();
        let books = self.provider.books().await;
        let of_order = |entry: &&gateway::LedgerEntry| {
            entry.charge_ref.as_ref().is_some_and(|charge| charge.contains(&key))
        };
        let moved = |kind| {
            let entries = books.iter().filter(of_order).filter(move |entry| entry.kind == kind);
            entries.map(|entry| entry.amount_minor).collect::<Vec<_>>()
        };
        let (charges, refunds) = (moved(LedgerKind::Charge), moved(LedgerKind::Refund));
        assert!(charges.len() <= 1, "an order is charged once: {books:#?}");
        let left = charges.iter().sum::<i64>() - refunds.iter().sum::<i64>();
        assert_eq!(left, kept, "the provider's books say otherwise: {books:#?}");
    }
}
