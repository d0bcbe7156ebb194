//! What people do: shops list products, customers order, pay and cancel, couriers deliver.

use domain::{
    Actor, AnyCommand, CancellableUntil, Class, ContactId, CustomerId, Money, NotifiedChange, OrderId,
    PaymentTerms, ProductId, Quantity, ResortId, ShopId, ShopPolicy, Subject,
    delivery::{Delivery, DeliveryCommand},
    order::{
        AppliedCoupon, CancellationCause, Order, OrderCommand, OrderLine, contact_of, delivery_of, payment_of,
    },
    payment::{Payment, PaymentCommand},
    product::ProductCommand,
};
use eventlog::{AnyError, Clock, CommandContext, Executed};
use gateway::method;
use tokio::time::Instant;
use uuid::Uuid;

use super::{PATIENCE, World, ends::payment_for};

/// What is on offer in every world: ten pieces at 900, five at 50, nights at 100.
pub struct Shelf {
    pub first: ProductId,
    pub second: ProductId,
    pub resort: ResortId,
}

impl Default for Shelf {
    fn default() -> Self {
        let none = ProductId::from_uuid(Uuid::nil());
        Self { first: none, second: none, resort: ResortId::from_uuid(Uuid::nil()) }
    }
}

/// Paid at order; cancellable until accepted.
pub fn at_order() -> ShopPolicy {
    ShopPolicy {
        payment: PaymentTerms::AtOrder { decide_within_secs: 300 },
        preparation: false,
        cancellable_until: CancellableUntil::Accepted,
        notify: vec![],
        refund_window_secs: None,
        coupon: None,
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
    /// The coupon that the order uses.
    pub coupon: Option<AppliedCoupon>,
}

impl Wish {
    pub fn of(world: &World) -> Self {
        let lines = vec![(world.shelf.first, 1, 900), (world.shelf.second, 2, 50)];
        Self { policy: at_order(), lines, token: Some(method::OK), coupon: None }
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
pub(super) fn customer() -> CustomerId {
    "alice".parse().unwrap()
}
pub fn won(amount_minor: i64) -> Money {
    Money::new(amount_minor, domain::Currency::KRW).unwrap()
}
pub(super) fn delivery(order: OrderId, command: DeliveryCommand) -> AnyCommand {
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
        let resort = self.open_resort().await;
        let (first, second) = (self.list(900, Some(10)).await, self.list(50, Some(5)).await);
        self.shelf = Shelf { first, second, resort };
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
            coupon: wish.coupon,
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

    pub(super) fn keep(&self, contact: ContactId, token: &str) {
        self.purse.tokens.lock().unwrap().insert(contact, token.to_owned());
    }

    /// Pays an order of a shop that is paid later, or a reservation.
    pub async fn pay(&self, what: impl Into<Subject>, token: &str) -> Result<Executed, AnyError> {
        let what = what.into();
        let method = ContactId::from_uuid(self.ids.next(shop().partition()));
        self.keep(method, token);
        let command = PaymentCommand::StartCapture { method, at: self.clock.now() };
        self.give(what.uuid(), AnyCommand::Payment { id: payment_for(what), command }).await
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
        let command =
            DeliveryCommand::CompleteDelivery { by: Actor::Courier(customer()), at: self.clock.now() };
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
}
