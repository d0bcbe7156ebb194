//! Goods on their way back.

use super::{WINDOW, accepted, cancel_for_order, cancellation_refused, completed, courier, shipped, shop};
use crate::{
    CancellableUntil, Money, ProductId,
    delivery::{
        Delivery, DeliveryCommand, DeliveryCompleted, DeliveryError, DeliveryEvent, DeliveryRequested,
        ReturnCancelled, ReturnEnd, ReturnReceived, ReturnRefusal, ReturnRefused, ReturnStarted,
        ReturnWindowClosed,
    },
    order::ChargedLine,
    refund::ReturnedLine,
    testing::{
        at, customer_id, delivery_id, fold, given, krw, order_id, pieces, product_id, refund_id, shop_id,
    },
};

/// Pieces of products, by number.
fn back(lines: &[(u64, i64)]) -> Vec<ReturnedLine> {
    let line = |(product, quantity): &(u64, i64)| ReturnedLine {
        product_id: product_id(*product),
        quantity: pieces(*quantity),
    };
    lines.iter().map(line).collect()
}
pub(super) fn start_at(refund: u64, lines: &[(u64, i64)], secs: i64) -> DeliveryCommand {
    DeliveryCommand::StartReturn {
        refund_id: refund_id(refund),
        order_id: order_id(1),
        lines: back(lines),
        at: at(secs),
    }
}
pub(super) fn start(refund: u64, lines: &[(u64, i64)]) -> DeliveryCommand {
    start_at(refund, lines, 60)
}
pub(super) fn receive() -> DeliveryCommand {
    DeliveryCommand::ReceiveReturn { refund_id: None, by: shop() }
}
pub(super) fn cancel_return(refund: Option<u64>) -> DeliveryCommand {
    DeliveryCommand::CancelReturn { refund_id: refund.map(refund_id), by: courier() }
}
pub(super) fn close(secs: i64) -> DeliveryCommand {
    DeliveryCommand::CloseReturnWindow { at: at(secs) }
}

pub(super) fn charged(product: ProductId, quantity: i64, charged: Money) -> ChargedLine {
    ChargedLine { product_id: product, quantity: pieces(quantity), charged }
}
pub(super) fn requested_with(lines: Vec<ChargedLine>) -> DeliveryEvent {
    DeliveryRequested {
        delivery_id: delivery_id(),
        order_id: order_id(1),
        shop_id: shop_id(),
        customer_id: customer_id(),
        lines,
        needs_preparation: false,
        cancellable_until: CancellableUntil::Accepted,
        refund_window_secs: Some(WINDOW),
    }
    .into()
}
/// Three pieces of one product for 1000, two of another for 51, and one more of the first for 300: all of it arrived.
pub(super) fn arrived() -> Vec<DeliveryEvent> {
    let lines = vec![
        charged(product_id(1), 3, krw(1000)),
        charged(product_id(2), 2, krw(51)),
        charged(product_id(1), 1, krw(300)),
    ];
    vec![requested_with(lines), accepted(), shipped(), completed()]
}
fn after(more: impl IntoIterator<Item = DeliveryEvent>) -> Vec<DeliveryEvent> {
    arrived().into_iter().chain(more).collect()
}

fn started(refund: u64, lines: &[(u64, i64)], amount: i64, kept: i64) -> DeliveryEvent {
    started_after(&[], refund, lines, amount, kept)
}
/// After other refunds that were called off.
fn started_after(
    earlier: &[u64],
    refund: u64,
    lines: &[(u64, i64)],
    amount: i64,
    kept: i64,
) -> DeliveryEvent {
    ReturnStarted {
        order_id: order_id(1),
        refund_id: refund_id(refund),
        lines: back(lines),
        amount: krw(amount),
        kept: krw(kept),
        called_off: earlier.iter().copied().map(refund_id).collect(),
    }
    .into()
}
fn refused(refund: u64, reason: ReturnRefusal) -> DeliveryEvent {
    ReturnRefused { order_id: order_id(1), refund_id: refund_id(refund), reason }.into()
}
fn received(refund: u64) -> DeliveryEvent {
    ReturnReceived { order_id: order_id(1), refund_id: refund_id(refund), by: shop() }.into()
}
fn called_off(refund: u64) -> DeliveryEvent {
    ReturnCancelled { order_id: order_id(1), refund_id: refund_id(refund), by: courier() }.into()
}
fn window_closed() -> DeliveryEvent {
    ReturnWindowClosed { order_id: order_id(1) }.into()
}

