//! One value of every event, and of every variant inside an event whose stored shape differs: what the fixtures hold.

use orderstream_domain::{
    Actor, CancellableUntil, Currency, CustomerId, DeliveryId, Event, Money, NotificationId, NotifiedChange,
    OrderId, PaymentId, PaymentTerms, ProductId, Quantity, RefundId, ShopId, ShopPolicy, Timestamp,
    delivery::{self, CancelledBy, DeliveryEvent},
    notification::{self, NotificationEvent},
    order::{self, CancellationCause, ChargedLine, OrderEvent, OrderLine, OrderRejection},
    payment::{self, PaymentEvent, PaymentTiming},
    product::{self, ProductEvent, RefusalReason},
    shop::{self, ShopEvent},
};

mod goods;
mod resorts;

fn at(secs: i64) -> Timestamp {
    Timestamp::from_timestamp(1_767_225_600 + secs, 123_456_000).unwrap()
}
fn won(amount_minor: i64) -> Money {
    Money::new(amount_minor, Currency::KRW).unwrap()
}
fn pieces(number: i64) -> Quantity {
    Quantity::try_from(number).unwrap()
}
fn shop_id() -> ShopId {
    "phone".parse().unwrap()
}
fn customer_id() -> CustomerId {
    "alice".parse().unwrap()
}
fn product_id() -> ProductId {
    ProductId::new(at(0), 1, shop_id().partition())
}
fn order_id() -> OrderId {
    OrderId::new(at(0), 2, shop_id().partition())
}
fn payment_id() -> PaymentId {
    order::payment_of(order_id())
}
fn refund_id() -> RefundId {
    payment::full_refund_of(payment_id())
}
fn delivery_id() -> DeliveryId {
    order::delivery_of(order_id())
}
fn at_order() -> ShopPolicy {
    ShopPolicy {
        payment: PaymentTerms::AtOrder { decide_within_secs: 300 },
        preparation: true,
        cancellable_until: CancellableUntil::Preparing,
        notify: vec![NotifiedChange::OrderConfirmed, NotifiedChange::OrderCancelled],
        refund_window_secs: None,
        coupon: None,
    }
}
fn deferred() -> ShopPolicy {
    ShopPolicy {
        payment: PaymentTerms::Deferred { pay_within_secs: 86_400 },
        preparation: false,
        cancellable_until: CancellableUntil::Requested,
        notify: vec![],
        refund_window_secs: None,
        coupon: None,
    }
}
fn charged() -> Vec<ChargedLine> {
    vec![ChargedLine { product_id: product_id(), quantity: pieces(2), charged: won(1800) }]
}

