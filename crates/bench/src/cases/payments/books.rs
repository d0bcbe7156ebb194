//! Who is right about the money: the provider's ledger against the orders as they are read over HTTP, and both against
//! the event log.

use std::{
    collections::{HashMap, HashSet},
    io::{BufRead, BufReader},
    process::Stdio,
};

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::world::World;
use crate::{Failure, http::Connection};

/// An order as the log and HTTP have it.
#[derive(Default)]
struct Order {
    on_log: bool,
    /// When it became a deal.
    confirmed: Option<DateTime<Utc>>,
    over_http: Option<OverHttp>,
}

struct OverHttp {
    payment: Option<Uuid>,
    /// What was captured less what was refunded. Minor units.
    paid_minor: i64,
    deal: bool,
}

/// A payment as the provider has it.
#[derive(Default)]
struct Charged {
    charges: u64,
    /// Charged less refunded. Minor units.
    kept_minor: i64,
}

/// Everything that was written down.
pub(super) struct Books {
    orders: HashMap<Uuid, Order>,
    charged: HashMap<Uuid, Charged>,
    captured_on_log: HashSet<Uuid>,
    /// Calls with a key that had been used before.
    pub(super) repeated_calls: u64,
}

/// What the comparison found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Findings {
    /// Orders on the log.
    pub(super) placed: u64,
    /// Those that ended as a deal that is paid, in every book.
    pub(super) paid: u64,
    /// Payments for which money was taken more than once.
    pub(super) charged_twice: u64,
    /// Payments for which the provider keeps money although there is no deal.
    pub(super) charged_without_order: u64,
    /// Orders that count as paid although the provider took nothing, or less.
    pub(super) paid_without_charge: u64,
    /// Orders of which log and HTTP tell different things.
    pub(super) disagreeing: u64,
}

impl Books {
    /// Reads them all, once nothing is under way any more.
    pub(super) async fn read(world: &World) -> Result<Self, Failure> {
        let mut books = Self {
            orders: HashMap::new(),
            charged: HashMap::new(),
            captured_on_log: HashSet::new(),
            repeated_calls: 0,
        };
        books.read_ledger(world).await?;
        books.read_orders(world).await?;
        books.read_log(world)?;
        Ok(books)
    }

    /// The orders that the log has.
    pub(super) fn on_log(&self) -> impl Iterator<Item = Uuid> {
        self.orders.iter().filter(|(_, order)| order.on_log).map(|(id, _)| *id)
    }

    /// When the order became a deal.
    pub(super) fn confirmed(&self, order: Uuid) -> Option<DateTime<Utc>> {
        self.orders.get(&order)?.confirmed
    }

