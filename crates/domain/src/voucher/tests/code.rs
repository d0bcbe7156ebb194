//! What the code of a voucher looks like.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::voucher::VoucherCode;

/// The bits of which a code is made; the generator's others are not used.
const BITS: u128 = (1 << 80) - 1;

#[test]
fn a_code_reads_as_four_groups_of_four_that_can_be_told_over_a_telephone() {
    assert_eq!(VoucherCode::from_random(0).as_str(), "0000-0000-0000-0000");
    assert_eq!(VoucherCode::from_random(u128::MAX).as_str(), "ZZZZ-ZZZZ-ZZZZ-ZZZZ");
    assert_eq!(VoucherCode::from_random(0b00011_00010_00001).to_string(), "1230-0000-0000-0000");
}

#[test]
fn each_of_the_eighty_bits_makes_another_code() {
    let codes: BTreeSet<String> =
        (0..80).map(|bit| VoucherCode::from_random(1 << bit).as_str().to_owned()).collect();
    assert_eq!(codes.len(), 80);
    assert!(!codes.contains(VoucherCode::from_random(0).as_str()));
    assert_eq!(VoucherCode::from_random(1 << 80), VoucherCode::from_random(0));
}

#[test]
fn a_code_does_not_show_in_a_log() {
    let code = VoucherCode::from_random(0x1234_5678_9ABC);
    assert_eq!(format!("{code:?}"), "VoucherCode(…)");
}

proptest! {
    #[test]
    fn a_code_has_no_letter_that_is_taken_for_another(bits: u128) {
        let code = VoucherCode::from_random(bits);
        let groups: Vec<&str> = code.as_str().split('-').collect();
        prop_assert_eq!(groups.len(), 4);
        for group in groups {
            prop_assert_eq!(group.len(), 4);
            let plain = |c: char| c.is_ascii_digit() || (c.is_ascii_uppercase() && !"ILOU".contains(c));
            prop_assert!(group.chars().all(plain), "{}", code);
        }
    }

    #[test]
    fn other_bits_make_another_code(one: u128, other: u128) {
        let same = VoucherCode::from_random(one) == VoucherCode::from_random(other);
        prop_assert_eq!(same, one & BITS == other & BITS);
    }

    #[test]
    fn a_code_is_read_as_it_is_stored(bits: u128) {
        let code = VoucherCode::from_random(bits);
        let stored = serde_json::to_string(&code).unwrap();
        prop_assert_eq!(&stored, &format!("\"{code}\""));
        prop_assert_eq!(serde_json::from_str::<VoucherCode>(&stored).unwrap(), code);
    }
}
