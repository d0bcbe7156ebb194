//! The OpenAPI 3.1 document: generated from the routes, then completed with what holds for all of them.

use serde_json::{Map, Value, json};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        self,
        security::{Http, HttpAuthScheme, SecurityScheme},
    },
};

use crate::problem::ProblemSchema;

mod values;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "orderstream",
        description = "An event-sourced order platform: shops, orders, payments, deliveries, notifications.\n\nErrors are \
            problem documents (RFC 9457) with a `code`; `/problems` explains each. Every POST honours `Idempotency-Key`. \
            Answers to commands carry `Orderstream-Position`; reads take it as `min_position`.\n\nEvery answer to a principal \
            with a limit says in `RateLimit` and `RateLimit-Policy` what is left and what is allowed; 429 and 503 carry \
            `Retry-After`.",
    ),
    tags(
        (name = "orders", description = "Placing, reading, cancelling and following orders."),
        (name = "deliveries", description = "What a shop has to send."),
        (name = "refunds", description = "Goods that go back, and the money for them."),
        (name = "coupons", description = "What completed orders earn."),
        (name = "resorts", description = "Where one can stay, and which nights are free."),
        (name = "reservations", description = "Reserving, reading and cancelling stays."),
        (name = "vouchers", description = "What guests show."),
        (name = "payments", description = "What was charged and given back."),
        (name = "notifications", description = "What customers were told."),
        (name = "products", description = "What is sold."),
        (name = "shops", description = "Who sells, and how."),
        (name = "customers", description = "A customer's page and personal data."),
        (name = "admin", description = "For operators."),
        (name = "health", description = "For load balancers."),
        (name = "problems", description = "What error codes mean."),
    ),
    components(schemas(ProblemSchema)),
    modifiers(&Bearer),
)]
struct Outline;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let mut bearer = Http::new(HttpAuthScheme::Bearer);
        bearer.bearer_format = Some("JWT".to_owned());
        bearer.description = Some("`orderstream token --sub NAME --role ROLE` makes one.".to_owned());
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    }
}

/// What the routes are added to.
pub(crate) fn outline() -> openapi::OpenApi {
    Outline::openapi()
}

/// The whole document.
pub(crate) fn finish(document: &openapi::OpenApi) -> Value {
    let mut document = serde_json::to_value(document).expect("an OpenAPI document is JSON");
    document["components"]["responses"] = responses();
    if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
        refer_to_rows(schemas);
        schemas.iter_mut().for_each(|(name, schema)| show_as_answered(name, schema));
        schemas.retain(|name, _| !name.ends_with("Internal"));
        values::of_fields(schemas);
    }
    if let Some(paths) = document["paths"].as_object_mut() {
        for (path, operations) in paths {
            for (method, operation) in operations.as_object_mut().into_iter().flatten() {
                complete(path, method, operation);
            }
        }
    }
    document
}

/// A page's schema repeats its rows' schema: it refers to it instead.
fn refer_to_rows(schemas: &mut Map<String, Value>) {
    let names: Vec<String> = schemas.keys().cloned().collect();
    for name in names
        .iter()
        .filter_map(|name| name.strip_prefix("Page_"))
        .filter(|row| names.iter().any(|n| n == row))
    {
        let refers = json!({"$ref": format!("#/components/schemas/{name}")});
        schemas[&format!("Page_{name}")]["properties"]["data"]["items"] = refers;
    }
}

/// Rows of views are shown without what is internal and with opaque positions; see [`crate::web::present`].
fn show_as_answered(name: &str, schema: &mut Value) {
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    if !name.ends_with("Row") && !["TimelineStep", "OrderRefund"].contains(&name) {
        return;
    }
    properties.remove("internal");
    if let Some(position) = properties.get_mut("position") {
        *position = json!({"type": "string", "description": "The last event that it shows. Opaque.", "example": "0.42"});
    }
    let erasable = "Kept apart, and erasable.";
    match name {
        "OrderRow" => {
            let text = json!({"type": "string"});
            let shown = json!({"type": ["object", "null"], "description": format!("Who gets it; {{\"erased\": true}} once it is erased. {erasable}"),
                "properties": {"name": text, "phone": text, "address": text, "email": text, "erased": {"type": "boolean"}}});
            properties.insert("recipient".to_owned(), shown);
        }
        "ReservationRow" => {
            let text = json!({"type": "string"});
            let guest = json!({"type": ["object", "null"], "description": format!("Who stays; {{\"erased\": true}} once it is erased. {erasable}"),
                "properties": {"name": text, "phone": text, "email": text, "erased": {"type": "boolean"}}});
            properties.insert("guest".to_owned(), guest);
        }
        "OrderRefund" => {
            properties.remove("reason_id");
        }
        "RefundRow" => {
            let reason = json!({"type": ["string", "null"], "description": format!("Why, in the customer's words. {erasable}")});
            properties.insert("reason".to_owned(), reason);
        }
        "DeliveryRow" => {
            let shown = json!({"type": ["string", "null"], "description": format!("Why it failed or was cancelled. {erasable}")});
            properties.insert("reason".to_owned(), shown);
        }
        _ => {}
    }
    let gone = match name {
        "OrderRefund" => "reason_id",
        _ => "internal",
    };
    if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|field| field != gone);
    }
}

