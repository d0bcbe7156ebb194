//! Tools of the tables' tests: one order with all its events, given/when/then, and the grid of every stage and event.

use std::{collections::BTreeSet, fmt::Write as _};

use domain::{
    Actor, AnyCommand, CancellableUntil, ContactId, CouponId, CustomerId, DeliveryId, Envelope, Event,
    Metadata, Money, NotificationId, NotifiedChange, OrderId, PaymentId, PaymentTerms, ProductId, Quantity,
    RefundId, ReservationId, ResortId, ShopId, ShopPolicy, Stay, StreamId, Timestamp, VoucherId,
    coupon::{self, CouponValue, PromisedCoupon},
    order::{self, CancellationCause, ChargedLine, OrderCancellationRequested, OrderLine, OrderPlaced},
    payment, reservation,
};
use uuid::Uuid;

use crate::{
    payments,
    process::{Action, EffectCall, Input, Process, Reaction},
};

mod samples;

pub(crate) use samples::{
    called_back, delivery_cancelled, nights_held, nights_refused, placed_with, refund_requested,
    reservation_paid, reservation_requested, return_started, returned, samples, send_requested,
    voucher_deactivated, voucher_issued,
};

/// 2026-01-01T00:00:00Z and so many seconds.
pub(crate) fn at(secs: i64) -> Timestamp {
    Timestamp::from_timestamp(1_767_225_600 + secs, 0).unwrap()
}
pub(crate) fn won(amount_minor: i64) -> Money {
    Money::new(amount_minor, domain::Currency::KRW).unwrap()
}
pub(crate) fn pieces(number: i64) -> Quantity {
    Quantity::try_from(number).unwrap()
}
pub(crate) fn shop_id() -> ShopId {
    "phone".parse().unwrap()
}
pub(crate) fn customer_id() -> CustomerId {
    "alice".parse().unwrap()
}
pub(crate) fn product(number: u64) -> ProductId {
    ProductId::new(at(0), number, shop_id().partition())
}
pub(crate) fn order_id() -> OrderId {
    OrderId::new(at(0), 99, shop_id().partition())
}
pub(crate) fn payment_id() -> PaymentId {
    order::payment_of(order_id())
}
pub(crate) fn delivery_id() -> DeliveryId {
    order::delivery_of(order_id())
}
pub(crate) fn contact_id() -> ContactId {
    order::contact_of(order_id())
}
pub(crate) fn refund_id() -> RefundId {
    payment::full_refund_of(payment_id())
}
/// A refund that the customer asked for.
pub(crate) fn return_id() -> RefundId {
    RefundId::derived(order_id().uuid(), "refund", "1")
}
/// An order that was completed before.
pub(crate) fn earlier_order_id() -> OrderId {
    OrderId::new(at(0), 98, shop_id().partition())
}
/// The coupon that the order uses.
pub(crate) fn used_coupon_id() -> CouponId {
    coupon::coupon_of(earlier_order_id())
}
/// The coupon that the order earns: a tenth, if 1000 is kept.
pub(crate) fn promised() -> PromisedCoupon {
    let (coupon_id, value) = (coupon::coupon_of(order_id()), CouponValue::Percent(10));
    PromisedCoupon { coupon_id, value, minimum: won(1000) }
}
pub(crate) fn manager_id() -> CustomerId {
    "mina".parse().unwrap()
}
pub(crate) fn resort_id() -> ResortId {
    ResortId::new(at(0), 50, shop_id().partition())
}
pub(crate) fn reservation_id() -> ReservationId {
    ReservationId::new(at(0), 51, shop_id().partition())
}
pub(crate) fn booked_payment_id() -> PaymentId {
    reservation::payment_of(reservation_id())
}
pub(crate) fn voucher_id() -> VoucherId {
    reservation::voucher_of(reservation_id())
}
/// Two nights.
pub(crate) fn stay() -> Stay {
    let first = at(0).date_naive();
    Stay::new(first, first + chrono::Days::new(2)).unwrap()
}
pub(crate) fn notification_id() -> NotificationId {
    NotificationId::derived(order_id().uuid(), "notification", "1")
}

