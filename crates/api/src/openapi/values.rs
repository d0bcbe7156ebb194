//! What values may be beyond their types: the same lengths, patterns and ranges that the routes check.

use domain::{
    AggregateKind, Currency, NotifiedChange, TimeZone,
    money::{MAX_AMOUNT_MINOR, MAX_QUANTITY},
    policy::MAX_POLICY_SECS,
    resort::MAX_CANCEL_DAYS,
};
use sagas::InstanceState;
use serde_json::{Map, Value, json};

/// See [`domain::policy::is_label`]: no control characters, and one that is no blank.
const LABEL: &str = "^[^\\u0000-\\u001f\\u007f-\\u009f]*\
    [^\\u0000-\\u0020\\u007f-\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]\
    [^\\u0000-\\u001f\\u007f-\\u009f]*$";
/// See [`domain::ShopId`].
const SHOP: &str = "^[a-z][a-z0-9-]{0,39}$";
/// See [`domain::CustomerId`].
const CUSTOMER: &str = "^[!-.0-~]{1,128}$";
/// See [`crate::web::parse_position`].
const POSITION: &str = "^(0\\.)?[0-9]{1,18}$";
/// An idempotency key.
const VISIBLE: &str = "^[!-~]{1,255}$";
/// See [`crate::web::IfMatch`].
const TAG: &str = "^(\\*|\"[0-9]{1,18}-0\\.[0-9]{1,18}\")$";
/// See [`crate::web::check::payment_method`].
const TOKEN: &str = "^tok_[a-z_]{1,60}$";
/// A word of the payment provider.
const WORD: &str = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$";
/// The most pieces that are kept of a product.
const MAX_STOCK: u64 = domain::product::MAX_STOCK;

/// Texts that people read: schema, field, most characters.
const LABELS: &[(&str, &str, u32)] = &[
    ("PutShop", "name", 80),
    ("NewProduct", "name", 120),
    ("ReviseProduct", "name", 120),
    ("NewResort", "name", 100),
    ("NewResort", "kind", 100),
    ("ReviseResort", "name", 100),
    ("ReviseResort", "kind", 100),
    ("NewLine", "option", 40),
    ("Recipient", "name", 200),
    ("Recipient", "phone", 200),
    ("Recipient", "address", 200),
    ("Guest", "name", 200),
    ("Guest", "phone", 200),
    ("CancelOrder", "reason", 500),
    ("CancelReservation", "reason", 500),
    ("WithReason", "reason", 500),
    ("NewRefund", "reason", 500),
];

/// Bodies of which one of these fields at least must say something.
const ONE_OF: &[(&str, &[&str])] = &[("ReviseProduct", &["name", "price"])];

