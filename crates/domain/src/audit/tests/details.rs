//! Single steps of coupons and of goods on their way back, each before the invariant that minds it.

use super::{
    people::{PRICE, Purchase, WORTH, by, capture, give_back},
    story::Story,
};
use crate::{
    Event,
    coupon::*,
    delivery::*,
    payment::{PaymentEvent, PaymentRefunded, RefundStarted},
    product::{ProductEvent, StockReleased, StockReserved},
    refund::*,
    reservation::ReservationEvent,
    testing::{customer_id, krw, pieces, product_id, refund_id, shop_id},
};

const FIRST: u64 = 1;

/// The first order's coupon and delivery: their history, and nothing else.
#[derive(Clone, Default)]
struct Tale(Story);

impl Tale {
    fn coupon(mut self, event: impl Into<CouponEvent>) -> Self {
        let first = Purchase::new(FIRST, None);
        self.0.say(first.earns, first.order.uuid(), event.into());
        self
    }
    fn goods(mut self, event: impl Into<DeliveryEvent>) -> Self {
        Purchase::new(FIRST, None).goods(&mut self.0, event);
        self
    }
    fn refund(mut self, number: u64, event: impl Into<RefundEvent>) -> Self {
        let subject = Purchase::new(FIRST, None).order.uuid();
        self.0.say(refund_id(number), subject, event.into());
        self
    }
    /// Whether the invariant holds; others are none of this tale's.
    fn holds(&self, invariant: &str) -> bool {
        let violations = self.0.audit().violations;
        violations.iter().all(|violation| violation.invariant != invariant)
    }
}

fn issued() -> CouponIssued {
    let (first, shop_id, customer_id) = (Purchase::new(FIRST, None), shop_id(), customer_id());
    let value = first.promised().value;
    CouponIssued { coupon_id: first.earns, shop_id, customer_id, order_id: first.order, value }
}
fn withheld(refund: u64) -> CouponWithheld {
    let CouponIssued { coupon_id, shop_id, customer_id, order_id, value } = issued();
    CouponWithheld { coupon_id, shop_id, customer_id, order_id, value, refund_id: refund_id(refund) }
}
fn redeemed(discount: i64) -> CouponRedeemed {
    let (coupon_id, order_id) = (issued().coupon_id, Purchase::new(2, None).order);
    CouponRedeemed { coupon_id, order_id, earned_by: issued().order_id, discount: krw(discount) }
}
fn released() -> CouponReleased {
    let CouponRedeemed { coupon_id, order_id, earned_by, .. } = redeemed(0);
    CouponReleased { coupon_id, order_id, earned_by }
}
fn revoked(refund: u64) -> CouponRevoked {
    let CouponIssued { coupon_id, order_id, .. } = issued();
    CouponRevoked { coupon_id, order_id, refund_id: refund_id(refund) }
}
fn reinstated(refund: u64) -> CouponReinstated {
    let CouponIssued { coupon_id, order_id, .. } = issued();
    CouponReinstated { coupon_id, order_id, refund_id: refund_id(refund) }
}
fn clawed_back(refund: u64, amount: i64) -> CouponClawedBack {
    let CouponIssued { coupon_id, order_id, .. } = issued();
    CouponClawedBack { coupon_id, order_id, refund_id: refund_id(refund), amount: krw(amount) }
}
fn undone(refund: u64) -> CouponClawbackUndone {
    let CouponIssued { coupon_id, order_id, .. } = issued();
    CouponClawbackUndone { coupon_id, order_id, refund_id: refund_id(refund) }
}

