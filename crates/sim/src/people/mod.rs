//! What customers, shops, couriers and guests do, at any moment, sensible or not. A refusal is their matter alone.

mod orders;
mod stays;

use chrono::Days;
use domain::{
    Actor, AggregateId, AggregateKind, AnyCommand, Currency, CustomerId, Money, NotifiedChange, OrderId,
    ProductId, ReservationId, ResortId, ShopId, TimeZone, Timestamp,
    delivery::{Delivery, DeliveryCommand},
    order::payment_of,
    payment::{CaptureOutcome, Payment, PaymentCommand, PaymentStage},
    product::ProductCommand,
    reservation,
    resort::{ResortCommand, ResortPolicy},
};
use rand::{Rng, seq::IndexedRandom};
use sagas::payments::charge_key;
use uuid::Uuid;

use crate::{aggregates::State, world::World};

/// The most orders of one history; half as many reservations.
const MOST: usize = 14;
const NIGHTLY: i64 = 700;

/// Who has ordered and reserved what.
#[derive(Default)]
pub(crate) struct People {
    orders: Vec<OrderId>,
    reservations: Vec<ReservationId>,
}

fn won(amount_minor: i64) -> Money {
    Money::new(amount_minor, Currency::KRW).expect("nothing here costs less than nothing")
}
fn shop() -> ShopId {
    "phone".parse().expect("it is a slug")
}
fn customer() -> CustomerId {
    "alice".parse().expect("it is a name")
}
fn epoch() -> Timestamp {
    Timestamp::from_timestamp(1_767_225_600, 0).unwrap_or_default()
}
fn product(number: u64) -> ProductId {
    ProductId::new(epoch(), number, shop().partition())
}
fn price(number: u64) -> i64 {
    [333, 1000, 57][usize::try_from(number).unwrap_or(0) % 3]
}
fn resort() -> ResortId {
    ResortId::new(epoch(), 1, shop().partition())
}
fn resort_policy() -> ResortPolicy {
    let notify = vec![NotifiedChange::ReservationPaid];
    ResortPolicy { pay_within_secs: 600, cancel_days_before: 0, notify }
}

/// The time by the clock of the node that somebody speaks to.
fn clock(world: &mut World, node: usize) -> Timestamp {
    world.nodes[node].now(world.now)
}

/// Gives a command to a node.
fn give(world: &mut World, node: usize, correlation_id: Uuid, command: AnyCommand) {
    world.ask(node, correlation_id, command);
}

impl People {
    /// Who gives commands.
    pub(crate) fn actor() -> Actor {
        Actor::Customer(customer())
    }

    /// A shop with three products, one of them made to order, and a resort.
    pub(crate) fn open(world: &mut World) {
        let node = 0;
        for (number, stock) in [(0, Some(14)), (1, Some(9)), (2, None)] {
            let command = ProductCommand::ListProduct {
                product_id: product(number),
                shop_id: shop(),
                name: "Thing".to_owned(),
                price: won(price(number)),
                stock,
            };
            give(world, node, product(number).uuid(), AnyCommand::Product { id: product(number), command });
        }
        let today = TimeZone::SEOUL.date_at(world.now);
        let command = ResortCommand::RegisterResort {
            resort_id: resort(),
            manager_id: customer(),
            name: "Camp".to_owned(),
            kind: "camping".to_owned(),
            nightly_price: won(NIGHTLY),
            time_zone: TimeZone::SEOUL,
            open_from: today,
            open_until: today + Days::new(300),
            policy: resort_policy(),
        };
        give(world, node, resort().uuid(), AnyCommand::Resort { id: resort(), command });
    }

    /// Somebody does something.
    pub(crate) fn act(&mut self, world: &mut World, node: usize) {
        let what = world.rng.random_range(0..100);
        if what < 7 && self.orders.len() < MOST {
            return self.place(world, node);
        }
        if (7..10).contains(&what) && self.reservations.len() < MOST / 2 {
            return self.reserve(world, node);
        }
        if what < 86 {
            let Some(order) = self.orders.choose(&mut world.rng).copied() else { return };
            return orders::about(world, node, order);
        }
        if what < 97 {
            let Some(id) = self.reservations.choose(&mut world.rng).copied() else { return };
            return stays::about(world, node, id);
        }
        if what == 99 {
            return self.money_turns_up(world, node);
        }
        let id = product(world.rng.random_range(0..3));
        let command = if world.rng.random_bool(0.05) {
            ProductCommand::WithdrawProduct
        } else {
            ProductCommand::Restock { quantity: world.rng.random_range(1..4) }
        };
        give(world, node, id.uuid(), AnyCommand::Product { id, command })
    }

    /// A charge that the provider had declined, or closed, was made after all, and the bank tells us.
    fn money_turns_up(&self, world: &mut World, node: usize) {
        let of_orders = self.orders.iter().map(|order| (order.uuid(), payment_of(*order)));
        let of_stays = self.reservations.iter().map(|id| (id.uuid(), reservation::payment_of(*id)));
        for (subject, id) in of_orders.chain(of_stays) {
            let Some(State::Payment(Payment::Existing { details, stage })) =
                world.log.state(AggregateKind::Payment, id.uuid())
            else {
                continue;
            };
            let over = matches!(stage, PaymentStage::Declined | PaymentStage::Voided | PaymentStage::Expired);
            let (attempt, amount) = (details.attempt, details.amount);
            let provider_ref = charge_key(id, attempt);
            if over && world.provider.turn_up(&provider_ref, amount) {
                let outcome = CaptureOutcome::Captured { provider_ref };
                let command = PaymentCommand::RecordCapture { attempt, outcome, at: clock(world, node) };
                let command = AnyCommand::Payment { id, command };
                // The bank tells us until we have heard it.
                return world.insist(node, subject, command);
            }
        }
    }

    /// Ends what only people can end: goods on their way arrive, at the customer or at the shop. Tells whether there
    /// was anything.
    pub(crate) fn finish(world: &mut World) -> bool {
        let node = 0;
        let mut deliveries: Vec<(Uuid, Uuid)> = Vec::new();
        for event in &world.log.events {
            let pair = (event.stream.id, event.metadata.correlation_id);
            if event.stream.kind == AggregateKind::Delivery && !deliveries.contains(&pair) {
                deliveries.push(pair);
            }
        }
        let mut moved = false;
        for (delivery, order) in deliveries {
            let by = People::actor();
            let command = match world.log.state(AggregateKind::Delivery, delivery) {
                Some(State::Delivery(Delivery::Returning { .. })) => {
                    DeliveryCommand::ReceiveReturn { refund_id: None, by }
                }
                Some(State::Delivery(Delivery::Requested(_))) => DeliveryCommand::AcceptDelivery { by },
                Some(State::Delivery(Delivery::Accepted(d))) if d.needs_preparation => {
                    DeliveryCommand::StartPreparation { by }
                }
                Some(State::Delivery(Delivery::Accepted(_) | Delivery::Preparing(_))) => {
                    DeliveryCommand::ShipDelivery { by }
                }
                Some(State::Delivery(Delivery::Shipped(_))) => {
                    DeliveryCommand::CompleteDelivery { by, at: clock(world, node) }
                }
                _ => continue,
            };
            moved = true;
            let id = domain::DeliveryId::from_uuid(delivery);
            give(world, node, order, AnyCommand::Delivery { id, command });
        }
        moved
    }
}
