//! Random orders and random commands to them.

use proptest::prelude::*;

use super::{
    applied, cancel_by_customer, cancel_since_failed, cancel_since_shop_cancelled, declined, line,
    place_with, reject,
};
use crate::{
    Aggregate, Outcome,
    order::{Order, OrderCommand, OrderEvent, OrderLine},
    testing::krw,
};

fn any_lines() -> impl Strategy<Value = Vec<OrderLine>> {
    let one = (0_u64..4, 1_i64..=10_000, 0_i64..1_000_000_000);
    prop::collection::vec(
        one.prop_map(|(product, quantity, price)| line(product, quantity, krw(price))),
        1..20,
    )
}

fn any_command() -> impl Strategy<Value = OrderCommand> {
    prop_oneof![
        3 => Just(OrderCommand::ConfirmOrder),
        1 => Just(reject(declined())),
        2 => Just(cancel_by_customer()),
        1 => Just(cancel_since_failed()),
        1 => Just(cancel_since_shop_cancelled()),
        2 => Just(OrderCommand::RefuseCancellation),
        1 => Just(OrderCommand::FinishCancellation),
        1 => Just(OrderCommand::CompleteOrder),
        1 => Just(place_with(vec![line(1, 1, krw(1))], None)),
    ]
}

proptest! {
    #[test]
    fn what_is_charged_per_line_sums_up_to_the_total(lines in any_lines()) {
        let mut order = Order::default();
        let Ok(Outcome::Executed(events)) = order.decide(&place_with(lines.clone(), None)) else {
            return Err(TestCaseError::fail("an order of good lines is refused"));
        };
        events.iter().for_each(|event| order.evolve(event));
        let total = order.details().unwrap().total;
        let costs = lines.iter().map(|line| line.unit_price.amount_minor * i64::from(line.quantity));
        prop_assert_eq!(total.amount_minor, costs.clone().sum::<i64>());

        let Ok(Outcome::Executed(events)) = order.decide(&OrderCommand::ConfirmOrder) else {
            return Err(TestCaseError::fail("a placed order is not confirmed"));
        };
        let [OrderEvent::OrderConfirmed(confirmed)] = events.as_slice() else {
            return Err(TestCaseError::fail("not one confirmation"));
        };
        let charged: Vec<i64> = confirmed.lines.iter().map(|line| line.charged.amount_minor).collect();
        prop_assert_eq!(charged.iter().sum::<i64>(), total.amount_minor);
        // Without a discount each line is charged at its own cost.
        prop_assert_eq!(charged, costs.collect::<Vec<_>>());
    }

    #[test]
    fn with_a_coupon_too_what_is_charged_per_line_sums_up_to_the_total(
        lines in any_lines(),
        parts_per_thousand in 0_i64..=1000,
    ) {
        let costs: Vec<i64> =
            lines.iter().map(|line| line.unit_price.amount_minor * i64::from(line.quantity)).collect();
        let subtotal: i64 = costs.iter().sum();
        let discount = i64::try_from(i128::from(subtotal) * i128::from(parts_per_thousand) / 1000).unwrap();
        let mut command = place_with(lines, None);
        let OrderCommand::PlaceOrder { coupon, .. } = &mut command else { unreachable!() };
        *coupon = Some(applied(krw(discount)));
        let mut order = Order::default();
        let mut charged = Vec::new();
        for command in [command, OrderCommand::ConfirmOrder] {
            let Ok(Outcome::Executed(events)) = order.decide(&command) else {
                return Err(TestCaseError::fail("an order with a coupon is refused"));
            };
            for event in events {
                order.evolve(&event);
                if let OrderEvent::OrderConfirmed(confirmed) = event {
                    charged = confirmed.lines.iter().map(|line| line.charged.amount_minor).collect();
                }
            }
        }
        prop_assert_eq!(order.details().unwrap().total.amount_minor, subtotal - discount);
        prop_assert_eq!(charged.iter().sum::<i64>(), subtotal - discount);
        prop_assert!(charged.iter().zip(&costs).all(|(charged, cost)| (0..=*cost).contains(charged)));
    }

    #[test]
    fn an_order_ends_once_and_is_cancelled_or_refused_only_on_request(
        lines in any_lines(),
        commands in prop::collection::vec(any_command(), 0..40),
    ) {
        let mut order = Order::default();
        let (mut ended, mut confirmed, mut asked) = (false, false, false);
        for command in std::iter::once(place_with(lines, None)).chain(commands) {
            let Ok(Outcome::Executed(events)) = order.decide(&command) else { continue };
            for event in events {
                prop_assert!(!ended, "{:?} after the end", event);
                match &event {
                    OrderEvent::OrderPlaced(_) => {}
                    OrderEvent::OrderConfirmed(_) => {
                        prop_assert!(!confirmed && !asked);
                        confirmed = true;
                    }
                    OrderEvent::OrderCancellationRequested(e) => {
                        prop_assert_eq!(e.was_confirmed, confirmed);
                        asked = true;
                    }
                    OrderEvent::OrderCancellationRefused(_) => {
                        prop_assert!(asked && confirmed);
                        asked = false;
                    }
                    OrderEvent::OrderCancelled(_) => {
                        prop_assert!(asked);
                        ended = true;
                    }
                    OrderEvent::OrderRejected(_) => {
                        prop_assert!(!confirmed && !asked);
                        ended = true;
                    }
                    OrderEvent::OrderCompleted(_) => {
                        prop_assert!(confirmed && !asked);
                        ended = true;
                    }
                }
                order.evolve(&event);
            }
        }
    }
}