fn requested(refund: u64, coupon: Option<PromisedCoupon>) -> RefundRequested {
    let first = Purchase::new(FIRST, None);
    RefundRequested {
        refund_id: refund_id(refund),
        order_id: first.order,
        shop_id: shop_id(),
        customer_id: customer_id(),
        payment_id: first.payment,
        delivery_id: first.delivery,
        lines: Vec::new(),
        coupon,
        used_coupon_id: None,
        reason_id: crate::testing::contact_id(),
    }
}
fn completed() -> RefundCompleted {
    RefundCompleted { order_id: Purchase::new(FIRST, None).order, amount: krw(1), deducted: krw(0) }
}
fn started(refund: u64, quantity: i64, amount: i64, kept: i64) -> ReturnStarted {
    ReturnStarted {
        order_id: Purchase::new(FIRST, None).order,
        refund_id: refund_id(refund),
        lines: vec![ReturnedLine { product_id: product_id(1), quantity: pieces(quantity) }],
        amount: krw(amount),
        kept: krw(kept),
        called_off: Vec::new(),
    }
}
fn received(refund: u64) -> ReturnReceived {
    ReturnReceived { order_id: Purchase::new(FIRST, None).order, refund_id: refund_id(refund), by: by() }
}
fn return_cancelled(refund: u64) -> ReturnCancelled {
    ReturnCancelled { order_id: Purchase::new(FIRST, None).order, refund_id: refund_id(refund), by: by() }
}

#[test]
fn what_is_clawed_back_counts_until_that_is_undone() {
    const NAME: &str = "clawback_never_exceeds_discount";
    let spent = || Tale::default().coupon(issued()).coupon(redeemed(WORTH));
    assert!(spent().coupon(clawed_back(1, 60)).coupon(clawed_back(2, 40)).holds(NAME));
    assert!(!spent().coupon(clawed_back(1, 60)).coupon(clawed_back(2, 41)).holds(NAME));
    let again = spent().coupon(clawed_back(1, 60)).coupon(undone(1));
    assert!(again.clone().coupon(clawed_back(2, WORTH)).holds(NAME));
    assert!(again.coupon(clawed_back(1, WORTH)).holds(NAME));
    let of_another = spent().coupon(clawed_back(1, 60)).coupon(undone(2));
    assert!(!of_another.coupon(clawed_back(2, WORTH)).holds(NAME));
    assert!(
        !spent().coupon(clawed_back(1, 10)).coupon(clawed_back(1, 10)).holds(NAME),
        "twice for one refund"
    );
    let free = spent().coupon(released());
    assert!(free.clone().coupon(clawed_back(1, 0)).holds(NAME));
    assert!(!free.coupon(clawed_back(1, 1)).holds(NAME), "nobody uses it");
}

#[test]
fn a_coupon_stays_while_its_minimum_is_kept_and_goes_when_it_is_not() {
    const NAME: &str = "coupon_only_while_deserved";
    let coupon = Some(Purchase::new(FIRST, None).promised());
    let kept = |coupon, kept| Tale::default().refund(1, requested(1, coupon)).goods(started(1, 1, 300, kept));
    let end = |tale: Tale| tale.refund(1, completed()).holds(NAME);
    // The minimum is all of the order.
    assert!(end(kept(coupon, PRICE)) && !end(kept(coupon, PRICE - 1)) && !end(kept(coupon, 0)));
    assert!(end(kept(None, 0)), "it had earned none");
    let ways: [fn() -> CouponEvent; 3] =
        [|| withheld(1).into(), || revoked(1).into(), || clawed_back(1, 0).into()];
    for way in ways {
        assert!(end(kept(coupon, PRICE - 1).coupon(way())), "{:?}", way());
        assert!(!end(kept(coupon, PRICE).coupon(way())), "{:?}", way());
    }
    assert!(!end(kept(coupon, 0).coupon(withheld(2))), "another refund took it");
    // Nothing is kept, and the minimum is nothing: it goes.
    let free = PromisedCoupon { minimum: krw(0), ..Purchase::new(FIRST, None).promised() };
    assert!(!end(kept(Some(free), 0)) && end(kept(Some(free), 1)));
}

