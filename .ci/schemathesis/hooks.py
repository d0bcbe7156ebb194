"""Puts real ids in the place of made-up ones, counts what is answered, and adds a check of our own.

Loaded by schemathesis (SCHEMATHESIS_HOOKS). ORDERSTREAM_IDS is the file that scene.py wrote, ORDERSTREAM_COUNTS the one
that the counts are written to.

Only values that fit the document are replaced, so that a request that was made wrong on purpose stays wrong.
"""

import atexit
import collections
import datetime
import itertools
import json
import os
import pathlib
import re
import threading
import zlib

import schemathesis

KNOWN = json.loads(pathlib.Path(os.environ["ORDERSTREAM_IDS"]).read_text())
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
# What the made-up values of these names look like; of all others that are known, like a UUID.
SHAPES = {
    "shop_id": re.compile(r"[a-z][a-z0-9-]{0,39}"),
    "customer_id": re.compile(r"[!-.0-~]{1,128}"),
    "manager_id": re.compile(r".*", re.DOTALL),
    "process": re.compile(r"[^/]+"),
    "key": re.compile(r"[^/]+"),
    "name": re.compile(r"[^/]+"),
    "code": re.compile(r"[^/]+"),
    "payment_method": re.compile(r"tok_[a-z_]{1,60}"),
}
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# One made-up id in so many stays as it is.
MADE_UP = 10
# No more ids of a kind than so many, so that those of other kinds that go with them are found again.
MOST = 300
LOCK = threading.Lock()
KEYS = itertools.count()
COUNTS = collections.Counter()
CODES = collections.Counter()


def number_of(value):
    """The same for the same, so that what fails can be made smaller."""
    return zlib.crc32(str(value).encode())


