//! Random returns of random lines, checked against books that are kept apart from the delivery.

use proptest::prelude::*;

use super::{
    accepted, completed,
    returns::{cancel_return, charged, receive, requested_with},
    shipped,
};
use crate::{
    Aggregate, Outcome,
    delivery::{Delivery, DeliveryCommand, DeliveryEvent},
    order::ChargedLine,
    refund::ReturnedLine,
    testing::{at, fold, krw, order_id, pieces, product_id, refund_id},
};

/// Few products over several lines, so that many lines share one; amounts that do not divide.
fn any_lines() -> impl Strategy<Value = Vec<ChargedLine>> {
    let amount = prop_oneof![1 => Just(0_i64), 6 => 1_i64..5000, 1 => 1_i64..(1 << 46)];
    let one = (0_u64..3, 1_i64..12, amount);
    prop::collection::vec(
        one.prop_map(|(product, quantity, cost)| charged(product_id(product), quantity, krw(cost))),
        1..6,
    )
}

/// What goes back (nothing named: all that is left), and whether it arrives at the shop.
fn any_return() -> impl Strategy<Value = (Vec<ReturnedLine>, bool)> {
    let line = (0_u64..4, 1_i64..9).prop_map(|(product, quantity)| ReturnedLine {
        product_id: product_id(product),
        quantity: pieces(quantity),
    });
    let lines = prop_oneof![8 => prop::collection::vec(line, 1..4), 1 => Just(Vec::new())];
    (lines, prop::bool::weighted(0.7))
}

fn start(refund: u64, lines: Vec<ReturnedLine>) -> DeliveryCommand {
    DeliveryCommand::StartReturn { refund_id: refund_id(refund), order_id: order_id(1), lines, at: at(60) }
}

fn give(delivery: &mut Delivery, command: &DeliveryCommand) -> DeliveryEvent {
    let Ok(Outcome::Executed(events)) = delivery.decide(command) else {
        panic!("{command:?} is not executed")
    };
    events.iter().for_each(|event| delivery.evolve(event));
    events.into_iter().next().unwrap()
}

fn count(lines: &[ReturnedLine]) -> i64 {
    lines.iter().map(|line| i64::from(line.quantity)).sum()
}

proptest! {
    #[test]
    fn what_came_back_and_what_is_kept_are_always_what_was_charged(
        lines in any_lines(),
        returns in prop::collection::vec(any_return(), 0..25),
    ) {
        let total: i64 = lines.iter().map(|line| line.charged.amount_minor).sum();
        let all_pieces: i64 = lines.iter().map(|line| i64::from(line.quantity)).sum();
        let mut delivery = fold::<Delivery>(&[requested_with(lines), accepted(), shipped(), completed()]);
        let (mut given_back, mut pieces_back) = (0, 0);
        let last_of_all = (Vec::new(), true);
        for (refund, (lines, arrives)) in (1..).zip(returns.into_iter().chain([last_of_all])) {
            let promised = delivery.check_return(&lines, at(60));
            match give(&mut delivery, &start(refund, lines.clone())) {
                DeliveryEvent::ReturnStarted(e) => {
                    prop_assert_eq!(promised, Ok((e.amount, e.kept)), "the check says something else");
                    prop_assert_eq!(given_back + e.amount.amount_minor + e.kept.amount_minor, total);
                    prop_assert!(lines.is_empty() || count(&lines) == count(&e.lines));
                    if arrives {
                        give(&mut delivery, &receive());
                        given_back += e.amount.amount_minor;
                        pieces_back += count(&e.lines);
                    } else {
                        give(&mut delivery, &cancel_return(None));
                    }
                }
                DeliveryEvent::ReturnRefused(e) => prop_assert_eq!(promised, Err(e.reason)),
                other => prop_assert!(false, "{:?}", other),
            }
            prop_assert!(pieces_back <= all_pieces);
            let has_all = matches!(delivery, Delivery::Returned(_));
            prop_assert_eq!(has_all, pieces_back == all_pieces);
        }
        prop_assert_eq!(pieces_back, all_pieces);
        prop_assert_eq!(given_back, total, "the whole order went back in pieces");
    }
}
