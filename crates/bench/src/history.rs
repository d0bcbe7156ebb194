//! A long log to measure on: orders that went the whole way. Decided by the domain as the process managers would have it
//! done, appended through the log's own queue; without the executor, which would keep all those aggregates at hand.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{TimeZone, Utc};
use domain::{
    Actor, Aggregate, AggregateId, AnyCommand, CancellableUntil, Currency, CustomerId, Event, Money,
    NotificationId, NotifiedChange, OrderId, Outcome, PaymentTerms, ProductId, Quantity, ShopId, ShopPolicy,
    StreamId, Timestamp, Version,
    delivery::{Delivery, DeliveryCommand},
    derive_uuid,
    notification::{Notification, NotificationCommand},
    order::{ChargedLine, Order, OrderCommand, OrderLine, contact_of, delivery_of, payment_of},
    payment::{CaptureOutcome, Payment, PaymentCommand, PaymentTiming},
    product::{Product, ProductCommand},
    shop::{Shop, ShopCommand},
};
use eventlog::{Commit, IdGen, Log, LogOptions, NewEvent, PendingAppend, SystemClock, event_id};

use crate::Failure;

/// Products of the shop.
const PRODUCTS: usize = 50;
/// Customers who order.
pub(crate) const CUSTOMERS: u64 = 1_000;
/// Appends whose answers are not looked at yet; the log's queue holds twice as many.
const AHEAD: usize = 8_192;
/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// The name of a customer.
pub(crate) fn customer(number: u64) -> String {
    format!("customer-{}", number % CUSTOMERS)
}

/// Options of a log that is written in bulk: larger batches, and room for the products that all orders meet at.
pub(crate) fn log_options() -> LogOptions {
    LogOptions {
        max_batch_commits: 4_096,
        max_batch_events: 8_192,
        max_batch_per_stream: 4_096,
        ..LogOptions::default()
    }
}

/// Writes whole orders until `log` holds `events` events.
pub(crate) async fn write(log: &Log, events: u64) -> Result<(), Failure> {
    let shop: ShopId = "bench".parse()?;
    let ids = IdGen::new(Arc::new(SystemClock::new()));
    let products: Vec<ProductId> =
        (0..PRODUCTS).map(|_| ProductId::from_uuid(ids.next(shop.partition()))).collect();
    let mut writer = Writer {
        log: log.clone(),
        shop,
        ids,
        products,
        stocks: HashMap::new(),
        pending: VecDeque::new(),
        written: 0,
    };
    writer.open_shop().await?;
    let (mut told, begun) = (Instant::now(), Instant::now());
    for number in 0.. {
        if writer.written >= events {
            break;
        }
        writer.order(number).await?;
        if told.elapsed() > TELL_EVERY {
            let rate = writer.written as f64 / begun.elapsed().as_secs_f64();
            eprintln!("  {} of {events} events, {rate:.0}/s", writer.written);
            told = Instant::now();
        }
    }
    writer.catch_up(0).await
}

/// An aggregate as far as it was decided.
#[derive(Default)]
struct Decided<A> {
    state: A,
    version: Version,
}

/// The aggregates of one order.
#[derive(Default)]
struct Lives {
    order: Decided<Order>,
    payment: Decided<Payment>,
    delivery: Decided<Delivery>,
    notifications: HashMap<NotificationId, Decided<Notification>>,
}

struct Writer {
    log: Log,
    shop: ShopId,
    ids: IdGen,
    products: Vec<ProductId>,
    stocks: HashMap<ProductId, Decided<Product>>,
    pending: VecDeque<PendingAppend>,
    written: u64,
}

impl Writer {
    async fn open_shop(&mut self) -> Result<(), Failure> {
        let put =
            ShopCommand::PutShop { shop_id: self.shop.clone(), name: "Bench".to_owned(), policy: policy() };
        let (shop, mut decided) = (self.shop.clone(), Decided::<Shop>::default());
        self.decide(&shop, &mut decided, &put, shop.uuid())?;
        for product_id in self.products.clone() {
            let list = ProductCommand::ListProduct {
                product_id,
                shop_id: self.shop.clone(),
                name: "Product".to_owned(),
                price: krw(1_000),
                stock: Some(1_000_000_000),
            };
            let mut product = Decided::default();
            self.decide(&product_id, &mut product, &list, product_id.uuid())?;
            self.stocks.insert(product_id, product);
        }
        Ok(())
    }

