//! `money_balances`: what was captured less what was refunded is what an order or a reservation is worth, whenever it
//! is at rest; and in total, per currency.
//!
//! *Worth*: nothing once it is rejected, refused, expired or cancelled. Else the total (a coupon's discount taken off)
//! less what the goods were charged with that the shop has back, plus what was clawed back of a coupon that these goods
//! had earned and that is spent. *At rest*: it is decided, no cancellation is under way, no refund that was asked for is
//! unanswered, and the provider has answered to everything.

use std::collections::{BTreeMap, HashMap};

use uuid::Uuid;

use crate::{
    Currency, Envelope, Event, Money, Position, RefundId,
    audit::{
        Over,
        check::{Check, Findings},
    },
    coupon::CouponEvent,
    delivery::DeliveryEvent,
    order::OrderEvent,
    payment::PaymentEvent,
    refund::RefundEvent,
    reservation::ReservationEvent,
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Undecided,
    Deal,
    Undoing,
    Nothing,
}

/// Goods on their way back.
struct Return {
    refund: RefundId,
    charged: i64,
    received: bool,
    clawed_back: i64,
}

struct Account {
    currency: Currency,
    total: i64,
    standing: Standing,
    captured: i64,
    refunded: i64,
    /// Money turned up late, and its refund is the next event.
    late: bool,
    paying_back: Vec<RefundId>,
    refunds: Vec<Uuid>,
    returns: Vec<Return>,
    since: Position,
}

impl Account {
    fn new(total: Money, standing: Standing, since: Position) -> Self {
        Self {
            currency: total.currency,
            total: total.amount_minor,
            standing,
            captured: 0,
            refunded: 0,
            late: false,
            paying_back: Vec::new(),
            refunds: Vec::new(),
            returns: Vec::new(),
            since,
        }
    }

    fn worth(&self) -> i64 {
        if self.standing == Standing::Nothing {
            return 0;
        }
        let received = self.returns.iter().filter(|back| back.received);
        self.total - received.map(|back| back.charged - back.clawed_back).sum::<i64>()
    }

    fn kept(&self) -> i64 {
        self.captured - self.refunded
    }

    /// The provider has answered to everything.
    fn is_settled(&self) -> bool {
        !self.late && self.paying_back.is_empty()
    }

    fn is_at_rest(&self) -> bool {
        matches!(self.standing, Standing::Deal | Standing::Nothing)
            && self.is_settled()
            && self.refunds.is_empty()
    }

    fn return_of(&mut self, refund: RefundId) -> Option<&mut Return> {
        self.returns.iter_mut().find(|back| back.refund == refund)
    }
}

/// Sums of one currency over the whole log.
#[derive(Default)]
struct Total {
    captured: i64,
    refunded: i64,
    /// Of what is over and forgotten.
    worth: i64,
}

#[derive(Default)]
pub(in crate::audit) struct Balances {
    accounts: HashMap<Uuid, Account>,
    totals: BTreeMap<&'static str, Total>,
    position: Position,
}

impl Balances {
    fn total(&mut self, currency: Currency) -> &mut Total {
        self.totals.entry(currency.code()).or_default()
    }

    fn begin(&mut self, event: &Envelope, total: Money) {
        let account = Account::new(total, Standing::Undecided, event.position);
        self.accounts.insert(event.stream.id, account);
    }

    /// Brings the event into the books. Tells whether there is something new to be checked.
    fn book(&mut self, event: &Envelope) -> bool {
        let subject = event.metadata.correlation_id;
        match &event.event {
            Event::Order(OrderEvent::OrderPlaced(e)) => self.begin(event, e.total),
            Event::Reservation(ReservationEvent::ReservationRequested(e)) => self.begin(event, e.total),
            Event::Payment(e) => self.payment(event, e),
            _ => {}
        }
        let Some(account) = self.accounts.get_mut(&subject) else { return false };
        match &event.event {
            Event::Order(e) => account.standing = of_order(e),
            Event::Reservation(e) => account.standing = of_reservation(e),
            Event::Payment(_) => {}
            Event::Refund(RefundEvent::RefundRequested(_)) => account.refunds.push(event.stream.id),
            Event::Refund(RefundEvent::RefundAccepted(_)) => {}
            Event::Refund(_) => account.refunds.retain(|refund| *refund != event.stream.id),
            Event::Delivery(DeliveryEvent::ReturnStarted(e)) => account.returns.push(Return {
                refund: e.refund_id,
                charged: e.amount.amount_minor,
                received: false,
                clawed_back: 0,
            }),
            Event::Delivery(DeliveryEvent::ReturnReceived(e)) => {
                if let Some(back) = account.return_of(e.refund_id) {
                    back.received = true;
                }
            }
            Event::Delivery(DeliveryEvent::ReturnCancelled(e)) => {
                account.returns.retain(|back| back.refund != e.refund_id);
            }
            Event::Coupon(CouponEvent::CouponClawedBack(e)) => {
                if let Some(back) = account.return_of(e.refund_id) {
                    back.clawed_back = e.amount.amount_minor;
                }
            }
            Event::Coupon(CouponEvent::CouponClawbackUndone(e)) => {
                if let Some(back) = account.return_of(e.refund_id) {
                    back.clawed_back = 0;
                }
            }
            _ => return false,
        }
        true
    }

