//! A long log to measure on: orders that went the whole way, written through the executor.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use chrono::{TimeZone, Utc};
use domain::{
    Actor, AnyCommand, CancellableUntil, Currency, CustomerId, Money, NotificationId, NotifiedChange,
    OrderId, PaymentTerms, ProductId, Quantity, ShopId, ShopPolicy, Timestamp,
    delivery::DeliveryCommand,
    derive_uuid,
    notification::NotificationCommand,
    order::{ChargedLine, OrderCommand, OrderLine, contact_of, delivery_of, payment_of},
    payment::{CaptureOutcome, PaymentCommand, PaymentTiming},
    product::ProductCommand,
    shop::ShopCommand,
};
use eventlog::{CommandContext, Executor, IdGen, SystemClock};
use uuid::Uuid;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Orders that are written at once.
const WRITERS: usize = 256;
/// Products of the shop.
const PRODUCTS: usize = 50;
/// Customers who order.
const CUSTOMERS: u64 = 1_000;

/// Writes whole orders until the log holds `events` events.
pub(crate) async fn write(executor: &Executor, events: u64) -> Result<(), Failure> {
    let shop: ShopId = "bench".parse()?;
    let ids = IdGen::new(Arc::new(SystemClock::new()));
    let products: Arc<Vec<ProductId>> =
        Arc::new((0..PRODUCTS).map(|_| ProductId::from_uuid(ids.next(shop.partition()))).collect());
    let writer = Writer { executor: executor.clone(), shop: shop.clone(), ids: Arc::new(ids), products };
    writer.open_shop().await?;
    let number = Arc::new(AtomicU64::new(0));
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| {
            let (writer, number) = (writer.clone(), number.clone());
            tokio::spawn(async move {
                while *writer.executor.log().subscribe_head().borrow() < events {
                    writer.order(number.fetch_add(1, Ordering::Relaxed)).await?;
                }
                Ok::<(), Failure>(())
            })
        })
        .collect();
    for writer in writers {
        writer.await??;
    }
    Ok(())
}

#[derive(Clone)]
struct Writer {
    executor: Executor,
    shop: ShopId,
    ids: Arc<IdGen>,
    products: Arc<Vec<ProductId>>,
}

impl Writer {
    async fn open_shop(&self) -> Result<(), Failure> {
        let put =
            ShopCommand::PutShop { shop_id: self.shop.clone(), name: "Bench".to_owned(), policy: policy() };
        self.give(AnyCommand::Shop { id: self.shop.clone(), command: put }, self.shop.uuid()).await?;
        for id in self.products.iter() {
            let list = ProductCommand::ListProduct {
                product_id: *id,
                shop_id: self.shop.clone(),
                name: "Product".to_owned(),
                price: krw(1_000),
                stock: Some(1_000_000),
            };
            self.give(AnyCommand::Product { id: *id, command: list }, id.uuid()).await?;
        }
        Ok(())
    }

    /// One order from placed to completed, as the process managers would have carried it.
    async fn order(&self, number: u64) -> Result<(), Failure> {
        let order = OrderId::from_uuid(self.ids.next(self.shop.partition()));
        let product = self.products[usize::try_from(number % PRODUCTS as u64)?];
        let customer: CustomerId = format!("customer-{}", number % CUSTOMERS).parse()?;
        for command in self.story(order, product, &customer)? {
            self.give(command, order.uuid()).await?;
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

    async fn give(&self, command: AnyCommand, correlation_id: Uuid) -> Result<(), Failure> {
        let context = CommandContext {
            command_id: derive_uuid(command.stream().id, "bench", &self.ids.random().to_string()),
            correlation_id,
            causation_id: None,
            actor: Actor::System,
            at: now(),
            traceparent: None,
        };
        match self.executor.execute_any(command, context).await {
            Ok(_) => Ok(()),
            Err(error) => Err(format!("{} ({})", error.message, error.code).into()),
        }
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
