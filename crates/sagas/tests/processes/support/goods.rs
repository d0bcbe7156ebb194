//! What people do with coupons, and with goods that they do not want to keep.

use domain::{
    Actor, Aggregate as _, AnyCommand, CouponPolicy, Event, OrderId, ProductId, Quantity, RefundId,
    ShopPolicy,
    coupon::{Coupon, CouponValue, coupon_of},
    delivery::DeliveryCommand,
    order::{AppliedCoupon, Order, delivery_of, payment_of},
    refund::{Refund, RefundCommand, RefundEvent, ReturnedLine, reason_of},
};
use eventlog::{AnyError, Executed};
use orderstream_sagas::process_names;

use super::{
    Wish, World,
    people::{at_order, customer, delivery, shop, won},
};

/// Goods may go back for an hour.
pub fn returnable() -> ShopPolicy {
    ShopPolicy { refund_window_secs: Some(3600), ..at_order() }
}

/// The same, and who pays and keeps so much earns a tenth off a later order.
pub fn loyal(minimum: i64) -> ShopPolicy {
    let coupon = CouponPolicy { value: CouponValue::Percent(10), minimum: won(minimum) };
    ShopPolicy { coupon: Some(coupon), ..returnable() }
}

/// All process managers but this one.
pub fn without(process: &str) -> Vec<&'static str> {
    process_names().iter().copied().filter(|name| *name != process).collect()
}

impl Wish {
    /// Uses the coupon that another order has earned, or would have.
    pub fn coupon_of(self, earned_by: OrderId) -> Self {
        let total: i64 = self.lines.iter().map(|(_, quantity, price)| quantity * price).sum();
        let discount = CouponValue::Percent(10).discount_on(won(total));
        Self { coupon: Some(AppliedCoupon { coupon_id: coupon_of(earned_by), discount }), ..self }
    }
}

impl World {
    /// What comes before a story: nobody is killed in it.
    pub async fn before<T>(&self, beginning: impl Future<Output = T>) -> T {
        let paused = self.store.pause();
        let told = beginning.await;
        self.settle().await;
        self.store.go_on(paused);
        told
    }

    /// An order that has arrived, with all that comes of it.
    pub async fn delivered(&self, wish: Wish) -> OrderId {
        let order = self.order(wish).await;
        self.accept_and_ship(order).await;
        self.complete(order).await.unwrap();
        self.settle().await;
        order
    }

    /// Asks for money back and does not wait for anything; no lines mean everything that is left.
    pub async fn ask_back(&self, order: OrderId, lines: &[(ProductId, i64)]) -> RefundId {
        let id = RefundId::from_uuid(self.ids.next(shop().partition()));
        let state = self.executor.load::<Order>(&order).await.unwrap().state;
        let line = |(product_id, quantity): &(ProductId, i64)| ReturnedLine {
            product_id: *product_id,
            quantity: Quantity::try_from(*quantity).unwrap(),
        };
        let command = RefundCommand::RequestRefund {
            refund_id: id,
            order_id: order,
            shop_id: shop(),
            customer_id: customer(),
            payment_id: payment_of(order),
            delivery_id: delivery_of(order),
            lines: lines.iter().map(line).collect(),
            coupon: state.details().and_then(|details| details.promised_coupon()),
            used_coupon_id: state.details().and_then(|details| details.coupon).map(|used| used.coupon_id),
            reason_id: reason_of(id),
        };
        self.give(order.uuid(), AnyCommand::Refund { id, command }).await.unwrap();
        id
    }

    /// Goods go back and are received, and money comes of it.
    pub async fn give_back(&self, order: OrderId, lines: &[(ProductId, i64)]) -> RefundId {
        let refund = self.ask_back(order, lines).await;
        self.settle().await;
        self.receive(order).await.unwrap();
        self.settle().await;
        refund
    }

    /// The shop has the goods back.
    pub async fn receive(&self, order: OrderId) -> Result<Executed, AnyError> {
        let command = DeliveryCommand::ReceiveReturn { refund_id: None, by: Actor::Shop(shop()) };
        self.give(order.uuid(), delivery(order, command)).await
    }

    /// The customer keeps the goods.
    pub async fn keep_goods(&self, order: OrderId, refund: RefundId) -> Result<Executed, AnyError> {
        let by = Actor::Customer(customer());
        let command = DeliveryCommand::CancelReturn { refund_id: Some(refund), by };
        self.give(order.uuid(), delivery(order, command)).await
    }

    pub async fn refund_status(&self, refund: RefundId) -> &'static str {
        self.executor.load::<Refund>(&refund).await.unwrap().state.status()
    }

    /// How the coupon stands that the order has earned.
    pub async fn coupon_status(&self, earned_by: OrderId) -> &'static str {
        self.executor.load::<Coupon>(&coupon_of(earned_by)).await.unwrap().state.status()
    }

    /// What became of the refunds of an order, of the coupon that it has earned and of the one that it uses; nothing
    /// where there are none.
    pub(super) async fn goods_of(&self, order: OrderId) -> String {
        let mut end = String::new();
        for event in self.log.read_all(0, 100_000).await.unwrap() {
            let Event::Refund(RefundEvent::RefundRequested(asked)) = &event.event else { continue };
            if asked.order_id == order {
                let refund = self.executor.load::<Refund>(&asked.refund_id).await.unwrap().state;
                end += &format!("; refund {}", told(&refund));
            }
        }
        let earned = self.coupon_status(order).await;
        if earned != "absent" {
            end += &format!("; earned coupon {earned}");
        }
        let state = self.executor.load::<Order>(&order).await.unwrap().state;
        if let Some(used) = state.details().and_then(|details| details.coupon) {
            let coupon = self.executor.load::<Coupon>(&used.coupon_id).await.unwrap().state;
            end += &format!("; used coupon {}", coupon.status());
        }
        end
    }
}

fn told(refund: &Refund) -> String {
    match refund {
        Refund::Completed { amount, deducted, .. } => {
            format!("of {} less {}", amount.amount_minor, deducted.amount_minor)
        }
        Refund::Refused { reason, .. } => format!("refused: {}", reason.name()),
        other => other.status().to_owned(),
    }
}
