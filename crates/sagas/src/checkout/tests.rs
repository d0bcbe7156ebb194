//! The table of checkout, row by row and as a grid.

mod coupon;

use domain::{
    AnyCommand, PaymentTerms, ShopPolicy, Timestamp,
    order::{
        CancellationCause, OrderCommand, OrderConfirmed, OrderEvent, OrderPlaced, OrderRejected,
        OrderRejection,
    },
    payment::{
        PaymentCaptured, PaymentCommand, PaymentDeclined, PaymentEvent, PaymentExpired, PaymentRefunded,
        PaymentTiming, PaymentVoided,
    },
    product::{ProductCommand, ProductEvent, RefusalReason, StockReservationRefused, StockReserved},
};

use super::{Basket, Checkout, CheckoutState};
use crate::{
    Process,
    testing::{
        Given, Then, at, cancellation, charged, contact_id, customer_id, delivery_id, given, grid, order_id,
        payment_id, placed, placed_with, policy, product, refund_id, shop_id, won,
    },
};

fn basket() -> Basket {
    Basket::of(&placed())
}
fn reserving(missing: &[u64]) -> CheckoutState {
    reserving_but(missing, None, false)
}
fn reserving_but(missing: &[u64], refusal: Option<OrderRejection>, cancelled: bool) -> CheckoutState {
    let missing = missing.iter().map(|number| product(*number)).collect();
    CheckoutState::Reserving { basket: basket(), missing, refusal, cancelled }
}
fn paying() -> CheckoutState {
    CheckoutState::Paying(basket())
}
fn confirming() -> CheckoutState {
    CheckoutState::Confirming(basket())
}
fn rejecting() -> CheckoutState {
    CheckoutState::Rejecting(basket())
}
fn undoing() -> CheckoutState {
    CheckoutState::Undoing(basket())
}
fn when(state: CheckoutState) -> Given<Checkout> {
    given(state)
}

fn reserved(number: u64) -> ProductEvent {
    StockReserved { product_id: product(number), order_id: order_id(), quantity: 1 }.into()
}
fn refused(number: u64) -> ProductEvent {
    let reason = RefusalReason::Withdrawn;
    StockReservationRefused { product_id: product(number), order_id: order_id(), reason }.into()
}
fn out_of(number: u64) -> OrderRejection {
    OrderRejection::StockRefused { product_id: product(number), refusal: RefusalReason::Withdrawn }
}
fn captured() -> PaymentEvent {
    let provider_ref = "ch_1".to_owned();
    let (payment_id, order_id, amount) = (payment_id(), order_id(), won(2800));
    PaymentCaptured { payment_id, subject: order_id.into(), amount, attempt: 1, provider_ref }.into()
}
fn declined() -> PaymentEvent {
    PaymentDeclined { subject: order_id().into(), decline_code: "no_funds".to_owned() }.into()
}
fn expired() -> PaymentEvent {
    PaymentExpired { subject: order_id().into() }.into()
}
fn called_back(was_confirmed: bool) -> OrderEvent {
    cancellation(CancellationCause::Requested, was_confirmed).into()
}

fn order(command: OrderCommand) -> AnyCommand {
    AnyCommand::Order { id: order_id(), command }
}
fn payment(command: PaymentCommand) -> AnyCommand {
    AnyCommand::Payment { id: payment_id(), command }
}
fn release(number: u64) -> (String, AnyCommand) {
    let (id, command) = (product(number), ProductCommand::ReleaseStock { order_id: order_id() });
    (format!("release_stock/{id}"), AnyCommand::Product { id, command })
}
fn reserve(number: u64, quantity: u64) -> (String, AnyCommand) {
    let (id, command) = (product(number), ProductCommand::ReserveStock { order_id: order_id(), quantity });
    (format!("reserve_stock/{id}"), AnyCommand::Product { id, command })
}
fn request(timing: PaymentTiming, amount: i64, with_method: bool, due_at: Timestamp) -> AnyCommand {
    payment(PaymentCommand::RequestPayment {
        payment_id: payment_id(),
        subject: order_id().into(),
        customer_id: customer_id(),
        shop_id: Some(shop_id()),
        amount: won(amount),
        timing,
        method: with_method.then(contact_id),
        due_at,
    })
}
fn send<P: Process>(then: Then<P>, step: (String, AnyCommand)) -> Then<P> {
    then.sends(&step.0, step.1, &[])
}

