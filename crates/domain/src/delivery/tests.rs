//! What a delivery answers, by example, over the whole grid, and under random returns.

use cqrs_es::test::TestFramework;

use self::returns::{cancel_return, close, receive, start, start_at};
use super::{
    CancelledBy, Delivery, DeliveryAccepted, DeliveryCancellationRefused, DeliveryCancelled, DeliveryCommand,
    DeliveryCompleted, DeliveryError, DeliveryEvent, DeliveryFailed, DeliveryRequested, DeliveryShipped,
    PreparationStarted,
};
use crate::{
    Actor, CancellableUntil, ContactId,
    order::ChargedLine,
    testing::{
        Grid, at, contact_id, customer_id, delivery_id, given, krw, order_id, pieces, product_id, shop_id,
    },
};

mod random;
mod returns;

fn shop() -> Actor {
    Actor::Shop(shop_id())
}
fn courier() -> Actor {
    Actor::Courier("kim".parse().unwrap())
}
fn lines() -> Vec<ChargedLine> {
    vec![ChargedLine { product_id: product_id(1), quantity: pieces(2), charged: krw(1800) }]
}
/// How long goods may go back, where they may.
const WINDOW: u32 = 3600;

fn request(needs_preparation: bool, cancellable_until: CancellableUntil) -> DeliveryCommand {
    DeliveryCommand::RequestDelivery {
        delivery_id: delivery_id(),
        order_id: order_id(1),
        shop_id: shop_id(),
        customer_id: customer_id(),
        lines: lines(),
        needs_preparation,
        cancellable_until,
        refund_window_secs: Some(WINDOW),
    }
}
fn accept() -> DeliveryCommand {
    DeliveryCommand::AcceptDelivery { by: shop() }
}
fn prepare() -> DeliveryCommand {
    DeliveryCommand::StartPreparation { by: shop() }
}
fn ship() -> DeliveryCommand {
    DeliveryCommand::ShipDelivery { by: shop() }
}
fn complete() -> DeliveryCommand {
    DeliveryCommand::CompleteDelivery { by: courier(), at: at(0) }
}
fn fail() -> DeliveryCommand {
    DeliveryCommand::FailDelivery { by: courier(), reason_id: Some(contact_id()) }
}
fn cancel() -> DeliveryCommand {
    DeliveryCommand::CancelDelivery { by: shop(), reason_id: Some(contact_id()) }
}
fn cancel_for_order() -> DeliveryCommand {
    DeliveryCommand::CancelForOrder {
        delivery_id: delivery_id(),
        order_id: order_id(1),
        shop_id: shop_id(),
        customer_id: customer_id(),
    }
}

fn requested(needs_preparation: bool, cancellable_until: CancellableUntil) -> DeliveryEvent {
    DeliveryRequested {
        delivery_id: delivery_id(),
        order_id: order_id(1),
        shop_id: shop_id(),
        customer_id: customer_id(),
        lines: lines(),
        needs_preparation,
        cancellable_until,
        refund_window_secs: Some(WINDOW),
    }
    .into()
}
fn accepted() -> DeliveryEvent {
    DeliveryAccepted { order_id: order_id(1), by: shop() }.into()
}
fn preparing() -> DeliveryEvent {
    PreparationStarted { order_id: order_id(1), by: shop() }.into()
}
fn shipped() -> DeliveryEvent {
    DeliveryShipped { order_id: order_id(1), by: shop() }.into()
}
fn completed() -> DeliveryEvent {
    DeliveryCompleted { order_id: order_id(1), by: courier(), returnable_until: Some(at(i64::from(WINDOW))) }
        .into()
}
fn failed() -> DeliveryEvent {
    DeliveryFailed { order_id: order_id(1), by: courier(), reason_id: Some(contact_id()) }.into()
}
fn cancelled(cancelled_by: CancelledBy, reason_id: Option<ContactId>) -> DeliveryEvent {
    DeliveryCancelled {
        delivery_id: delivery_id(),
        order_id: order_id(1),
        shop_id: shop_id(),
        customer_id: customer_id(),
        cancelled_by,
        reason_id,
    }
    .into()
}
fn cancellation_refused() -> DeliveryEvent {
    DeliveryCancellationRefused { order_id: order_id(1) }.into()
}

