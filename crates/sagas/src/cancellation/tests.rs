//! The table of cancellation, row by row and as a grid.

use domain::{
    AnyCommand, RefundId,
    coupon::CouponCommand,
    delivery::{CancelledBy, DeliveryCancellationRefused, DeliveryCommand, DeliveryEvent, DeliveryFailed},
    order::{
        CancellationCause, OrderCancellationRefused, OrderCancellationRequested, OrderCommand, OrderEvent,
    },
    payment::{PaymentCommand, PaymentEvent, PaymentRefunded},
    product::ProductCommand,
};

use super::{Cancellation, CancellationState};
use crate::{
    Process,
    testing::{
        Given, Then, cancellation, customer_id, delivery_cancelled, delivery_id, envelope, given, grid,
        order_id, payment_id, product, refund_id, shop_id, used_coupon_id, won,
    },
};

const OF_THE_DELIVERY: [CancellationCause; 2] =
    [CancellationCause::DeliveryFailed, CancellationCause::ShopCancelledDelivery];

fn asked() -> OrderCancellationRequested {
    cancellation(CancellationCause::Requested, true)
}
fn stopping() -> CancellationState {
    CancellationState::StoppingDelivery(asked())
}
fn refusing() -> CancellationState {
    CancellationState::Refusing(asked())
}
fn giving_back() -> CancellationState {
    CancellationState::GivingBack(asked())
}
fn when(state: CancellationState) -> Given<Cancellation> {
    given(state)
}
fn over() -> [DeliveryEvent; 3] {
    let by = domain::Actor::Shop(shop_id());
    [
        delivery_cancelled(CancelledBy::Order).into(),
        delivery_cancelled(CancelledBy::Shop).into(),
        DeliveryFailed { order_id: order_id(), by, reason_id: None }.into(),
    ]
}
fn refused() -> OrderEvent {
    OrderCancellationRefused { order_id: order_id() }.into()
}
fn delivery_refused() -> DeliveryEvent {
    DeliveryCancellationRefused { order_id: order_id() }.into()
}
fn refunded(refund_id: RefundId) -> PaymentEvent {
    let (subject, amount) = (order_id().into(), won(2800));
    PaymentRefunded { subject, refund_id, amount, provider_ref: "re_1".to_owned() }.into()
}
fn order(command: OrderCommand) -> AnyCommand {
    AnyCommand::Order { id: order_id(), command }
}
#[track_caller]
fn gives_back(then: Then<Cancellation>, order: OrderCancellationRequested) {
    let refund = AnyCommand::Payment { id: payment_id(), command: PaymentCommand::VoidPayment };
    then.then(CancellationState::GivingBack(order)).sends("refund_payment", refund, &[]).and_no_more();
}

#[test]
fn a_wish_to_cancel_calls_the_delivery_back_first() {
    let command = DeliveryCommand::CancelForOrder {
        delivery_id: delivery_id(),
        order_id: order_id(),
        shop_id: shop_id(),
        customer_id: customer_id(),
    };
    let then = when(CancellationState::Idle).when(OrderEvent::from(asked())).then(stopping());
    then.sends("cancel_delivery", AnyCommand::Delivery { id: delivery_id(), command }, &[]).and_no_more();
}

#[test]
fn an_order_whose_delivery_has_ended_is_refunded_at_once() {
    for cause in OF_THE_DELIVERY {
        let order = cancellation(cause, true);
        gives_back(when(CancellationState::Idle).when(OrderEvent::from(order.clone())), order);
    }
}

#[test]
fn a_delivery_that_ends_before_anybody_wants_to_cancel_is_remembered() {
    for event in over() {
        when(CancellationState::Idle).when(event).then(CancellationState::DeliveryOver).and_no_more();
    }
    for cause in [CancellationCause::Requested, CancellationCause::DeliveryFailed] {
        let order = cancellation(cause, true);
        gives_back(when(CancellationState::DeliveryOver).when(OrderEvent::from(order.clone())), order);
    }
}

#[test]
fn goods_that_are_stopped_are_refunded() {
    for event in over() {
        gives_back(when(stopping()).when(event), asked());
    }
}