#[test]
fn a_return_says_what_the_goods_cost_and_what_is_kept() {
    given::<Delivery>(arrived()).when(start(1, &[(1, 1)])).then([started(1, &[(1, 1)], 333, 1018)]);
    given::<Delivery>(arrived()).when(start(1, &[(2, 1)])).then([started(1, &[(2, 1)], 25, 1326)]);
}

#[test]
fn a_return_without_lines_takes_all_that_is_left() {
    let everything = [(1, 3), (2, 2), (1, 1)];
    given::<Delivery>(arrived()).when(start(1, &[])).then([started(1, &everything, 1351, 0)]);
    let one_back = after([started(1, &[(1, 1)], 333, 1018), received(1)]);
    given::<Delivery>(one_back).when(start(2, &[])).then([started(2, &[(1, 2), (2, 2), (1, 1)], 1018, 0)]);
}

#[test]
fn pieces_that_go_back_one_by_one_cost_together_what_the_line_cost() {
    let third = |refund| started(refund, &[(1, 1)], if refund == 3 { 334 } else { 333 }, 0);
    let amounts: Vec<i64> = [1, 2, 3]
        .into_iter()
        .scan(arrived(), |past, refund| {
            let (amount, _) = fold::<Delivery>(past).check_return(&back(&[(1, 1)]), at(60)).unwrap();
            past.extend([third(refund), received(refund)]);
            Some(amount.amount_minor)
        })
        .collect();
    assert_eq!(amounts, [333, 333, 334]);
}

#[test]
fn a_product_in_two_lines_is_taken_from_the_first_line_first() {
    given::<Delivery>(arrived()).when(start(1, &[(1, 4)])).then([started(1, &[(1, 3), (1, 1)], 1300, 51)]);
    given::<Delivery>(arrived()).when(start(1, &[(1, 2), (2, 1), (1, 2)])).then([started(
        1,
        &[(1, 3), (2, 1), (1, 1)],
        1325,
        26,
    )]);
    let three_back = after([started(1, &[(1, 3)], 1000, 351), received(1)]);
    given::<Delivery>(three_back).when(start(2, &[(1, 1)])).then([started(2, &[(1, 1)], 300, 51)]);
}

#[test]
fn a_route_asks_beforehand_what_the_delivery_will_answer() {
    let delivery = fold::<Delivery>(&arrived());
    assert_eq!(delivery.check_return(&back(&[(1, 1)]), at(60)), Ok((krw(333), krw(1018))));
    assert_eq!(delivery.check_return(&back(&[(1, 5)]), at(60)), Err(ReturnRefusal::MoreThanDelivered));
    assert_eq!(delivery.check_return(&[], at(i64::from(WINDOW))), Err(ReturnRefusal::WindowOver));
    assert_eq!(Delivery::Absent.check_return(&[], at(60)), Err(ReturnRefusal::NotDelivered));
}

#[test]
fn goods_that_have_not_arrived_do_not_go_back() {
    let not_delivered = || [refused(1, ReturnRefusal::NotDelivered)];
    given::<Delivery>([]).when(start(1, &[])).then(not_delivered());
    let way = &arrived()[..3];
    for known in 1..=3 {
        given::<Delivery>(way[..known].to_vec()).when(start(1, &[])).then(not_delivered());
    }
    let was_refused = [refused(1, ReturnRefusal::NotDelivered)];
    given::<Delivery>(was_refused).when(receive()).then_error(DeliveryError::NotFound);
}

