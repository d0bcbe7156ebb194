//! What an order answers, by example, over the whole grid, and under random commands.

use cqrs_es::test::TestFramework;

use super::{
    AppliedCoupon, CancellationCause, ChargedLine, MAX_LINES, MAX_OPTION_CHARS, Order,
    OrderCancellationRefused, OrderCancellationRequested, OrderCancelled, OrderCommand, OrderCompleted,
    OrderConfirmed, OrderError, OrderEvent, OrderLine, OrderPlaced, OrderRejected, OrderRejection,
    contact_of, delivery_of, payment_of,
};
use crate::{
    Actor, Money, MoneyError, PaymentTerms, ShopPolicy,
    coupon::coupon_of,
    money::MAX_AMOUNT_MINOR,
    product::RefusalReason,
    testing::{
        Grid, at, contact_id, customer_id, eur, given, krw, order_id, pieces, policy, product_id, shop_id,
    },
};

mod coupon;
mod random;

fn line(product: u64, quantity: i64, unit_price: Money) -> OrderLine {
    OrderLine {
        product_id: product_id(product),
        name: "Phone".to_owned(),
        option: None,
        quantity: pieces(quantity),
        unit_price,
    }
}
/// Two products, one of them in two lines: 2 × 900 + 1 × 50 + 1 × 800.
fn lines() -> Vec<OrderLine> {
    let case = OrderLine { option: Some("red".to_owned()), ..line(2, 1, krw(50)) };
    vec![line(1, 2, krw(900)), case, line(1, 1, krw(800))]
}
fn place_with(lines: Vec<OrderLine>, expected_total: Option<Money>) -> OrderCommand {
    OrderCommand::PlaceOrder {
        order_id: order_id(1),
        shop_id: shop_id(),
        customer_id: customer_id(),
        lines,
        coupon: None,
        expected_total,
        policy: policy(),
        contact_id: contact_id(),
        at: at(0),
    }
}
/// With a coupon that takes off so much.
fn place_with_coupon(discount: Money, expected_total: Option<Money>) -> OrderCommand {
    let mut command = place_with(lines(), expected_total);
    let OrderCommand::PlaceOrder { coupon, .. } = &mut command else { unreachable!() };
    *coupon = Some(applied(discount));
    command
}
fn applied(discount: Money) -> AppliedCoupon {
    AppliedCoupon { coupon_id: coupon_of(order_id(9)), discount }
}
fn place() -> OrderCommand {
    place_with(lines(), Some(krw(2650)))
}
fn declined() -> OrderRejection {
    OrderRejection::PaymentDeclined { decline_code: "no_funds".to_owned() }
}
fn reject(reason: OrderRejection) -> OrderCommand {
    OrderCommand::RejectOrder { reason }
}
fn cancel(by: Actor, cause: CancellationCause) -> OrderCommand {
    OrderCommand::RequestCancellation { by, cause, reason_id: None }
}
fn cancel_by_customer() -> OrderCommand {
    cancel(Actor::Customer(customer_id()), CancellationCause::Requested)
}
fn cancel_since_failed() -> OrderCommand {
    cancel(Actor::Process("fulfilment".to_owned()), CancellationCause::DeliveryFailed)
}
fn cancel_since_shop_cancelled() -> OrderCommand {
    cancel(Actor::Process("fulfilment".to_owned()), CancellationCause::ShopCancelledDelivery)
}

