//! The table of fulfilment, row by row and as a grid.

use domain::{
    Actor, AnyCommand, CancellableUntil, Timestamp,
    delivery::{
        CancelledBy, DeliveryCommand, DeliveryCompleted, DeliveryEvent, DeliveryFailed, DeliveryShipped,
    },
    order::{CancellationCause, OrderCommand, OrderConfirmed, OrderEvent},
    product::ProductCommand,
};

use super::{Fulfilment, FulfilmentState};
use crate::{
    Process,
    testing::{
        Given, at, charged, contact_id, customer_id, delivery_cancelled, delivery_id, given, grid, order_id,
        product, shop_id, with_returns,
    },
};

fn delivering(shipped: bool) -> FulfilmentState {
    let products = vec![product(1), product(2)];
    FulfilmentState::Delivering { order_id: order_id(), products, shipped }
}
fn when(state: FulfilmentState) -> Given<Fulfilment> {
    given(state)
}
fn by() -> Actor {
    Actor::Shop(shop_id())
}
fn order(command: OrderCommand) -> AnyCommand {
    AnyCommand::Order { id: order_id(), command }
}
fn cancel_order(cause: CancellationCause) -> AnyCommand {
    let by = Actor::Process("fulfilment".to_owned());
    order(OrderCommand::RequestCancellation { by, cause, reason_id: Some(contact_id()) })
}
fn returnable() -> FulfilmentState {
    FulfilmentState::Returnable(order_id())
}
fn completed(returnable_until: Option<Timestamp>) -> DeliveryEvent {
    DeliveryCompleted { order_id: order_id(), by: by(), returnable_until }.into()
}
fn failed() -> DeliveryEvent {
    DeliveryFailed { order_id: order_id(), by: by(), reason_id: Some(contact_id()) }.into()
}
fn cancelled(by: CancelledBy) -> DeliveryEvent {
    delivery_cancelled(by).into()
}

#[test]
fn a_confirmed_order_requests_its_delivery_unless_it_was_cancelled_before() {
    let confirmed = OrderConfirmed {
        order_id: order_id(),
        shop_id: shop_id(),
        customer_id: customer_id(),
        delivery_id: delivery_id(),
        lines: charged(),
        policy: with_returns(),
    };
    let command = DeliveryCommand::RequestDelivery {
        delivery_id: delivery_id(),
        order_id: order_id(),
        shop_id: shop_id(),
        customer_id: customer_id(),
        lines: charged(),
        needs_preparation: true,
        cancellable_until: CancellableUntil::Accepted,
        refund_window_secs: Some(3600),
    };
    let request = AnyCommand::Delivery { id: delivery_id(), command };
    let then = when(FulfilmentState::Idle).when(OrderEvent::from(confirmed)).then(delivering(false));
    then.sends("request_delivery", request, &["delivery_cancelled_before"]).and_no_more();
}

#[test]
fn goods_that_leave_the_shop_leave_the_stock_each_product_once() {
    let shipped = DeliveryShipped { order_id: order_id(), by: by() };
    let mut then = when(delivering(false)).when(DeliveryEvent::from(shipped)).then(delivering(true));
    for id in [product(1), product(2)] {
        let command = ProductCommand::CommitStock { order_id: order_id() };
        then = then.sends(&format!("commit_stock/{id}"), AnyCommand::Product { id, command }, &[]);
    }
    then.and_no_more();
}

#[test]
fn goods_that_arrive_complete_the_order() {
    let then = when(delivering(true)).when(completed(None)).then(FulfilmentState::Done);
    then.sends("complete_order", order(OrderCommand::CompleteOrder), &[]).and_no_more();
}

#[test]
fn goods_that_may_go_back_complete_the_order_and_set_a_timer() {
    let then = when(delivering(true)).when(completed(Some(at(3610)))).then(returnable());
    then.sends("complete_order", order(OrderCommand::CompleteOrder), &[])
        .and_timers(&[("return_window", Some(at(3610)))]);
}

#[test]
fn the_end_of_the_refund_window_closes_it() {
    let then = when(returnable()).when_woken("return_window", at(3610)).then(FulfilmentState::Done);
    let command = DeliveryCommand::CloseReturnWindow { at: at(3610) };
    then.sends("close_return_window", AnyCommand::Delivery { id: delivery_id(), command }, &[]).and_no_more();
    when(returnable()).when_woken("another", at(3610)).then_nothing();
    when(FulfilmentState::Done).when_woken("return_window", at(3610)).then_nothing();
}

#[test]
fn goods_that_do_not_arrive_cancel_the_order() {
    let then = when(delivering(true)).when(failed()).then(FulfilmentState::Done);
    then.sends("cancel_order", cancel_order(CancellationCause::DeliveryFailed), &[]).and_no_more();
}

#[test]
fn a_delivery_that_the_shop_calls_off_cancels_the_order() {
    let cause = CancellationCause::ShopCancelledDelivery;
    let then = when(delivering(false)).when(cancelled(CancelledBy::Shop)).then(FulfilmentState::Done);
    then.sends("cancel_order", cancel_order(cause), &[]).and_no_more();
}

#[test]
fn a_delivery_that_the_orders_cancellation_called_off_is_over() {
    when(delivering(false)).when(cancelled(CancelledBy::Order)).then(FulfilmentState::Done).and_no_more();
}

#[test]
fn an_open_fulfilment_says_whom_it_waits_for() {
    let says = |state: FulfilmentState| Fulfilment::awaits(&state).map(|a| a.what);
    assert_eq!(says(delivering(false)).unwrap(), "the shop to ship (DeliveryShipped)");
    assert_eq!(says(delivering(true)).unwrap(), "the courier to deliver (DeliveryCompleted)");
    assert_eq!((says(returnable()), says(FulfilmentState::Done)), (None, None), "the order is done");
}

#[test]
fn every_event_in_every_stage() {
    let states = [
        ("idle", FulfilmentState::Idle),
        ("delivering", delivering(false)),
        ("delivering, shipped", delivering(true)),
        ("returnable", returnable()),
        ("done", FulfilmentState::Done),
    ];
    insta::assert_snapshot!("grid", grid::<Fulfilment>(&states, &["return_window"]));
}