/// Paid at order within five minutes; tells of `notify`.
pub(crate) fn policy(notify: &[NotifiedChange]) -> ShopPolicy {
    ShopPolicy {
        payment: PaymentTerms::AtOrder { decide_within_secs: 300 },
        preparation: true,
        cancellable_until: CancellableUntil::Accepted,
        notify: notify.to_vec(),
        refund_window_secs: None,
        coupon: None,
    }
}
/// The same with goods that may go back for an hour.
pub(crate) fn with_returns() -> ShopPolicy {
    ShopPolicy { refund_window_secs: Some(3600), ..policy(&[]) }
}
/// Two products in three lines, of which the first is in two: 1 × 900 + 2 × 50 + 2 × 900.
pub(crate) fn lines() -> Vec<OrderLine> {
    let line = |number, quantity, price| OrderLine {
        product_id: product(number),
        name: "Phone".to_owned(),
        option: None,
        quantity: pieces(quantity),
        unit_price: won(price),
    };
    vec![line(1, 1, 900), line(2, 2, 50), line(1, 2, 900)]
}
pub(crate) fn charged() -> Vec<ChargedLine> {
    let charged = |number, quantity, amount| ChargedLine {
        product_id: product(number),
        quantity: pieces(quantity),
        charged: won(amount),
    };
    vec![charged(1, 1, 900), charged(2, 2, 100), charged(1, 2, 1800)]
}
pub(crate) fn placed() -> OrderPlaced {
    placed_with(policy(&[NotifiedChange::OrderPlaced, NotifiedChange::OrderCancelled]))
}
pub(crate) fn cancellation(cause: CancellationCause, was_confirmed: bool) -> OrderCancellationRequested {
    OrderCancellationRequested {
        order_id: order_id(),
        by: Actor::Customer(customer_id()),
        cause,
        reason_id: None,
        was_confirmed,
        customer_id: customer_id(),
        shop_id: shop_id(),
        payment_id: payment_id(),
        delivery_id: delivery_id(),
        products: vec![product(1), product(2)],
        amount: won(2800),
        coupon_id: None,
    }
}

/// The id of every event of these tests.
pub(crate) fn event_id() -> Uuid {
    Uuid::from_u128(0xe7)
}

/// The event as the log hands it out, recorded at ten seconds.
pub(crate) fn envelope(event: impl Into<Event>) -> Envelope {
    let event = event.into();
    let booked = payments::subject_of_outcome(&event).is_some_and(|subject| subject.order_id().is_none())
        || matches!(event, Event::Resort(_) | Event::Reservation(_) | Event::Voucher(_));
    let id = match &event {
        Event::Shop(_) => shop_id().uuid(),
        Event::Product(_) => product(1).uuid(),
        Event::Order(_) => order_id().uuid(),
        Event::Payment(_) if booked => booked_payment_id().uuid(),
        Event::Payment(_) => payment_id().uuid(),
        Event::Delivery(_) => delivery_id().uuid(),
        Event::Notification(_) => notification_id().uuid(),
        Event::Refund(_) => return_id().uuid(),
        Event::Coupon(_) => promised().coupon_id.uuid(),
        Event::Resort(_) => resort_id().uuid(),
        Event::Reservation(_) => reservation_id().uuid(),
        Event::Voucher(_) => voucher_id().uuid(),
    };
    let metadata = Metadata {
        event_id: event_id(),
        command_id: Uuid::from_u128(0xc0),
        correlation_id: if booked { reservation_id().uuid() } else { order_id().uuid() },
        causation_id: None,
        actor: Actor::System,
        recorded_at: at(10),
        traceparent: None,
    };
    Envelope { position: 1, stream: StreamId::new(event.kind(), id), version: 1, metadata, event }
}

/// A state, to which something happens next.
pub(crate) struct Given<P: Process> {
    state: P::State,
}

/// Begins a test in a state.
pub(crate) fn given<P: Process>(state: P::State) -> Given<P> {
    Given { state }
}

impl<P: Process> Given<P> {
    /// An event is read.
    #[track_caller]
    pub(crate) fn when(self, event: impl Into<Event>) -> Then<P> {
        let event = envelope(event);
        assert!(P::instance(&event).is_some(), "{} does not reach {}", event.event.name(), P::NAME);
        Then { reaction: P::react(&self.state, Input::Event(&event)), looked: 0 }
    }

    /// A timer fires.
    pub(crate) fn when_woken(self, name: &str, due_at: Timestamp) -> Then<P> {
        Then { reaction: P::react(&self.state, Input::Timer { name, due_at }), looked: 0 }
    }
}

/// A reaction, which the test knows beforehand.
pub(crate) struct Then<P: Process> {
    reaction: Reaction<P::State>,
    looked: usize,
}