fn placed() -> OrderEvent {
    OrderPlaced {
        order_id: order_id(1),
        shop_id: shop_id(),
        customer_id: customer_id(),
        lines: lines(),
        total: krw(2650),
        coupon: None,
        policy: policy(),
        contact_id: contact_id(),
        payment_id: payment_of(order_id(1)),
        payment_due_at: at(300),
    }
    .into()
}
fn confirmed() -> OrderEvent {
    let charged = |product, quantity, amount| ChargedLine {
        product_id: product_id(product),
        quantity: pieces(quantity),
        charged: krw(amount),
    };
    OrderConfirmed {
        order_id: order_id(1),
        shop_id: shop_id(),
        customer_id: customer_id(),
        delivery_id: delivery_of(order_id(1)),
        lines: vec![charged(1, 2, 1800), charged(2, 1, 50), charged(1, 1, 800)],
        policy: policy(),
    }
    .into()
}
fn rejected() -> OrderEvent {
    OrderRejected { order_id: order_id(1), reason: declined() }.into()
}
fn cancellation_requested(by: Actor, cause: CancellationCause, was_confirmed: bool) -> OrderEvent {
    OrderCancellationRequested {
        order_id: order_id(1),
        by,
        cause,
        reason_id: None,
        was_confirmed,
        customer_id: customer_id(),
        shop_id: shop_id(),
        payment_id: payment_of(order_id(1)),
        delivery_id: delivery_of(order_id(1)),
        products: vec![product_id(1), product_id(2)],
        amount: krw(2650),
        coupon_id: None,
    }
    .into()
}
fn requested_by_customer(was_confirmed: bool) -> OrderEvent {
    cancellation_requested(Actor::Customer(customer_id()), CancellationCause::Requested, was_confirmed)
}
fn requested_since_failed() -> OrderEvent {
    let by = Actor::Process("fulfilment".to_owned());
    cancellation_requested(by, CancellationCause::DeliveryFailed, true)
}
fn cancellation_refused() -> OrderEvent {
    OrderCancellationRefused { order_id: order_id(1) }.into()
}
fn cancelled() -> OrderEvent {
    OrderCancelled { order_id: order_id(1) }.into()
}
fn completed() -> OrderEvent {
    let (order_id, customer_id, shop_id) = (order_id(1), customer_id(), shop_id());
    OrderCompleted { order_id, customer_id, shop_id, coupon: None }.into()
}
fn illegal(state: &'static str, command: &'static str) -> OrderError {
    OrderError::IllegalTransition { state, command }
}

#[test]
fn every_command_in_every_state() {
    use OrderCommand::{CompleteOrder, ConfirmOrder, FinishCancellation, RefuseCancellation};
    let by_customer = cancel_by_customer;
    let stock_refused =
        || OrderRejection::StockRefused { product_id: product_id(1), refusal: RefusalReason::Withdrawn };
    let grid = Grid::<Order> {
        histories: vec![
            ("absent", vec![]),
            ("awaiting payment", vec![place()]),
            ("confirmed", vec![place(), ConfirmOrder]),
            ("cancelling, never confirmed", vec![place(), by_customer()]),
            ("cancelling, was confirmed", vec![place(), ConfirmOrder, by_customer()]),
            ("cancelling, delivery failed", vec![place(), ConfirmOrder, cancel_since_failed()]),
            ("cancelling, shop cancelled", vec![place(), ConfirmOrder, cancel_since_shop_cancelled()]),
            ("cancelling, then failed", vec![place(), ConfirmOrder, by_customer(), cancel_since_failed()]),
            (
                "confirmed, cancellation refused",
                vec![place(), ConfirmOrder, by_customer(), RefuseCancellation],
            ),
            ("cancelled, never confirmed", vec![place(), by_customer(), FinishCancellation]),
            ("cancelled, was confirmed", vec![place(), ConfirmOrder, by_customer(), FinishCancellation]),
            ("rejected", vec![place(), reject(declined())]),
            ("completed", vec![place(), ConfirmOrder, CompleteOrder]),
            ("confirmed, with a coupon", vec![place_with_coupon(krw(650), None), ConfirmOrder]),
            ("completed while cancelling", vec![place(), ConfirmOrder, by_customer(), CompleteOrder]),
        ],
        commands: vec![
            ("place", place()),
            ("place at another price", place_with(lines(), Some(krw(2649)))),
            ("place nothing", place_with(vec![], None)),
            ("place with a coupon", place_with_coupon(krw(650), Some(krw(2000)))),
            ("place with a coupon worth more", place_with_coupon(krw(2651), None)),
            ("place with a coupon in euro", place_with_coupon(eur(1), None)),
            ("confirm", ConfirmOrder),
            ("reject, payment declined", reject(declined())),
            ("reject, no stock", reject(stock_refused())),
            ("cancel, customer", by_customer()),
            ("cancel, shop cancelled", cancel_since_shop_cancelled()),
            ("cancel, delivery failed", cancel_since_failed()),
            ("refuse cancellation", RefuseCancellation),
            ("finish cancellation", FinishCancellation),
            ("complete", CompleteOrder),
        ],
        repeatable: &[],
    };
    insta::assert_snapshot!("grid", grid.run());
}

#[test]
fn a_placed_order_knows_its_total_its_payment_and_the_deadline_of_its_policy() {
    given::<Order>([]).when(place()).then([placed()]);
    given::<Order>([]).when(place_with(lines(), None)).then([placed()]);
}

