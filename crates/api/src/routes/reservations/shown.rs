//! A reservation as clients see it.

use std::collections::HashMap;

use domain::{ContactId, resort::NightsRefusal};
use projections::ReservationRow;
use serde_json::{Value, json};

use crate::{
    accounts::{Contact, member_of},
    app::App,
    problem::{Code, Problem},
    web::present,
};

/// Reservations, each with its guest and the reason of its cancellation.
pub(in crate::routes) async fn many(app: &App, rows: Vec<ReservationRow>) -> Result<Vec<Value>, Problem> {
    let ids = |row: &ReservationRow| [Some(row.internal.contact_id), row.internal.cancellation_reason_id];
    let contacts = app.accounts.contacts(rows.iter().flat_map(ids).flatten().collect()).await?;
    Ok(rows.into_iter().map(|row| show(&row, &contacts)).collect())
}

/// One reservation.
pub(super) async fn one(app: &App, row: ReservationRow) -> Result<Value, Problem> {
    Ok(many(app, vec![row]).await?.remove(0))
}

fn show(row: &ReservationRow, contacts: &HashMap<ContactId, Contact>) -> Value {
    let member = |id: Option<ContactId>, name: &str, erased: Value| member_of(contacts, id, name, &erased);
    let mut value = present(row);
    value["guest"] = member(Some(row.internal.contact_id), "guest", json!({"erased": true}));
    if row.cancellation.is_some() {
        value["cancellation"]["reason"] =
            member(row.internal.cancellation_reason_id, "reason", json!("erased"));
    }
    value
}

/// What a customer is told whose nights are not to be had.
pub(super) fn refused(reason: NightsRefusal) -> Problem {
    match reason {
        NightsRefusal::Taken { night } => {
            Problem::new(Code::NightsTaken, format!("the night of {night} is taken")).with("night", night)
        }
        NightsRefusal::Retired => Problem::new(Code::ResortRetired, "the resort takes no more reservations"),
        NightsRefusal::NotOpen { night } => {
            Problem::new(Code::NotOpen, format!("the resort is not open in the night of {night}"))
                .with("night", night)
        }
        NightsRefusal::Past => Problem::new(Code::InvalidDates, "check_in is in the past"),
    }
}
