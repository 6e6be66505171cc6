//! Which licences and sources a dependency may have, and why.

use anyhow::{Result, bail};

use crate::metadata::{Metadata, Package};

/// Licences that a dependency may be used under, and why they fit an application under MIT OR Apache-2.0.
const ALLOWED: [(&str, &str); 10] = [
    ("MIT", "ours"),
    ("Apache-2.0", "ours"),
    ("Apache-2.0 WITH LLVM-exception", "Apache-2.0 with a permission more"),
    ("BSD-2-Clause", "permissive, keeps the notice"),
    ("BSD-3-Clause", "permissive, keeps the notice"),
    ("ISC", "permissive, keeps the notice"),
    ("Zlib", "permissive"),
    ("CC0-1.0", "public domain"),
    ("Unicode-3.0", "permissive; tables of the Unicode Consortium"),
    ("IJG", "permissive; the JPEG decoder names the Independent JPEG Group"),
];

/// The registry that crates come from.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Checks every crate of the lock file.
///
/// # Errors
/// All crates whose licence or source is not allowed.
pub(crate) fn check(metadata: &Metadata) -> Result<()> {
    let faults: Vec<String> = metadata.packages.iter().filter_map(fault).collect();
    if faults.is_empty() { Ok(()) } else { bail!("{}", faults.join("\n")) }
}

fn fault(package: &Package) -> Option<String> {
    let of = format!("{} {}", package.name, package.version);
    let from_registry = package.source.as_deref().is_none_or(|source| source == REGISTRY);
    if !from_registry {
        return Some(format!("{of}: source {:?} is not allowed", package.source));
    }
    match &package.license {
        None => Some(format!("{of}: names no licence")),
        Some(licence) if is_allowed(licence) => None,
        Some(licence) => Some(format!("{of}: licence {licence} is not allowed")),
    }
}

/// Whether an SPDX expression can be fulfilled with allowed licences. `/` is the old way to write `OR`.
fn is_allowed(expression: &str) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let mut words: Vec<&str> = spaced.split_whitespace().rev().collect();
    let allowed = any_of(&mut words);
    // Words that are left mean an expression that we do not understand.
    allowed && words.is_empty()
}

/// `all OR all OR …`; the words are in reverse, the next one last.
fn any_of(words: &mut Vec<&str>) -> bool {
    let mut allowed = all_of(words);
    while words.last() == Some(&"OR") {
        words.pop();
        // Both sides are read, whatever the first says.
        allowed |= all_of(words);
    }
    allowed
}

fn all_of(words: &mut Vec<&str>) -> bool {
    let mut allowed = one(words);
    while words.last() == Some(&"AND") {
        words.pop();
        allowed &= one(words);
    }
    allowed
}

fn one(words: &mut Vec<&str>) -> bool {
    match words.pop() {
        Some("(") => {
            let allowed = any_of(words);
            words.pop() == Some(")") && allowed
        }
        Some(name) => {
            let mut name = name.to_owned();
            if words.last() == Some(&"WITH") {
                words.pop();
                name = format!("{name} WITH {}", words.pop().unwrap_or_default());
            }
            ALLOWED.iter().any(|(allowed, _)| *allowed == name)
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions() {
        let good = [
            "MIT",
            "GPL-3.0 OR MIT",
            "Apache-2.0 / GPL-3.0",
            "(MIT OR GPL-2.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception",
        ];
        let bad =
            ["GPL-3.0", "MIT AND GPL-3.0", "", "MIT OR", "(MIT", "MIT Apache-2.0", "MIT WITH x"];
        assert_eq!(good.iter().find(|text| !is_allowed(text)), None);
        // `MIT OR` can be fulfilled by MIT; it is no valid expression, but harmless.
        assert_eq!(bad.iter().filter(|text| is_allowed(text)).collect::<Vec<_>>(), [&"MIT OR"]);
    }

    #[test]
    fn every_crate_of_the_lock_file_is_allowed() {
        check(&Metadata::read().unwrap()).unwrap();
    }

    #[test]
    fn a_git_source_is_refused() {
        let mut package = Package {
            name: "x".into(),
            version: "1".into(),
            license: Some("MIT".into()),
            source: Some(REGISTRY.into()),
            dependencies: vec![],
        };
        assert_eq!(fault(&package), None);
        package.source = Some("git+https://example.org/x".into());
        assert!(fault(&package).is_some());
    }
}
