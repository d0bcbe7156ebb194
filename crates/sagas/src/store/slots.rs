//! Which slot does an instance's work.

use uuid::Uuid;

/// The slot of the instance `key` among `slots`. Stored with the instance, so the rule never changes.
///
/// An id's time and partition say little and much alike of its neighbours, so all of its bits are mixed.
/// *Source*: the finalizer of SplitMix64 (Steele, Lea, Flood 2014).
///
/// # Panics
/// Never: a remainder is less than the number of slots.
pub fn slot_of(key: Uuid, slots: u16) -> u16 {
    let (high, low) = key.as_u64_pair();
    let mut mixed = high ^ low.rotate_left(32);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    u16::try_from(mixed % u64::from(slots.max(1))).expect("less than the number of slots")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slot_of_an_instance_never_changes() {
        let of = |key: u128| slot_of(Uuid::from_u128(key), 64);
        assert_eq!([of(0), of(1), of(2)], [0, 63, 62]);
        assert_eq!(of(0x0190_0000_0000_7000_8000_0000_0000_0abc), 23);
        assert_eq!(slot_of(Uuid::from_u128(7), 1), 0);
    }

    #[test]
    fn orders_of_one_shop_are_spread_evenly() {
        // One shop: the same partition in the lowest ten bits; one a millisecond.
        let key = |n: u128| {
            Uuid::from_u128((0x0190_0000_0000 + n) << 80 | 0x7 << 76 | 0x2 << 62 | (n * 7919) << 10 | 5)
        };
        let mut counts = [0; 64];
        (0..6_400).for_each(|n| counts[usize::from(slot_of(key(n), 64))] += 1);
        assert!(counts.iter().all(|count| (60..=140).contains(count)), "{counts:?}");
    }
}
