//! What a product answers, by example, over the whole grid, and under random commands.

use cqrs_es::test::TestFramework;

use super::{
    MAX_STOCK, Product, ProductCommand, ProductError, ProductEvent, ProductListed, ProductRestocked,
    ProductRevised, ProductWithdrawn, RefusalReason, StockCommitted, StockReleased, StockReservationRefused,
    StockReserved,
};
use crate::{
    Money,
    testing::{Grid, eur, given, krw, order_id, product_id, shop_id},
};

mod random;

fn list(name: &str, price: Money, stock: Option<u64>) -> ProductCommand {
    ProductCommand::ListProduct {
        product_id: product_id(1),
        shop_id: shop_id(),
        name: name.to_owned(),
        price,
        stock,
    }
}
fn revise(name: Option<&str>, price: Option<Money>) -> ProductCommand {
    ProductCommand::ReviseProduct { name: name.map(str::to_owned), price }
}
fn restock(quantity: u64) -> ProductCommand {
    ProductCommand::Restock { quantity }
}
fn reserve(order: u64, quantity: u64) -> ProductCommand {
    ProductCommand::ReserveStock { order_id: order_id(order), quantity }
}
fn release(order: u64) -> ProductCommand {
    ProductCommand::ReleaseStock { order_id: order_id(order) }
}
fn commit(order: u64) -> ProductCommand {
    ProductCommand::CommitStock { order_id: order_id(order) }
}

fn listed(stock: Option<u64>) -> ProductEvent {
    ProductListed {
        product_id: product_id(1),
        shop_id: shop_id(),
        name: "Phone".to_owned(),
        price: krw(900),
        stock,
    }
    .into()
}
fn withdrawn() -> ProductEvent {
    ProductWithdrawn {}.into()
}
fn reserved(order: u64, quantity: u64) -> ProductEvent {
    StockReserved { product_id: product_id(1), order_id: order_id(order), quantity }.into()
}
fn refused(order: u64, reason: RefusalReason) -> ProductEvent {
    StockReservationRefused { product_id: product_id(1), order_id: order_id(order), reason }.into()
}
fn released(order: u64, quantity: u64) -> ProductEvent {
    StockReleased { order_id: order_id(order), quantity }.into()
}
fn committed(order: u64, quantity: u64) -> ProductEvent {
    StockCommitted { order_id: order_id(order), quantity }.into()
}

#[test]
fn every_command_in_every_state() {
    use ProductCommand::WithdrawProduct;
    let with_stock = || list("Phone", krw(900), Some(10));
    let to_order = || list("Phone", krw(900), None);
    let grid = Grid::<Product> {
        histories: vec![
            ("absent", vec![]),
            ("listed, 10 left", vec![with_stock()]),
            ("listed, 4 of 10 reserved", vec![with_stock(), reserve(1, 4)]),
            ("listed, 4 of 10 committed", vec![with_stock(), reserve(1, 4), commit(1)]),
            ("listed, all reserved by another", vec![with_stock(), reserve(2, 10)]),
            ("listed, made to order", vec![to_order()]),
            ("withdrawn", vec![with_stock(), WithdrawProduct]),
            ("withdrawn, 4 of 10 reserved", vec![with_stock(), reserve(1, 4), WithdrawProduct]),
            ("withdrawn, made to order", vec![to_order(), WithdrawProduct]),
        ],
        commands: vec![
            ("list", with_stock()),
            ("list at another price", list("Phone", krw(901), Some(10))),
            ("list under a blank name", list(" ", krw(900), Some(10))),
            ("list too many", list("Phone", krw(900), Some(MAX_STOCK + 1))),
            ("revise name and price", revise(Some("Telephone"), Some(krw(800)))),
            ("revise nothing", revise(None, None)),
            ("revise to another currency", revise(None, Some(eur(900)))),
            ("withdraw", WithdrawProduct),
            ("restock", restock(5)),
            ("restock nothing", restock(0)),
            ("restock too many", restock(MAX_STOCK)),
            ("reserve", reserve(1, 4)),
            ("reserve more than 10", reserve(1, 11)),
            ("release", release(1)),
            ("commit", commit(1)),
        ],
        repeatable: &[
            ("restock", "every box that arrives counts; the command id keeps one box from counting twice"),
            ("reserve", "a refusal, and a reservation of what is made to order, leave no trace in the state"),
            ("reserve more than 10", "a refusal leaves no trace in the state"),
        ],
    };
    insta::assert_snapshot!("grid", grid.run());
}

#[test]
fn a_reservation_takes_the_last_piece_and_the_next_is_refused_with_what_is_left() {
    given::<Product>([listed(Some(3)), reserved(1, 2)]).when(reserve(2, 1)).then([reserved(2, 1)]);
    given::<Product>([listed(Some(3)), reserved(1, 2)])
        .when(reserve(2, 2))
        .then([refused(2, RefusalReason::OutOfStock { available: 1 })]);
    given::<Product>([listed(Some(0))])
        .when(reserve(1, 1))
        .then([refused(1, RefusalReason::OutOfStock { available: 0 })]);
}

#[test]
fn a_refused_order_may_try_again_when_goods_arrived() {
    let restocked = ProductRestocked { quantity: 5 }.into();
    let past = [listed(Some(0)), refused(1, RefusalReason::OutOfStock { available: 0 }), restocked];
    given::<Product>(past).when(reserve(1, 5)).then([reserved(1, 5)]);
}