#[test]
fn more_than_was_delivered_does_not_go_back() {
    let too_many = |refund| [refused(refund, ReturnRefusal::MoreThanDelivered)];
    for lines in [&[(1, 5)][..], &[(2, 3)], &[(3, 1)], &[(1, 4), (1, 1)], &[(1, 1), (2, 3)]] {
        given::<Delivery>(arrived()).when(start(1, lines)).then(too_many(1));
    }
    let all_of_two = after([started(1, &[(2, 2)], 51, 1300), received(1)]);
    given::<Delivery>(all_of_two).when(start(2, &[(2, 1)])).then(too_many(2));
    let everything = after([started(1, &[(1, 3), (2, 2), (1, 1)], 1351, 0), received(1)]);
    given::<Delivery>(everything.clone()).when(start(2, &[])).then(too_many(2));
    assert_eq!(fold::<Delivery>(&everything).details().unwrap().returned, [3, 2, 1]);
}

#[test]
fn one_return_is_under_way_at_a_time() {
    let open = || after([started(1, &[(1, 1)], 333, 1018)]);
    given::<Delivery>(open()).when(start(2, &[(2, 1)])).then([refused(2, ReturnRefusal::ReturnOpen)]);
    given::<Delivery>(open()).when(start(1, &[(1, 1)])).then_already_applied();
    given::<Delivery>(after([started(1, &[(1, 1)], 333, 1018), called_off(1)]))
        .when(start(2, &[(1, 1)]))
        .then([started_after(&[1], 2, &[(1, 1)], 333, 1018)]);
}

#[test]
fn a_return_that_ended_is_not_started_again() {
    for end in [received(1), called_off(1)] {
        let past = after([started(1, &[(1, 1)], 333, 1018), end]);
        given::<Delivery>(past).when(start(1, &[(1, 1)])).then_already_applied();
    }
}

#[test]
fn goods_go_back_until_the_last_second_of_the_window_and_not_later() {
    let end = i64::from(WINDOW);
    given::<Delivery>(arrived()).when(start_at(1, &[(1, 1)], end - 1)).then([started(
        1,
        &[(1, 1)],
        333,
        1018,
    )]);
    for secs in [end, end + 1, end * 1000] {
        given::<Delivery>(arrived())
            .when(start_at(1, &[(1, 1)], secs))
            .then([refused(1, ReturnRefusal::WindowOver)]);
    }
}

#[test]
fn who_asked_in_time_is_in_time_even_if_the_window_was_closed_before_the_request_was_seen() {
    let end = i64::from(WINDOW);
    let closed = || after([window_closed()]);
    given::<Delivery>(closed()).when(start_at(1, &[(1, 1)], end - 1)).then([started(
        1,
        &[(1, 1)],
        333,
        1018,
    )]);
    let too_late = refused(1, ReturnRefusal::WindowOver);
    given::<Delivery>(closed()).when(start_at(1, &[(1, 1)], end)).then([too_late]);
}

#[test]
fn the_window_is_closed_once_and_not_too_early() {
    let end = i64::from(WINDOW);
    given::<Delivery>(arrived())
        .when(close(end - 1))
        .then_error(DeliveryError::ReturnWindowOpen { until: at(end) });
    given::<Delivery>(arrived()).when(close(end)).then([window_closed()]);
    given::<Delivery>(after([window_closed()])).when(close(end)).then_already_applied();
}

#[test]
fn a_shop_without_a_window_takes_nothing_back() {
    let arrival = DeliveryCompleted { order_id: order_id(1), by: courier(), returnable_until: None };
    let past = || [arrived()[..3].to_vec(), vec![arrival.clone().into()]].concat();
    given::<Delivery>(past()).when(start(1, &[])).then([refused(1, ReturnRefusal::NoReturns)]);
    given::<Delivery>(past()).when(close(0)).then_error(DeliveryError::IllegalTransition {
        state: "delivered",
        command: "have its refund window closed",
    });
}

#[test]
fn a_return_that_was_under_way_when_the_window_closed_is_still_received() {
    let past = after([started(1, &[(1, 1)], 333, 1018), window_closed()]);
    given::<Delivery>(past.clone()).when(receive()).then([received(1)]);
    given::<Delivery>(past).when(cancel_return(Some(1))).then([called_off(1)]);
}

