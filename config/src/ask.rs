//! What a rule asks of a promptable model, as written → resolved. Whether the words mean something is for the catalogue to say.

use domain::{Ask, Boxes, Instead, Recognise, Turn, Vocabulary};

use crate::Faults;
use crate::written;

/// The question of a rule; faults go to `faults` under its name.
pub(crate) fn ask(key: &str, written: &written::Rule, faults: &mut Faults) -> Ask {
    let turn = written.turn.as_deref().map(Turn::parse);
    let ask = Ask {
        prompts: written.prompts.clone(),
        targets: written.targets.clone(),
        recognise: match written.recognise {
            None => Recognise::Nothing,
            Some(written::Recognise::All) => Recognise::All,
        },
        vocabulary: if written.open_vocabulary { Vocabulary::Open } else { Vocabulary::Closed },
        boxes: if written.boxes { Boxes::Parts } else { Boxes::None },
        instead: Instead {
            modality: written.modality.clone(),
            site: written.site.clone(),
            sequence: written.sequence.clone(),
            window: written.window.clone(),
        },
        turn: turn.and_then(|turn| faults.take(&format!("{key} turn"), turn)),
        p_least: written.p_least,
    };
    for (name, fault) in ask.faults() {
        faults.add(&format!("{key} {name}"), fault);
    }
    ask
}
