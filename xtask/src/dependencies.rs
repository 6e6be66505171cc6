//! Who may use whom: the table of ARCHITECTURE.md as data, and the check against `cargo metadata`.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use crate::metadata::{Metadata, Package};

/// A room: its name, the rooms it may use, and crates of others that it never uses (by the beginning of the name).
struct Room {
    name: &'static str,
    may_use: &'static [&'static str],
    never: &'static [&'static str],
}

const ASYNC: &str = "tokio";

/// The table. What is not in `may_use` is forbidden.
const ROOMS: [Room; 17] = [
    Room {
        name: "domain",
        may_use: &[],
        never: &[ASYNC, "serde", "dicom-", "rayon", "rusqlite", "ort", "tracing", "rustix"],
    },
    Room {
        name: "dataset",
        may_use: &["domain"],
        never: &[ASYNC, "dicom-object", "dicom-ul", "ort"],
    },
    Room {
        name: "series",
        may_use: &["domain", "dataset"],
        never: &[ASYNC, "dicom-ul", "ort", "rusqlite"],
    },
    Room {
        name: "pixels",
        may_use: &["domain", "dataset", "series"],
        never: &[ASYNC, "dicom-ul", "ort", "rusqlite"],
    },
    Room {
        name: "config",
        may_use: &["domain"],
        never: &[ASYNC, "dicom-object", "dicom-ul", "ort"],
    },
    Room {
        name: "dimse",
        may_use: &["domain", "dataset"],
        never: &["dicom-object", "rusqlite", "ort"],
    },
    Room {
        name: "trust",
        may_use: &["domain"],
        never: &[ASYNC, "dicom-", "rusqlite", "ort", "tracing", "rustix"],
    },
    Room {
        name: "scp",
        may_use: &["domain", "dataset", "dimse", "trust"],
        never: &["rusqlite", "ort", "dicom-object"],
    },
    Room {
        name: "scu",
        may_use: &["domain", "dataset", "dimse", "trust"],
        never: &["rusqlite", "ort", "dicom-object"],
    },
    Room {
        name: "spool",
        may_use: &["domain", "dataset"],
        never: &["dicom-ul", "dicom-object", "ort", ASYNC],
    },
    Room {
        name: "inference",
        may_use: &["domain", "dataset", "series", "pixels", "catalogue"],
        never: &[ASYNC, "dicom-ul", "rusqlite"],
    },
    Room {
        name: "catalogue",
        may_use: &["domain", "dataset"],
        never: &[ASYNC, "serde", "dicom-", "rayon", "ort", "rusqlite"],
    },
    Room {
        name: "sr-writer",
        may_use: &["domain", "dataset", "series"],
        never: &[ASYNC, "dicom-ul", "dicom-object", "rusqlite", "ort"],
    },
    Room {
        name: "gate",
        may_use: &["domain", "dataset"],
        never: &[ASYNC, "dicom-", "rusqlite", "ort", "rayon"],
    },
    Room {
        name: "node",
        may_use: &[
            "domain",
            "dataset",
            "series",
            "pixels",
            "config",
            "dimse",
            "trust",
            "scp",
            "scu",
            "spool",
            "inference",
            "catalogue",
            "sr-writer",
            "gate",
        ],
        never: &["ort", "rusqlite", "dicom-"],
    },
    Room { name: "tests", may_use: &["domain", "dataset"], never: &["dicom-", "rusqlite", "ort"] },
    Room { name: "xtask", may_use: &["tests"], never: &[ASYNC, "dicom-", "ort"] },
];

/// Checks every room.
///
/// # Errors
/// All edges that the table does not allow, and rooms that it does not know.
pub(crate) fn check(metadata: &Metadata) -> Result<()> {
    let names: BTreeSet<&str> = metadata.rooms().map(|room| room.name.as_str()).collect();
    let mut faults: Vec<String> = metadata.rooms().flat_map(|room| faults(room, &names)).collect();
    let gone = ROOMS.iter().filter(|room| !names.contains(room.name));
    faults
        .extend(gone.map(|room| format!("{} is in the table and not in the workspace", room.name)));
    if faults.is_empty() { Ok(()) } else { bail!("{}", faults.join("\n")) }
}

/// Tests may use more than the room does; `[dev-dependencies]` are left out.
fn faults(package: &Package, rooms: &BTreeSet<&str>) -> Vec<String> {
    let name = &package.name;
    let Some(room) = ROOMS.iter().find(|room| room.name == name) else {
        return vec![format!("{name} is not in the table of xtask/src/dependencies.rs")];
    };
    let used =
        package.dependencies.iter().filter(|dependency| dependency.kind.as_deref() != Some("dev"));
    let used = used.map(|dependency| dependency.name.as_str());
    let forbidden = |other: &&str| {
        if rooms.contains(other) {
            !room.may_use.contains(other)
        } else {
            room.never.iter().any(|beginning| other.starts_with(beginning))
        }
    };
    used.filter(forbidden).map(|other| format!("{name} must not use {other}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Dependency;

    fn using(name: &str, kind: Option<&str>) -> Package {
        let kind = kind.map(str::to_owned);
        Package {
            name: "domain".into(),
            version: "0".into(),
            license: None,
            source: None,
            dependencies: vec![Dependency { name: name.into(), kind }],
        }
    }

    #[test]
    fn an_edge_that_is_not_in_the_table_is_found() {
        let rooms = BTreeSet::from(["domain", "spool"]);
        assert_eq!(faults(&using("spool", None), &rooms), ["domain must not use spool"]);
        assert_eq!(faults(&using("tokio-util", None), &rooms), ["domain must not use tokio-util"]);
        assert!(faults(&using("tokio", Some("dev")), &rooms).is_empty());
        assert!(faults(&using("uuid", None), &rooms).is_empty());
    }

    #[test]
    fn the_workspace_is_as_the_table_says() {
        check(&Metadata::read().unwrap()).unwrap();
    }
}
