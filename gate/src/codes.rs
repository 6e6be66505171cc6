//! Coded concepts: known, and fit for their attributes.

use dataset::{DataSet, Value, tags};
use domain::Tag;

use crate::evidence::Evidence;
use crate::fault::Faults;

/// Sequences whose codes are the source's own business.
const OF_SOURCE: [Tag; 4] = [
    tags::REQUEST_ATTRIBUTES_SEQUENCE,
    tags::REFERENCED_REQUEST_SEQUENCE,
    tags::PERFORMED_PROCEDURE_CODE_SEQUENCE,
    tags::REFERENCED_PERFORMED_PROCEDURE_STEP_SEQUENCE,
];

/// (121058, DCM, "Procedure reported"): its value may be the study's own procedure code.
const PROCEDURE_REPORTED: &str = "121058";

/// Looks at every code below a data set but those that come from the source.
pub(crate) fn check_codes(
    set: &DataSet,
    copied: &[Tag],
    evidence: &Evidence<'_>,
    path: &str,
    faults: &mut Faults,
) {
    let procedure = set
        .items(tags::CONCEPT_NAME_CODE_SEQUENCE)
        .first()
        .and_then(|name| name.text(tags::CODE_VALUE))
        .is_some_and(|value| value == PROCEDURE_REPORTED);
    for (tag, element) in set.iter() {
        let Value::Items(items) = &element.value else { continue };
        let is_foreign = copied.contains(tag) || OF_SOURCE.contains(tag);
        if is_foreign || (procedure && *tag == tags::CONCEPT_CODE_SEQUENCE) {
            continue;
        }
        for (number, item) in (1..).zip(items) {
            let place = format!("{path}{tag}[{number}].");
            if item.contains(tags::CODING_SCHEME_DESIGNATOR) {
                check_code(item, evidence, &place, faults);
            }
            check_codes(item, &[], evidence, &place, faults);
        }
    }
}

fn check_code(item: &DataSet, evidence: &Evidence<'_>, path: &str, faults: &mut Faults) {
    let text = |tag| item.text(tag).unwrap_or_default();
    let (short, long) = (text(tags::CODE_VALUE), text(tags::LONG_CODE_VALUE));
    let (scheme, meaning) = (text(tags::CODING_SCHEME_DESIGNATOR), text(tags::CODE_MEANING));
    let is_one = short.is_empty() != long.is_empty() && short.len() <= 16;
    faults.unless(is_one && scheme.len() <= 16 && meaning.len() <= 64, "code-length", path, || {
        format!("({short}{long}, {scheme}, {meaning:?})")
    });
    let value = if short.is_empty() { long } else { short };
    let known = (evidence.known_code)(&value, &scheme, &meaning);
    faults.unless(known, "unknown-code", path, || format!("({value}, {scheme}, {meaning:?})"));
}
