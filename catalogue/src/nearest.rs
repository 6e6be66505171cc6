//! Which targets have a name near to words that nobody knows.

use std::collections::BTreeMap;

use crate::words::{lexicon, words};

/// How alike a name must be to be worth naming, 0 to 1.
const ALIKE_MIN: f64 = 0.45;
/// How many names help a reader.
const NAMES_MAX: usize = 3;

/// Up to three targets whose names, in any language, are spelled like the words or share words with them; best first.
#[must_use]
pub fn nearest(given: &str) -> Vec<&'static str> {
    let given: Vec<String> = words(given).into_iter().map(|word| word.plain).collect();
    let text: Vec<char> = given.join(" ").chars().collect();
    let mut best: BTreeMap<&'static str, f64> = BTreeMap::new();
    for (term, target) in lexicon().targets() {
        let entry = best.entry(target).or_insert(0.0);
        let shared = words_shared(&given, term) * 0.95;
        *entry = entry.max(shared).max(spelled_alike(&text, term, entry.max(ALIKE_MIN)));
    }
    let mut names: Vec<_> = best.into_iter().filter(|(_, alike)| *alike >= ALIKE_MIN).collect();
    names.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.len().cmp(&b.0.len())));
    names.into_iter().take(NAMES_MAX).map(|(target, _)| target).collect()
}

/// 1 less the edits from one text to the other, as a share of the longer; 0 where their lengths alone put it below `least`.
#[expect(clippy::cast_precision_loss, reason = "texts are short")]
fn spelled_alike(a: &[char], b: &str, least: f64) -> f64 {
    let b: Vec<char> = b.chars().collect();
    let longer = a.len().max(b.len()).max(1) as f64;
    if 1.0 - a.len().abs_diff(b.len()) as f64 / longer < least {
        return 0.0;
    }
    1.0 - edits(a, &b) as f64 / longer
}

/// Letters to insert, remove or replace.
fn edits(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// Words in common, as a share of all words of both.
#[expect(clippy::cast_precision_loss, reason = "texts are short")]
fn words_shared(given: &[String], term: &str) -> f64 {
    let shared = term.split(' ').filter(|word| given.iter().any(|other| other == word)).count();
    let all = (given.len() + term.split(' ').count()).saturating_sub(shared).max(1);
    shared as f64 / all as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_pen_are_near() {
        assert_eq!(nearest("splen")[0], "spleen");
        assert_eq!(nearest("pankreaz")[0], "pancreas");
        assert_eq!(nearest("left kidny")[0], "left kidney");
        assert!(nearest("hippocampus").contains(&"anterior hippocampus"));
        assert!(nearest("qqqqqqqqq").is_empty());
        assert_eq!(edits(&['a', 'b', 'c'], &['b', 'c', 'd']), 2);
    }
}