#[test]
fn a_coupon_that_a_refund_was_reduced_for_may_be_good_for_less() {
    const NAME: &str = "coupon_discount_matches_order";
    let coupon = Some(issued().coupon_id);
    // The order is placed with a discount of WORTH: the coupon's value says whether it is granted.
    let with = |value: i64, reduced: &[i64], late: bool| {
        let value = CouponValue::Amount(krw(value));
        let known: CouponEvent = if late {
            CouponWithheld { value, ..withheld(9) }.into()
        } else {
            CouponIssued { value, ..issued() }.into()
        };
        let mut tale = Tale::default().coupon(known);
        for (number, amount) in (1..).zip(reduced) {
            tale = tale.coupon(clawed_back(number, *amount));
        }
        Purchase::new(2, coupon).placed(&mut tale.0);
        tale.holds(NAME)
    };
    for late in [false, true] {
        assert!(with(WORTH, &[], late) && !with(WORTH + 1, &[], late) && !with(WORTH - 1, &[], late));
        assert!(with(WORTH + 1, &[1], late), "some of it was paid for");
        assert!(!with(WORTH - 1, &[1], late), "never more than it is worth");
        assert!(!with(WORTH + 1, &[0], late), "nothing was paid for");
    }
}

#[test]
fn a_coupon_that_was_taken_back_is_not_good_until_that_is_undone() {
    const NAME: &str = "coupon_used_once";
    let used = |tale: Tale| tale.coupon(redeemed(WORTH)).holds(NAME);
    assert!(used(Tale::default().coupon(issued())));
    assert!(!used(Tale::default()) && !used(Tale::default().coupon(withheld(1))));
    assert!(!used(Tale::default().coupon(issued()).coupon(revoked(1))));
    assert!(used(Tale::default().coupon(issued()).coupon(revoked(1)).coupon(reinstated(1))));
    assert!(!used(Tale::default().coupon(issued()).coupon(revoked(1)).coupon(reinstated(2))));
    assert!(!used(Tale::default().coupon(issued()).coupon(redeemed(WORTH))));
    assert!(used(Tale::default().coupon(issued()).coupon(redeemed(WORTH)).coupon(released())));
}

#[test]
fn the_goods_that_are_left_go_back_one_return_after_the_other() {
    const NAME: &str = "returns_within_delivery";
    // Three pieces for 900.
    let mut story = Story::default();
    Purchase::new(FIRST, None).confirmed(&mut story);
    let delivered = Tale(story);
    let first = delivered.clone().goods(started(1, 1, 300, 600));
    assert!(first.holds(NAME) && !delivered.clone().goods(started(1, 1, 300, 599)).holds(NAME));
    assert!(!delivered.clone().goods(started(1, 4, 900, 0)).holds(NAME));
    let back = first.clone().goods(received(1));
    assert!(back.holds(NAME) && !back.clone().goods(received(1)).holds(NAME));
    assert!(back.clone().goods(started(2, 2, 600, 0)).goods(received(2)).holds(NAME));
    assert!(!back.clone().goods(started(2, 1, 300, 600)).holds(NAME), "300 of that went back before");
    assert!(!back.goods(started(2, 3, 600, 0)).holds(NAME), "one of them went back before");
    // Called off, all of it is there again.
    let called_off = first.clone().goods(return_cancelled(1));
    assert!(called_off.clone().goods(started(2, 3, 900, 0)).goods(received(2)).holds(NAME));
    assert!(!called_off.goods(return_cancelled(1)).holds(NAME));
    assert!(
        !first.clone().goods(return_cancelled(2)).holds(NAME)
            && !first.clone().goods(received(2)).holds(NAME)
    );
    assert!(!first.goods(started(2, 1, 300, 600)).holds(NAME), "one is under way");
}

#[test]
fn what_was_clawed_back_and_undone_goes_back_to_the_customer() {
    let first = Purchase::new(FIRST, None);
    let (order_id, refund) = (first.order, first.refund("1"));
    let undone = CouponClawbackUndone { coupon_id: first.earns, order_id, refund_id: refund };
    let mut story = super::shop().until("delivery.return_received", 0);
    story.say(first.earns, order_id.uuid(), CouponEvent::from(undone));
    first.goods(&mut story, ReturnReceived { order_id, refund_id: refund, by: by() });
    let end = |mut story: Story, amount, deducted| {
        give_back(&mut story, first.payment, order_id.into(), refund, krw(amount));
        let completed = RefundCompleted { order_id, amount: krw(amount), deducted: krw(deducted) };
        story.say(refund, order_id.uuid(), RefundEvent::from(completed));
        story
    };
    end(story.clone(), PRICE / 3, 0).is_good(0);
    end(story.clone(), PRICE / 3 - WORTH, WORTH).violates("refund_matches_return");
    end(story, PRICE / 3 - WORTH, WORTH).violates("money_balances");
}