impl<P: Process> Then<P> {
    /// The next state.
    #[track_caller]
    pub(crate) fn then(self, next: P::State) -> Self {
        assert_eq!(self.reaction.next, Some(next));
        self
    }
    /// Nothing comes of it.
    #[track_caller]
    pub(crate) fn then_nothing(self) {
        assert_eq!(self.reaction, crate::process::ignore());
    }
    /// The next step gives this command, and these refusals of it count as done.
    #[track_caller]
    pub(crate) fn sends(self, name: &str, command: AnyCommand, unless: &[&str]) -> Self {
        self.does(name, Action::Command(command), unless)
    }
    /// The next step calls the outside.
    #[track_caller]
    pub(crate) fn calls(self, name: &str, effect: EffectCall) -> Self {
        self.does(name, Action::Effect(effect), &[])
    }
    #[track_caller]
    fn does(mut self, name: &str, action: Action, unless: &[&str]) -> Self {
        let step = self.reaction.steps.get(self.looked).expect("there is no further step");
        assert_eq!((step.name.as_str(), &step.action), (name, &action));
        assert_eq!(step.superseded_by, unless, "what supersedes {name}");
        self.looked += 1;
        self
    }
    /// There are no other steps and these timers; a timer without a time is cleared.
    #[track_caller]
    pub(crate) fn and_timers(self, timers: &[(&str, Option<Timestamp>)]) {
        assert_eq!(self.reaction.steps.len(), self.looked, "there is a further step");
        let set: Vec<_> = self.reaction.timers.iter().map(|t| (t.name.as_str(), t.due_at)).collect();
        assert_eq!(set, timers);
    }
    /// There are no other steps and no timers.
    #[track_caller]
    pub(crate) fn and_no_more(self) {
        self.and_timers(&[]);
    }
}

/// Every stage of a process, and what comes of every event and timer in it, as a table.
///
/// Checked on the way: every stage of the process is given; every state is stored and read back as it was; an event
/// that reaches no instance is left out; a step's name comes once in a reaction, since command ids are made of it.
pub(crate) fn grid<P: Process>(states: &[(&str, P::State)], timers: &[&str]) -> String {
    let mut rows: Vec<[String; 4]> = Vec::new();
    let mut stages = BTreeSet::new();
    for (name, state) in states {
        let stored = serde_json::to_string(state).unwrap();
        assert_eq!(serde_json::from_str::<P::State>(&stored).unwrap(), *state, "read back another way");
        stages.insert(stage(state));
        let waits = P::awaits(state).map_or("nothing".to_owned(), |awaiting| awaiting.what);
        rows.push([format!("# {name}, waits for: {waits}"), String::new(), String::new(), String::new()]);
        for (label, event) in samples() {
            let event = envelope(event);
            if P::instance(&event).is_some() {
                rows.push(row(label, &P::react(state, Input::Event(&event))));
            }
        }
        for timer in timers {
            rows.push(row(
                &format!("timer {timer}"),
                &P::react(state, Input::Timer { name: timer, due_at: at(300) }),
            ));
        }
    }
    assert_eq!(stages, stages_of::<P>(), "a stage is missing");
    table(&rows)
}

fn row<S: serde::Serialize>(input: &str, reaction: &Reaction<S>) -> [String; 4] {
    let next = reaction.next.as_ref().map_or("-".to_owned(), stage);
    let mut names = BTreeSet::new();
    let steps = reaction.steps.iter().map(|step| {
        assert!(names.insert(&step.name), "step {} comes twice", step.name);
        match step.superseded_by.as_slice() {
            [] => readable(&step.name),
            codes => format!("{} unless {}", readable(&step.name), codes.join(" or ")),
        }
    });
    let steps = steps.collect::<Vec<_>>().join(", ");
    let timers = reaction.timers.iter().map(|timer| {
        let secs = timer.due_at.map(|due| (due - at(0)).num_seconds());
        let name = readable(&timer.name);
        secs.map_or_else(|| format!("clear {name}"), |secs| format!("wake {name} at {secs} s"))
    });
    [format!("  {}", readable(input)), next, steps, timers.collect::<Vec<_>>().join(", ")]
}

/// The stage's stored name.
fn stage<S: serde::Serialize>(state: &S) -> String {
    serde_json::to_value(state).unwrap()["stage"].as_str().unwrap().to_owned()
}

/// The stages that serde knows: it lists them when it meets one that is none.
fn stages_of<P: Process>() -> BTreeSet<String> {
    let none = serde_json::json!({ "stage": "?" });
    let message = serde_json::from_value::<P::State>(none).unwrap_err().to_string();
    message.split('`').skip(3).step_by(2).map(str::to_owned).collect()
}

fn readable(text: &str) -> String {
    let ids = [
        (product(1).uuid(), "first"),
        (product(2).uuid(), "second"),
        (refund_id().uuid(), "full"),
        (notification_id().uuid(), "notification"),
        (return_id().uuid(), "return"),
    ];
    ids.into_iter().fold(text.to_owned(), |text, (id, name)| text.replace(&id.to_string(), name))
}

fn table(rows: &[[String; 4]]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter(|row| !row[0].starts_with('#')).map(|row| row[column].chars().count());
        cells.max().unwrap_or_default()
    };
    let widths: [usize; 4] = std::array::from_fn(width);
    let mut text = String::new();
    for row in rows {
        if row[0].starts_with('#') {
            writeln!(text, "\n{}", row[0]).unwrap();
            continue;
        }
        let cells: Vec<_> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        writeln!(text, "{}", cells.join(" | ").trim_end_matches([' ', '|'])).unwrap();
    }
    text
}