    /// How many orders became a deal in this time.
    pub(super) fn confirmed_within(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> u64 {
        let times = self.orders.values().filter_map(|order| order.confirmed);
        times.filter(|at| (from..to).contains(at)).count() as u64
    }

    pub(super) fn compare(&self) -> Findings {
        let mut found = Findings::default();
        let mut deals = HashMap::new();
        for order in self.orders.values() {
            found.placed += u64::from(order.on_log);
            let Some(http) = &order.over_http else {
                found.disagreeing += 1;
                continue;
            };
            let on_log = http.payment.is_some_and(|payment| self.captured_on_log.contains(&payment));
            found.disagreeing += u64::from(
                !order.on_log || on_log != (http.paid_minor > 0) || order.confirmed.is_some() != http.deal,
            );
            let kept =
                http.payment.and_then(|payment| self.charged.get(&payment)).map_or(0, |c| c.kept_minor);
            found.paid_without_charge += u64::from(kept < http.paid_minor);
            found.paid += u64::from(http.deal && on_log && http.paid_minor > 0 && kept >= http.paid_minor);
            if let (Some(payment), true) = (http.payment, http.deal) {
                deals.insert(payment, http.paid_minor);
            }
        }
        for (payment, charged) in &self.charged {
            found.charged_twice += u64::from(charged.charges > 1);
            found.charged_without_order += u64::from(charged.kept_minor > 0 && !deals.contains_key(payment));
        }
        found
    }

    async fn read_ledger(&mut self, world: &World) -> Result<(), Failure> {
        let mut connection = Connection::open(&world.provider.address).await?;
        let (mut payments, mut refunds): (HashMap<String, Uuid>, Vec<(String, i64)>) = Default::default();
        let mut after: Option<String> = None;
        loop {
            let page = after.map(|after| format!("?after={after}")).unwrap_or_default();
            let page = get(&mut connection, &format!("/v1/ledger{page}"), "").await?;
            for entry in page["data"].as_array().into_iter().flatten() {
                self.repeated_calls += entry["calls"].as_u64().unwrap_or(1).saturating_sub(1);
                let (Some(charge), true) = (entry["charge_ref"].as_str(), entry["code"].is_null()) else {
                    continue;
                };
                let amount = entry["amount"]["amount_minor"].as_i64().unwrap_or(0);
                if entry["kind"] == "charge" {
                    let payment = payment_of_key(entry["key"].as_str().unwrap_or_default())?;
                    let charged = self.charged.entry(payment).or_default();
                    charged.charges += 1;
                    charged.kept_minor += amount;
                    payments.insert(charge.to_owned(), payment);
                } else if entry["kind"] == "refund" {
                    refunds.push((charge.to_owned(), amount));
                }
            }
            after = page["next"].as_str().map(str::to_owned);
            if after.is_none() {
                break;
            }
        }
        for (charge, amount) in refunds {
            if let Some(charged) = payments.get(&charge).and_then(|payment| self.charged.get_mut(payment)) {
                charged.kept_minor -= amount;
            }
        }
        Ok(())
    }

    async fn read_orders(&mut self, world: &World) -> Result<(), Failure> {
        let mut connection = Connection::open(world.server.address()).await?;
        let mut cursor: Option<String> = None;
        loop {
            let page = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
            let page = get(&mut connection, &format!("/v1/orders?limit=100{page}"), &world.admin).await?;
            for row in page["data"].as_array().into_iter().flatten() {
                let minor = |what: &str| row["payment"][what]["amount_minor"].as_i64().unwrap_or(0);
                let seen = OverHttp {
                    payment: row["payment"]["payment_id"].as_str().and_then(|id| id.parse().ok()),
                    paid_minor: minor("captured") - minor("refunded"),
                    deal: row["status"] == "confirmed" || row["status"] == "completed",
                };
                self.orders.entry(id(&row["order_id"])?).or_default().over_http = Some(seen);
            }
            cursor = page["next_cursor"].as_str().map(str::to_owned);
            if cursor.is_none() {
                return Ok(());
            }
        }
    }

    fn read_log(&mut self, world: &World) -> Result<(), Failure> {
        let mut export = world.server.command();
        let mut export =
            export.args(["events", "export", "-"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let lines = export.stdout.take().ok_or("the export has no output")?;
        for line in BufReader::new(lines).lines() {
            let line = line?;
            let is = |name: &str| line.contains(&format!("\"type\":\"{name}\""));
            if !["order.placed", "order.confirmed", "payment.captured"].iter().any(|name| is(name)) {
                continue;
            }
            let event: Value = serde_json::from_str(&line)?;
            if event["type"] == "payment.captured" {
                self.captured_on_log.insert(id(&event["payload"]["payment_id"])?);
                continue;
            }
            let order = self.orders.entry(id(&event["payload"]["order_id"])?).or_default();
            if event["type"] == "order.placed" {
                order.on_log = true;
            } else {
                let at = event["metadata"]["recorded_at"].as_str().unwrap_or_default();
                order.confirmed = Some(at.parse()?);
            }
        }
        if export.wait()?.success() { Ok(()) } else { Err("the log cannot be exported".into()) }
    }
}

async fn get(connection: &mut Connection, path: &str, token: &str) -> Result<Value, Failure> {
    let answer = connection.send("GET", path, token, "").await?;
    if answer.status != 200 {
        let why = String::from_utf8_lossy(&answer.body);
        return Err(format!("{path} answered {}: {why}", answer.status).into());
    }
    Ok(serde_json::from_slice(&answer.body)?)
}

fn id(value: &Value) -> Result<Uuid, Failure> {
    Ok(value.as_str().unwrap_or_default().parse()?)
}

/// A charge's key is the payment's id and the number of the attempt.
fn payment_of_key(key: &str) -> Result<Uuid, Failure> {
    Ok(key.split(':').next().unwrap_or_default().parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn books() -> Books {
        Books {
            orders: HashMap::new(),
            charged: HashMap::new(),
            captured_on_log: HashSet::new(),
            repeated_calls: 0,
        }
    }

    /// An order that everybody agrees is paid.
    fn paid(books: &mut Books, number: u128) {
        let (order, payment) = (Uuid::from_u128(number), Uuid::from_u128(1_000 + number));
        let over_http = Some(OverHttp { payment: Some(payment), paid_minor: 1_000, deal: true });
        books.orders.insert(order, Order { on_log: true, confirmed: Some(Utc::now()), over_http });
        books.captured_on_log.insert(payment);
        books.charged.insert(payment, Charged { charges: 1, kept_minor: 1_000 });
    }

    #[test]
    fn books_that_agree_have_nothing_to_find() {
        let mut books = books();
        paid(&mut books, 1);
        paid(&mut books, 2);
        assert_eq!(books.compare(), Findings { placed: 2, paid: 2, ..Findings::default() });
    }

    #[test]
    fn money_that_was_taken_twice_for_nothing_or_not_at_all_is_found() {
        let mut books = books();
        for number in 1..=4 {
            paid(&mut books, number);
        }
        let payment = |number: u128| Uuid::from_u128(1_000 + number);
        books.charged.insert(payment(1), Charged { charges: 2, kept_minor: 2_000 });
        books.charged.remove(&payment(2));
        books.charged.insert(payment(9), Charged { charges: 1, kept_minor: 1_000 });
        // What went back harms nobody.
        books.charged.insert(payment(10), Charged { charges: 1, kept_minor: 0 });
        books.captured_on_log.remove(&payment(3));
        let found = books.compare();
        assert_eq!((found.charged_twice, found.paid_without_charge), (1, 1));
        assert_eq!((found.charged_without_order, found.disagreeing), (1, 1));
        assert_eq!((found.placed, found.paid), (4, 2));
    }
}