    /// One order from placed to completed, as the process managers would have carried it.
    async fn order(&mut self, number: u64) -> Result<(), Failure> {
        let order = OrderId::from_uuid(self.ids.next(self.shop.partition()));
        let product = self.products[usize::try_from(number % PRODUCTS as u64)?];
        let customer: CustomerId = customer(number).parse()?;
        let mut lives = Lives::default();
        for command in self.story(order, product, &customer)? {
            self.give(&mut lives, &command, order.uuid())?;
        }
        self.catch_up(AHEAD).await
    }

    fn give(&mut self, lives: &mut Lives, command: &AnyCommand, about: uuid::Uuid) -> Result<(), Failure> {
        match command {
            AnyCommand::Order { id, command } => self.decide(id, &mut lives.order, command, about),
            AnyCommand::Payment { id, command } => self.decide(id, &mut lives.payment, command, about),
            AnyCommand::Delivery { id, command } => self.decide(id, &mut lives.delivery, command, about),
            AnyCommand::Notification { id, command } => {
                self.decide(id, lives.notifications.entry(*id).or_default(), command, about)
            }
            AnyCommand::Product { id, command } => {
                let mut product = self.stocks.remove(id).unwrap_or_default();
                let decided = self.decide(id, &mut product, command, about);
                self.stocks.insert(*id, product);
                decided
            }
            other => Err(format!("{other:?} is no part of an order's story").into()),
        }
    }

    /// Decides, and takes the commit's place in the log's queue.
    fn decide<A: Aggregate>(
        &mut self,
        id: &A::Id,
        decided: &mut Decided<A>,
        command: &<A as Aggregate>::Command,
        about: uuid::Uuid,
    ) -> Result<(), Failure> {
        let outcome =
            decided.state.decide(command).map_err(|error| format!("{command:?} was refused: {error}"))?;
        let Outcome::Executed(events) = outcome else { return Err(format!("{command:?} came twice").into()) };
        let stream = StreamId::new(A::KIND, AggregateId::uuid(id));
        let at = now();
        let command_id = derive_uuid(stream.id, "bench", &self.ids.random().to_string());
        let expected_version = decided.version;
        let mut news = Vec::with_capacity(events.len());
        for event in events {
            decided.state.evolve(&event);
            decided.version += 1;
            let event: Event = event.into();
            news.push(NewEvent { event_id: event_id(command_id, stream, news.len() as u64, at), event });
        }
        self.written += news.len() as u64;
        let commit = Commit {
            stream,
            expected_version,
            events: news,
            command_id,
            correlation_id: about,
            causation_id: None,
            actor: Actor::System,
            recorded_at: at,
            traceparent: None,
        };
        self.pending.push_back(self.log.enqueue(commit));
        Ok(())
    }

    /// Waits until at most `ahead` appends are not answered.
    async fn catch_up(&mut self, ahead: usize) -> Result<(), Failure> {
        while self.pending.len() > ahead {
            if let Some(append) = self.pending.pop_front() {
                append.await?;
            }
        }
        Ok(())
    }

