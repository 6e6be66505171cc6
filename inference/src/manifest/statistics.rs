//! A model's own distributions for p-values: `{type: {target: [[a, b], [a, b], [a, b], [a, b]]}}`, of mask probability, red,
//! green and blue. Does not know how a p-value is made of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use catalogue::Beta;
use serde_json::Value;

/// Largest file, in bytes; the published one has twelve thousand.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Distributions by type of recognition and target.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Statistics(BTreeMap<String, BTreeMap<String, [Beta; 4]>>);

impl Statistics {
    /// The distributions of a target of a type.
    pub(crate) fn of(&self, kind: &str, target: &str) -> Option<&[Beta; 4]> {
        self.0.get(kind)?.get(target)
    }

    /// How many targets have some.
    pub(crate) fn target_count(&self) -> usize {
        self.0.values().map(BTreeMap::len).sum()
    }
}

/// Reads a file of them; what is wrong is said with the place in it.
pub(super) fn read(path: &Path) -> Result<Statistics, String> {
    let bytes = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if bytes > FILE_BYTES_MAX {
        return Err(format!("{bytes} bytes, {FILE_BYTES_MAX} are allowed"));
    }
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let value: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let kinds = value.as_object().ok_or("an object of types is wanted")?;
    let read = kinds.iter().map(|(kind, targets)| {
        let targets =
            targets.as_object().ok_or_else(|| format!("{kind}: an object of targets is wanted"))?;
        let targets = targets.iter().map(|(target, pairs)| {
            let four = four(pairs).map_err(|what| format!("{kind}, {target}: {what}"))?;
            Ok((target.clone(), four))
        });
        Ok((kind.clone(), targets.collect::<Result<_, String>>()?))
    });
    read.collect::<Result<_, String>>().map(Statistics)
}

fn four(pairs: &Value) -> Result<[Beta; 4], String> {
    let pairs = pairs.as_array().map(Vec::as_slice).unwrap_or_default();
    let betas: Result<Vec<Beta>, String> = pairs.iter().map(beta).collect();
    <[Beta; 4]>::try_from(betas?)
        .map_err(|found| format!("four pairs are wanted, not {}", found.len()))
}

fn beta(pair: &Value) -> Result<Beta, String> {
    let numbers = pair.as_array().map(Vec::as_slice).unwrap_or_default();
    match numbers.iter().map(Value::as_f64).collect::<Option<Vec<_>>>().as_deref() {
        Some([a, b]) => Beta::new(*a, *b).map_err(|error| error.to_string()),
        _ => Err("each pair is two numbers, a and b".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<Statistics, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("target_dist.json");
        fs::write(&path, text).unwrap();
        read(&path)
    }

    #[test]
    fn distributions_are_found_by_type_and_target() {
        let found = check(r#"{"CT": {"liver": [[1, 2], [3, 4.5], [5, 6], [7, 8]]}}"#).unwrap();
        assert_eq!(found.target_count(), 1);
        assert_eq!(found.of("CT", "liver").unwrap()[1], Beta::new(3.0, 4.5).unwrap());
        assert_eq!(found.of("MR", "liver"), None);
    }

    #[test]
    fn what_is_none_is_refused_with_its_place() {
        for (text, wanted) in [
            ("[]", "an object of types"),
            (r#"{"CT": 1}"#, "CT: an object of targets"),
            (r#"{"CT": {"liver": [[1, 2]]}}"#, "CT, liver: four pairs are wanted, not 1"),
            (r#"{"CT": {"liver": [[1], [1, 2], [1, 2], [1, 2]]}}"#, "two numbers"),
            (r#"{"CT": {"liver": [[0, 1], [1, 2], [1, 2], [1, 2]]}}"#, "CT, liver: "),
            ("{", "EOF"),
        ] {
            let what = check(text).unwrap_err();
            assert!(what.contains(wanted), "{text}: {what}");
        }
    }
}