/// A fixture's name after the event's (empty for the main one) and the event in it.
pub(crate) type Sample = (&'static str, Event);

fn sample(variant: &'static str, event: impl Into<Event>) -> Sample {
    (variant, event.into())
}

/// All of them.
pub(crate) fn all() -> Vec<Sample> {
    [shops(), products(), orders(), payments(), deliveries(), notifications(), goods::all(), resorts::all()]
        .concat()
}

fn shops() -> Vec<Sample> {
    use shop::{ShopClosed, ShopOpened, ShopPolicyChanged, ShopReopened};
    let shop = |event: ShopEvent| sample("", event);
    vec![
        shop(ShopOpened { shop_id: shop_id(), name: "Phones".to_owned(), policy: at_order() }.into()),
        shop(ShopPolicyChanged { shop_id: shop_id(), name: "Books".to_owned(), policy: deferred() }.into()),
        shop(ShopClosed { shop_id: shop_id() }.into()),
        shop(ShopReopened { shop_id: shop_id() }.into()),
    ]
}

fn products() -> Vec<Sample> {
    use product::{
        ProductListed, ProductRestocked, ProductRevised, ProductWithdrawn, StockCommitted, StockReleased,
        StockReservationRefused, StockReserved,
    };
    let (product_id, order_id) = (product_id(), order_id());
    let listed = |stock| -> ProductEvent {
        ProductListed { product_id, shop_id: shop_id(), name: "Phone".to_owned(), price: won(900), stock }
            .into()
    };
    let refused =
        |reason| -> ProductEvent { StockReservationRefused { product_id, order_id, reason }.into() };
    let product = |event: ProductEvent| sample("", event);
    vec![
        product(listed(Some(10))),
        sample("made_to_order", listed(None)),
        product(ProductRevised { name: "Telephone".to_owned(), price: won(800) }.into()),
        product(ProductWithdrawn {}.into()),
        product(ProductRestocked { quantity: 5 }.into()),
        product(StockReserved { product_id, order_id, quantity: 2 }.into()),
        product(refused(RefusalReason::OutOfStock { available: 1 })),
        sample("withdrawn", refused(RefusalReason::Withdrawn)),
        product(StockReleased { order_id, quantity: 2 }.into()),
        product(StockCommitted { order_id, quantity: 2 }.into()),
    ]
}

fn orders() -> Vec<Sample> {
    use order::{
        OrderCancellationRefused, OrderCancellationRequested, OrderCancelled, OrderCompleted, OrderConfirmed,
        OrderPlaced, OrderRejected,
    };
    let (order_id, payment_id, delivery_id) = (order_id(), payment_id(), delivery_id());
    let line = |option: Option<&str>| OrderLine {
        product_id: product_id(),
        name: "Phone".to_owned(),
        option: option.map(str::to_owned),
        quantity: pieces(1),
        unit_price: won(900),
    };
    let placed = |policy| OrderPlaced {
        order_id,
        shop_id: shop_id(),
        customer_id: customer_id(),
        lines: vec![line(None), line(Some("red"))],
        total: won(1800),
        coupon: None,
        policy,
        contact_id: order::contact_of(order_id),
        payment_id,
        payment_due_at: at(300),
    };
    let rejected = |reason| -> OrderEvent { OrderRejected { order_id, reason }.into() };
    let cancellation = |by, cause, reason_id, was_confirmed| -> OrderEvent {
        OrderCancellationRequested {
            order_id,
            by,
            cause,
            reason_id,
            was_confirmed,
            customer_id: customer_id(),
            shop_id: shop_id(),
            payment_id,
            delivery_id,
            products: vec![product_id()],
            amount: won(1800),
            coupon_id: None,
        }
        .into()
    };
    let process = || Actor::Process("fulfilment".to_owned());
    let reason = Some(order::contact_of(order_id));
    let order = |event: OrderEvent| sample("", event);
    vec![
        order(placed(at_order()).into()),
        sample("deferred", OrderEvent::from(placed(deferred()))),
        order(
            OrderConfirmed {
                order_id,
                shop_id: shop_id(),
                customer_id: customer_id(),
                delivery_id,
                lines: charged(),
                policy: at_order(),
            }
            .into(),
        ),
        order(rejected(OrderRejection::StockRefused {
            product_id: product_id(),
            refusal: RefusalReason::OutOfStock { available: 1 },
        })),
        sample(
            "payment_declined",
            rejected(OrderRejection::PaymentDeclined { decline_code: "no_funds".to_owned() }),
        ),
        sample("payment_expired", rejected(OrderRejection::PaymentExpired)),
        order(cancellation(Actor::Customer(customer_id()), CancellationCause::Requested, reason, false)),
        sample("by_process", cancellation(process(), CancellationCause::DeliveryFailed, None, true)),
        order(OrderCancellationRefused { order_id }.into()),
        order(OrderCancelled { order_id }.into()),
        order(
            OrderCompleted { order_id, customer_id: customer_id(), shop_id: shop_id(), coupon: None }.into(),
        ),
    ]
}

fn payments() -> Vec<Sample> {
    use payment::{
        CaptureDeclined, CaptureStarted, LateCaptureFound, PaymentCaptured, PaymentDeclined, PaymentExpired,
        PaymentRefunded, PaymentRequested, PaymentVoidRequested, PaymentVoided, RefundFailed, RefundStarted,
    };
    let (order_id, payment_id, refund_id) = (order_id(), payment_id(), refund_id());
    let subject = order_id.into();
    let (amount, attempt, method) = (won(1800), 1, order::contact_of(order_id));
    let (charge, back) = ("ch_1".to_owned(), "re_1".to_owned());
    let decline_code = || "no_funds".to_owned();
    let requested = |timing, method| -> PaymentEvent {
        PaymentRequested {
            payment_id,
            subject,
            customer_id: customer_id(),
            shop_id: Some(shop_id()),
            amount,
            timing,
            method,
            due_at: at(300),
        }
        .into()
    };
    let captured = PaymentCaptured { payment_id, subject, amount, attempt, provider_ref: charge.clone() };
    let late = LateCaptureFound { payment_id, subject, amount, attempt, provider_ref: charge.clone() };
    let payment = |event: PaymentEvent| sample("", event);
    vec![
        payment(requested(PaymentTiming::AtOrder, Some(method))),
        sample("deferred", requested(PaymentTiming::Deferred, None)),
        payment(CaptureStarted { payment_id, attempt, amount, method }.into()),
        payment(captured.into()),
        payment(CaptureDeclined { attempt, decline_code: decline_code() }.into()),
        payment(PaymentDeclined { subject, decline_code: decline_code() }.into()),
        payment(PaymentVoidRequested { subject }.into()),
        payment(PaymentVoided { subject }.into()),
        payment(PaymentExpired { subject }.into()),
        payment(late.into()),
        payment(RefundStarted { payment_id, refund_id, attempt, amount, charge_ref: charge }.into()),
        payment(PaymentRefunded { subject, refund_id, amount, provider_ref: back }.into()),
        payment(RefundFailed { refund_id, attempt, failure_code: "closed_account".to_owned() }.into()),
    ]
}

fn deliveries() -> Vec<Sample> {
    use delivery::{
        DeliveryAccepted, DeliveryCancellationRefused, DeliveryCancelled, DeliveryCompleted, DeliveryFailed,
        DeliveryRequested, DeliveryShipped, PreparationStarted,
    };
    let (order_id, delivery_id) = (order_id(), delivery_id());
    let requested = DeliveryRequested {
        delivery_id,
        order_id,
        shop_id: shop_id(),
        customer_id: customer_id(),
        lines: charged(),
        needs_preparation: true,
        cancellable_until: CancellableUntil::Preparing,
        refund_window_secs: None,
    };
    let cancelled = |cancelled_by, reason_id| -> DeliveryEvent {
        let (shop_id, customer_id) = (shop_id(), customer_id());
        DeliveryCancelled { delivery_id, order_id, shop_id, customer_id, cancelled_by, reason_id }.into()
    };
    let courier = || Actor::Courier("kim".parse().unwrap());
    let manager = Actor::Manager("max".parse().unwrap());
    let admin = Actor::Admin("root".parse().unwrap());
    let reason_id = Some(order::contact_of(order_id));
    let delivery = |event: DeliveryEvent| sample("", event);
    vec![
        delivery(requested.into()),
        delivery(DeliveryAccepted { order_id, by: Actor::Shop(shop_id()) }.into()),
        delivery(PreparationStarted { order_id, by: manager }.into()),
        delivery(DeliveryShipped { order_id, by: admin }.into()),
        delivery(DeliveryCompleted { order_id, by: courier(), returnable_until: None }.into()),
        sample(
            "by_system",
            DeliveryEvent::from(DeliveryCompleted { order_id, by: Actor::System, returnable_until: None }),
        ),
        delivery(DeliveryFailed { order_id, by: courier(), reason_id }.into()),
        delivery(cancelled(CancelledBy::Order, None)),
        sample("by_shop", cancelled(CancelledBy::Shop, reason_id)),
        delivery(DeliveryCancellationRefused { order_id }.into()),
    ]
}

fn notifications() -> Vec<Sample> {
    use notification::{NotificationFailed, NotificationQueued, NotificationSent};
    let queued = NotificationQueued {
        notification_id: NotificationId::derived(order_id().uuid(), "notification", "order_confirmed"),
        subject: order_id().into(),
        customer_id: customer_id(),
        shop_id: Some(shop_id()),
        change: NotifiedChange::OrderConfirmed,
        voucher_id: None,
    };
    let failed = NotificationFailed { channel: "log".to_owned(), failure_code: "no_address".to_owned() };
    let notification = |event: NotificationEvent| sample("", event);
    vec![
        notification(queued.into()),
        notification(NotificationSent { channel: "log".to_owned() }.into()),
        notification(failed.into()),
    ]
}
