"""Fills a fresh platform with something of everything, and writes down the ids, by role and by kind.

    scene.py URL FOLDER     with FOLDER/ROLE.token for each role; writes FOLDER/ids.json

Standard library only. People: alice is the customer, mira the manager, `pizza` the shop.
"""

import datetime
import json
import pathlib
import sys
import time
import urllib.error
import urllib.request

URL, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
ROLES = ["customer", "shop", "courier", "manager", "admin"]
TOKENS = {role: (FOLDER / f"{role}.token").read_text().strip() for role in ROLES}
# How long something that happens a moment later may take. Seconds.
PATIENCE = 20


def call(role, method, path, body=None):
    request = urllib.request.Request(URL + path, method=method)
    request.add_header("Authorization", f"Bearer {TOKENS[role]}")
    if body is not None:
        request.add_header("Content-Type", "application/json")
        request.data = json.dumps(body).encode()
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.loads(response.read() or b"null")
    except urllib.error.HTTPError as error:
        sys.exit(f"{method} {path} as {role}: {error.code} {error.read().decode()}")


def sees(role, path, enough):
    begun = time.monotonic()
    while True:
        answer = call(role, "GET", path)
        if enough(answer):
            return answer
        if time.monotonic() - begun > PATIENCE:
            sys.exit(f"{path} does not become what was expected: {answer}")
        time.sleep(0.05)


def in_days(days):
    return (datetime.date.today() + datetime.timedelta(days=days)).isoformat()


def krw(amount):
    return {"amount_minor": amount, "currency": "KRW"}


RECIPIENT = {"name": "Kim Min-ji", "phone": "010-1234-5678", "address": "12 Sejong-daero, Seoul"}
GUEST = {"name": "Kim Min-ji", "phone": "010-1234-5678"}


def orders(product, count):
    """Orders of alice's at the pizzeria, once each has its delivery."""
    body = {
        "shop_id": "pizza",
        "lines": [{"product_id": product, "quantity": 2}],
        "recipient": RECIPIENT,
        "payment_method": "tok_ok",
    }
    made = [call("customer", "POST", "/v1/orders", body) for _ in range(count)]
    return [
        sees("customer", f"/v1/orders/{order['order_id']}", lambda order: order["delivery"])
        for order in made
    ]


def moved(order, *steps):
    for step in steps:
        call("shop", "POST", f"/v1/deliveries/{order['delivery']['delivery_id']}/{step}")
    return order


def goods(ids):
    product = sees("customer", "/v1/products?shop_id=pizza", lambda page: page["data"])["data"][0]
    ids["product_id"] = [product["product_id"]]
    for number in range(4):
        listed = {"name": f"Pizza {number}", "price": krw(9_000 + number), "stock": 1_000_000}
        ids["product_id"].append(call("shop", "POST", "/v1/shops/pizza/products", listed)["product_id"])
    waiting = orders(product["product_id"], 8)
    begun = [moved(order, "accept") for order in orders(product["product_id"], 4)]
    begun += [moved(order, "accept", "prepare") for order in orders(product["product_id"], 4)]
    begun += [moved(order, "accept", "prepare", "ship") for order in orders(product["product_id"], 4)]
    eaten = [moved(order, "accept", "prepare", "ship", "complete") for order in orders(product["product_id"], 8)]
    for order in eaten:
        sees("customer", f"/v1/orders/{order['order_id']}", lambda order: order["coupon_issued"])
    refunds = [
        call("customer", "POST", f"/v1/orders/{order['order_id']}/refunds", {"reason": "cold"})
        for order in eaten[:4]
    ]
    all_orders = waiting + begun + eaten
    ids["order_id"] = [order["order_id"] for order in all_orders]
    ids["delivery_id"] = [order["delivery"]["delivery_id"] for order in all_orders]
    ids["refund_id"] = [refund["refund_id"] for refund in refunds]
    coupons = sees("customer", "/v1/coupons", lambda page: page["data"])["data"]
    ids["coupon_id"] = [coupon["coupon_id"] for coupon in coupons]


def stays(ids):
    house = {
        "name": "Seaside House", "kind": "pension", "nightly_price": krw(120_000),
        "open_from": in_days(1), "open_until": in_days(400),
    }
    ids["resort_id"] = [call("manager", "POST", "/v1/resorts", house)["resort_id"] for _ in range(3)]
    made = []
    for number in range(8):
        wish = {
            "resort_id": ids["resort_id"][0], "check_in": in_days(3 + 3 * number),
            "check_out": in_days(5 + 3 * number), "guest": GUEST,
        }
        made.append(call("customer", "POST", "/v1/reservations", wish))
    for stay in made[:5]:
        path = f"/v1/payments/{stay['payment']['payment_id']}/pay"
        call("customer", "POST", path, {"payment_method": "tok_ok"})
        path = f"/v1/reservations/{stay['reservation_id']}"
        sees("customer", path, lambda row: row["voucher"] and row["voucher"]["status"] == "sent")
    ids["reservation_id"] = [stay["reservation_id"] for stay in made]
    vouchers = sees("customer", "/v1/vouchers", lambda page: page["data"])["data"]
    ids["voucher_id"] = [voucher["voucher_id"] for voucher in vouchers]


def operations(ids):
    jobs = [call("admin", "POST", "/v1/admin/projections/orders/verify")]
    ids["job_id"] = [job["job_id"] for job in jobs]
    ids["process"] = ["checkout", "payments", "booking"]
    ids["key"] = ids["order_id"][:2] + ids["reservation_id"][:2]
    ids["name"] = ["orders", "timeline"]
    ids["code"] = ["out_of_stock", "invalid_body"]


def main():
    ids = {"shop_id": ["pizza"], "customer_id": ["alice"]}
    goods(ids)
    stays(ids)
    operations(ids)
    ids["payment_method"] = ["tok_ok"] * 9 + ["tok_declined"]
    ids["manager_id"] = ["mira"]
    ids["next_cursor"], ids["position"] = [], []
    for path in ("/v1/orders?limit=5", "/v1/payments?limit=3", "/v1/reservations?limit=2"):
        page = call("customer", "GET", path)
        ids["next_cursor"].append(page["next_cursor"])
        ids["position"] += [row["position"] for row in page["data"]]
    payments = call("customer", "GET", "/v1/payments?limit=100")["data"]
    ids["payment_id"] = [payment["payment_id"] for payment in payments]
    (FOLDER / "ids.json").write_text(json.dumps(ids))
    print({kind: len(known) for kind, known in ids.items()})


main()
