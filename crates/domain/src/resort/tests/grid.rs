//! Every command to a resort in every state.

use super::{Revision, date, hold, hold_at, noon, register, register_as, registration, release, revise};
use crate::{
    resort::{Resort, ResortCommand, ResortRegistered},
    testing::{Grid, krw, stay},
};

#[test]
fn every_command_in_every_state() {
    use ResortCommand::RetireResort;
    let with = |more: Vec<ResortCommand>| [vec![register()], more].concat();
    let mine = || hold(1, "2026-07-10", "2026-07-12");
    let theirs = || hold(2, "2026-07-11", "2026-07-13");
    let grid = Grid::<Resort> {
        histories: vec![
            ("absent", vec![]),
            ("open, all free", with(vec![])),
            ("open, nights held", with(vec![mine()])),
            ("open, one night held by another", with(vec![theirs()])),
            ("open, nights released", with(vec![mine(), release(1)])),
            (
                "open, revised",
                with(vec![revise(Revision { name: Some("Hill View"), ..Revision::default() })]),
            ),
            ("retired", with(vec![RetireResort])),
            ("retired, nights held", with(vec![mine(), RetireResort])),
        ],
        commands: vec![
            ("register", register()),
            (
                "register under a blank name",
                register_as(ResortRegistered { name: " ".to_owned(), ..registration() }),
            ),
            (
                "register for nothing",
                register_as(ResortRegistered { nightly_price: krw(0), ..registration() }),
            ),
            (
                "register for no night",
                register_as(ResortRegistered { open_until: date("2026-01-01"), ..registration() }),
            ),
            ("revise the name", revise(Revision { name: Some("Hill View"), ..Revision::default() })),
            ("revise nothing", revise(Revision::default())),
            ("revise to no price", revise(Revision { nightly_price: Some(krw(0)), ..Revision::default() })),
            ("retire", RetireResort),
            ("hold", mine()),
            (
                "hold a night that begins today",
                hold_at(1, stay("2026-07-10", "2026-07-12"), noon("2026-07-10")),
            ),
            ("hold a night of yesterday", hold_at(1, stay("2026-07-10", "2026-07-12"), noon("2026-07-11"))),
            (
                "hold a night before it opens",
                hold_at(1, stay("2025-12-31", "2026-01-02"), noon("2025-12-01")),
            ),
            ("hold the night after the last", hold(1, "2026-12-30", "2027-01-01")),
            ("release", release(1)),
        ],
        repeatable: &[
            ("hold", "a refusal leaves no trace in the state"),
            ("hold a night that begins today", "a refusal leaves no trace in the state"),
            ("hold a night of yesterday", "a refusal leaves no trace in the state"),
            ("hold a night before it opens", "a refusal leaves no trace in the state"),
            ("hold the night after the last", "a refusal leaves no trace in the state"),
        ],
    };
    insta::with_settings!({ snapshot_path => "../snapshots" }, {
        insta::assert_snapshot!("grid", grid.run());
    });
}
