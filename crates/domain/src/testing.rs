//! Test tools: fixed ids and times, given/when/then, and the grid of every command in every state.

use std::{
    collections::BTreeSet,
    fmt::{Debug, Write as _},
};

use chrono::NaiveDate;
use cqrs_es::test::TestFramework;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Aggregate, CancellableUntil, Classified, ContactId, CustomerId, Decision, DeliveryId, Event, Money,
    NotificationId, NotifiedChange, OrderId, Outcome, PaymentTerms, ProductId, Quantity, ReservationId,
    ResortId, ShopId, ShopPolicy, Stay, Timestamp,
};

pub(crate) type EventOf<A> = <A as Aggregate>::Event;
pub(crate) type CommandOf<A> = <A as Aggregate>::Command;
pub(crate) type ErrorOf<A> = <A as Aggregate>::Error;

/// The time of every test, moved by `secs`: 2026-01-01T00:00:00Z and so many seconds.
pub(crate) fn at(secs: i64) -> Timestamp {
    Timestamp::from_timestamp(1_767_225_600 + secs, 0).unwrap()
}
pub(crate) fn krw(amount_minor: i64) -> Money {
    Money::new(amount_minor, crate::Currency::KRW).unwrap()
}
pub(crate) fn eur(amount_minor: i64) -> Money {
    Money::new(amount_minor, "EUR".parse().unwrap()).unwrap()
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
pub(crate) fn product_id(number: u64) -> ProductId {
    ProductId::new(at(0), number, shop_id().partition())
}
pub(crate) fn order_id(number: u64) -> OrderId {
    OrderId::new(at(0), number, shop_id().partition())
}
pub(crate) fn refund_id(number: u64) -> crate::RefundId {
    crate::RefundId::new(at(0), number, shop_id().partition())
}
pub(crate) fn delivery_id() -> DeliveryId {
    crate::order::delivery_of(order_id(1))
}
pub(crate) fn contact_id() -> ContactId {
    crate::order::contact_of(order_id(1))
}
pub(crate) fn notification_id() -> NotificationId {
    NotificationId::new(at(0), 1, shop_id().partition())
}
pub(crate) fn resort_id() -> ResortId {
    ResortId::new(at(0), 1, shop_id().partition())
}
pub(crate) fn reservation_id(number: u64) -> ReservationId {
    ReservationId::new(at(0), number, resort_id().partition())
}
/// The date that is written as `text`, such as `2026-01-01`.
pub(crate) fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}
pub(crate) fn stay(check_in: &str, check_out: &str) -> Stay {
    Stay::new(date(check_in), date(check_out)).unwrap()
}
/// Paid at order within five minutes, prepared, cancellable until the preparation starts.
pub(crate) fn policy() -> ShopPolicy {
    ShopPolicy {
        payment: PaymentTerms::AtOrder { decide_within_secs: 300 },
        preparation: true,
        cancellable_until: CancellableUntil::Accepted,
        notify: vec![NotifiedChange::OrderConfirmed],
        refund_window_secs: None,
        coupon: None,
    }
}

/// The state after `events`.
pub(crate) fn fold<A: Aggregate>(events: &[EventOf<A>]) -> A {
    let mut state = A::default();
    for event in events {
        state.evolve(event);
    }
    state
}

/// A past, to which a command is given next.
pub(crate) struct Given<A: Aggregate> {
    state: A,
}
/// A command's answer, which the test knows beforehand.
pub(crate) struct Then<A: Aggregate> {
    decision: Decision<EventOf<A>, ErrorOf<A>>,
}

/// Begins a test with what has happened.
pub(crate) fn given<A: Aggregate>(events: impl IntoIterator<Item = EventOf<A>>) -> Given<A> {
    Given { state: fold(&events.into_iter().collect::<Vec<_>>()) }
}

impl<A: Aggregate> Given<A> {
    /// Gives the command.
    pub(crate) fn when(self, command: CommandOf<A>) -> Then<A> {
        Then { decision: self.state.decide(&command) }
    }
}