#[test]
fn goods_that_are_out_already_refuse_the_cancellation_unless_it_cannot_be_refused_any_more() {
    let then = when(stopping()).when(delivery_refused()).then(refusing());
    let refuse = order(OrderCommand::RefuseCancellation);
    then.sends("refuse_cancellation", refuse, &["illegal_transition"]).and_no_more();
}

#[test]
fn a_delivery_that_ends_while_the_customer_is_being_refused_is_refunded_after_all() {
    for cause in OF_THE_DELIVERY {
        for state in [stopping(), refusing()] {
            let order = cancellation(cause, true);
            gives_back(when(state).when(OrderEvent::from(order.clone())), order);
        }
    }
}

#[test]
fn a_refused_cancellation_may_be_wished_for_again() {
    when(refusing()).when(refused()).then(CancellationState::Idle).and_no_more();
}

#[test]
fn an_order_that_completes_while_its_delivery_is_called_back_has_refused_the_cancellation() {
    when(stopping()).when(refused()).then(CancellationState::Idle).and_no_more();
    when(CancellationState::Idle).when(delivery_refused()).then_nothing();
}

#[test]
fn money_that_is_back_releases_the_stock_and_ends_the_cancellation() {
    let mut then = when(giving_back()).when(refunded(refund_id())).then(CancellationState::Done);
    for id in [product(1), product(2)] {
        let command = ProductCommand::ReleaseStock { order_id: order_id() };
        then = then.sends(&format!("release_stock/{id}"), AnyCommand::Product { id, command }, &[]);
    }
    then.sends("finish_cancellation", order(OrderCommand::FinishCancellation), &[]).and_no_more();
}

#[test]
fn money_that_is_back_gives_a_coupon_back_that_the_order_used() {
    let order_id = order_id();
    let with_coupon = OrderCancellationRequested { coupon_id: Some(used_coupon_id()), ..asked() };
    let then = when(CancellationState::GivingBack(with_coupon)).when(refunded(refund_id()));
    let release =
        AnyCommand::Coupon { id: used_coupon_id(), command: CouponCommand::ReleaseCoupon { order_id } };
    let mut then = then.then(CancellationState::Done).sends("release_coupon", release, &[]);
    for id in [product(1), product(2)] {
        let command = ProductCommand::ReleaseStock { order_id };
        then = then.sends(&format!("release_stock/{id}"), AnyCommand::Product { id, command }, &[]);
    }
    then.sends("finish_cancellation", order(OrderCommand::FinishCancellation), &[]).and_no_more();
}

#[test]
fn a_partial_refund_ends_nothing() {
    let other = RefundId::derived(payment_id().uuid(), "refund", "other");
    when(giving_back()).when(refunded(other)).then_nothing();
}

#[test]
fn an_order_that_was_not_confirmed_is_left_to_checkout() {
    let event = envelope(OrderEvent::from(cancellation(CancellationCause::Requested, false)));
    assert_eq!(Cancellation::instance(&event), None);
}

#[test]
fn an_open_cancellation_says_what_it_waits_for() {
    let says = |state: CancellationState| Cancellation::awaits(&state).map(|a| a.what);
    assert_eq!(says(stopping()).unwrap(), "DeliveryCancelled or DeliveryCancellationRefused");
    assert_eq!(says(refusing()).unwrap(), "OrderCancellationRefused");
    assert_eq!(says(giving_back()).unwrap(), "PaymentRefunded");
    assert_eq!(says(CancellationState::DeliveryOver), None);
}

#[test]
fn every_event_in_every_stage() {
    let states = [
        ("idle", CancellationState::Idle),
        ("delivery over", CancellationState::DeliveryOver),
        ("stopping the delivery", stopping()),
        ("refusing", refusing()),
        ("giving back", giving_back()),
        (
            "giving back, with a coupon",
            CancellationState::GivingBack(OrderCancellationRequested {
                coupon_id: Some(used_coupon_id()),
                ..asked()
            }),
        ),
        ("done", CancellationState::Done),
    ];
    insta::assert_snapshot!("grid", grid::<Cancellation>(&states, &["due"]));
}
