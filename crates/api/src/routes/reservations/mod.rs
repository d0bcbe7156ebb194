//! `/v1/reservations`: reserving, reading and cancelling stays.

mod cancel;
mod place;
mod read;
mod shown;

pub(super) use shown::many as shown;

use domain::{CustomerId, ReservationId, reservation::Reservation};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    auth::{Principal, Role},
    problem::{Code, Problem},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(read::list, place::place))
        .routes(routes!(read::read))
        .routes(routes!(read::timeline))
        .routes(routes!(cancel::cancel))
}

fn not_found(id: ReservationId) -> Problem {
    Problem::new(Code::ReservationNotFound, format!("there is no reservation {id}"))
}

/// Whether something of this guest and this manager is theirs to see.
pub(super) fn may_see(principal: &Principal, customer: &CustomerId, manager: &CustomerId) -> bool {
    (principal.role == Role::Customer && principal.sub == *customer) || principal.looks_after(manager)
}

/// Whose reservation it is, if the principal may see it; else there is no such reservation.
async fn must_see(app: &App, principal: &Principal, id: ReservationId) -> Result<CustomerId, Problem> {
    let owners = |_, reservation: &Reservation| {
        reservation.details().map(|it| (it.customer_id.clone(), it.manager_id.clone()))
    };
    let owners = app.inspect::<Reservation, _>(&id, owners).await?;
    let owners = owners.filter(|(customer, manager)| may_see(principal, customer, manager));
    owners.map(|(customer, _)| customer).ok_or_else(|| not_found(id))
}
