//! What was found once, kept.
#![allow(clippy::unwrap_used, missing_docs)]

use orderstream::auth::Role;
use orderstream_fuzz::scratch::Platforms;

#[test]
fn a_position_beyond_the_log_is_the_clients_mistake_and_is_not_waited_for() {
    let all = Platforms::the();
    for position in ["0.999999999", "0.9223372036854775807", "9223372036854775807"] {
        for path in ["/v1/orders", "/v1/products", "/v1/customers/alice/page"] {
            let answer =
                all.ask_as(Role::Customer, "GET", &format!("{path}?min_position={position}"), Vec::new());
            assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (400, &"invalid_position".into()));
        }
    }
}

#[test]
fn nothing_is_read_from_beyond_all_positions() {
    let all = Platforms::the();
    let stream = format!("order/{}", all.ids["order_id"]).parse().unwrap();
    for beyond in [1 << 63, u64::MAX] {
        assert!(all.run(all.log().read_all(beyond, 10)).unwrap().is_empty());
        assert!(all.run(all.log().read_stream(stream, beyond, 10)).unwrap().is_empty());
    }
}
