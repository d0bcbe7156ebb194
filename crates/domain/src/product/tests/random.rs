//! Random commands to a product, checked against books that are kept apart from it.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{commit, list, release, reserve, restock};
use crate::{
    Aggregate, OrderId, Outcome,
    product::{Product, ProductCommand, ProductEvent},
    testing::krw,
};

fn any_command() -> impl Strategy<Value = ProductCommand> {
    prop_oneof![
        2 => (0_u64..20).prop_map(restock),
        6 => (0_u64..5, 1_u64..15).prop_map(|(order, quantity)| reserve(order, quantity)),
        3 => (0_u64..5).prop_map(release),
        3 => (0_u64..5).prop_map(commit),
        1 => Just(ProductCommand::WithdrawProduct),
    ]
}

/// What a storekeeper would write down from the events alone.
#[derive(Default)]
struct Books {
    stocked: u64,
    committed: u64,
    reserved: BTreeMap<OrderId, u64>,
}

impl Books {
    fn write(&mut self, event: &ProductEvent) -> Result<(), TestCaseError> {
        match event {
            ProductEvent::ProductListed(e) => self.stocked += e.stock.unwrap_or(0),
            ProductEvent::ProductRestocked(e) => self.stocked += e.quantity,
            ProductEvent::StockReserved(e) => {
                let before = self.reserved.insert(e.order_id, e.quantity);
                prop_assert_eq!(before, None, "an order holds two reservations");
            }
            ProductEvent::StockReleased(e) => {
                prop_assert_eq!(self.reserved.remove(&e.order_id), Some(e.quantity));
            }
            ProductEvent::StockCommitted(e) => {
                prop_assert_eq!(self.reserved.remove(&e.order_id), Some(e.quantity));
                self.committed += e.quantity;
            }
            ProductEvent::StockReservationRefused(e) => {
                prop_assert!(
                    !self.reserved.contains_key(&e.order_id),
                    "an order that holds pieces is refused"
                );
            }
            ProductEvent::ProductRevised(_) | ProductEvent::ProductWithdrawn(_) => {}
        }
        Ok(())
    }
}

proptest! {
    #[test]
    fn available_reserved_and_committed_pieces_are_all_that_was_ever_stocked(
        first in 0_u64..30,
        commands in prop::collection::vec(any_command(), 0..60),
    ) {
        let mut product = Product::default();
        let mut books = Books::default();
        for command in std::iter::once(list("Phone", krw(900), Some(first))).chain(commands) {
            if let Ok(Outcome::Executed(events)) = product.decide(&command) {
                for event in events {
                    product.evolve(&event);
                    books.write(&event)?;
                }
            }
            let stock = product.details().unwrap().stock.as_ref().unwrap();
            prop_assert_eq!(&stock.reserved, &books.reserved);
            prop_assert_eq!(
                i128::from(stock.available),
                i128::from(books.stocked) - i128::from(books.committed)
                    - i128::from(books.reserved.values().sum::<u64>()),
                "after {:?}", command
            );
        }
    }
}
