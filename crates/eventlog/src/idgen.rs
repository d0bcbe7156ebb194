//! New ids: the time from a clock, the randomness from a seed that tests can fix.

use std::sync::{Arc, Mutex, PoisonError};

use domain::{Partition, StreamId, Timestamp, ids::new_uuid};
use rand::{Rng, SeedableRng, rngs::SmallRng};
use uuid::Uuid;

use crate::{Clock, SystemClock};

/// Mints UUIDv7 ids.
#[derive(Clone)]
pub struct IdGen {
    clock: Arc<dyn Clock>,
    random: Arc<Mutex<SmallRng>>,
}

impl IdGen {
    /// Seeded by the operating system.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, random: Arc::new(Mutex::new(SmallRng::from_os_rng())) }
    }

    /// The same ids every time: for tests.
    #[must_use]
    pub fn seeded(clock: Arc<dyn Clock>, seed: u64) -> Self {
        Self { clock, random: Arc::new(Mutex::new(SmallRng::seed_from_u64(seed))) }
    }

    /// A new id in `partition`.
    #[must_use]
    pub fn next(&self, partition: Partition) -> Uuid {
        new_uuid(self.clock.now(), self.random(), partition)
    }

    /// A new id in any partition: for what belongs to no shop, such as a command or a request.
    #[must_use]
    pub fn next_anywhere(&self) -> Uuid {
        let partition = Partition::of(Uuid::from_u128(u128::from(self.random())));
        self.next(partition)
    }

    /// The clock that the ids take their time from.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// 64 random bits.
    #[must_use]
    pub fn random(&self) -> u64 {
        // A poisoned lock only means that another thread died between two numbers: the numbers are still good.
        self.random.lock().unwrap_or_else(PoisonError::into_inner).random()
    }
}

impl Default for IdGen {
    fn default() -> Self {
        Self::new(Arc::new(SystemClock::new()))
    }
}

/// The id of the event number `ordinal` that `command_id` writes to `stream`.
///
/// A pure function, so that a command that is decided again after a conflict or a crash writes the same ids; mixed
/// rather than hashed, since it only has to be unique within one millisecond of one partition.
#[must_use]
pub fn event_id(command_id: Uuid, stream: StreamId, ordinal: u64, at: Timestamp) -> Uuid {
    let (command_high, command_low) = command_id.as_u64_pair();
    let (stream_high, stream_low) = stream.id.as_u64_pair();
    let mut mixed = u64::from(stream.kind.code()).wrapping_shl(32) ^ ordinal;
    for part in [command_high, command_low, stream_high, stream_low] {
        mixed = splitmix(mixed ^ part);
    }
    new_uuid(at, mixed, Partition::of(stream.id))
}

/// The finalizer of SplitMix64: every input bit changes about half of the output bits.
fn splitmix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use domain::AggregateKind;

    use super::*;
    use crate::ManualClock;

    #[test]
    fn a_seeded_generator_repeats_itself() {
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
        let ids = |seed| {
            let ids = IdGen::seeded(clock.clone(), seed);
            (0..100).map(|_| ids.next_anywhere()).collect::<Vec<_>>()
        };
        assert_eq!(ids(1), ids(1));
        assert_ne!(ids(1), ids(2));
        assert_eq!(ids(1).into_iter().collect::<HashSet<_>>().len(), 100);
    }

    #[test]
    fn event_ids_differ_by_command_stream_and_ordinal_and_lie_in_the_streams_partition() {
        let ids = IdGen::seeded(Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH)), 7);
        let mut seen = HashSet::new();
        for _ in 0..50 {
            let (command, stream) =
                (ids.next_anywhere(), StreamId::new(AggregateKind::Order, ids.next_anywhere()));
            for ordinal in 0..20 {
                let id = event_id(command, stream, ordinal, Timestamp::UNIX_EPOCH);
                assert!(seen.insert(id), "{id} came twice");
                assert_eq!(Partition::of(id), Partition::of(stream.id));
            }
        }
    }
}
