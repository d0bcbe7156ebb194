//! Ids that routes mint and compare.

use domain::{Partition, ids::PARTITION_BITS};
use uuid::Uuid;

/// The minted id, moved into a partition: everything of a shop lies in one.
pub(super) fn in_partition(minted: Uuid, partition: Partition) -> Uuid {
    let mask = (1_u128 << PARTITION_BITS) - 1;
    Uuid::from_u128((minted.as_u128() & !mask) | u128::from(partition.get()))
}

#[cfg(test)]
mod tests {
    use domain::ShopId;

    use super::*;

    #[test]
    fn a_minted_id_is_moved_into_the_partition_of_its_shop() {
        let shop: ShopId = "phone".parse().unwrap();
        let minted = Uuid::from_u128(0x0190_0000_0000_7abc_8def_0123_4567_89ab);
        let moved = in_partition(minted, shop.partition());
        assert_eq!(Partition::of(moved), shop.partition());
        assert_eq!(moved.as_u128() >> PARTITION_BITS, minted.as_u128() >> PARTITION_BITS);
    }
}
