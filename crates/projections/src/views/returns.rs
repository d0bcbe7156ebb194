//! Goods that go back: which lines they are taken from. The same for every view that shows lines.

use domain::{ProductId, refund::ReturnedLine};

use super::ReturnLine;

/// A line of which pieces go back.
pub(crate) trait Pieces {
    /// Its product, how many pieces it has, and how many of them went back.
    fn pieces(&mut self) -> (ProductId, u32, &mut u32);
}

/// What goes back, as views show it.
pub(crate) fn return_lines(lines: &[ReturnedLine]) -> Vec<ReturnLine> {
    let shown =
        |line: &ReturnedLine| ReturnLine { product_id: line.product_id, quantity: line.quantity.get() };
    lines.iter().map(shown).collect()
}

/// Counts what was received, line by line in order where a product stands in several lines.
pub(crate) fn take_back<L: Pieces>(lines: &mut [L], received: &[ReturnLine]) {
    for ReturnLine { product_id, quantity } in received {
        let mut rest = *quantity;
        for line in lines.iter_mut() {
            let (product, pieces, returned) = line.pieces();
            if product == *product_id {
                let taken = rest.min(pieces.saturating_sub(*returned));
                *returned += taken;
                rest -= taken;
            }
        }
    }
}
