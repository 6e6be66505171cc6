//! The long versions, run one at a time by `cargo xtask bench`, which sets `PARSENODE_FULL`.

use std::time::Duration;

use crate::kill::{Storm, storm};
use crate::memory::receive;
use crate::outage::outage;

fn asked_for(name: &str) -> bool {
    let asked = std::env::var_os("PARSENODE_FULL").is_some();
    if !asked {
        println!("left out: cargo xtask bench {name}");
    }
    asked
}

#[test]
fn kill() {
    if asked_for("kill") {
        storm(&Storm {
            associations: 3,
            series_per_association: 10,
            slices: 100,
            kills: 30,
            seed: 6,
        });
    }
}

#[test]
fn outage_of_a_minute() {
    if asked_for("outage") {
        outage(6, Duration::from_secs(60));
    }
}

#[test]
fn memory() {
    if asked_for("memory") {
        receive(1000);
    }
}