#[test]
fn an_order_holds_one_reservation_however_often_it_asks() {
    given::<Product>([listed(Some(10)), reserved(1, 4)]).when(reserve(1, 4)).then_already_applied();
    given::<Product>([listed(Some(10)), reserved(1, 4)]).when(reserve(1, 6)).then_already_applied();
}

#[test]
fn released_pieces_can_be_sold_again() {
    let past = [listed(Some(4)), reserved(1, 4), released(1, 4)];
    given::<Product>(past).when(reserve(2, 4)).then([reserved(2, 4)]);
}

#[test]
fn committed_pieces_are_gone_and_cannot_be_released_any_more() {
    let past = || [listed(Some(4)), reserved(1, 4), committed(1, 4)];
    given::<Product>(past()).when(release(1)).then_already_applied();
    given::<Product>(past())
        .when(reserve(2, 1))
        .then([refused(2, RefusalReason::OutOfStock { available: 0 })]);
}

#[test]
fn release_and_commit_work_on_a_withdrawn_product() {
    let past = || [listed(Some(4)), reserved(1, 3), withdrawn()];
    given::<Product>(past()).when(release(1)).then([released(1, 3)]);
    given::<Product>(past()).when(commit(1)).then([committed(1, 3)]);
}

#[test]
fn a_withdrawn_product_takes_no_new_order_but_knows_the_one_it_took() {
    let past = || [listed(Some(4)), reserved(1, 3), withdrawn()];
    given::<Product>(past()).when(reserve(2, 1)).then([refused(2, RefusalReason::Withdrawn)]);
    given::<Product>(past()).when(reserve(1, 3)).then_already_applied();
    given::<Product>(past()).when(restock(1)).then_error(ProductError::Withdrawn);
    given::<Product>(past()).when(revise(Some("New"), None)).then_error(ProductError::Withdrawn);
}

#[test]
fn a_product_without_stock_is_never_out_of_stock_and_keeps_no_reservations() {
    given::<Product>([listed(None)]).when(reserve(1, 1_000_000)).then([reserved(1, 1_000_000)]);
    given::<Product>([listed(None), reserved(1, 5)]).when(release(1)).then_already_applied();
    given::<Product>([listed(None), reserved(1, 5)]).when(commit(1)).then_already_applied();
    given::<Product>([listed(None)]).when(restock(5)).then_error(ProductError::NoStock);
}

#[test]
fn restocking_counts_reserved_pieces_against_the_limit() {
    let past = || [listed(Some(MAX_STOCK)), reserved(1, 10)];
    given::<Product>(past()).when(restock(1)).then_error(ProductError::Quantity { quantity: 1 });
    given::<Product>([listed(Some(1))])
        .when(restock(u64::MAX))
        .then_error(ProductError::Quantity { quantity: u64::MAX });
    given::<Product>([listed(Some(1))]).when(restock(0)).then_error(ProductError::Quantity { quantity: 0 });
}

#[test]
fn listing_the_same_again_is_a_repeat_and_listing_otherwise_a_refusal() {
    given::<Product>([listed(Some(3))]).when(list("Phone", krw(900), Some(3))).then_already_applied();
    given::<Product>([listed(Some(3))])
        .when(list("Phone", krw(1), Some(3)))
        .then_error(ProductError::AlreadyListed);
}

#[test]
fn a_revision_keeps_what_it_does_not_name() {
    let past = || [listed(Some(3))];
    let name_only = ProductRevised { name: "Telephone".to_owned(), price: krw(900) };
    given::<Product>(past()).when(revise(Some("Telephone"), None)).then([name_only.into()]);
    let price_only = ProductRevised { name: "Phone".to_owned(), price: krw(0) };
    given::<Product>(past()).when(revise(None, Some(krw(0)))).then([price_only.into()]);
    given::<Product>(past()).when(revise(Some("Phone"), Some(krw(900)))).then_already_applied();
}

#[test]
fn the_currency_of_a_product_never_changes() {
    given::<Product>([listed(Some(3))])
        .when(revise(None, Some(eur(900))))
        .then_error(ProductError::OtherCurrency { given: eur(0).currency, sold: krw(0).currency });
}

#[test]
fn names_that_cannot_be_shown_are_refused() {
    for name in ["", " ", "bell\u{7}", &"x".repeat(121)] {
        given::<Product>([]).when(list(name, krw(900), None)).then_error(ProductError::Name);
        given::<Product>([listed(None)]).when(revise(Some(name), None)).then_error(ProductError::Name);
    }
}

#[test]
fn nothing_can_be_done_with_a_product_that_does_not_exist() {
    for command in [revise(None, None), ProductCommand::WithdrawProduct, restock(1), release(1), commit(1)] {
        given::<Product>([]).when(command).then_error(ProductError::NotFound);
    }
    given::<Product>([]).when(reserve(1, 1)).then_error(ProductError::NotFound);
}

#[tokio::test]
async fn the_cqrs_es_framework_runs_a_product() {
    let framework = || TestFramework::<Product>::with(());
    let past = || vec![listed(Some(4))];
    framework().given(past()).when_async(reserve(1, 4)).await.then_expect_events(vec![reserved(1, 4)]);
    framework()
        .given(past())
        .and(vec![reserved(1, 4)])
        .when_async(commit(1))
        .await
        .then_expect_events(vec![committed(1, 4)]);
    framework()
        .given(past())
        .when_async(list("Phone", krw(1), None))
        .await
        .then_expect_error_message("the product is listed already");
}
