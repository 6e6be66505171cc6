//! Coded concepts of what can be found, and how sure we are of each code.

use domain::CodedConcept;

use crate::table::{Row, Table, TableFault};

/// A concept with what SEG writes beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concept {
    /// Its name in our tables.
    pub key: &'static str,
    /// Segmented Property Type.
    pub property_type: CodedConcept,
    /// Segmented Property Category, CID 7150.
    pub category: CodedConcept,
    /// Segmented Property Type Modifier: a side (CID 244) or something else.
    pub modifier: Option<CodedConcept>,
    /// Anatomic Region.
    pub region: Option<CodedConcept>,
    /// Whether the code was seen in the standard or in a tool that follows it, without doubt about its meaning.
    pub verified: bool,
    /// Where the code was seen.
    pub seen_in: &'static str,
    /// What is to be known about it.
    pub note: Option<&'static str>,
}

/// The two sides of CID 244 that our tables use.
const SIDES: [&str; 2] = ["7771000", "24028007"];

impl Concept {
    /// The side, when the modifier is one.
    #[must_use]
    pub fn laterality(&self) -> Option<&CodedConcept> {
        self.modifier.as_ref().filter(|code| SIDES.contains(&code.value.as_str()))
    }
}

/// Reads `concepts.tsv`, with the categories of `categories.tsv`.
pub(crate) fn read() -> Result<Vec<Concept>, TableFault> {
    let categories =
        Table::read("categories.tsv", include_str!("../data/categories.tsv"))?.map(|row| {
            Ok(CodedConcept::new(row.text("value")?, row.text("scheme")?, row.text("meaning")?))
        })?;
    let table = Table::read("concepts.tsv", include_str!("../data/concepts.tsv"))?;
    let concepts = table.map(|row| concept(row, &categories))?;
    let twice = concepts
        .iter()
        .enumerate()
        .find(|(index, concept)| concepts[..*index].iter().any(|other| other.key == concept.key));
    match twice {
        Some((_, concept)) => {
            let problem = format!("{} stands there twice", concept.key);
            Err(TableFault { table: "concepts.tsv", line: 0, problem })
        }
        None => Ok(concepts),
    }
}

fn concept(row: Row<'_>, categories: &[CodedConcept]) -> Result<Concept, TableFault> {
    let category = |value: &str| categories.iter().find(|known| known.value == value).cloned();
    let property_type = CodedConcept::new(
        row.optional("value")?.unwrap_or(""),
        row.text("scheme")?,
        row.text("meaning")?,
    );
    let verified = row.yes("verified")?;
    if verified && property_type.value.is_empty() {
        return Err(row.fault("is verified and has no code"));
    }
    Ok(Concept {
        key: row.text("key")?,
        property_type,
        category: row.known("category", category)?,
        modifier: triple(row, "modifier")?,
        region: triple(row, "region")?,
        verified,
        seen_in: row.text("seen_in")?,
        note: row.optional("note")?,
    })
}

/// A cell of the form `SCHEME:VALUE:MEANING`.
fn triple(row: Row<'_>, column: &str) -> Result<Option<CodedConcept>, TableFault> {
    let Some(cell) = row.optional(column)? else { return Ok(None) };
    match cell.splitn(3, ':').collect::<Vec<_>>()[..] {
        [scheme, value, meaning] => Ok(Some(CodedConcept::new(value, scheme, meaning))),
        _ => Err(row.fault(format!("{column} is not SCHEME:VALUE:MEANING"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sources that follow the standard; what only other people's code shows is no proof.
    const PROOF: [&str; 7] =
        ["PS3.16-AnnexL", "dcmqi", "pixelmed25", "pydicom", "slicer", "totalseg", "this table"];

    #[test]
    fn a_code_is_verified_exactly_when_its_sources_prove_it() {
        for concept in read().unwrap() {
            let proven = concept.seen_in.split(", ").any(|source| PROOF.contains(&source));
            let doubtful = concept.note.is_some_and(|note| note.contains("UNVERIFIED"));
            assert_eq!(concept.verified, proven && !doubtful, "{}", concept.key);
        }
    }

    #[test]
    fn codes_fit_into_their_attributes() {
        for concept in read().unwrap() {
            let codes =
                [Some(&concept.property_type), concept.modifier.as_ref(), concept.region.as_ref()];
            for code in codes.into_iter().flatten() {
                assert!(code.value.len() <= 16 && code.meaning.len() <= 64, "{}", concept.key);
                let digits = code.value.bytes().all(|byte| byte.is_ascii_digit());
                assert!(code.scheme != "SCT" || digits, "{}", concept.key);
            }
        }
    }

    #[test]
    fn public_codes_of_snomed_have_their_check_digit() {
        for concept in read().unwrap() {
            let codes =
                [Some(&concept.property_type), concept.modifier.as_ref(), concept.region.as_ref()];
            for code in codes.into_iter().flatten().filter(|code| code.scheme == "SCT") {
                assert!(verhoeff(&code.value), "{}: {code}", concept.key);
            }
        }
        assert!(!verhoeff("10200005"));
    }

    /// The check of ISO 7064's rival, Verhoeff's, with which each SNOMED CT identifier ends.
    fn verhoeff(digits: &str) -> bool {
        const P: [usize; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
        let permuted = |digit: usize, times: usize| (0..times % 8).fold(digit, |at, _| P[at]);
        let multiplied = |a: usize, b: usize| match (a < 5, b < 5) {
            (true, true) => (a + b) % 5,
            (true, false) => 5 + (a + b - 5) % 5,
            (false, true) => 5 + (a - 5 + 5 - b) % 5,
            (false, false) => (a - 5 + 5 - (b - 5)) % 5,
        };
        let digits = digits.bytes().rev().map(|byte| usize::from(byte - b'0'));
        digits.enumerate().fold(0, |sum, (at, digit)| multiplied(sum, permuted(digit, at))) == 0
    }
}
