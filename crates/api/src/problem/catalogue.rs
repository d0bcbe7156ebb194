//! Every code that a problem document can carry: its status, its title and what it means. Served at `/problems`.

use axum::http::StatusCode;

macro_rules! codes {
    ($( $variant:ident = $code:literal, $status:ident, $title:literal, $meaning:literal; )*) => {
        /// A stable word for what went wrong. The only way to make a problem, so that each has a documented place.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $( #[doc = $meaning] $variant ),* }

        impl Code {
            /// All of them, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$( Self::$variant ),*];
            /// The word in problem documents.
            #[must_use]
            pub fn as_str(self) -> &'static str { match self { $( Self::$variant => $code ),* } }
            /// The HTTP status.
            #[must_use]
            pub fn status(self) -> StatusCode { match self { $( Self::$variant => StatusCode::$status ),* } }
            /// A few words for people.
            #[must_use]
            pub fn title(self) -> &'static str { match self { $( Self::$variant => $title ),* } }
            /// What it means and what to do.
            #[must_use]
            pub fn meaning(self) -> &'static str { match self { $( Self::$variant => $meaning ),* } }
        }
    };
}

codes! {
    // The request cannot be read.
    MalformedJson = "malformed_json", BAD_REQUEST, "The body is not JSON", "The body breaks the grammar of JSON; the detail names line and column.";
    InvalidUtf8 = "invalid_utf8", BAD_REQUEST, "The body is not UTF-8", "JSON is exchanged in UTF-8.";
    InvalidQuery = "invalid_query", BAD_REQUEST, "A query parameter is wrong", "A parameter is unknown, malformed or out of range; the detail names it.";
    InvalidCursor = "invalid_cursor", BAD_REQUEST, "The cursor is wrong", "Use next_cursor of the page before, unchanged.";
    InvalidPosition = "invalid_position", BAD_REQUEST, "The position is wrong", "Use an Orderstream-Position or a position of an answer, unchanged.";
    InvalidHeader = "invalid_header", BAD_REQUEST, "A header is wrong", "A header such as Idempotency-Key or If-Match has a value that cannot be used; the detail names it.";
    BadRequest = "bad_request", BAD_REQUEST, "The request cannot be read", "The request breaks HTTP itself.";
    // Who asks.
    TokenMissing = "token_missing", UNAUTHORIZED, "A token is needed", "Send Authorization: Bearer TOKEN. `orderstream token` makes one.";
    TokenExpired = "token_expired", UNAUTHORIZED, "The token is expired", "Get a new token.";
    TokenInvalid = "token_invalid", UNAUTHORIZED, "The token is not valid", "The signature, algorithm, audience or a claim is wrong.";
    SignatureInvalid = "signature_invalid", UNAUTHORIZED, "The signature is not valid", "Orderstream-Signature is missing, too old, or does not fit the body and the secret.";
    Forbidden = "forbidden", FORBIDDEN, "The role may not do this", "The token's role is not among those that may make this call.";
    // Where.
    NotFound = "not_found", NOT_FOUND, "There is no such thing", "Nothing has this id, or it is somebody else's.";
    NoSuchRoute = "no_such_route", NOT_FOUND, "There is no such address", "The path is not part of the interface; see /openapi.json.";
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "The method is not allowed here", "The Allow header names those that are.";
    ShopNotFound = "shop_not_found", NOT_FOUND, "There is no such shop", "No shop has this id.";
    ProductNotFound = "product_not_found", NOT_FOUND, "There is no such product", "No product has this id, or it is another shop's.";
    OrderNotFound = "order_not_found", NOT_FOUND, "There is no such order", "No order has this id, or it is somebody else's.";
    PaymentNotFound = "payment_not_found", NOT_FOUND, "There is no such payment", "No payment has this id, or it is somebody else's.";
    DeliveryNotFound = "delivery_not_found", NOT_FOUND, "There is no such delivery", "No delivery has this id, or it is somebody else's. It appears a moment after its order is confirmed.";
    RefundNotFound = "refund_not_found", NOT_FOUND, "There is no such refund", "No refund has this id, or it is somebody else's.";
    CouponNotFound = "coupon_not_found", NOT_FOUND, "There is no such coupon", "No coupon has this id, or it is somebody else's. It appears a moment after its order is completed.";
    ResortNotFound = "resort_not_found", NOT_FOUND, "There is no such resort", "No resort has this id, or another manager looks after it.";
    ReservationNotFound = "reservation_not_found", NOT_FOUND, "There is no such reservation", "No reservation has this id, or it is somebody else's.";
    VoucherNotFound = "voucher_not_found", NOT_FOUND, "There is no such voucher", "No voucher has this id, or it is somebody else's. It appears a moment after its reservation is paid.";
    InstanceNotFound = "instance_not_found", NOT_FOUND, "There is no such process instance", "No process manager works on this key.";
    ProjectionNotFound = "projection_not_found", NOT_FOUND, "There is no such view", "GET /v1/admin/projections names them.";
    CallbacksOff = "callbacks_off", NOT_FOUND, "Callbacks are not taken", "Set gateway.callback_secret to the secret that the payment provider signs its callbacks with.";
    JobNotFound = "job_not_found", NOT_FOUND, "There is no such job", "Jobs are forgotten when the program stops.";
    // The body.
    PayloadTooLarge = "payload_too_large", PAYLOAD_TOO_LARGE, "The body is too large", "The detail names the limit.";
    BodyTooSlow = "body_too_slow", REQUEST_TIMEOUT, "The body did not come in time", "The detail names how long it may take.";
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "The body must be JSON", "Send Content-Type: application/json.";
    UnknownField = "unknown_field", UNPROCESSABLE_ENTITY, "The body has a field that nobody knows", "Fields are never ignored; a status in particular cannot be set, only commands can be given.";
    InvalidBody = "invalid_body", UNPROCESSABLE_ENTITY, "The body is not as it should be", "A field is missing, of the wrong type or out of range; errors names each.";
    InvalidName = "invalid_name", UNPROCESSABLE_ENTITY, "The name cannot be used", "Too long, empty, or with control characters.";
    InvalidPolicy = "invalid_policy", UNPROCESSABLE_ENTITY, "The policy makes no sense", "Two settings of the policy exclude each other, or a time is out of range.";
    InvalidQuantity = "invalid_quantity", UNPROCESSABLE_ENTITY, "The quantity cannot be used", "Zero, or more than a stock may hold.";
    InvalidOption = "invalid_option", UNPROCESSABLE_ENTITY, "The menu option cannot be used", "Too long, empty, or with control characters.";
    CurrencyMismatch = "currency_mismatch", UNPROCESSABLE_ENTITY, "The price is in another currency", "A product keeps its currency; list a new product instead.";
    NoLines = "no_lines", UNPROCESSABLE_ENTITY, "The order is empty", "An order has at least one line.";
    TooManyLines = "too_many_lines", UNPROCESSABLE_ENTITY, "The order has too many lines", "The detail names the limit.";
    InvalidDates = "invalid_dates", UNPROCESSABLE_ENTITY, "The dates make no sense", "The end must come after the beginning, a stay begins today or later and has at most 90 nights.";
    CouponExceedsOrder = "coupon_exceeds_order", UNPROCESSABLE_ENTITY, "The coupon takes off more than the order costs", "The discount is at most the sum of the lines, in the same currency.";
    UnknownProduct = "unknown_product", UNPROCESSABLE_ENTITY, "The shop has no such product", "A line names a product that does not exist or belongs to another shop.";
    MixedCurrencies = "mixed_currencies", UNPROCESSABLE_ENTITY, "The order mixes currencies", "All products of one order must be sold in one currency.";
    AmountOutOfRange = "amount_out_of_range", UNPROCESSABLE_ENTITY, "The amount is out of range", "The total is larger than the platform can charge.";
    IdempotencyKeyReused = "idempotency_key_reused", UNPROCESSABLE_ENTITY, "The idempotency key was used for another request", "A key stands for one request: method, path and body, from the moment something was done under it. Use a new key.";
    InvalidRequest = "invalid_request", UNPROCESSABLE_ENTITY, "The request cannot work", "The request is understood but can never succeed as it is.";
    // The state forbids it.
    PaymentDeclined = "payment_declined", PAYMENT_REQUIRED, "The payment was declined", "The provider's word for it is in decline_code. Nothing was charged.";
    OutOfStock = "out_of_stock", CONFLICT, "Too few pieces are in stock", "product_id names the product, available how many are left.";
    ProductWithdrawn = "product_withdrawn", CONFLICT, "The product is not on sale any more", "product_id names the product.";
    ShopClosed = "shop_closed", CONFLICT, "The shop takes no orders now", "Orders placed before are finished.";
    PriceChanged = "price_changed", CONFLICT, "The price is not the expected one", "expected_total differs from what the order costs now. Look again and order at the new price.";
    PaymentExpired = "payment_expired", CONFLICT, "The payment was not decided in time", "The order was rejected, or the reservation has expired. Nothing was charged: order or reserve anew.";
    PaymentOverdue = "payment_overdue", CONFLICT, "The payment was due earlier", "Nothing is charged after due_at.";
    PaymentNotDue = "payment_not_due", CONFLICT, "The payment is not due yet", "It expires at due_at, not before.";
    RefundTooLarge = "refund_too_large", CONFLICT, "The refund is larger than what is left", "Refunds never exceed what was captured.";
    RefundDiffers = "refund_differs", CONFLICT, "The refund is under way with another amount", "A refund keeps its amount.";
    TooLateToCancel = "too_late_to_cancel", CONFLICT, "It is too late to cancel", "The delivery is further than the shop's policy allows, or the stay is nearer than the resort's. Nothing was changed.";
    NotDelivered = "not_delivered", CONFLICT, "The goods have not arrived", "Only what was delivered can go back. An order that is on its way is cancelled instead, if it still can be.";
    NoReturns = "no_returns", CONFLICT, "The shop takes nothing back", "Its policy has no refund window.";
    WindowOver = "window_over", CONFLICT, "The refund window is over", "The goods arrived too long ago for the shop's policy.";
    ReturnOpen = "return_open", CONFLICT, "Another return is under way", "Wait until it is received or called off.";
    MoreThanDelivered = "more_than_delivered", CONFLICT, "More than was delivered and is kept", "product_id names the first product of which the customer has fewer pieces than are to go back, left how many; nothing is named when everything is back already.";
    NoOpenReturn = "no_open_return", CONFLICT, "No return is under way", "There is nothing to receive or to call off.";
    ReturnWindowOpen = "return_window_open", CONFLICT, "The refund window is open", "It closes by itself.";
    CouponRefused = "coupon_refused", CONFLICT, "The coupon cannot be used", "reason says why: it is used, taken back, somebody else's, another shop's, or not issued (yet).";
    CouponRevokedBefore = "coupon_revoked_before", CONFLICT, "The coupon was taken back before it was issued", "The order that earned it was given back.";
    NightsTaken = "nights_taken", CONFLICT, "The nights are not free", "night names the first that is taken. GET /v1/resorts/{id}/nights shows which are free.";
    NotOpen = "not_open", CONFLICT, "The resort is not open then", "night names the first night that is not on offer.";
    ResortRetired = "resort_retired", CONFLICT, "The resort takes no more reservations", "Reservations made before stand.";
    ReservationExpired = "reservation_expired", CONFLICT, "The reservation was not paid in time", "The nights are free again: reserve anew.";
    StayNotOver = "stay_not_over", CONFLICT, "The stay is not over", "It is completed by itself after check-out.";
    VoucherDeactivated = "voucher_deactivated", CONFLICT, "The voucher is deactivated", "Its reservation was cancelled.";
    VoucherDeactivatedBefore = "voucher_deactivated_before", CONFLICT, "The voucher was deactivated before it was issued", "Its reservation was cancelled.";
    VoucherSentOftenEnough = "voucher_sent_often_enough", CONFLICT, "The voucher was sent often enough", "The detail names the limit.";
    AlreadyRetired = "already_retired", CONFLICT, "The resort is retired already", "Nothing more to do.";
    AlreadyReceived = "already_received", CONFLICT, "The return is received already", "Nothing more to do.";
    OrderRejected = "order_rejected", CONFLICT, "The order was rejected", "It never became a deal.";
    AlreadyCancelled = "already_cancelled", CONFLICT, "It is cancelled already", "Nothing more to do: it is cancelled or being cancelled.";
    AlreadyAccepted = "already_accepted", CONFLICT, "The delivery is accepted already", "Nothing more to do.";
    AlreadyPreparing = "already_preparing", CONFLICT, "The goods are being prepared already", "Nothing more to do.";
    AlreadyShipped = "already_shipped", CONFLICT, "The delivery is shipped already", "Nothing more to do.";
    AlreadyCompleted = "already_completed", CONFLICT, "The delivery is completed already", "Nothing more to do.";
    AlreadyFailed = "already_failed", CONFLICT, "The delivery has failed already", "Nothing more to do.";
    AlreadyCaptured = "already_captured", CONFLICT, "The payment is made already", "Nothing more to do.";
    AlreadyClosed = "already_closed", CONFLICT, "The shop is closed already", "Nothing more to do.";
    AlreadyOpen = "already_open", CONFLICT, "The shop is open already", "Nothing more to do.";
    AlreadyListed = "already_listed", CONFLICT, "The product is listed already", "List a new product, or revise this one.";
    AlreadyWithdrawn = "already_withdrawn", CONFLICT, "The product is withdrawn already", "Nothing more to do.";
    StockNotKept = "stock_not_kept", CONFLICT, "The product keeps no stock", "It is made to order.";
    NotPrepared = "not_prepared", CONFLICT, "The goods are not prepared", "Prepare before shipping.";
    NoPreparation = "no_preparation", CONFLICT, "There is nothing to prepare", "The shop has no preparation step: ship.";
    IllegalTransition = "illegal_transition", CONFLICT, "The state forbids it", "The detail names the state and what was asked.";
    NotStuck = "not_stuck", CONFLICT, "The instance is not stuck", "Only a stuck instance can be retried or skipped.";
    RebuildRunning = "rebuild_running", CONFLICT, "The view is being rebuilt", "Wait for the job that runs.";
    JobRunning = "job_running", CONFLICT, "The same job is under way", "job_id names it: wait for its end.";
    Refused = "refused", CONFLICT, "The state forbids it", "The detail says why.";
    Contended = "contended", CONFLICT, "Too many at once", "Others kept changing the same thing. Try again.";
    RequestInProgress = "request_in_progress", CONFLICT, "The request is still under way", "A request with this idempotency key has not ended. Ask again after Retry-After seconds.";
    VersionMismatch = "version_mismatch", PRECONDITION_FAILED, "It was changed meanwhile", "If-Match does not fit the current version. Read it again.";
    // Too much.
    RateLimited = "rate_limited", TOO_MANY_REQUESTS, "Too many requests of one principal", "Nothing was done. Try again after Retry-After seconds; RateLimit and RateLimit-Policy say what is left and what is allowed.";
    Overloaded = "overloaded", SERVICE_UNAVAILABLE, "Too much is under way", "Nothing was done, nothing is remembered: try again, with the same idempotency key, after Retry-After seconds.";
    // We cannot, now.
    LogUnavailable = "log_unavailable", SERVICE_UNAVAILABLE, "The event log does not answer", "The outcome may be unknown. Try again with the same idempotency key.";
    PaymentUnavailable = "payment_unavailable", SERVICE_UNAVAILABLE, "Payments cannot be made now", "Nothing was ordered or charged. Try again after Retry-After seconds.";
    StorageFull = "storage_full", SERVICE_UNAVAILABLE, "The disk is full", "Nothing was changed. Try again when there is room.";
    ViewBehind = "view_behind", SERVICE_UNAVAILABLE, "The view has not got there yet", "The view did not reach min_position in time. Try again.";
    ShuttingDown = "shutting_down", SERVICE_UNAVAILABLE, "The program is stopping", "Try again in a moment.";
    NotReady = "not_ready", SERVICE_UNAVAILABLE, "The program is not ready", "The detail names what is missing.";
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "A part does not answer", "Try again.";
    InternalError = "internal_error", INTERNAL_SERVER_ERROR, "Something is wrong on our side", "Not your fault. The x-request-id helps to find it in the log.";
}

impl Code {
    /// The code with this word, if it is documented.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == name)
    }

    /// The most general code of a status, for an error that some library answered with.
    #[must_use]
    pub fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::NoSuchRoute,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::PAYLOAD_TOO_LARGE => Self::PayloadTooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::UnsupportedMediaType,
            StatusCode::SERVICE_UNAVAILABLE => Self::Unavailable,
            status if status.is_client_error() => Self::BadRequest,
            _ => Self::InternalError,
        }
    }
}
