//! The question of a job as the ledger keeps it: one JSON object, from which keys are left out whose value is the default.

use domain::{Ask, Boxes, Instead, Recognise, Turn, Vocabulary};
use rusqlite::Error;
use rusqlite::types::Type;
use serde::{Deserialize, Serialize};

/// The object.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Kept {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    prompts: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    targets: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recognise: Option<All>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vocabulary: Option<Open>,
    #[serde(skip_serializing_if = "Option::is_none")]
    boxes: Option<Parts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    modality: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    site: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    window: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    turn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p_least: Option<f64>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum All {
    All,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Open {
    Open,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Parts {
    Parts,
}

/// The question as JSON.
pub(super) fn to_json(ask: &Ask) -> rusqlite::Result<String> {
    let kept = Kept {
        prompts: ask.prompts.clone(),
        targets: ask.targets.clone(),
        recognise: (ask.recognise == Recognise::All).then_some(All::All),
        vocabulary: (ask.vocabulary == Vocabulary::Open).then_some(Open::Open),
        boxes: (ask.boxes == Boxes::Parts).then_some(Parts::Parts),
        modality: ask.instead.modality.clone(),
        site: ask.instead.site.clone(),
        sequence: ask.instead.sequence.clone(),
        window: ask.instead.window.clone(),
        turn: ask.turn.map(|turn| turn.to_string()),
        p_least: ask.p_least,
    };
    serde_json::to_string(&kept).map_err(|error| Error::ToSqlConversionFailure(Box::new(error)))
}

/// The question of a JSON object.
pub(super) fn from_json(text: &str) -> rusqlite::Result<Ask> {
    let kept: Kept = serde_json::from_str(text).map_err(wrong)?;
    let Kept { modality, site, sequence, window, .. } = kept;
    Ok(Ask {
        prompts: kept.prompts,
        targets: kept.targets,
        recognise: kept.recognise.map_or(Recognise::Nothing, |All::All| Recognise::All),
        vocabulary: kept.vocabulary.map_or(Vocabulary::Closed, |Open::Open| Vocabulary::Open),
        boxes: kept.boxes.map_or(Boxes::None, |Parts::Parts| Boxes::Parts),
        instead: Instead { modality, site, sequence, window },
        turn: kept.turn.as_deref().map(Turn::parse).transpose().map_err(wrong)?,
        p_least: kept.p_least,
    })
}

fn wrong(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::FromSqlConversionFailure(0, Type::Text, Box::new(error))
}

#[cfg(test)]
mod tests {
    use domain::{Mirror, Quarters};

    use super::*;

    #[test]
    fn every_part_of_a_question_comes_back() {
        let word = |text: &str| Some(text.to_owned());
        let ask = Ask {
            prompts: vec!["liver in \"abdomen\" CT".into(), "\u{8d}\\".into()],
            targets: vec!["spleen".into()],
            recognise: Recognise::All,
            vocabulary: Vocabulary::Open,
            boxes: Boxes::Parts,
            instead: Instead {
                modality: word("MRI"),
                site: word("brain"),
                sequence: word("T1-Gd"),
                window: word("lung"),
            },
            turn: Some(Turn { mirror: Mirror::LeftRight, quarters: Quarters::Three }),
            p_least: Some(0.1),
        };
        assert_eq!(from_json(&to_json(&ask).unwrap()).unwrap(), ask);
    }

    #[test]
    fn a_question_that_was_not_asked_takes_no_room() {
        assert_eq!(to_json(&Ask::default()).unwrap(), "{}");
        assert_eq!(from_json("{}").unwrap(), Ask::default());
    }

    #[test]
    fn what_is_no_question_is_an_error() {
        for text in
            ["", "[1]", "{\"prompt\": 1}", "{\"turn\": \"45\"}", "{\"recognise\": \"some\"}"]
        {
            assert!(from_json(text).is_err(), "{text}");
        }
    }
}
