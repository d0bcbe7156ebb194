//! The real aggregates behind one type: where a stream stands, whatever it describes.

use domain::{
    Aggregate, AggregateKind, AnyCommand, Class, Classified, Event, Outcome, coupon::Coupon,
    delivery::Delivery, notification::Notification, order::Order, payment::Payment, product::Product,
    refund::Refund, reservation::Reservation, resort::Resort, shop::Shop, voucher::Voucher,
};

/// Why a command was refused.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) code: &'static str,
    pub(crate) class: Class,
    pub(crate) message: String,
}

macro_rules! aggregates {
    ($($kind:ident),*) => {
        /// Where a stream stands.
        #[derive(Clone, Debug)]
        pub(crate) enum State { $($kind($kind)),* }

        impl State {
            pub(crate) fn absent(kind: AggregateKind) -> Self {
                match kind { $(AggregateKind::$kind => Self::$kind($kind::default())),* }
            }

            /// What `command` leads to; nothing when it took effect before.
            pub(crate) fn decide(&self, command: &AnyCommand) -> Result<Vec<Event>, Refusal> {
                match (self, command) {
                    $((Self::$kind(state), AnyCommand::$kind { command, .. }) => decided(state, command),)*
                    _ => panic!("a command for another aggregate"),
                }
            }

            pub(crate) fn evolve(&mut self, event: &Event) {
                match (self, event) {
                    $((Self::$kind(state), Event::$kind(event)) => Aggregate::evolve(state, event),)*
                    _ => panic!("an event of another aggregate"),
                }
            }
        }
    };
}
aggregates!(
    Shop,
    Product,
    Order,
    Payment,
    Delivery,
    Notification,
    Refund,
    Coupon,
    Resort,
    Reservation,
    Voucher
);

fn decided<A: Aggregate>(state: &A, command: &<A as Aggregate>::Command) -> Result<Vec<Event>, Refusal> {
    match Aggregate::decide(state, command) {
        Ok(Outcome::Executed(events)) => Ok(events.into_iter().map(Into::into).collect()),
        Ok(Outcome::AlreadyApplied) => Ok(Vec::new()),
        Err(error) => Err(Refusal { code: error.code(), class: error.class(), message: error.to_string() }),
    }
}