/// Problem answers that operations refer to: name, what it is.
const PROBLEMS: [(&str, &str); 13] = [
    ("400", "The request cannot be read: malformed JSON, a wrong parameter or header."),
    ("401", "A valid token is needed."),
    ("403", "The role may not do this."),
    ("404", "There is no such thing, or it is somebody else's."),
    ("408", "The body did not come in time."),
    ("409", "The state forbids it, or it happened already."),
    ("412", "If-Match does not fit the current version."),
    ("413", "The body is too large."),
    ("415", "The body must be JSON."),
    ("422", "The body is not as it should be, or can never work."),
    ("429", "Too many requests of one principal; see Retry-After."),
    ("500", "Something is wrong on our side."),
    ("503", "A part does not answer now, or too much is under way; see Retry-After."),
];

fn responses() -> Value {
    let problem = json!({"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}});
    let entry = |(status, description): &(&str, &str)| {
        let mut response = json!({"description": description, "content": problem});
        match *status {
            "401" => response["headers"] = header("WWW-Authenticate", "How to say who asks (RFC 6750)."),
            "429" | "503" => {
                response["headers"] = header("Retry-After", "Seconds after which another try makes sense.")
            }
            _ => {}
        }
        (format!("Problem{status}"), response)
    };
    Value::Object(PROBLEMS.iter().map(entry).collect())
}

/// Adds to an operation what follows from its method and path.
fn complete(path: &str, method: &str, operation: &mut Value) {
    let protected =
        operation["security"].as_array().is_some_and(|all| all.iter().any(|one| one != &json!({})));
    let command = method != "get";
    let versioned = path.starts_with("/v1/") && !path.starts_with("/v1/admin") && !path.ends_with("/stream");
    let mut statuses = vec!["500", "503"];
    if versioned || command || path.starts_with("/v1/") || path == "/readyz" {
        statuses.push("400");
    }
    if protected {
        statuses.extend(["401", "403", "429"]);
    }
    if path.contains('{') || command {
        statuses.push("404");
    }
    if command {
        statuses.extend(["408", "409", "412", "413", "415", "422"]);
    }
    for status in statuses {
        let refers = json!({"$ref": format!("#/components/responses/Problem{status}")});
        let answers = operation["responses"].as_object_mut();
        answers.map(|answers| answers.entry(status).or_insert(refers));
    }
    let mut more = Vec::new();
    // A callback is known again by what it says.
    if command && path != "/v1/payment-callbacks" {
        more.push(parameter(
            "header",
            "Idempotency-Key",
            "Makes a repeat of this request harmless: 1 to 255 visible ASCII characters.",
        ));
    }
    if command && path.contains('{') {
        more.push(parameter("header", "If-Match", "Only if the thing is at this version: its ETag, or `*`."));
    }
    if !command && versioned {
        more.push(parameter(
            "query",
            "min_position",
            "The answer must show everything up to this Orderstream-Position.",
        ));
        if path.ends_with('}') {
            more.push(parameter("header", "If-None-Match", "304 if this is still the ETag."));
            let unchanged = json!({"description": "It is still what If-None-Match names."});
            operation["responses"].as_object_mut().map(|answers| answers.entry("304").or_insert(unchanged));
        }
    }
    if let Some(body) = operation.get_mut("requestBody") {
        values::of_body(body);
    }
    if let Some(operation) = operation.as_object_mut() {
        let parameters = operation.entry("parameters").or_insert_with(|| json!([]));
        if let Some(all) = parameters.as_array_mut() {
            all.extend(more);
            all.iter_mut().for_each(|parameter| values::of_parameter(path, parameter));
        }
        operation.retain(|name, value| name != "parameters" || value != &json!([]));
    }
}

/// A header that an answer always has.
fn header(name: &str, description: &str) -> Value {
    json!({name: {"description": description, "required": true, "schema": {"type": "string"}}})
}

fn parameter(place: &str, name: &str, description: &str) -> Value {
    let parameter: Map<String, Value> = Map::from_iter([
        ("name".to_owned(), json!(name)),
        ("in".to_owned(), json!(place)),
        ("required".to_owned(), json!(false)),
        ("description".to_owned(), json!(description)),
        ("schema".to_owned(), json!({"type": "string"})),
    ]);
    Value::Object(parameter)
}
