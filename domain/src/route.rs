//! Which rule takes which series, and why.

use std::collections::BTreeMap;
use std::fmt;

use regex::Regex;

use crate::{AeTitle, Ask, Tag};

/// How an attribute is tested. An attribute with several values passes when one of them does.
#[derive(Debug, Clone)]
pub enum Test {
    /// One of the values is exactly one of these.
    OneOf(Vec<String>),
    /// One of the values matches.
    Matches(Regex),
    /// One of the values is a number within these bounds, both included.
    Range {
        /// Lower bound.
        min: Option<f64>,
        /// Upper bound.
        max: Option<f64>,
    },
    /// The attribute is there and has a value (`true`), or is not (`false`).
    Present(bool),
}

/// One condition of a rule on one attribute.
#[derive(Debug, Clone)]
pub struct Condition {
    /// The attribute.
    pub tag: Tag,
    /// Its keyword, as the rule was written.
    pub keyword: String,
    /// What it must be.
    pub test: Test,
}

/// How the planes of a series lie, by the axis that is nearest to their normal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Orientation {
    /// Normal towards head or feet.
    Axial,
    /// Normal towards front or back.
    Coronal,
    /// Normal towards left or right.
    Sagittal,
}

impl Orientation {
    /// The orientation of planes with this normal (LPS).
    #[must_use]
    pub fn of_normal(normal: [f64; 3]) -> Self {
        let [x, y, z] = normal.map(f64::abs);
        if z >= x && z >= y {
            Self::Axial
        } else if y >= x {
            Self::Coronal
        } else {
            Self::Sagittal
        }
    }

    /// `axial`, `coronal` or `sagittal`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Axial => "axial",
            Self::Coronal => "coronal",
            Self::Sagittal => "sagittal",
        }
    }
}

/// Bounds on a number, both included.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct GeometryRange {
    /// Lower bound.
    pub min: Option<f64>,
    /// Upper bound.
    pub max: Option<f64>,
}

impl GeometryRange {
    fn contains(self, value: f64) -> bool {
        self.min.is_none_or(|min| value >= min) && self.max.is_none_or(|max| value <= max)
    }
}

impl fmt::Display for GeometryRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.min, self.max) {
            (Some(min), Some(max)) => write!(f, "{min} to {max}"),
            (Some(min), None) => write!(f, "at least {min}"),
            (None, Some(max)) => write!(f, "at most {max}"),
            (None, None) => f.write_str("anything"),
        }
    }
}

/// Whether the rules behind one that took a series are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// No: first match.
    Stop,
    /// Yes: all matches.
    Continue,
}

/// What has to be complete before the rule is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// The series.
    Series,
    /// All series of the study.
    Study,
}

/// One rule: conditions, all of which must hold, and what is then done.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Unique name.
    pub name: String,
    /// Conditions on attributes.
    pub conditions: Vec<Condition>,
    /// Titles of senders; empty for any.
    pub calling: Vec<AeTitle>,
    /// Titles that were called; empty for any.
    pub called: Vec<AeTitle>,
    /// Number of slices.
    pub slices: GeometryRange,
    /// Distance between slices, in mm.
    pub slice_spacing_mm: GeometryRange,
    /// How the planes lie; empty for any.
    pub orientation: Vec<Orientation>,
    /// Name of the model.
    pub model: String,
    /// What a promptable model is asked; the default for any other.
    pub ask: Ask,
    /// Names of destinations.
    pub destinations: Vec<String>,
    /// What happens to the rules behind it.
    pub then: Then,
    /// What has to be complete.
    pub after: After,
}

/// What the geometry of a series is, as far as rules ask for it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GeometryFacts {
    /// Slices (frames).
    pub slices: usize,
    /// Distance between slices, in mm; `None` for a single slice or unequal distances.
    pub slice_spacing_mm: Option<f64>,
    /// How the planes lie; `None` without an orientation.
    pub orientation: Option<Orientation>,
}

/// What rules may ask of a series.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesFacts {
    /// Values of the first instance's attributes, text form, split at backslashes, trimmed.
    pub attributes: BTreeMap<Tag, Vec<String>>,
    /// Title of the sender; `None` for files.
    pub calling: Option<AeTitle>,
    /// Title that was called; `None` for files.
    pub called: Option<AeTitle>,
    /// Geometry.
    pub geometry: GeometryFacts,
}

/// Why a rule did not take a series.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason(pub String);

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What one rule says about one series.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// The rule takes it.
    Taken,
    /// The conditions that fail; never empty.
    Refused(Vec<Reason>),
    /// An earlier rule took it and stops there.
    NotAsked {
        /// That rule.
        stopped_by: String,
    },
}

/// All rules, in order.
#[derive(Debug, Clone, Default)]
pub struct RoutingTable {
    /// The rules in the order in which they are asked.
    pub rules: Vec<Rule>,
}