impl<A: Aggregate> Then<A> {
    /// The command led to exactly these events.
    #[track_caller]
    pub(crate) fn then(self, events: impl IntoIterator<Item = EventOf<A>>) {
        match self.decision {
            Ok(Outcome::Executed(decided)) => assert_eq!(decided, events.into_iter().collect::<Vec<_>>()),
            other => panic!("expected events, got {}", rendered::<A>(&other)),
        }
    }
    /// The command had taken effect before.
    #[track_caller]
    pub(crate) fn then_already_applied(self) {
        assert!(
            matches!(self.decision, Ok(Outcome::AlreadyApplied)),
            "expected already applied, got {}",
            rendered::<A>(&self.decision)
        );
    }
    /// The command was refused for this reason.
    #[track_caller]
    pub(crate) fn then_error(self, error: ErrorOf<A>) {
        match self.decision {
            Err(refused) => assert_eq!(refused, error),
            Ok(_) => panic!("expected {error:?}, got {}", rendered::<A>(&self.decision)),
        }
    }
}

/// Every state of an aggregate and every command to it.
pub(crate) struct Grid<A: Aggregate> {
    /// A name for each state, and the commands that lead there.
    pub(crate) histories: Vec<(&'static str, Vec<CommandOf<A>>)>,
    /// Representative values of each command, with a name.
    pub(crate) commands: Vec<(&'static str, CommandOf<A>)>,
    /// The commands that may have an effect each time they are given, and why that is right.
    pub(crate) repeatable: &'static [(&'static str, &'static str)],
}

impl<A: Aggregate> Grid<A> {
    /// Gives every command in every state, checks what must hold everywhere, and draws the table of the answers.
    ///
    /// Checked in every cell: the cqrs-es adapter answers as `decide` does; what is decided can be evolved, stored and
    /// read back; the state and the command survive being stored; a command that was executed is not executed again,
    /// unless it is listed as repeatable. Checked over all: no command, event or state variant is left out.
    pub(crate) fn run(&self) -> String {
        let mut rows = Vec::new();
        let mut legend = String::new();
        let (mut states, mut decided, mut repeated) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for (state_name, commands) in &self.histories {
            let past = self.reach(state_name, commands);
            let state: A = fold(&past);
            survives_storage(&state);
            states.insert(tag_of(&state));
            let names: String = past.iter().map(|event| format!(" {}", name_of::<A>(event))).collect();
            writeln!(legend, "{state_name} [{}] ={names}", state.status()).unwrap();

            for (command_name, command) in &self.commands {
                let decision = state.decide(command);
                adapter_agrees::<A>(&past, command, &decision);
                let (mut after, mut again) = (String::new(), String::new());
                if let Ok(Outcome::Executed(events)) = &decision {
                    assert!(!events.is_empty(), "{state_name}, {command_name}: executed without an event");
                    let mut next = state.clone();
                    for event in events {
                        decided.insert(stores_and_reads::<A>(event));
                        next.evolve(event);
                    }
                    next.status().clone_into(&mut after);
                    let second = next.decide(command);
                    again = rendered::<A>(&second);
                    if matches!(second, Ok(Outcome::Executed(_))) {
                        repeated.insert(*command_name);
                    }
                }
                rows.push([
                    (*state_name).to_owned(),
                    (*command_name).to_owned(),
                    rendered::<A>(&decision),
                    after,
                    again,
                ]);
            }
        }
        let listed: BTreeSet<_> = self.repeatable.iter().map(|(command, _)| *command).collect();
        assert_eq!(repeated, listed, "the commands that take effect each time are not the ones listed");
        self.nothing_is_left_out(&states, &decided);
        for (command, why) in self.repeatable {
            writeln!(legend, "repeatable: {command}, since {why}").unwrap();
        }
        format!("{legend}\n{}", table(&rows))
    }

    fn reach(&self, state_name: &str, commands: &[CommandOf<A>]) -> Vec<EventOf<A>> {
        let mut past = Vec::new();
        for command in commands {
            match fold::<A>(&past).decide(command) {
                Ok(Outcome::Executed(events)) => past.extend(events),
                other => panic!("{state_name} cannot be reached: {command:?} gave {}", rendered::<A>(&other)),
            }
        }
        past
    }

    fn nothing_is_left_out(&self, states: &BTreeSet<String>, decided: &BTreeSet<&'static str>) {
        assert_eq!(*states, variants_of::<A>(), "a history is missing for a state");
        let given = self.commands.iter().map(|(_, command)| {
            survives_storage(command);
            tag_of(command)
        });
        assert_eq!(given.collect::<BTreeSet<_>>(), variants_of::<CommandOf<A>>(), "a command is missing");
        let prefix = format!("{}.", A::KIND.name());
        let names = Event::names().into_iter().map(|(name, _)| name);
        let all: BTreeSet<_> = names.filter(|name| name.starts_with(&prefix)).collect();
        assert_eq!(*decided, all, "an event that no command leads to, or one of another aggregate");
    }
}

fn adapter_agrees<A: Aggregate>(
    past: &[EventOf<A>],
    command: &CommandOf<A>,
    decision: &Decision<EventOf<A>, ErrorOf<A>>,
) {
    let handled = TestFramework::<A>::with(()).given(past.to_vec()).when(command.clone()).inspect_result();
    let expected = match decision {
        Ok(Outcome::Executed(events)) => Ok(events.clone()),
        Ok(Outcome::AlreadyApplied) => Ok(Vec::new()),
        Err(error) => Err(error.clone()),
    };
    assert_eq!(handled, expected, "the cqrs-es adapter answers {command:?} in another way than decide");
}

fn stores_and_reads<A: Aggregate>(event: &EventOf<A>) -> &'static str {
    let event: Event = event.clone().into();
    let read = Event::decode(event.kind(), event.name(), event.version(), &event.encode());
    assert_eq!(read.as_ref(), Ok(&event), "an event is read in another way than it was stored");
    event.name()
}

/// Commands wait in a table and states are kept as snapshots: both must be read as they were written.
fn survives_storage<T: Serialize + DeserializeOwned + Debug>(value: &T) {
    let stored = serde_json::to_string(value).unwrap();
    let read: T = serde_json::from_str(&stored).unwrap_or_else(|e| panic!("{stored} cannot be read: {e}"));
    assert_eq!(format!("{read:?}"), format!("{value:?}"));
}

fn name_of<A: Aggregate>(event: &EventOf<A>) -> &'static str {
    Into::<Event>::into(event.clone()).name()
}