#[test]
fn a_deferred_payment_is_due_when_the_policy_says() {
    let days_3 = 3 * 24 * 3600;
    let deferred = ShopPolicy { payment: PaymentTerms::Deferred { pay_within_secs: days_3 }, ..policy() };
    let mut command = place();
    let OrderCommand::PlaceOrder { policy, .. } = &mut command else { unreachable!() };
    *policy = deferred.clone();
    let OrderEvent::OrderPlaced(at_order) = placed() else { unreachable!() };
    let event = OrderPlaced { policy: deferred, payment_due_at: at(i64::from(days_3)), ..at_order };
    given::<Order>([]).when(command).then([event.into()]);
}

#[test]
fn an_order_at_another_price_than_the_customer_saw_is_refused() {
    for expected in [krw(0), krw(2649), krw(2651), eur(2650)] {
        given::<Order>([])
            .when(place_with(lines(), Some(expected)))
            .then_error(OrderError::PriceChanged { expected, total: krw(2650) });
    }
}

#[test]
fn an_order_has_between_one_line_and_the_limit() {
    given::<Order>([]).when(place_with(vec![], None)).then_error(OrderError::NoLines);
    let too_many = vec![line(1, 1, krw(1)); MAX_LINES + 1];
    given::<Order>([])
        .when(place_with(too_many, None))
        .then_error(OrderError::TooManyLines { lines: MAX_LINES + 1 });
}

#[test]
fn an_order_is_in_one_currency() {
    given::<Order>([])
        .when(place_with(vec![line(1, 1, krw(900)), line(2, 1, eur(900))], None))
        .then_error(MoneyError::MixedCurrencies { left: krw(0).currency, right: eur(0).currency }.into());
}

#[test]
fn a_total_that_cannot_be_counted_exactly_is_refused() {
    for lines in [
        vec![line(1, 2, krw(MAX_AMOUNT_MINOR))],
        vec![line(1, 1, krw(MAX_AMOUNT_MINOR)), line(2, 1, krw(1))],
        vec![line(1, 10_000, krw(MAX_AMOUNT_MINOR))],
        vec![line(1, 1, Money { amount_minor: -1, ..krw(0) }), line(2, 1, krw(1))],
    ] {
        given::<Order>([]).when(place_with(lines, None)).then_error(MoneyError::OutOfRange.into());
    }
}

#[test]
fn a_menu_option_that_cannot_be_shown_is_refused() {
    for option in ["", "  ", "a\nb", &"x".repeat(MAX_OPTION_CHARS + 1)] {
        let line = OrderLine { option: Some(option.to_owned()), ..line(1, 1, krw(1)) };
        given::<Order>([]).when(place_with(vec![line], None)).then_error(OrderError::Option);
    }
}

#[test]
fn a_confirmed_order_says_what_was_charged_per_line() {
    given::<Order>([placed()]).when(OrderCommand::ConfirmOrder).then([confirmed()]);
}

#[test]
fn a_cancellation_before_the_deal_is_left_to_checkout_and_one_after_it_to_cancellation() {
    given::<Order>([placed()]).when(cancel_by_customer()).then([requested_by_customer(false)]);
    given::<Order>([placed(), confirmed()]).when(cancel_by_customer()).then([requested_by_customer(true)]);
}

#[test]
fn a_payment_that_comes_in_while_the_order_is_being_cancelled_does_not_make_it_a_deal() {
    given::<Order>([placed(), requested_by_customer(false)])
        .when(OrderCommand::ConfirmOrder)
        .then_error(illegal("cancelling", "be confirmed"));
    given::<Order>([placed(), requested_by_customer(false), cancelled()])
        .when(OrderCommand::ConfirmOrder)
        .then_error(illegal("cancelled", "be confirmed"));
    given::<Order>([placed(), rejected()])
        .when(OrderCommand::ConfirmOrder)
        .then_error(illegal("rejected", "be confirmed"));
}

#[test]
fn an_order_that_is_being_cancelled_is_cancelled_and_not_rejected() {
    given::<Order>([placed(), requested_by_customer(false)])
        .when(reject(declined()))
        .then_error(illegal("cancelling", "be rejected"));
    given::<Order>([placed(), requested_by_customer(false)])
        .when(OrderCommand::FinishCancellation)
        .then([cancelled()]);
}