impl RoutingTable {
    /// What every rule of this kind says about a series, in order. Rules of the other kind are left out.
    #[must_use]
    pub fn explain(&self, facts: &SeriesFacts, after: After) -> Vec<(&Rule, Verdict)> {
        let mut stopped_by: Option<&str> = None;
        let mut verdicts = Vec::new();
        for rule in self.rules.iter().filter(|rule| rule.after == after) {
            let verdict = match stopped_by {
                Some(name) => Verdict::NotAsked { stopped_by: name.into() },
                None => rule.verdict(facts),
            };
            if verdict == Verdict::Taken && rule.then == Then::Stop {
                stopped_by = Some(&rule.name);
            }
            verdicts.push((rule, verdict));
        }
        verdicts
    }
}

impl Rule {
    /// Asks every condition, so that a refusal lists all that fails.
    #[must_use]
    pub fn verdict(&self, facts: &SeriesFacts) -> Verdict {
        let mut reasons: Vec<Reason> =
            self.conditions.iter().filter_map(|condition| condition.fault(facts)).collect();
        reasons.extend(title_fault("calling", &self.calling, facts.calling.as_ref()));
        reasons.extend(title_fault("called", &self.called, facts.called.as_ref()));
        reasons.extend(self.geometry_faults(&facts.geometry));
        if reasons.is_empty() { Verdict::Taken } else { Verdict::Refused(reasons) }
    }

    #[expect(clippy::cast_precision_loss, reason = "slice counts are far below 2^52")]
    fn geometry_faults(&self, facts: &GeometryFacts) -> Vec<Reason> {
        let mut reasons = Vec::new();
        if !self.slices.contains(facts.slices as f64) {
            reasons.push(Reason(format!("{} slices, not {}", facts.slices, self.slices)));
        }
        if self.slice_spacing_mm != GeometryRange::default() {
            match facts.slice_spacing_mm {
                Some(mm) if self.slice_spacing_mm.contains(mm) => {}
                Some(mm) => reasons.push(Reason(format!(
                    "slice spacing {mm:.3} mm, not {}",
                    self.slice_spacing_mm
                ))),
                None => reasons.push(Reason("no slice spacing".into())),
            }
        }
        if !self.orientation.is_empty()
            && !facts.orientation.is_some_and(|o| self.orientation.contains(&o))
        {
            let found = facts.orientation.map_or("none", Orientation::as_str);
            let wanted: Vec<_> = self.orientation.iter().map(|o| o.as_str()).collect();
            reasons.push(Reason(format!("orientation {found}, not {}", wanted.join(" or "))));
        }
        reasons
    }
}

fn title_fault(side: &str, wanted: &[AeTitle], found: Option<&AeTitle>) -> Option<Reason> {
    if wanted.is_empty() || found.is_some_and(|title| wanted.contains(title)) {
        return None;
    }
    let found = found.map_or("none", AeTitle::as_str);
    let wanted: Vec<_> = wanted.iter().map(AeTitle::as_str).collect();
    Some(Reason(format!("{side} AE title {found}, not {}", wanted.join(" or "))))
}

impl Condition {
    /// Why the condition fails; patient attributes are named, their values are not shown.
    fn fault(&self, facts: &SeriesFacts) -> Option<Reason> {
        let values = facts.attributes.get(&self.tag).map(Vec::as_slice).unwrap_or_default();
        let values: Vec<&str> =
            values.iter().map(String::as_str).filter(|value| !value.is_empty()).collect();
        let fault = match &self.test {
            Test::Present(wanted) if *wanted == values.is_empty() => {
                Some(if *wanted { "absent" } else { "present" }.to_owned())
            }
            Test::Present(_) => None,
            Test::OneOf(_) | Test::Matches(_) | Test::Range { .. } if values.is_empty() => {
                Some("absent".to_owned())
            }
            Test::OneOf(_) | Test::Matches(_) | Test::Range { .. } => {
                let passes = values.iter().any(|value| self.test.passes(value));
                (!passes).then(|| format!("{}, not {}", self.shown(&values), self.test))
            }
        };
        fault.map(|fault| Reason(format!("{} is {fault}", self.keyword)))
    }

    fn shown(&self, values: &[&str]) -> String {
        // Group 0010 is the patient: names and dates of birth do not belong in logs.
        if self.tag.group == 0x0010 { "***".into() } else { format!("\"{}\"", values.join("\\")) }
    }
}