#[test]
fn a_refund_is_started_again_as_it_was_until_it_is_paid_out() {
    const NAME: &str = "refund_never_exceeds_capture";
    let first = Purchase::new(FIRST, None);
    let mut story = Story::default();
    capture(&mut story, first.payment, first.order.into(), krw(PRICE));
    let start = |mut story: Story, amount| {
        let (payment_id, refund_id, charge_ref) = (first.payment, refund_id(1), "charge".to_owned());
        let started = RefundStarted { payment_id, refund_id, attempt: 1, amount: krw(amount), charge_ref };
        story.say(payment_id, first.order.uuid(), PaymentEvent::from(started));
        story
    };
    let refunded = |mut story: Story, amount| {
        let (subject, provider_ref) = (first.order.into(), "refund".to_owned());
        let refunded =
            PaymentRefunded { subject, refund_id: refund_id(1), amount: krw(amount), provider_ref };
        story.say(first.payment, first.order.uuid(), PaymentEvent::from(refunded));
        story
    };
    let holds = |story: &Story| Tale(story.clone()).holds(NAME);
    let once = start(story.clone(), 500);
    let twice = start(once.clone(), 500);
    assert!(holds(&once) && holds(&twice) && !holds(&start(once.clone(), 400)));
    assert!(holds(&refunded(twice.clone(), 500)) && !holds(&refunded(twice.clone(), 400)));
    assert!(!holds(&start(refunded(once, 500), 500)), "it is paid out");
    assert!(!holds(&refunded(refunded(twice, 500), 500)), "twice");
    assert!(holds(&start(story.clone(), PRICE)) && !holds(&start(story, PRICE + 1)));
}

#[test]
fn money_that_goes_back_unasked_is_found_where_it_does() {
    let first = Purchase::new(FIRST, None);
    let mut story = super::shop().until("refund.requested", 0);
    give_back(&mut story, first.payment, first.order.into(), refund_id(7), krw(1));
    let violations = story.audit().violations;
    let of_order = |violation: &&crate::audit::Violation| violation.subject == first.order.to_string();
    let found: Vec<_> = violations.iter().filter(of_order).collect();
    assert!(found.iter().any(|it| it.invariant == "money_balances"), "{violations:#?}");
    assert_eq!(found[0].position, story.events.len() as u64);
}

#[test]
fn a_reservation_that_was_never_paid_has_no_voucher_to_be_deactivated() {
    for was_paid in [true, false] {
        let mut story = super::resort().until("voucher.deactivated", 0);
        let asked = story.events.last_mut().unwrap();
        let Event::Reservation(ReservationEvent::ReservationCancellationRequested(e)) = &mut asked.event
        else {
            panic!("the voucher is deactivated when the cancellation is asked for")
        };
        e.was_paid = was_paid;
        let open = story.audit().open;
        let waits = open.iter().any(|open| open.invariant == "voucher_deactivated_after_cancel");
        assert_eq!(waits, was_paid);
    }
}

#[test]
fn pieces_come_off_the_shelf_and_go_back_to_it() {
    const NAME: &str = "stock_never_oversold";
    let mut shelf = super::shop().until("order.placed", 0);
    let mut product = |order: u64, event: fn(crate::OrderId, u64) -> ProductEvent, quantity| {
        let order_id = Purchase::new(order, None).order;
        shelf.say(product_id(1), order_id.uuid(), event(order_id, quantity));
        Tale(shelf.clone()).holds(NAME)
    };
    let reserve = |order_id, quantity| StockReserved { product_id: product_id(1), order_id, quantity }.into();
    let release = |order_id, quantity| StockReleased { order_id, quantity }.into();
    // Ten pieces.
    assert!(product(1, reserve, 6) && product(2, reserve, 4));
    assert!(product(1, release, 6) && product(3, reserve, 6));
    assert!(!product(4, reserve, 1));
}
