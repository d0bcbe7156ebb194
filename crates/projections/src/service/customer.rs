//! A customer's page: their orders and reservations together, in the order in which they were placed.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Views, queries::page};
use crate::{
    Cursor, ListQuery, OrderRow, Orders, Page, ReservationRow, Reservations, ViewError, query::MAX_PAGE,
};

/// An order or a reservation on a customer's page.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CustomerEntry {
    /// An order.
    Order(Box<OrderRow>),
    /// A reservation.
    Reservation(Box<ReservationRow>),
}

impl Views {
    /// A page of the customer's orders and reservations, the newest first. `after` is where the page before ended.
    ///
    /// Both views list by the log's order, so a place in one is a place in the other, and a page neither repeats nor
    /// leaves out anything while new rows come.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn customer_page(
        &self,
        customer: &str,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<Page<CustomerEntry>, ViewError> {
        let limit = limit.clamp(1, MAX_PAGE);
        let query = ListQuery::newest(limit).filter("customer_id", customer).after(after);
        let (orders, reservations) =
            tokio::try_join!(self.found::<Orders>(&query, limit), self.found::<Reservations>(&query, limit))?;
        let orders = orders.into_iter().map(|(at, row)| (at, CustomerEntry::Order(Box::new(row))));
        let reservations =
            reservations.into_iter().map(|(at, row)| (at, CustomerEntry::Reservation(Box::new(row))));
        let mut found: Vec<_> = orders.chain(reservations).collect();
        found.sort_unstable_by(|(one, _), (other, _)| (other.sort, &other.key).cmp(&(one.sort, &one.key)));
        Ok(page(found, limit))
    }
}
