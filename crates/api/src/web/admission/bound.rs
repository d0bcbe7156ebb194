//! A number of places.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// So many at once.
pub(crate) struct Bound {
    places: usize,
    free: Arc<Semaphore>,
}

/// One of the places, free again once this is dropped.
pub(crate) struct Place(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Place")
    }
}

impl Bound {
    pub(crate) fn new(places: usize) -> Self {
        let places = places.min(Semaphore::MAX_PERMITS);
        Self { places, free: Arc::new(Semaphore::new(places)) }
    }

    /// A place, if one is free.
    pub(crate) fn enter(&self) -> Option<Place> {
        self.free.clone().try_acquire_owned().ok().map(Place)
    }

    /// A place, as soon as one is free; in the order in which they were asked for.
    pub(crate) async fn wait(&self) -> Place {
        Place(self.free.clone().acquire_owned().await.expect("nobody closes the semaphore"))
    }

    /// How many there are.
    pub(crate) fn places(&self) -> usize {
        self.places
    }

    /// How many are taken.
    pub(crate) fn taken(&self) -> usize {
        self.places - self.free.available_permits()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_once_it_is_given_back() {
        let bound = Bound::new(2);
        let (first, second) = (bound.enter(), bound.enter());
        assert!(first.is_some() && second.is_some() && bound.enter().is_none());
        assert_eq!((bound.taken(), bound.places()), (2, 2));
        drop(first);
        assert_eq!(bound.taken(), 1);
        assert!(bound.enter().is_some());
    }
}