def real(name, value):
    """A real id for a made-up one."""
    known = KNOWN.get(name)
    if not known or not isinstance(value, str) or not SHAPES.get(name, UUID).fullmatch(value):
        return value
    number = number_of(value)
    return value if number % MADE_UP == 0 else known[number // MADE_UP % len(known)]


def replaced(value):
    if isinstance(value, dict):
        return {name: real(name, replaced(inner)) for name, inner in value.items()}
    if isinstance(value, list):
        return [replaced(inner) for inner in value]
    return value


def dates(values, first, last, at_most):
    """Two dates that follow each other, where there are two dates."""
    given = [values.get(name) for name in (first, last)]
    if not all(isinstance(value, str) and DATE.fullmatch(value) for value in given):
        return values
    number = number_of(given)
    begin = datetime.date.today() + datetime.timedelta(days=2 + number % 300)
    end = begin + datetime.timedelta(days=1 + number // 300 % at_most)
    return {**values, first: begin.isoformat(), last: end.isoformat()}


def path_values(values):
    # Names of views, process managers and codes stand in paths only: elsewhere a name is anybody's.
    return {name: real(name, value) for name, value in values.items()}


def query_values(values):
    of_paths = {"process", "key", "name", "code"}
    values = {name: value if name in of_paths else real(name, value) for name, value in values.items()}
    values = dates(values, "from", "to", 60)
    # Opaque texts are those of answers.
    for name, known in (("cursor", "next_cursor"), ("min_position", "position"), ("at_position", "position")):
        if isinstance(values.get(name), str) and KNOWN.get(known):
            number = number_of(values[name])
            if number % MADE_UP:
                values[name] = KNOWN[known][number // MADE_UP % len(KNOWN[known])]
    # The two exclude each other, which the document says in words only.
    if isinstance(values.get("at"), str) and "at_position" in values:
        del values["at_position"]
    return values


def is_money(value):
    return isinstance(value, dict) and set(value) == {"amount_minor", "currency"}


def body_values(path, body):
    if not isinstance(body, dict) or path == "/v1/shops/{shop_id}":
        return body
    labels = {name: value for name, value in body.items() if name in ("name", "code", "key")}
    body = {**replaced(body), **labels}
    body = dates(body, "check_in", "check_out", 20)
    body = dates(body, "open_from", "open_until", 400)
    # Another price than the thing has, or somebody's coupon for something else, is refused: right, but not all the time.
    if number_of(json.dumps(body, sort_keys=True, default=str)) % MADE_UP:
        if is_money(body.get("expected_total")):
            del body["expected_total"]
        if isinstance(body.get("coupon_id"), str) and UUID.fullmatch(body["coupon_id"]):
            del body["coupon_id"]
    return body


def whole(value):
    """JSON Schema takes 2.0 for a whole number, which the interface does not, and its document cannot say."""
    if isinstance(value, dict):
        return {name: whole(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [whole(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


@schemathesis.hook
def map_case(context, case):
    path = case.operation.path
    if case.path_parameters:
        case.path_parameters = path_values(case.path_parameters)
    if isinstance(case.query, dict):
        case.query = query_values(dict(case.query))
    case.body = body_values(path, case.body)
    if is_good(case):
        case.body = whole(case.body)
        # A version that a thing has by chance is rare: most commands shall be done.
        tag = (case.headers or {}).get("If-Match")
        if tag is not None and (not tag or number_of(tag) % MADE_UP):
            case.headers["If-Match"] = "*"
        # A key is good for one request.
        key = (case.headers or {}).get("Idempotency-Key")
        if key is not None and number_of(key) % MADE_UP:
            case.headers["Idempotency-Key"] = f"{key[:200]}{next(KEYS)}"
    return case


def learn(value):
    if isinstance(value, dict):
        for name, inner in value.items():
            known = KNOWN.get(name)
            if known is not None and name not in SHAPES and isinstance(inner, str) and inner not in known:
                if len(known) < MOST:
                    known.append(inner)
            learn(inner)
    elif isinstance(value, list):
        for inner in value:
            learn(inner)


def body_of(response):
    try:
        return response.json()
    except ValueError:
        return None


def code_of(response):
    body = body_of(response) if response.status_code >= 400 else None
    return body.get("code") if isinstance(body, dict) else None


def is_good(case):
    return case.meta is not None and case.meta.generation.mode.is_positive


@schemathesis.hook
def after_call(context, case, response):
    with LOCK:
        kind = f"{response.status_code // 100}xx"
        COUNTS["calls"] += 1
        COUNTS[kind] += 1
        CODES[f"{response.status_code} {code_of(response) or ''}".strip()] += 1
        if is_good(case):
            COUNTS["fitting"] += 1
            COUNTS[f"fitting {kind}"] += 1
        if response.status_code // 100 == 2:
            learn(body_of(response))


# What a request gets that is wrong in itself, whatever there is.
OF_SHAPE = {
    "malformed_json", "invalid_utf8", "invalid_query", "invalid_body", "invalid_header", "unknown_field",
    "unsupported_media_type",
}


@schemathesis.check
def what_the_document_permits_is_taken(ctx, response, case):
    """A request that fits the document is never refused for its shape."""
    code = code_of(response)
    if is_good(case) and code in OF_SHAPE:
        detail = body_of(response).get("detail")
        raise AssertionError(f"the document permits what is refused with {code}: {detail}")


@schemathesis.check
def a_refusal_is_a_problem_with_a_known_code(ctx, response, case):
    """Whatever is wrong is said in a problem document."""
    if response.status_code < 400:
        return
    kind = response.headers.get("content-type", [""])[0]
    if case.method.upper() == "HEAD":
        return
    problem = body_of(response)
    assert kind == "application/problem+json", f"{response.status_code} comes as {kind}"
    assert problem["status"] == response.status_code and problem["type"] == f"/problems/{problem['code']}"


@schemathesis.hook
def filter_failure(context, failure, case, response):
    # A body that may be left out is sometimes left out by what means to send a wrong one.
    wrong_was_taken = type(failure).__name__ == "AcceptedNegativeData"
    may_be_left_out = not case.operation.definition.raw.get("requestBody", {}).get("required", False)
    return not (wrong_was_taken and may_be_left_out and not response.request.body and not case.query)


@atexit.register
def write_down():
    text = json.dumps({"counts": COUNTS, "codes": dict(CODES.most_common())})
    pathlib.Path(os.environ["ORDERSTREAM_COUNTS"]).write_text(text)
