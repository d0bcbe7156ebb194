//! Refunds that take the coupon back, and refunds that are off.

use super::{
    CouponCommand, clawback_undone, clawed_back, issue, issued, issued_as, redeem, redeem_for, redeemed,
    redeemed_with, redemption_refused, refund_id, reinstate, reinstated, release, released, revoke,
    revoke_up_to, revoked, withheld,
};
use crate::{
    coupon::{Coupon, CouponError, CouponEvent, CouponRefusal, CouponStanding, CouponValue},
    testing::{eur, fold, given, krw},
};

fn standing(past: &[CouponEvent]) -> Option<CouponStanding> {
    fold::<Coupon>(past).standing()
}

#[test]
fn a_coupon_that_is_taken_back_before_it_is_issued_is_not_issued() {
    given::<Coupon>([]).when(revoke(1)).then([withheld(1)]);
    given::<Coupon>([withheld(1)]).when(issue()).then_error(CouponError::RevokedBefore);
    given::<Coupon>([withheld(1)]).when(revoke(1)).then_already_applied();
    given::<Coupon>([withheld(1)]).when(redeem(2)).then([redemption_refused(2, CouponRefusal::Revoked)]);
}

#[test]
fn a_withheld_coupon_whose_refund_is_off_is_the_customers() {
    given::<Coupon>([withheld(1)]).when(reinstate(1)).then([reinstated(1)]);
    let back = || [withheld(1), reinstated(1)];
    assert_eq!(standing(&back()), Some(CouponStanding::Issued));
    given::<Coupon>(back()).when(issue()).then_already_applied();
    given::<Coupon>(back()).when(redeem(2)).then([redeemed(2)]);
}

#[test]
fn every_refund_is_answered_once() {
    given::<Coupon>([issued()]).when(revoke(1)).then([revoked(1)]);
    given::<Coupon>([issued(), revoked(1)]).when(revoke(1)).then_already_applied();
    given::<Coupon>([issued(), revoked(1)]).when(revoke(2)).then([revoked(2)]);
    given::<Coupon>([withheld(1)]).when(revoke(2)).then([revoked(2)]);
    given::<Coupon>([issued(), redeemed(2), clawed_back(1, krw(500))]).when(revoke(1)).then_already_applied();
}

#[test]
fn a_coupon_is_good_again_when_no_refund_holds_it_any_more() {
    let twice = || vec![issued(), revoked(1), revoked(2)];
    given::<Coupon>(twice()).when(reinstate(1)).then([reinstated(1)]);
    let once = || [twice(), vec![reinstated(1)]].concat();
    assert_eq!(standing(&once()), Some(CouponStanding::Revoked));
    given::<Coupon>(once()).when(redeem(2)).then([redemption_refused(2, CouponRefusal::Revoked)]);
    given::<Coupon>(once()).when(reinstate(2)).then([reinstated(2)]);
    assert_eq!(standing(&[once(), vec![reinstated(2)]].concat()), Some(CouponStanding::Issued));
    let withheld_twice = [withheld(1), revoked(2), reinstated(1)];
    assert_eq!(standing(&withheld_twice), Some(CouponStanding::Withheld));
}

#[test]
fn what_a_refund_did_is_undone_once_and_only_that() {
    given::<Coupon>([issued(), revoked(1)]).when(reinstate(2)).then_already_applied();
    given::<Coupon>([issued(), revoked(1), reinstated(1)]).when(reinstate(1)).then_already_applied();
    let spent = || [issued(), redeemed(2), clawed_back(1, krw(500))];
    given::<Coupon>(spent()).when(reinstate(1)).then([clawback_undone(1)]);
    given::<Coupon>([]).when(reinstate(1)).then_error(CouponError::NotFound);
}

#[test]
fn a_spent_coupon_comes_off_the_refund_as_far_as_that_reaches() {
    let spent = || [issued(), redeemed(2)];
    given::<Coupon>(spent()).when(revoke(1)).then([clawed_back(1, krw(500))]);
    given::<Coupon>(spent()).when(revoke_up_to(1, krw(500))).then([clawed_back(1, krw(500))]);
    given::<Coupon>(spent()).when(revoke_up_to(1, krw(499))).then([clawed_back(1, krw(499))]);
    given::<Coupon>(spent()).when(revoke_up_to(1, krw(0))).then([clawed_back(1, krw(0))]);
}

#[test]
fn a_coupons_worth_comes_off_once_over_all_refunds() {
    let past = || vec![issued(), redeemed(2), clawed_back(1, krw(200))];
    given::<Coupon>(past()).when(revoke_up_to(2, krw(250))).then([clawed_back(2, krw(250))]);
    let more = || [past(), vec![clawed_back(2, krw(250))]].concat();
    given::<Coupon>(more()).when(revoke(3)).then([clawed_back(3, krw(50))]);
    let all = || [more(), vec![clawed_back(3, krw(50))]].concat();
    given::<Coupon>(all()).when(revoke(4)).then([clawed_back(4, krw(0))]);
    let undone = || [all(), vec![clawback_undone(2)]].concat();
    given::<Coupon>(undone()).when(revoke(5)).then([clawed_back(5, krw(250))]);
}