impl Test {
    fn passes(&self, value: &str) -> bool {
        match self {
            Self::OneOf(wanted) => wanted.iter().any(|wanted| wanted == value),
            Self::Matches(regex) => regex.is_match(value),
            Self::Range { min, max } => {
                let range = GeometryRange { min: *min, max: *max };
                value.parse().is_ok_and(|number| range.contains(number))
            }
            Self::Present(wanted) => *wanted,
        }
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OneOf(wanted) => write!(f, "\"{}\"", wanted.join("\" or \"")),
            Self::Matches(regex) => write!(f, "matching /{regex}/"),
            Self::Range { min, max } => write!(f, "{}", GeometryRange { min: *min, max: *max }),
            Self::Present(true) => f.write_str("present"),
            Self::Present(false) => f.write_str("absent"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODALITY: Tag = Tag::new(0x0008, 0x0060);
    const IMAGE_TYPE: Tag = Tag::new(0x0008, 0x0008);
    const PATIENT_NAME: Tag = Tag::new(0x0010, 0x0010);

    fn rule(name: &str, tag: Tag, keyword: &str, test: Test) -> Rule {
        Rule {
            name: name.into(),
            conditions: vec![Condition { tag, keyword: keyword.into(), test }],
            calling: vec![],
            called: vec![],
            slices: GeometryRange::default(),
            slice_spacing_mm: GeometryRange::default(),
            orientation: vec![],
            model: "m".into(),
            ask: Ask::default(),
            destinations: vec![],
            then: Then::Stop,
            after: After::Series,
        }
    }

    fn facts() -> SeriesFacts {
        let attributes = [
            (MODALITY, vec!["CT".to_owned()]),
            (IMAGE_TYPE, vec!["ORIGINAL".into(), "PRIMARY".into(), "AXIAL".into()]),
            (PATIENT_NAME, vec!["Doe^Jane".into()]),
        ];
        SeriesFacts {
            attributes: attributes.into(),
            calling: AeTitle::parse("CT1").ok(),
            called: AeTitle::parse("NODE").ok(),
            geometry: GeometryFacts {
                slices: 30,
                slice_spacing_mm: Some(3.0),
                orientation: Some(Orientation::Axial),
            },
        }
    }

    fn one_of(value: &str) -> Test {
        Test::OneOf(vec![value.into()])
    }

    fn refusal(rule: &Rule) -> String {
        match rule.verdict(&facts()) {
            Verdict::Refused(reasons) => {
                reasons.iter().map(Reason::to_string).collect::<Vec<_>>().join("; ")
            }
            Verdict::Taken | Verdict::NotAsked { .. } => "taken".into(),
        }
    }

    #[test]
    fn one_of_several_values_is_enough() {
        assert_eq!(refusal(&rule("r", IMAGE_TYPE, "ImageType", one_of("PRIMARY"))), "taken");
        assert_eq!(
            refusal(&rule("r", MODALITY, "Modality", one_of("MR"))),
            "Modality is \"CT\", not \"MR\""
        );
    }

    #[test]
    fn a_refusal_lists_every_fault() {
        let mut rule = rule("r", MODALITY, "Modality", one_of("CT"));
        rule.calling = vec![AeTitle::parse("MR1").unwrap()];
        rule.slices.min = Some(40.0);
        rule.slice_spacing_mm.max = Some(2.0);
        rule.orientation = vec![Orientation::Coronal];
        assert_eq!(
            refusal(&rule),
            "calling AE title CT1, not MR1; 30 slices, not at least 40; \
             slice spacing 3.000 mm, not at most 2; orientation axial, not coronal"
        );
    }

    #[test]
    fn patient_values_are_not_shown() {
        let regex = Test::Matches(Regex::new("^Smith").unwrap());
        assert_eq!(
            refusal(&rule("r", PATIENT_NAME, "PatientName", regex)),
            "PatientName is ***, not matching /^Smith/"
        );
    }

    #[test]
    fn ranges_and_presence() {
        let range = |min, max| Test::Range { min, max };
        let echo = Tag::new(0x0018, 0x0081);
        let mut facts = facts();
        facts.attributes.insert(echo, vec!["2.5".into()]);
        let takes = |test| rule("r", echo, "EchoTime", test).verdict(&facts) == Verdict::Taken;
        assert!(takes(range(Some(2.5), None)) && takes(range(None, Some(2.5))));
        assert!(!takes(range(Some(2.6), None)) && !takes(range(None, Some(2.4))));
        assert!(takes(Test::Present(true)) && !takes(Test::Present(false)));
    }

    #[test]
    fn first_match_stops_and_all_matches_go_on() {
        let mut table = RoutingTable {
            rules: vec![
                rule("mr", MODALITY, "Modality", one_of("MR")),
                rule("ct", MODALITY, "Modality", one_of("CT")),
                rule("any", MODALITY, "Modality", Test::Present(true)),
            ],
        };
        let names = |table: &RoutingTable| -> Vec<String> {
            let verdicts = table.explain(&facts(), After::Series).into_iter();
            let taken = verdicts.filter(|(_, verdict)| *verdict == Verdict::Taken);
            taken.map(|(rule, _)| rule.name.clone()).collect()
        };
        assert_eq!(names(&table), ["ct"]);
        let explained = table.explain(&facts(), After::Series);
        assert_eq!(explained[2].1, Verdict::NotAsked { stopped_by: "ct".into() });
        table.rules[1].then = Then::Continue;
        assert_eq!(names(&table), ["ct", "any"]);
        assert!(table.explain(&facts(), After::Study).is_empty());
    }
}