/// What other fields may be: schema, field, keywords.
fn fields() -> Vec<(&'static str, &'static str, Value)> {
    let pay_within = json!({"minimum": 1, "maximum": MAX_POLICY_SECS});
    let cancel_days = json!({"minimum": 0, "maximum": MAX_CANCEL_DAYS});
    let told = |fits: fn(NotifiedChange) -> bool| {
        let names: Vec<&str> =
            NotifiedChange::ALL.into_iter().filter(|c| fits(*c)).map(NotifiedChange::name).collect();
        json!({"items": {"type": "string", "enum": names}, "uniqueItems": true})
    };
    let of_stays = told(NotifiedChange::is_of_reservations);
    let email = json!({"format": "email", "maxLength": 254});
    let word = json!({"minLength": 1, "maxLength": 255, "pattern": WORD});
    let stock = json!({"maximum": MAX_STOCK});
    let zones: Vec<Option<&str>> = TimeZone::names().map(Some).chain([None]).collect();
    vec![
        ("Money", "amount_minor", json!({"maximum": MAX_AMOUNT_MINOR})),
        ("Money", "currency", json!({"enum": currencies()})),
        ("PutShop", "policy", policy(&told(NotifiedChange::is_of_orders))),
        ("NewProduct", "stock", stock.clone()),
        ("Restock", "quantity", json!({"minimum": 1, "maximum": MAX_STOCK})),
        ("NewResort", "time_zone", json!({"enum": zones})),
        ("NewResort", "pay_within_secs", pay_within.clone()),
        ("NewResort", "cancel_days_before", cancel_days.clone()),
        ("NewResort", "notify", of_stays.clone()),
        ("ReviseResort", "pay_within_secs", pay_within),
        ("ReviseResort", "cancel_days_before", cancel_days),
        ("ReviseResort", "notify", of_stays),
        ("PlaceOrder", "shop_id", json!({"pattern": SHOP})),
        ("PlaceOrder", "lines", json!({"minItems": 1, "maxItems": 100})),
        ("PlaceOrder", "payment_method", json!({"pattern": TOKEN})),
        ("Pay", "payment_method", json!({"pattern": TOKEN})),
        ("NewLine", "quantity", json!({"maximum": MAX_QUANTITY})),
        // Left out means all of them; null does not.
        ("NewRefund", "lines", json!({"type": "array", "minItems": 1, "maxItems": 100})),
        ("Recipient", "email", email.clone()),
        ("Guest", "email", email),
        ("PaymentCallback", "event_id", word.clone()),
        ("PaymentCallback", "key", word.clone()),
        ("PaymentCallback", "provider_ref", word.clone()),
        ("PaymentCallback", "code", word.clone()),
        ("PaymentCallback", "charge_key", word),
    ]
}

/// The codes that are currencies. The list is not public: each code of three letters is tried.
fn currencies() -> Vec<String> {
    let letters = || b'A'..=b'Z';
    let codes = letters().flat_map(|a| letters().flat_map(move |b| letters().map(move |c| vec![a, b, c])));
    codes
        .filter_map(|code| String::from_utf8(code).ok())
        .filter(|code| code.parse::<Currency>().is_ok())
        .collect()
}

/// A shop's policy; see [`domain::ShopPolicy`].
fn policy(notify: &Value) -> Value {
    let secs = json!({"type": "integer", "minimum": 1, "maximum": MAX_POLICY_SECS});
    let money = json!({"$ref": "#/components/schemas/Money"});
    let object = |required: Value, properties: Value| json!({"type": "object", "additionalProperties": false, "required": required, "properties": properties});
    let mut notify = notify.clone();
    notify["type"] = json!("array");
    notify["description"] = json!("What customers are told of.");
    let at_order = object(
        json!(["when"]),
        json!({"when": {"type": "string", "enum": ["at_order"]}, "decide_within_secs": secs}),
    );
    let deferred = object(
        json!(["when", "pay_within_secs"]),
        json!({"when": {"type": "string", "enum": ["deferred"]}, "pay_within_secs": secs}),
    );
    let worth = |kind: &str, value: &Value| {
        object(json!(["kind", "value"]), json!({"kind": {"type": "string", "enum": [kind]}, "value": value}))
    };
    let percent = json!({"type": "integer", "minimum": 1, "maximum": 100});
    let mut coupon = object(
        json!(["value", "minimum"]),
        json!({"value": {"oneOf": [worth("amount", &money), worth("percent", &percent)]}, "minimum": money}),
    );
    coupon["type"] = json!(["object", "null"]);
    coupon["description"] = json!("The coupon that a completed order earns.");
    let mut window = secs.clone();
    window["type"] = json!(["integer", "null"]);
    window["description"] = json!("Seconds after the arrival within which goods may go back.");
    object(
        json!(["payment", "cancellable_until"]),
        json!({
            "payment": {"oneOf": [at_order, deferred], "description": "When the customer pays."},
            "preparation": {"type": "boolean", "description": "Whether the goods are made before they are shipped."},
            "cancellable_until": {"type": "string", "enum": ["requested", "accepted", "preparing"],
                "description": "The last state of the delivery in which the order can be cancelled; `preparing` needs `preparation`."},
            "notify": notify, "refund_window_secs": window, "coupon": coupon,
        }),
    )
}

