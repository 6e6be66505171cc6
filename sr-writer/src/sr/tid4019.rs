//! TID 4019, Algorithm Identification.

use domain::Findings;

use super::item::Item;
use crate::coding::{
    ALGORITHM_FAMILY, ALGORITHM_MANUFACTURER, ALGORITHM_NAME, ALGORITHM_PARAMETERS,
    ALGORITHM_VERSION, ARTIFICIAL_INTELLIGENCE,
};
use crate::text::escaped;

/// The model, its hash and its settings; to be added as concept modifiers.
pub(crate) fn algorithm(findings: &Findings) -> Vec<Item> {
    let model = &findings.model;
    let hash = format!("sha256={}", model.sha256);
    let parameters = std::iter::once(&hash).chain(&findings.parameters);
    let mut items = vec![
        Item::text(ALGORITHM_NAME, &model.name),
        Item::text(ALGORITHM_VERSION, &model.version),
    ];
    items.extend(parameters.map(|parameter| Item::text(ALGORITHM_PARAMETERS, &escaped(parameter))));
    items.push(Item::code(ALGORITHM_FAMILY, &ARTIFICIAL_INTELLIGENCE.concept()));
    items.push(Item::text(ALGORITHM_MANUFACTURER, &model.manufacturer));
    items
}