#[test]
fn goods_that_arrive_while_the_order_is_being_cancelled_complete_it_in_one_commit() {
    given::<Order>([placed(), confirmed(), requested_by_customer(true)])
        .when(OrderCommand::CompleteOrder)
        .then([cancellation_refused(), completed()]);
}

#[test]
fn an_order_that_never_was_a_deal_does_not_complete() {
    given::<Order>([placed(), requested_by_customer(false)])
        .when(OrderCommand::CompleteOrder)
        .then_error(illegal("cancelling", "be completed"));
    given::<Order>([placed()])
        .when(OrderCommand::CompleteOrder)
        .then_error(illegal("awaiting_payment", "be completed"));
}

#[test]
fn a_refused_cancellation_makes_the_order_a_deal_again() {
    let past = || [placed(), confirmed(), requested_by_customer(true), cancellation_refused()];
    given::<Order>(past()).when(OrderCommand::RefuseCancellation).then_already_applied();
    given::<Order>(past()).when(OrderCommand::CompleteOrder).then([completed()]);
    given::<Order>(past()).when(cancel_by_customer()).then([requested_by_customer(true)]);
    given::<Order>(past())
        .when(OrderCommand::FinishCancellation)
        .then_error(illegal("confirmed", "end its cancellation"));
}

#[test]
fn a_cancellation_whose_goods_will_not_arrive_cannot_be_refused() {
    let past = || [placed(), confirmed(), requested_since_failed()];
    given::<Order>(past())
        .when(OrderCommand::RefuseCancellation)
        .then_error(illegal("cancelling", "have its cancellation refused"));
    given::<Order>(past()).when(OrderCommand::FinishCancellation).then([cancelled()]);
}

#[test]
fn a_delivery_that_fails_while_the_customer_cancels_makes_the_cancellation_final() {
    let by_customer = || [placed(), confirmed(), requested_by_customer(true)];
    given::<Order>(by_customer()).when(cancel_since_failed()).then([requested_since_failed()]);
    let final_one = || by_customer().into_iter().chain([requested_since_failed()]);
    given::<Order>(final_one())
        .when(OrderCommand::RefuseCancellation)
        .then_error(illegal("cancelling", "have its cancellation refused"));
    given::<Order>(final_one()).when(cancel_by_customer()).then_already_applied();
}

#[test]
fn an_order_that_has_ended_stays_as_it_is() {
    let ends =
        [(vec![placed(), rejected()], "rejected"), (vec![placed(), confirmed(), completed()], "completed")];
    for (past, state) in ends {
        given::<Order>(past).when(cancel_by_customer()).then_error(illegal(state, "be cancelled"));
    }
    let undone = || [placed(), confirmed(), requested_by_customer(true), cancelled()];
    given::<Order>(undone())
        .when(OrderCommand::CompleteOrder)
        .then_error(illegal("cancelled", "be completed"));
    given::<Order>(undone()).when(cancel_by_customer()).then_already_applied();
}

#[test]
fn nothing_can_be_done_with_an_order_that_was_never_placed() {
    use OrderCommand::{CompleteOrder, ConfirmOrder, FinishCancellation, RefuseCancellation};
    for command in [ConfirmOrder, CompleteOrder, FinishCancellation, RefuseCancellation, cancel_by_customer()]
    {
        given::<Order>([]).when(command).then_error(OrderError::NotFound);
    }
}

#[test]
fn payment_delivery_and_contact_of_an_order_follow_from_its_id_and_share_its_partition() {
    let order = order_id(1);
    assert_eq!(payment_of(order), payment_of(order_id(1)));
    assert_ne!(payment_of(order), payment_of(order_id(2)));
    let partitions =
        [payment_of(order).partition(), delivery_of(order).partition(), contact_of(order).partition()];
    assert_eq!(partitions, [order.partition(); 3]);
}

#[tokio::test]
async fn the_cqrs_es_framework_runs_an_order() {
    let framework = || TestFramework::<Order>::with(());
    framework().given_no_previous_events().when_async(place()).await.then_expect_events(vec![placed()]);
    framework()
        .given(vec![placed(), confirmed(), requested_by_customer(true)])
        .when_async(OrderCommand::CompleteOrder)
        .await
        .then_expect_events(vec![cancellation_refused(), completed()]);
    framework()
        .given(vec![placed()])
        .when_async(OrderCommand::CompleteOrder)
        .await
        .then_expect_error_message("an order that is awaiting_payment cannot be completed");
}