fn rendered<A: Aggregate>(decision: &Decision<EventOf<A>, ErrorOf<A>>) -> String {
    match decision {
        Ok(Outcome::Executed(events)) => {
            events.iter().map(|event| name_of::<A>(event)).collect::<Vec<_>>().join(", ")
        }
        Ok(Outcome::AlreadyApplied) => "already applied".to_owned(),
        Err(error) => format!("! {} ({:?})", error.code(), error.class()),
    }
}

/// The names of an enum's variants, as serde knows them: it lists them when it meets a name that is none.
fn variants_of<T: DeserializeOwned + Debug>() -> BTreeSet<String> {
    let message = serde_json::from_str::<T>("\"?\"").unwrap_err().to_string();
    message.split('`').skip(3).step_by(2).map(str::to_owned).collect()
}

fn tag_of<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value).unwrap() {
        serde_json::Value::String(tag) => tag,
        serde_json::Value::Object(map) if map.len() == 1 => map.into_iter().next().unwrap().0,
        other => panic!("{other} is not an externally tagged enum"),
    }
}

fn table(rows: &[[String; 5]]) -> String {
    let head = ["state", "command", "outcome", "then", "given again"].map(str::to_owned);
    let width = |column: usize| {
        rows.iter().chain([&head]).map(|row| row[column].chars().count()).max().unwrap_or_default()
    };
    let widths: [usize; 5] = std::array::from_fn(width);
    let mut text = String::new();
    let mut state = &head[0];
    for row in std::iter::once(&head).chain(rows) {
        if row[0] != *state {
            text.push('\n');
            state = &row[0];
        }
        let cells: Vec<_> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        writeln!(text, "{}", cells.join(" | ").trim_end_matches([' ', '|'])).unwrap();
    }
    text
}
