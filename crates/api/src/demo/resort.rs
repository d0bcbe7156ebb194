//! Resorts: the nights are held at once, the payment comes later, and the voucher follows it.

use chrono::{Days, NaiveDate, Utc};
use serde_json::{Value, json};

use super::{
    DemoError,
    actor::Actor,
    call::{Call, act, get, post},
    stage::Stage,
    steps::{follows_at, id},
};

const DEMO: &str = "resort";

/// Plays the ten scenarios.
///
/// # Errors
/// The first answer that is not as expected.
pub(super) async fn play(stage: &mut Stage) -> Result<(), DemoError> {
    stage.begin(DEMO, "resort reservations, paid later, with a voucher", 10);
    let (mira, grace, henry) = (stage.manager("mira")?, stage.customer("grace")?, stage.customer("henry")?);
    let (check_in, check_out) = (in_days(30), in_days(33));

    stage.scenario(1, "A manager registers a resort (name, type, price, period)");
    let body = json!({
        "name": "Seaside House", "kind": "pension", "nightly_price": {"amount_minor": 120_000, "currency": "KRW"},
        "open_from": in_days(0), "open_until": in_days(365),
    });
    let call =
        post("/v1/resorts", body).answers(201).with("status", "open").shows(&["resort_id", "nightly_price"]);
    let resort = mira.does("registers a resort", call).await?;
    let resort_id = id(&resort, "resort_id")?;

    stage.scenario(2, "A customer picks a resort and reserves it");
    let nights = format!("/v1/resorts/{resort_id}/nights?from={check_in}&to={check_out}");
    let call = get(&nights).with("data.0.status", "free").soon();
    grace.does("sees that the nights are free", call).await?;
    let wish = reserve(&resort_id, check_in, check_out).answers(201).with("status", "awaiting_payment");
    let stay = grace.does("reserves three nights", wish.shows(&["reservation_id", "total"])).await?;
    let (stay_id, payment_id) = (id(&stay, "reservation_id")?, id(&stay, "payment.payment_id")?);

    stage.scenario(3, "The customer pays for the reservation, later, as a step of its own");
    let pay = |token: &str| post(format!("/v1/payments/{payment_id}/pay"), json!({"payment_method": token}));
    let declined = pay("tok_declined").answers(402).with("code", "payment_declined");
    grace.does("tries a card that is declined: the reservation goes on waiting", declined).await?;
    grace.does("pays with another", pay("tok_ok").with("status", "captured").shows(&["amount"])).await?;
    grace.does("cannot pay twice", pay("tok_ok").answers(409).with("code", "already_captured")).await?;

    stage.scenario(4, "A confirmed reservation makes the resort unavailable for those nights");
    let call = get(&nights).with("data.0.status", "taken").with("data.2.status", "taken").soon();
    henry.does("sees that the nights are taken", call).await?;
    let late = reserve(&resort_id, in_days(32), in_days(34)).answers(409).with("code", "nights_taken");
    henry.does("cannot have a night of them", late.shows(&["night"])).await?;

    stage.scenario(5, "A voucher is sent to the customer");
    let call =
        stay_of(&stay_id).with("status", "paid").with("voucher.status", "sent").shows(&["voucher.code"]);
    let paid = grace.does("has the voucher", call.soon()).await?;
    let voucher_id = id(&paid, "voucher.voucher_id")?;
    let again = act(format!("/v1/vouchers/{voucher_id}/send")).shows(&["sendings"]);
    mira.does("sends it once more", again).await?;

    stage.scenario(6, "The customer can cancel a confirmed reservation");
    let call = post(format!("/v1/reservations/{stay_id}/cancel"), json!({"reason": "the children are ill"}));
    grace.does("cancels the reservation", call.with("status", "cancelled")).await?;

    stage.scenario(7, "Cancelling deactivates the voucher");
    let call = get(format!("/v1/vouchers/{voucher_id}")).with("status", "deactivated").soon();
    grace.does("sees that the voucher is good for nothing any more", call).await?;
    let dead =
        act(format!("/v1/vouchers/{voucher_id}/send")).answers(409).with("code", "voucher_deactivated");
    mira.does("cannot send it", dead).await?;

    stage.scenario(8, "Cancelling cancels the payment");
    let call =
        get(format!("/v1/payments/{payment_id}")).with("status", "refunded").shows(&["refunded"]).soon();
    grace.does("sees the money come back", call).await?;

    stage.scenario(9, "Cancelling makes the nights available again");
    let call = get(&nights).with("data.0.status", "free").soon();
    henry.does("sees that the nights are free again", call).await?;
    let wish = reserve(&resort_id, check_in, check_out).answers(201).with("status", "awaiting_payment");
    henry.does("reserves them", wish.shows(&["reservation_id"])).await?;

    stage.scenario(10, "The customer sees reservation, payment and voucher on one page");
    sees_all(stage, &grace, &stay_id).await?;
    stage.end();
    Ok(())
}

async fn sees_all(stage: &Stage, grace: &Actor, stay_id: &str) -> Result<(), DemoError> {
    let call = stay_of(stay_id).with("status", "cancelled").with("payment.status", "refunded");
    let call = call.with("voucher.status", "deactivated").shows(&["resort_name", "check_in", "check_out"]);
    grace.does("looks at the reservation", call.soon()).await?;
    let page = get("/v1/customers/me/page").with("data.0.reservation_id", stay_id);
    grace.does("finds it on the page with everything", page).await?;
    let path = format!("/v1/reservations/{stay_id}/timeline?limit=100");
    follows_at(stage, grace, "follows it step by step", path, "reservation.cancelled").await
}

fn stay_of(reservation_id: &str) -> Call {
    get(format!("/v1/reservations/{reservation_id}"))
}

fn reserve(resort_id: &str, check_in: NaiveDate, check_out: NaiveDate) -> Call {
    let guest: Value = json!({"name": "Kim Min-ji", "phone": "010-1234-5678"});
    let body = json!({"resort_id": resort_id, "check_in": check_in, "check_out": check_out, "guest": guest});
    post("/v1/reservations", body)
}

fn in_days(days: u64) -> NaiveDate {
    Utc::now().date_naive() + Days::new(days + 1)
}