/// All pieces go back on the shelf, then the order is turned down, unless a cancellation was faster.
#[track_caller]
fn rejected_for(then: Then<Checkout>, reason: OrderRejection) {
    let then = send(send(then.then(rejecting()), release(1)), release(2));
    then.sends("reject_order", order(OrderCommand::RejectOrder { reason }), &["illegal_transition"])
        .and_no_more();
}
/// All pieces go back on the shelf, then the cancellation is over.
#[track_caller]
fn undone(then: Then<Checkout>) {
    let then = send(send(then.then(CheckoutState::Done), release(1)), release(2));
    then.sends("finish_cancellation", order(OrderCommand::FinishCancellation), &[]).and_no_more();
}

#[test]
fn a_placed_order_reserves_each_product_once_with_the_pieces_of_all_its_lines() {
    let then = when(CheckoutState::Idle).when(OrderEvent::from(placed())).then(reserving(&[1, 2]));
    send(send(then, reserve(1, 3)), reserve(2, 2)).and_no_more();
}

#[test]
fn a_product_that_answers_is_no_longer_waited_for() {
    when(reserving(&[1, 2])).when(reserved(2)).then(reserving(&[1])).and_no_more();
}

#[test]
fn the_last_reservation_requests_the_payment() {
    let request = request(PaymentTiming::AtOrder, 2800, true, at(300));
    when(reserving(&[1]))
        .when(reserved(1))
        .then(paying())
        .sends("request_payment", request, &[])
        .and_no_more();
}

#[test]
fn a_deferred_payment_is_requested_without_a_method_unless_it_is_of_nothing() {
    let payment = PaymentTerms::Deferred { pay_within_secs: 60 };
    let later = OrderPlaced { payment_due_at: at(60), ..placed_with(ShopPolicy { payment, ..policy(&[]) }) };
    for (total, with_method) in [(2800, false), (0, true)] {
        let basket = Basket::of(&OrderPlaced { total: won(total), ..later.clone() });
        let missing = vec![product(2)];
        let state =
            CheckoutState::Reserving { basket: basket.clone(), missing, refusal: None, cancelled: false };
        let request = request(PaymentTiming::Deferred, total, with_method, at(60));
        let then = when(state).when(reserved(2)).then(CheckoutState::Paying(basket));
        then.sends("request_payment", request, &[]).and_no_more();
    }
}

#[test]
fn a_refusal_waits_for_the_other_answers_so_that_nothing_is_left_reserved() {
    let then = when(reserving(&[1, 2])).when(refused(1));
    then.then(reserving_but(&[2], Some(out_of(1)), false)).and_no_more();
}

#[test]
fn the_last_answer_rejects_the_order_for_the_first_refusal() {
    let waiting = || reserving_but(&[2], Some(out_of(1)), false);
    rejected_for(when(waiting()).when(reserved(2)), out_of(1));
    rejected_for(when(waiting()).when(refused(2)), out_of(1));
    rejected_for(when(reserving(&[2])).when(refused(2)), out_of(2));
}

#[test]
fn a_cancellation_while_reserving_waits_for_the_answers_under_way() {
    let then = when(reserving(&[1, 2])).when(called_back(false));
    then.then(reserving_but(&[1, 2], None, true)).and_no_more();
}

#[test]
fn the_last_answer_after_a_cancellation_ends_it_without_a_payment() {
    undone(when(reserving_but(&[1], None, true)).when(reserved(1)));
    undone(when(reserving_but(&[1], Some(out_of(2)), true)).when(refused(1)));
}

#[test]
fn captured_money_confirms_the_order_unless_a_cancellation_was_faster() {
    let confirm = order(OrderCommand::ConfirmOrder);
    let then = when(paying()).when(captured()).then(confirming());
    then.sends("confirm_order", confirm, &["illegal_transition"]).and_no_more();
}