#[test]
fn every_command_in_every_state() {
    use CancellableUntil::{Accepted, Preparing, Requested};
    let arrived = |then: Vec<DeliveryCommand>| {
        [vec![request(false, Accepted), accept(), ship(), complete()], then].concat()
    };
    let no_returns = {
        let mut first = request(false, Accepted);
        let DeliveryCommand::RequestDelivery { refund_window_secs, .. } = &mut first else { unreachable!() };
        *refund_window_secs = None;
        first
    };
    let one = || start(1, &[(1, 1)]);
    let grid = Grid::<Delivery> {
        histories: vec![
            ("absent", vec![]),
            ("requested", vec![request(true, Accepted)]),
            ("accepted, to prepare", vec![request(true, Accepted), accept()]),
            ("accepted, to ship", vec![request(false, Accepted), accept()]),
            ("accepted, bound", vec![request(true, Requested), accept()]),
            ("preparing, free", vec![request(true, Preparing), accept(), prepare()]),
            ("preparing, bound", vec![request(true, Accepted), accept(), prepare()]),
            ("shipped", vec![request(false, Accepted), accept(), ship()]),
            ("delivered", arrived(vec![])),
            ("delivered, no returns", vec![no_returns, accept(), ship(), complete()]),
            ("delivered, window closed", arrived(vec![close(i64::from(WINDOW))])),
            ("delivered, one of two back", arrived(vec![one(), receive()])),
            ("delivered, return cancelled", arrived(vec![one(), cancel_return(Some(1))])),
            ("returning", arrived(vec![one()])),
            ("returning another", arrived(vec![one(), receive(), start(2, &[])])),
            ("returning, window closed", arrived(vec![one(), close(i64::from(WINDOW))])),
            ("returned", arrived(vec![start(1, &[]), receive()])),
            ("returned, window closed", arrived(vec![start(1, &[]), receive(), close(i64::from(WINDOW))])),
            ("failed", vec![request(false, Accepted), accept(), ship(), fail()]),
            ("cancelled by the shop", vec![request(true, Accepted), cancel()]),
            ("cancelled for the order", vec![request(true, Accepted), cancel_for_order()]),
            ("cancelled before requested", vec![cancel_for_order()]),
        ],
        commands: vec![
            ("request", request(true, Accepted)),
            ("accept", accept()),
            ("start preparation", prepare()),
            ("ship", ship()),
            ("complete", complete()),
            ("fail", fail()),
            ("cancel", cancel()),
            ("cancel for the order", cancel_for_order()),
            ("return one", one()),
            ("return one later", start_at(1, &[(1, 1)], i64::from(WINDOW))),
            ("return all, another", start(3, &[])),
            ("return too many", start(1, &[(1, 3)])),
            ("receive", receive()),
            ("cancel return", cancel_return(None)),
            ("cancel return 1", cancel_return(Some(1))),
            ("cancel return 9", cancel_return(Some(9))),
            ("close window early", close(i64::from(WINDOW) - 1)),
            ("close window", close(i64::from(WINDOW))),
        ],
        repeatable: &[
            (
                "cancel for the order",
                "a refusal leaves no trace in the state, and who asks again is answered again",
            ),
            ("return one", "a refusal leaves no trace in the state"),
            ("return one later", "a refusal leaves no trace in the state"),
            ("return all, another", "a refusal leaves no trace in the state"),
            ("return too many", "a refusal leaves no trace in the state"),
        ],
    };
    insta::assert_snapshot!("grid", grid.run());
}

#[test]
fn a_delivery_with_preparation_goes_step_by_step() {
    let first = || requested(true, CancellableUntil::Accepted);
    given::<Delivery>([]).when(request(true, CancellableUntil::Accepted)).then([first()]);
    given::<Delivery>([first()]).when(accept()).then([accepted()]);
    given::<Delivery>([first(), accepted()]).when(prepare()).then([preparing()]);
    given::<Delivery>([first(), accepted(), preparing()]).when(ship()).then([shipped()]);
    given::<Delivery>([first(), accepted(), preparing(), shipped()]).when(complete()).then([completed()]);
    given::<Delivery>([first(), accepted(), preparing(), shipped()]).when(fail()).then([failed()]);
}

#[test]
fn what_must_be_prepared_is_not_shipped_before() {
    given::<Delivery>([requested(true, CancellableUntil::Accepted), accepted()])
        .when(ship())
        .then_error(DeliveryError::NotPrepared);
}

#[test]
fn what_needs_no_preparation_is_shipped_at_once_and_cannot_be_prepared() {
    let past = || [requested(false, CancellableUntil::Accepted), accepted()];
    given::<Delivery>(past()).when(ship()).then([shipped()]);
    given::<Delivery>(past()).when(prepare()).then_error(DeliveryError::NoPreparation);
}