#[test]
fn only_what_was_enjoyed_is_taken_back() {
    let spent = [issued(), redeemed_with(2, krw(120))];
    given::<Coupon>(spent).when(revoke(1)).then([clawed_back(1, krw(120))]);
}

#[test]
fn a_discount_in_another_currency_cannot_come_off() {
    let spent = [issued_as(CouponValue::Percent(10)), redeemed_with(2, eur(200))];
    given::<Coupon>(spent).when(revoke(1)).then([clawed_back(1, krw(0))]);
}

#[test]
fn a_coupon_that_was_paid_for_in_another_currency_takes_nothing_off() {
    let paid = [
        issued_as(CouponValue::Percent(10)),
        redeemed_with(2, eur(200)),
        clawed_back(1, eur(200)),
        released(2),
    ];
    given::<Coupon>(paid)
        .when(redeem_for(3, krw(3000), krw(200)))
        .then([redemption_refused(3, CouponRefusal::NoDiscount)]);
}

#[test]
fn a_coupon_that_comes_back_unused_is_good_for_what_refunds_were_reduced_by() {
    let partly = || [issued(), redeemed(2), clawed_back(1, krw(200))];
    given::<Coupon>(partly()).when(release(2)).then([released(2)]);
    let back = || [partly().to_vec(), vec![released(2)]].concat();
    assert_eq!(standing(&back()), Some(CouponStanding::Issued));
    given::<Coupon>(back()).when(redeem(3)).then([redemption_refused(3, CouponRefusal::OtherDiscount)]);
    given::<Coupon>(back()).when(redeem_for(3, krw(2000), krw(200))).then([redeemed_with(3, krw(200))]);
    // It is paid for: no other refund takes it, used or not.
    given::<Coupon>(back()).when(revoke(2)).then([clawed_back(2, krw(0))]);
    let again = || [back(), vec![redeemed_with(3, krw(200))]].concat();
    given::<Coupon>(again()).when(revoke(2)).then([clawed_back(2, krw(0))]);
    assert_eq!(standing(&[again(), vec![released(3)]].concat()), Some(CouponStanding::Issued));
    given::<Coupon>(back()).when(reinstate(1)).then([clawback_undone(1)]);
    let whole = || [back(), vec![clawback_undone(1)]].concat();
    given::<Coupon>(whole()).when(redeem(3)).then([redeemed(3)]);
}

#[test]
fn a_coupon_that_comes_back_unused_and_was_not_paid_for_is_revoked() {
    let nothing = || vec![issued(), redeemed(2), clawed_back(1, krw(0)), released(2)];
    assert_eq!(standing(&nothing()), Some(CouponStanding::Revoked));
    given::<Coupon>(nothing()).when(redeem(3)).then([redemption_refused(3, CouponRefusal::Revoked)]);
}

#[test]
fn a_coupon_is_no_longer_paid_for_when_the_refund_that_paid_is_off() {
    let paid = || vec![issued(), redeemed(2), clawed_back(1, krw(500)), released(2)];
    given::<Coupon>(paid()).when(reinstate(1)).then([clawback_undone(1)]);
    assert_eq!(standing(&[paid(), vec![clawback_undone(1)]].concat()), Some(CouponStanding::Issued));
    let held_by_another = [paid(), vec![clawed_back(2, krw(0)), clawback_undone(1)]].concat();
    assert_eq!(standing(&held_by_another), Some(CouponStanding::Revoked));
}

#[test]
fn a_coupon_that_was_paid_for_takes_off_no_more_the_next_time() {
    let first = redeemed_with(2, krw(100));
    let paid = vec![issued_as(CouponValue::Percent(10)), first, clawed_back(1, krw(100)), released(2)];
    given::<Coupon>(paid).when(redeem_for(3, krw(3000), krw(100))).then([redeemed_with(3, krw(100))]);
}

#[test]
fn a_refund_that_was_called_off_and_not_undone_yet_does_not_spare_the_next_one() {
    let revoke_after = |before: &[u64]| {
        let mut command = revoke(2);
        if let CouponCommand::RevokeCoupon { called_off, .. } = &mut command {
            *called_off = before.iter().copied().map(refund_id).collect();
        }
        command
    };
    let spent = || [issued(), redeemed(2), clawed_back(1, krw(500))];
    let instead = [clawback_undone(1), clawed_back(2, krw(500))];
    given::<Coupon>(spent()).when(revoke_after(&[1])).then(instead.clone());
    given::<Coupon>(spent()).when(revoke_after(&[3])).then([clawed_back(2, krw(0))]);
    let undone = [spent().to_vec(), instead.to_vec()].concat();
    given::<Coupon>(undone).when(reinstate(1)).then_already_applied();
}
