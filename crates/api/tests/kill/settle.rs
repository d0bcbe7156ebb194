//! The end of a world: everything comes to its end, and what was said is compared with what is. Whatever does not agree
//! panics with what it is.

use std::ops::AddAssign;

use gateway::Behaviour;

use crate::{
    load::{self, Rest},
    world::World,
};

/// What came of the load.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outcome {
    answered: usize,
    cut_off: usize,
    orders: usize,
    reservations: usize,
    refunds: usize,
    entries: usize,
    positions: usize,
}

impl AddAssign for Outcome {
    fn add_assign(&mut self, other: Self) {
        self.answered += other.answered;
        self.cut_off += other.cut_off;
        self.orders += other.orders;
        self.reservations += other.reservations;
        self.refunds += other.refunds;
        self.entries += other.entries;
        self.positions += other.positions;
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { answered, cut_off, orders, reservations, refunds, entries, positions } = self;
        write!(
            f,
            "{answered} requests answered ({positions} looked up on the log), {cut_off} cut off; {orders} orders, \
             {reservations} reservations, {refunds} refunds, {entries} entries in the provider's books"
        )
    }
}

impl Outcome {
    /// Whether it was worth the trouble.
    pub(crate) fn is_a_load(&self) -> bool {
        self.answered > 50 && self.cut_off > 0 && self.orders > 0 && self.entries > 0
    }
}

/// Compares what was answered, what the platform shows, its log, its views and the provider's books.
pub(crate) async fn settle(world: &World) -> Outcome {
    world.sandbox.behave(Behaviour::default()).unwrap();
    load::nothing_is_asked_for_twice(&world.sandbox.entries().await.unwrap());
    // As it lies there, before anything is mended by going on.
    world.audit();
    world.result(&["projections", "verify", "--all"]);
    let serving = world.start(world.program("serve")).unwrap_or_else(|status| world.has_failed(status));
    let requests = world.load.requests();
    let cut_off = requests.iter().filter(|request| request.answer.is_none()).count();
    // Before anything is sent again.
    let positions = load::stands_where_it_was_told(&world.load).await;
    let decided = world.load.decided().await;
    let rest = Rest::of(&world.load).await;
    rest.agrees(&world.load, world.scene(), &decided).await;
    load::nothing_is_open(|| world.audit(), &rest.held()).await;
    assert_eq!(serving.terminate(), Some(0));
    let entries = world.sandbox.entries().await.unwrap();
    load::nothing_is_asked_for_twice(&entries);
    load::books_agree(&entries, &rest);
    world.result(&["projections", "verify", "--all"]);
    world.nobody_panicked();
    Outcome {
        answered: requests.len() - cut_off,
        cut_off,
        orders: rest.orders.len(),
        reservations: rest.reservations.len(),
        refunds: rest.refunds.len(),
        entries: entries.len(),
        positions,
    }
}
