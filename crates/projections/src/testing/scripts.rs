//! What can happen to an order or a reservation from its first to its last event, as commands.

use std::collections::VecDeque;

use domain::{Actor, AnyCommand, Currency, Money, Quantity, product::ProductCommand};
use uuid::Uuid;

use super::{
    History,
    orders::{Market, Order},
    stays::Lodge,
};

/// How an order or a reservation goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    Delivered,
    Declined,
    OutOfStock,
    CancelledInTime,
    CancelledTooLate,
    CancelledBeforeTheDelivery,
    FailedOnTheWay,
    NeverPaid,
    /// All of it goes back.
    Returned,
    /// All of it goes back before its coupon was issued.
    Withheld,
    /// One piece goes back; of a second return there is too much.
    PartlyReturned,
    ReturnCalledOff,
    /// A later order used the coupon, then all of the first goes back.
    CouponSpent,
    /// A later order used the coupon and is cancelled.
    CouponGivenBack,
    /// Two later orders want the coupon.
    CouponUsedTwice,
    Stayed,
    NightsRefused,
    StayNeverPaid,
    StayCancelled,
    StayCancelledUnpaid,
}

impl Scenario {
    /// Ways of orders.
    pub(crate) const ORDERS: [Self; 15] = [
        Self::Delivered,
        Self::Declined,
        Self::OutOfStock,
        Self::CancelledInTime,
        Self::CancelledTooLate,
        Self::CancelledBeforeTheDelivery,
        Self::FailedOnTheWay,
        Self::NeverPaid,
        Self::Returned,
        Self::Withheld,
        Self::PartlyReturned,
        Self::ReturnCalledOff,
        Self::CouponSpent,
        Self::CouponGivenBack,
        Self::CouponUsedTwice,
    ];
    /// Ways of reservations.
    pub(crate) const STAYS: [Self; 5] = [
        Self::Stayed,
        Self::NightsRefused,
        Self::StayNeverPaid,
        Self::StayCancelled,
        Self::StayCancelledUnpaid,
    ];

    /// Every way.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        Self::ORDERS.into_iter().chain(Self::STAYS)
    }

    fn some(random: &mut Random) -> Self {
        let place = random.below(Self::ORDERS.len() + Self::STAYS.len());
        Self::ORDERS.get(place).copied().unwrap_or_else(|| Self::STAYS[place - Self::ORDERS.len()])
    }
}

/// Commands in order: what each belongs to, who gives it, and what it asks.
pub(super) type Script = VecDeque<(Uuid, Actor, AnyCommand)>;

pub(super) fn krw(amount: i64) -> Money {
    Money::new(amount, Currency::KRW).unwrap()
}
pub(super) fn quantity(pieces: i64) -> Quantity {
    Quantity::try_from(pieces).unwrap()
}
pub(super) fn process(name: &str) -> Actor {
    Actor::Process(name.to_owned())
}

/// One order (with the later ones that use its coupon) or reservation from its first to its last event.
pub(crate) fn story(scenario: Scenario) -> History {
    let mut history = History::default();
    let script = if Scenario::STAYS.contains(&scenario) {
        let mut lodge = Lodge::open(&mut history, 1);
        lodge.next(41, history.now()).play(scenario)
    } else {
        let market = Market::open(&mut history, "phone", 3);
        Order::new(&market, 41, history.now()).play(scenario)
    };
    for (about, actor, command) in script {
        history.act(actor, about, command);
    }
    history
}

/// Many orders of some shops and reservations at some resorts, mixed: while one is paid, another is delivered. The same
/// for the same seed.
pub(crate) fn crowd(seed: u64, orders: usize) -> History {
    let mut random = Random(seed);
    let mut history = History::default();
    let markets: Vec<Market> =
        ["phone", "pizza", "books"].iter().map(|name| Market::open(&mut history, name, 8)).collect();
    let mut lodges: Vec<Lodge> = (1..=4).map(|number| Lodge::open(&mut history, number)).collect();
    let mut open: Vec<Script> = Vec::new();
    let (mut placed, at_once) = (0, 64);
    while placed < orders || !open.is_empty() {
        if placed < orders && open.len() < at_once {
            let scenario =
                if random.below(3) == 0 { Scenario::some(&mut random) } else { Scenario::Delivered };
            open.push(if Scenario::STAYS.contains(&scenario) {
                let lodge = random.below(lodges.len());
                lodges[lodge].next(random.next(), history.now()).play(scenario)
            } else {
                let market = &markets[random.below(markets.len())];
                Order::new(market, random.next(), history.now()).play(scenario)
            });
            placed += 1;
        }
        let chosen = random.below(open.len());
        match open[chosen].pop_front() {
            Some((about, actor, command)) => history.act(actor, about, command),
            None => drop(open.swap_remove(chosen)),
        }
        if random.below(50) == 0 {
            change_a_product(&mut history, &markets[random.below(markets.len())], &mut random);
        }
    }
    history
}

fn change_a_product(history: &mut History, market: &Market, random: &mut Random) {
    let number = random.below(market.products.len());
    let (id, shop) = (market.products[number], market.shop.clone());
    let command = if number.is_multiple_of(2) {
        ProductCommand::Restock { quantity: 1 + random.below(5) as u64 }
    } else {
        ProductCommand::ReviseProduct { name: None, price: Some(krw(500 + random.below(9_000) as i64)) }
    };
    history.act(Actor::Shop(shop.clone()), shop.uuid(), AnyCommand::Product { id, command });
}

/// Splitmix64: enough to mix orders.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}