/// See [`domain::StreamId`].
fn stream() -> String {
    let kinds = AggregateKind::ALL.map(AggregateKind::name);
    let by_id: Vec<&str> = kinds.into_iter().filter(|kind| *kind != AggregateKind::Shop.name()).collect();
    let hex = |digits: u8| format!("[0-9a-f]{{{digits}}}");
    let id = [8, 4, 4, 4, 12].map(hex).join("-");
    let shop = SHOP.trim_matches(['^', '$']);
    format!("^(shop/{shop}|({})/{id})$", by_id.join("|"))
}

fn add(to: &mut Value, keywords: Value) {
    if let (Some(to), Value::Object(keywords)) = (to.as_object_mut(), keywords) {
        to.extend(keywords);
    }
}

/// Says in the schemas what their fields may be.
pub(super) fn of_fields(schemas: &mut Map<String, Value>) {
    let labels = LABELS.iter().map(|(schema, field, most)| {
        (*schema, *field, json!({"minLength": 1, "maxLength": most, "pattern": LABEL}))
    });
    for (schema, field, keywords) in labels.chain(fields()) {
        if let Some(property) = schemas.get_mut(schema).and_then(|schema| schema["properties"].get_mut(field))
        {
            add(property, keywords);
        }
    }
    for (schema, fields) in ONE_OF {
        let said =
            |field: &&str| json!({"required": [field], "properties": {*field: {"not": {"type": "null"}}}});
        if let Some(schema) = schemas.get_mut(*schema) {
            schema["anyOf"] = fields.iter().map(said).collect();
        }
    }
    if let Some(money) = schemas.get_mut("Money") {
        money["additionalProperties"] = json!(false);
    }
}

/// Says what a parameter may be.
pub(super) fn of_parameter(path: &str, parameter: &mut Value) {
    let most = if ["/v1/admin/events", "/v1/admin/sagas"].contains(&path) { 1_000 } else { 100 };
    let name = parameter["name"].as_str().unwrap_or_default().to_ascii_lowercase();
    let keywords = match name.as_str() {
        "limit" => json!({"minimum": 1, "maximum": most}),
        "shop_id" => json!({"pattern": SHOP}),
        "customer_id" => json!({"pattern": CUSTOMER}),
        "min_position" | "at_position" | "after" | "last-event-id" => json!({"pattern": POSITION}),
        "idempotency-key" => json!({"pattern": VISIBLE}),
        "if-match" => json!({"pattern": TAG}),
        "state" if path == "/v1/admin/sagas" => json!({"enum": InstanceState::ALL.map(InstanceState::name)}),
        "process" if path == "/v1/admin/sagas" => json!({"enum": sagas::process_names()}),
        "stream" => json!({"pattern": stream()}),
        _ => return,
    };
    add(&mut parameter["schema"], keywords);
}

/// A body that may be left out is an object all the same when it is there.
pub(super) fn of_body(body: &mut Value) {
    let Some(contents) = body["content"].as_object_mut() else { return };
    for content in contents.values_mut() {
        let object = content["schema"]["oneOf"]
            .as_array()
            .and_then(|all| all.iter().find(|one| one["type"] != "null"));
        if let Some(object) = object.cloned() {
            content["schema"] = object;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_meets_a_field_that_is_there() {
        let document = crate::routes::document();
        let labels = LABELS.iter().map(|(schema, field, _)| (*schema, *field));
        for (schema, field) in labels.chain(fields().into_iter().map(|(schema, field, _)| (schema, field))) {
            let property = &document["components"]["schemas"][schema]["properties"][field];
            assert!(property.is_object(), "{schema} has no field {field}");
        }
        for (schema, _) in ONE_OF {
            assert!(document["components"]["schemas"][schema]["anyOf"].is_array(), "there is no {schema}");
        }
    }

    #[test]
    fn the_currencies_are_those_that_are_taken() {
        let codes = currencies();
        assert!(codes.len() > 150 && codes.iter().any(|code| code == "KRW"), "{codes:?}");
    }
}