#[test]
fn a_declined_or_expired_payment_rejects_the_order() {
    let no_funds = OrderRejection::PaymentDeclined { decline_code: "no_funds".to_owned() };
    rejected_for(when(paying()).when(declined()), no_funds);
    rejected_for(when(paying()).when(expired()), OrderRejection::PaymentExpired);
}

#[test]
fn a_cancellation_before_the_order_is_confirmed_voids_the_payment() {
    for state in [paying(), confirming()] {
        let then = when(state).when(called_back(false)).then(undoing());
        then.sends("void_payment", payment(PaymentCommand::VoidPayment), &[]).and_no_more();
    }
}

#[test]
fn a_cancellation_of_a_confirmed_order_is_left_to_cancellation() {
    for state in [paying(), confirming(), CheckoutState::Done] {
        when(state).when(called_back(true)).then_nothing();
    }
}

#[test]
fn however_the_payment_ends_the_undoing_puts_everything_back() {
    let subject = order_id().into();
    let refunded = PaymentRefunded {
        subject,
        refund_id: refund_id(),
        amount: won(2800),
        provider_ref: "re_1".to_owned(),
    };
    undone(when(undoing()).when(PaymentEvent::from(PaymentVoided { subject })));
    undone(when(undoing()).when(declined()));
    undone(when(undoing()).when(expired()));
    undone(when(undoing()).when(PaymentEvent::from(refunded)));
}

#[test]
fn money_that_is_captured_while_undoing_is_waited_for_until_it_is_back() {
    when(undoing()).when(captured()).then_nothing();
}

#[test]
fn a_confirmed_order_is_no_longer_checkouts() {
    let confirmed = OrderConfirmed {
        order_id: order_id(),
        shop_id: shop_id(),
        customer_id: customer_id(),
        delivery_id: delivery_id(),
        lines: charged(),
        policy: policy(&[]),
    };
    let event = OrderEvent::from(confirmed);
    when(confirming()).when(event).then(CheckoutState::Done).and_no_more();
}

#[test]
fn a_rejected_order_is_over() {
    let rejected = OrderRejected { order_id: order_id(), reason: OrderRejection::PaymentExpired };
    let event = OrderEvent::from(rejected);
    when(rejecting()).when(event).then(CheckoutState::Done).and_no_more();
}

#[test]
fn a_cancellation_that_is_faster_than_the_rejection_is_finished() {
    let finish = order(OrderCommand::FinishCancellation);
    let then = when(rejecting()).when(called_back(false)).then(CheckoutState::Done);
    then.sends("finish_cancellation", finish, &[]).and_no_more();
}

#[test]
fn an_open_checkout_says_what_it_waits_for_and_until_when() {
    let says = |state: CheckoutState| Checkout::awaits(&state).map(|a| (a.what, a.deadline));
    assert_eq!(says(reserving(&[1, 2])), Some(("stock of 2 product(s)".to_owned(), None)));
    assert_eq!(says(paying()), Some(("the payment's outcome".to_owned(), Some(at(300)))));
    assert_eq!(says(CheckoutState::Done), None);
}

#[test]
fn every_event_in_every_stage() {
    let states = [
        ("idle", CheckoutState::Idle),
        ("reserving both", reserving(&[1, 2])),
        ("reserving the first", reserving(&[1])),
        ("reserving the first, the second refused", reserving_but(&[1], Some(out_of(2)), false)),
        ("reserving the first, cancelled", reserving_but(&[1], None, true)),
        ("reserving the first, with a coupon", coupon::reserving(false)),
        ("reserving the first, with a coupon, cancelled", coupon::reserving(true)),
        ("redeeming", coupon::redeeming(false)),
        ("redeeming, cancelled", coupon::redeeming(true)),
        ("paying", paying()),
        ("paying, with a coupon", CheckoutState::Paying(coupon::basket())),
        ("confirming", confirming()),
        ("rejecting", rejecting()),
        ("undoing", undoing()),
        ("undoing, with a coupon", CheckoutState::Undoing(coupon::basket())),
        ("done", CheckoutState::Done),
    ];
    insta::assert_snapshot!("grid", grid::<Checkout>(&states, &["due"]));
}