    fn payment(&mut self, event: &Envelope, payment: &PaymentEvent) {
        let subject = event.metadata.correlation_id;
        match payment {
            PaymentEvent::PaymentCaptured(e) => {
                self.total(e.amount.currency).captured += e.amount.amount_minor;
                if let Some(account) = self.accounts.get_mut(&subject) {
                    account.captured += e.amount.amount_minor;
                }
            }
            PaymentEvent::LateCaptureFound(e) => {
                self.total(e.amount.currency).captured += e.amount.amount_minor;
                // Whatever it was for is over and may be forgotten.
                let nothing = Money::zero(e.amount.currency);
                let account = self
                    .accounts
                    .entry(subject)
                    .or_insert_with(|| Account::new(nothing, Standing::Nothing, event.position));
                account.captured += e.amount.amount_minor;
                account.late = true;
            }
            PaymentEvent::RefundStarted(e) => {
                if let Some(account) = self.accounts.get_mut(&subject) {
                    account.late = false;
                    if !account.paying_back.contains(&e.refund_id) {
                        account.paying_back.push(e.refund_id);
                    }
                }
            }
            PaymentEvent::PaymentRefunded(e) => {
                self.total(e.amount.currency).refunded += e.amount.amount_minor;
                if let Some(account) = self.accounts.get_mut(&subject) {
                    account.refunded += e.amount.amount_minor;
                    account.paying_back.retain(|refund| *refund != e.refund_id);
                }
            }
            _ => {}
        }
    }
}

impl Check for Balances {
    fn observe(&mut self, event: &Envelope, found: &mut Findings) {
        self.position = event.position;
        if !self.book(event) {
            return;
        }
        let Some(account) = self.accounts.get(&event.metadata.correlation_id) else { return };
        if account.is_at_rest() {
            found.ensure_of(
                &event.metadata.correlation_id,
                event.position,
                account.kept() == account.worth(),
                || said(account),
            );
        }
    }

    fn forget(&mut self, over: &Over, found: &mut Findings) {
        let Some(account) = self.accounts.remove(&over.subject) else { return };
        let holds = account.is_settled() && account.kept() == account.worth();
        found
            .ensure_of(&over.subject, self.position, holds, || format!("it is over, but {}", said(&account)));
        self.total(account.currency).worth += account.worth();
    }

    fn finish(&mut self, found: &mut Findings) {
        let mut under_way: BTreeMap<&'static str, i64> = BTreeMap::new();
        for (subject, account) in &self.accounts {
            let at_rest = account.is_at_rest();
            let counts = if at_rest { account.worth() } else { account.kept() };
            *under_way.entry(account.currency.code()).or_default() += counts;
            if !at_rest {
                found.leave_open(subject, account.since, "not decided, or being undone or refunded");
            }
        }
        for (currency, total) in &self.totals {
            let worth = total.worth + under_way.get(currency).copied().unwrap_or(0);
            found.ensure_of(currency, self.position, total.captured - total.refunded == worth, || {
                let (captured, refunded) = (total.captured, total.refunded);
                format!(
                    "in total {captured} captured less {refunded} refunded are not {worth}, the worth of all"
                )
            });
        }
    }
}

fn of_order(event: &OrderEvent) -> Standing {
    match event {
        OrderEvent::OrderPlaced(_) => Standing::Undecided,
        OrderEvent::OrderConfirmed(_)
        | OrderEvent::OrderCancellationRefused(_)
        | OrderEvent::OrderCompleted(_) => Standing::Deal,
        OrderEvent::OrderCancellationRequested(_) => Standing::Undoing,
        OrderEvent::OrderRejected(_) | OrderEvent::OrderCancelled(_) => Standing::Nothing,
    }
}

fn of_reservation(event: &ReservationEvent) -> Standing {
    match event {
        ReservationEvent::ReservationRequested(_) | ReservationEvent::ReservationConfirmed(_) => {
            Standing::Undecided
        }
        ReservationEvent::ReservationPaid(_) | ReservationEvent::ReservationCompleted(_) => Standing::Deal,
        ReservationEvent::ReservationCancellationRequested(_) => Standing::Undoing,
        ReservationEvent::ReservationRefused(_)
        | ReservationEvent::ReservationExpired(_)
        | ReservationEvent::ReservationCancelled(_) => Standing::Nothing,
    }
}

fn said(account: &Account) -> String {
    let (captured, refunded, worth) = (account.captured, account.refunded, account.worth());
    let under_way = if account.is_settled() { "" } else { ", and more is on its way back" };
    format!("{captured} captured less {refunded} refunded are not {worth}, what it is worth{under_way}")
}