    fn story(
        &self,
        order: OrderId,
        product: ProductId,
        customer: &CustomerId,
    ) -> Result<Vec<AnyCommand>, Failure> {
        let one = Quantity::try_from(1)?;
        let (payment, delivery) = (payment_of(order), delivery_of(order));
        let shop = || Actor::Shop(self.shop.clone());
        let of_order = |command| AnyCommand::Order { id: order, command };
        let of_product = |command| AnyCommand::Product { id: product, command };
        let of_payment = |command| AnyCommand::Payment { id: payment, command };
        let of_delivery = |command| AnyCommand::Delivery { id: delivery, command };
        let line = OrderLine {
            product_id: product,
            name: "Product".to_owned(),
            option: None,
            quantity: one,
            unit_price: krw(1_000),
        };
        let mut commands = vec![
            of_order(OrderCommand::PlaceOrder {
                order_id: order,
                shop_id: self.shop.clone(),
                customer_id: customer.clone(),
                lines: vec![line],
                coupon: None,
                expected_total: None,
                policy: policy(),
                contact_id: contact_of(order),
                at: now(),
            }),
            of_product(ProductCommand::ReserveStock { order_id: order, quantity: 1 }),
            of_payment(PaymentCommand::RequestPayment {
                payment_id: payment,
                subject: order.into(),
                customer_id: customer.clone(),
                shop_id: Some(self.shop.clone()),
                amount: krw(1_000),
                timing: PaymentTiming::AtOrder,
                method: Some(contact_of(order)),
                due_at: Utc.timestamp_nanos(i64::MAX),
            }),
            of_payment(PaymentCommand::StartCapture { method: contact_of(order), at: now() }),
            of_payment(PaymentCommand::RecordCapture {
                attempt: 1,
                outcome: CaptureOutcome::Captured { provider_ref: format!("ch_{payment}") },
                at: now(),
            }),
            of_order(OrderCommand::ConfirmOrder),
            of_delivery(DeliveryCommand::RequestDelivery {
                delivery_id: delivery,
                order_id: order,
                shop_id: self.shop.clone(),
                customer_id: customer.clone(),
                lines: vec![ChargedLine { product_id: product, quantity: one, charged: krw(1_000) }],
                needs_preparation: false,
                cancellable_until: CancellableUntil::Accepted,
                refund_window_secs: None,
            }),
            of_delivery(DeliveryCommand::AcceptDelivery { by: shop() }),
            of_delivery(DeliveryCommand::ShipDelivery { by: shop() }),
            of_product(ProductCommand::CommitStock { order_id: order }),
            of_delivery(DeliveryCommand::CompleteDelivery { by: shop(), at: now() }),
            of_order(OrderCommand::CompleteOrder),
        ];
        for change in [NotifiedChange::OrderConfirmed, NotifiedChange::DeliveryShipped] {
            let id = NotificationId::derived(order.uuid(), "notification", change.name());
            let queue = NotificationCommand::QueueNotification {
                notification_id: id,
                subject: order.into(),
                customer_id: customer.clone(),
                shop_id: Some(self.shop.clone()),
                change,
                voucher_id: None,
            };
            let sent = NotificationCommand::RecordSent { channel: "log".to_owned() };
            commands.extend([queue, sent].map(|command| AnyCommand::Notification { id, command }));
        }
        Ok(commands)
    }
}

fn policy() -> ShopPolicy {
    ShopPolicy {
        payment: PaymentTerms::AtOrder { decide_within_secs: 300 },
        preparation: false,
        cancellable_until: CancellableUntil::Accepted,
        notify: vec![NotifiedChange::OrderConfirmed, NotifiedChange::DeliveryShipped],
        refund_window_secs: None,
        coupon: None,
    }
}

fn krw(amount_minor: i64) -> Money {
    Money { amount_minor, currency: Currency::KRW }
}

fn now() -> Timestamp {
    Utc::now()
}

#[cfg(test)]
mod tests {
    use domain::order::OrderEvent;

    use super::*;

    #[tokio::test]
    async fn a_written_log_holds_whole_orders_and_as_many_events_as_were_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let log = Log::open_sqlite(&folder.path().join("log.db"), log_options()).await.unwrap();
        write(&log, 1_000).await.unwrap();
        let events = log.read_all(0, 10_000).await.unwrap();
        assert!((1_000..1_050).contains(&events.len()), "{}", events.len());
        let count = |is: fn(&OrderEvent) -> bool| {
            let orders = events.iter().filter_map(|event| match &event.event {
                Event::Order(event) => Some(event),
                _ => None,
            });
            orders.filter(|event| is(event)).count()
        };
        let placed = count(|event| matches!(event, OrderEvent::OrderPlaced(_)));
        let completed = count(|event| matches!(event, OrderEvent::OrderCompleted(_)));
        assert!(placed > 10 && placed == completed, "{placed} placed, {completed} completed");
        log.shutdown().await;
        let orders = crate::dataset::orders(&folder.path().join("log.db")).unwrap();
        assert_eq!(orders.len(), placed);
    }
}
