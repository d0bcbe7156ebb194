//! `/v1/coupons`: what completed orders earn. One is used by naming it when the next order is placed.

use axum::{extract::State, response::Response};
use domain::{CouponId, ShopId};
use projections::{CouponRow, Coupons, View, views::CouponStatus};
use serde::Deserialize;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    auth::{Principal, Role},
    problem::{Code, Problem},
    web::{Page, PageQuery, Params, PathId, Reading, page_of, present, scope, single},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(read))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListCoupons {
    /// 1 to 100; 20 unless said.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Only those in this state.
    #[param(inline)]
    status: Option<CouponStatus>,
    /// Only this shop's.
    #[param(value_type = Option<String>)]
    shop_id: Option<ShopId>,
}

/// One's own coupons (customer), one's shop's (shop), or all (admin), newest first.
#[utoipa::path(get, path = "/v1/coupons", tag = "coupons", params(ListCoupons), security(("bearer" = [])),
    responses((status = 200, description = "A page of coupons.", body = Page<CouponRow>)))]
async fn list(
    State(app): State<App>,
    principal: Principal,
    reading: Reading,
    Params(query): Params<ListCoupons>,
) -> Result<Response, Problem> {
    principal.must_be(&[Role::Customer, Role::Shop, Role::Admin])?;
    let rows = PageQuery::new(query.limit, query.cursor.as_deref())?.newest();
    let rows = scope(&principal, query.shop_id, rows).filter_if("status", query.status);
    app.ready_to_read(Coupons::NAME, &reading).await?;
    Ok(page_of(app.views().list::<Coupons>(rows).await?, |row| present(&row)))
}

/// One coupon.
#[utoipa::path(get, path = "/v1/coupons/{coupon_id}", tag = "coupons", params(("coupon_id" = Uuid, Path, description = "The coupon.")),
    security(("bearer" = [])), responses((status = 200, description = "The coupon.", body = CouponRow)))]
async fn read(
    State(app): State<App>,
    principal: Principal,
    reading: Reading,
    PathId(id): PathId<CouponId>,
) -> Result<Response, Problem> {
    app.ready_to_read(Coupons::NAME, &reading).await?;
    let row = app.views().get::<Coupons>(&id.to_string()).await?;
    let row = row.filter(|row| principal.may_see(&row.customer_id, &row.shop_id));
    let row = row.ok_or_else(|| Problem::new(Code::CouponNotFound, format!("there is no coupon {id}")))?;
    Ok(single(&reading.headers, row.version, row.position, present(&row)))
}