#[test]
fn a_cancellation_that_overtakes_the_request_wins() {
    let by_order = || cancelled(CancelledBy::Order, None);
    given::<Delivery>([]).when(cancel_for_order()).then([by_order()]);
    given::<Delivery>([by_order()])
        .when(request(true, CancellableUntil::Accepted))
        .then_error(DeliveryError::CancelledBefore);
    given::<Delivery>([by_order()]).when(cancel_for_order()).then_already_applied();
    given::<Delivery>([by_order()]).when(accept()).then_error(DeliveryError::NotFound);
}

#[test]
fn an_order_is_cancelled_until_the_state_that_the_policy_names() {
    use CancellableUntil::{Accepted, Preparing, Requested};
    for (until, while_accepted, while_preparing) in
        [(Requested, false, false), (Accepted, true, false), (Preparing, true, true)]
    {
        let answer = |free| if free { cancelled(CancelledBy::Order, None) } else { cancellation_refused() };
        let first = || requested(true, until);
        given::<Delivery>([first()]).when(cancel_for_order()).then([answer(true)]);
        given::<Delivery>([first(), accepted()]).when(cancel_for_order()).then([answer(while_accepted)]);
        given::<Delivery>([first(), accepted(), preparing()])
            .when(cancel_for_order())
            .then([answer(while_preparing)]);
    }
}

#[test]
fn goods_that_left_are_never_called_back() {
    let way = || vec![requested(true, CancellableUntil::Preparing), accepted(), preparing(), shipped()];
    given::<Delivery>(way()).when(cancel_for_order()).then([cancellation_refused()]);
    given::<Delivery>(way())
        .when(cancel())
        .then_error(DeliveryError::IllegalTransition { state: "shipped", command: "be cancelled" });
    let arrived = || way().into_iter().chain([completed()]);
    given::<Delivery>(arrived()).when(cancel_for_order()).then([cancellation_refused()]);
    given::<Delivery>(arrived())
        .when(cancel())
        .then_error(DeliveryError::IllegalTransition { state: "delivered", command: "be cancelled" });
}

#[test]
fn a_refused_cancellation_leaves_the_delivery_where_it_was() {
    let past = [requested(false, CancellableUntil::Requested), accepted(), cancellation_refused()];
    given::<Delivery>(past).when(ship()).then([shipped()]);
}

#[test]
fn a_shop_cancels_in_every_state_before_shipping_whatever_the_policy_grants_the_customer() {
    let first = || requested(true, CancellableUntil::Requested);
    let by_shop = || cancelled(CancelledBy::Shop, Some(contact_id()));
    given::<Delivery>([first()]).when(cancel()).then([by_shop()]);
    given::<Delivery>([first(), accepted()]).when(cancel()).then([by_shop()]);
    given::<Delivery>([first(), accepted(), preparing()]).when(cancel()).then([by_shop()]);
    given::<Delivery>([first(), by_shop()]).when(cancel()).then_already_applied();
}

#[test]
fn a_cancelled_delivery_is_not_taken_up_again() {
    let past = || [requested(false, CancellableUntil::Accepted), cancelled(CancelledBy::Order, None)];
    let refused = |command| DeliveryError::IllegalTransition { state: "cancelled", command };
    given::<Delivery>(past()).when(accept()).then_error(refused("be accepted"));
    given::<Delivery>(past()).when(ship()).then_error(refused("be shipped"));
    given::<Delivery>(past()).when(complete()).then_error(refused("be completed"));
}

#[test]
fn a_delivery_that_failed_does_not_arrive_and_one_that_arrived_does_not_fail() {
    let way = |last| [requested(false, CancellableUntil::Accepted), accepted(), shipped(), last];
    given::<Delivery>(way(failed()))
        .when(complete())
        .then_error(DeliveryError::IllegalTransition { state: "failed", command: "be completed" });
    given::<Delivery>(way(completed()))
        .when(fail())
        .then_error(DeliveryError::IllegalTransition { state: "delivered", command: "fail" });
    given::<Delivery>(way(failed())).when(fail()).then_already_applied();
    given::<Delivery>(way(completed())).when(complete()).then_already_applied();
}

#[test]
fn nothing_can_be_done_with_a_delivery_that_was_never_requested() {
    for command in [accept(), prepare(), ship(), complete(), fail(), cancel()] {
        given::<Delivery>([]).when(command).then_error(DeliveryError::NotFound);
    }
}

#[tokio::test]
async fn the_cqrs_es_framework_runs_a_delivery() {
    let framework = || TestFramework::<Delivery>::with(());
    let past = || vec![requested(true, CancellableUntil::Accepted), accepted()];
    framework().given(past()).when_async(prepare()).await.then_expect_events(vec![preparing()]);
    framework().given(past()).when_async(accept()).await.then_expect_events(vec![]);
    framework().given(past()).when_async(ship()).await.then_expect_error(DeliveryError::NotPrepared);
}
