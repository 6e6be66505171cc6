//! Which rules will take a series, as far as its first instance tells while the rest still arrives.

use crate::{After, GeometryRange, RoutingTable, Rule, SeriesFacts, Then, Verdict};

impl RoutingTable {
    /// The rules that take a series whose first instance has these facts, unless a later instance changes its mind.
    ///
    /// What only the whole series can tell is not guessed: a rule that asks for the number of slices, for their spacing or for
    /// the whole study is left out, and so is what stands behind it where it may stop the others.
    #[must_use]
    pub fn foresee(&self, first: &SeriesFacts) -> Vec<&Rule> {
        let mut foreseen = Vec::new();
        for rule in self.rules.iter().filter(|rule| rule.after == After::Series) {
            if rule.without_whole_series().verdict(first) != Verdict::Taken {
                continue;
            }
            if !rule.needs_whole_series() {
                foreseen.push(rule);
            }
            if rule.then == Then::Stop {
                break;
            }
        }
        foreseen
    }
}

impl Rule {
    fn needs_whole_series(&self) -> bool {
        [self.slices, self.slice_spacing_mm].iter().any(|range| *range != GeometryRange::default())
    }

    fn without_whole_series(&self) -> Self {
        let anything = GeometryRange::default();
        Self { slices: anything, slice_spacing_mm: anything, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{Ask, GeometryFacts, Orientation};

    fn rule(name: &str, then: Then) -> Rule {
        Rule {
            name: name.into(),
            conditions: vec![],
            calling: vec![],
            called: vec![],
            slices: GeometryRange::default(),
            slice_spacing_mm: GeometryRange::default(),
            orientation: vec![],
            model: "m".into(),
            ask: Ask::default(),
            destinations: vec![],
            then,
            after: After::Series,
        }
    }

    fn first() -> SeriesFacts {
        let orientation = Some(Orientation::Axial);
        SeriesFacts {
            attributes: BTreeMap::new(),
            calling: None,
            called: None,
            geometry: GeometryFacts { slices: 1, slice_spacing_mm: None, orientation },
        }
    }

    fn foreseen(rules: Vec<Rule>) -> Vec<String> {
        let table = RoutingTable { rules };
        table.foresee(&first()).iter().map(|rule| rule.name.clone()).collect()
    }

    fn at_least(min: f64) -> GeometryRange {
        GeometryRange { min: Some(min), max: None }
    }

    #[test]
    fn what_takes_the_first_instance_is_foreseen_up_to_a_stop() {
        let other = Rule { orientation: vec![Orientation::Coronal], ..rule("no", Then::Stop) };
        let rules = vec![
            other,
            rule("a", Then::Continue),
            Rule { after: After::Study, ..rule("study", Then::Stop) },
            rule("b", Then::Stop),
            rule("c", Then::Stop),
        ];
        assert_eq!(foreseen(rules), ["a", "b"]);
    }

    #[test]
    fn what_needs_the_whole_series_is_not_guessed() {
        let counting = |then| Rule { slices: at_least(20.0), ..rule("counts", then) };
        assert_eq!(foreseen(vec![counting(Then::Stop), rule("a", Then::Stop)]), [""; 0]);
        assert_eq!(foreseen(vec![counting(Then::Continue), rule("a", Then::Stop)]), ["a"]);
        let spaced = Rule { slice_spacing_mm: at_least(1.0), ..rule("spaced", Then::Stop) };
        assert_eq!(foreseen(vec![rule("a", Then::Continue), spaced]), ["a"]);
    }
}