#[test]
fn what_is_received_cannot_be_cancelled_and_what_is_cancelled_cannot_be_received() {
    let open = || started(1, &[(1, 1)], 333, 1018);
    let got_it = || after([open(), received(1)]);
    given::<Delivery>(got_it()).when(cancel_return(Some(1))).then_error(DeliveryError::IllegalTransition {
        state: "delivered",
        command: "have its return cancelled",
    });
    given::<Delivery>(got_it()).when(cancel_return(None)).then_error(DeliveryError::NoOpenReturn);
    given::<Delivery>(got_it()).when(receive()).then_already_applied();
    let off = || after([open(), called_off(1)]);
    given::<Delivery>(off()).when(receive()).then_error(DeliveryError::NoOpenReturn);
    given::<Delivery>(off()).when(cancel_return(Some(1))).then_already_applied();
    given::<Delivery>(off()).when(cancel_return(None)).then_already_applied();
}

#[test]
fn a_cancellation_of_another_return_leaves_the_open_one_alone() {
    let open = after([
        started(1, &[(1, 1)], 333, 1018),
        called_off(1),
        started(2, &[(2, 2)], 51, 1300),
        received(2),
        started(3, &[(1, 1)], 333, 967),
    ]);
    given::<Delivery>(open.clone()).when(cancel_return(Some(1))).then_already_applied();
    given::<Delivery>(open.clone()).when(cancel_return(Some(2))).then_error(
        DeliveryError::IllegalTransition { state: "returning", command: "have its return cancelled" },
    );
    given::<Delivery>(open.clone()).when(cancel_return(Some(9))).then_error(DeliveryError::NoOpenReturn);
    given::<Delivery>(open).when(cancel_return(None)).then([called_off(3)]);
}

#[test]
fn the_shop_receives_the_return_that_is_open_and_no_other() {
    let open = after([started(1, &[(1, 1)], 333, 1018)]);
    let receive_of =
        |refund| DeliveryCommand::ReceiveReturn { refund_id: Some(refund_id(refund)), by: shop() };
    given::<Delivery>(open.clone()).when(receive_of(2)).then_error(DeliveryError::NoOpenReturn);
    given::<Delivery>(open.clone()).when(receive_of(1)).then([received(1)]);
    given::<Delivery>(open).when(receive()).then([received(1)]);
}

#[test]
fn a_delivery_that_nothing_was_taken_from_has_no_return_to_end() {
    given::<Delivery>(arrived()).when(receive()).then_error(DeliveryError::NoOpenReturn);
    given::<Delivery>(arrived()).when(cancel_return(None)).then_error(DeliveryError::NoOpenReturn);
    given::<Delivery>(arrived()).when(cancel_return(Some(1))).then_error(DeliveryError::NoOpenReturn);
}

#[test]
fn goods_on_their_way_back_are_too_late_to_cancel_the_order() {
    let open = started(1, &[(1, 3), (2, 2), (1, 1)], 1351, 0);
    given::<Delivery>(after([open.clone()])).when(cancel_for_order()).then([cancellation_refused()]);
    given::<Delivery>(after([open, received(1)])).when(cancel_for_order()).then([cancellation_refused()]);
}

#[test]
fn returns_that_are_started_and_cancelled_for_ever_do_not_make_the_state_grow() {
    let cycles = (10..200).flat_map(|n| [started(n, &[(1, 1)], 333, 1018), called_off(n)]);
    let kept = started(1, &[(2, 2)], 51, 1300);
    let past = after([kept, received(1)].into_iter().chain(cycles));
    let delivery = fold::<Delivery>(&past);
    let ended = &delivery.details().unwrap().ended_returns;
    assert_eq!(ended.len(), 17);
    assert_eq!(ended[0], (refund_id(1), ReturnEnd::Received), "what was received is never forgotten");
    assert_eq!(ended[16], (refund_id(199), ReturnEnd::Cancelled));
}
