//! What a destination is offered: the forms that it may get, best first, each instance in transfer syntaxes, best first.

use domain::{SegmentationForm, SegmentationKind, TransferSyntaxUid, Wishes};
use scu::{Offered, Outgoing};
use spool::ResultFile;

/// What everybody takes, offered after what is wished for.
const LAST: [&str; 2] = ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2"];

/// The choices of one delivery.
#[derive(Debug)]
pub(crate) struct Choices {
    /// Their forms, best first.
    pub(crate) forms: Vec<String>,
    /// Their instances, in order of delivery.
    pub(crate) sets: Vec<Vec<Offered>>,
}

impl Choices {
    /// The forms of a job's results that suit a destination. One that could not be written, because segments overlap or a cap
    /// cuts nothing, was written as a simpler one, which is looked for in its place. Where none was written, because the wishes
    /// are others since, what was written is offered.
    pub(crate) fn of(wishes: &Wishes, results: &[ResultFile]) -> Self {
        let is_written = |form: &String| results.iter().any(|result| result.form == *form);
        let mut forms: Vec<String> = Vec::new();
        for form in wishes.forms() {
            let uncapped = SegmentationForm { frames_max: None, ..form };
            let written =
                [form, uncapped].into_iter().map(|form| form.to_string()).find(is_written);
            forms.extend(written.filter(|form| !forms.contains(form)));
        }
        if forms.is_empty() {
            forms = written(results);
        }
        let set = |form: &String| {
            let suits = |result: &&ResultFile| result.form == *form && is_wanted(wishes, result);
            let of_form = results.iter().filter(suits);
            of_form.map(|result| offered(wishes, result)).collect()
        };
        Self { sets: forms.iter().map(set).collect(), forms }
    }

    /// Whether nothing of them is to be sent.
    pub(crate) fn is_empty(&self) -> bool {
        self.sets.iter().all(Vec::is_empty)
    }
}

/// The forms that there are, those first that most can read.
fn written(results: &[ResultFile]) -> Vec<String> {
    let mut forms: Vec<String> = Vec::new();
    for result in results {
        if !forms.contains(&result.form) {
            forms.push(result.form.clone());
        }
    }
    forms.sort_by_key(|form| !is_binary(form));
    forms
}

fn is_binary(form: &str) -> bool {
    form.starts_with(SegmentationKind::Binary.as_str())
}

/// Companions were written for all destinations that want some.
fn is_wanted(wishes: &Wishes, result: &ResultFile) -> bool {
    let wanted = wishes.companions;
    match result.kind.as_str() {
        "key-objects" => wanted.key_objects,
        "secondary-capture" => wanted.secondary_capture,
        "presentation-state" => wanted.presentation_state,
        "rejection-note" => wanted.rejection_note,
        _ => true,
    }
}

fn offered(wishes: &Wishes, result: &ResultFile) -> Offered {
    let last = LAST.iter().filter_map(|uid| TransferSyntaxUid::parse(uid).ok());
    let mut syntaxes: Vec<TransferSyntaxUid> = Vec::new();
    for syntax in wishes.transfer_syntaxes.iter().cloned().chain(last) {
        if sr_writer::can_recode(&syntax, bits(result)) && !syntaxes.contains(&syntax) {
            syntaxes.push(syntax);
        }
    }
    let (identity, path) = (result.identity.clone(), result.path.clone());
    Offered { stored: Outgoing { identity, path }, transfer_syntaxes: syntaxes }
}

/// Bits of a pixel, for what has pixels.
fn bits(result: &ResultFile) -> Option<u16> {
    match result.kind.as_str() {
        "segmentation" if is_binary(&result.form) => Some(1),
        "segmentation" | "secondary-capture" => Some(8),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use domain::{
        InstanceIdentity, SeriesInstanceUid, SopClassUid, SopInstanceUid, StudyInstanceUid,
    };

    use super::*;

    fn result(kind: &str, form: &str) -> ResultFile {
        let identity = InstanceIdentity {
            study: StudyInstanceUid::parse("1").unwrap(),
            series: SeriesInstanceUid::parse("1").unwrap(),
            sop_instance: SopInstanceUid::parse("1").unwrap(),
            sop_class: SopClassUid::parse("1").unwrap(),
            transfer_syntax: TransferSyntaxUid::parse(LAST[0]).unwrap(),
        };
        ResultFile { kind: kind.into(), form: form.into(), identity, path: "x".into() }
    }

    #[test]
    fn forms_come_in_the_order_of_the_wishes() {
        let results = [result("segmentation", "BINARY"), result("segmentation", "LABELMAP")];
        let forms = |wishes: &Wishes| Choices::of(wishes, &results).forms;
        assert_eq!(forms(&Wishes::default()), ["BINARY"]);
        let kinds = vec![SegmentationKind::Labelmap];
        let label_map = Wishes { kinds, ..Wishes::default() };
        assert_eq!(forms(&label_map), ["LABELMAP", "BINARY"]);
        let capped = Wishes { frames_max: std::num::NonZeroUsize::new(9), ..label_map.clone() };
        assert_eq!(forms(&capped), ["LABELMAP", "BINARY"], "nothing was split");
        assert_eq!(Choices::of(&label_map, &results[..1]).forms, ["BINARY"], "it overlaps");
    }

    #[test]
    fn where_no_wished_form_was_written_those_are_offered_that_were() {
        let capped = "BINARY, at most 500 frames";
        let results = [result("segmentation", "LABELMAP"), result("segmentation", capped)];
        let wishes = Wishes { keep_empty_frames: true, ..Wishes::default() };
        let choices = Choices::of(&wishes, &results);
        assert_eq!(choices.forms, [capped, "LABELMAP"]);
        assert!(choices.sets.iter().all(|set| set.len() == 1));
        assert!(!choices.is_empty());
        assert!(Choices::of(&wishes, &[]).is_empty());
    }

    #[test]
    fn only_what_an_object_can_be_written_in_is_offered() {
        let rle = TransferSyntaxUid::parse("1.2.840.10008.1.2.5").unwrap();
        let wishes = Wishes { transfer_syntaxes: vec![rle.clone()], ..Wishes::default() };
        let syntaxes = |kind, form| offered(&wishes, &result(kind, form)).transfer_syntaxes;
        assert_eq!(syntaxes("segmentation", "BINARY").len(), 2);
        assert_eq!(syntaxes("segmentation", "LABELMAP")[0], rle);
        assert_eq!(syntaxes("report", "LABELMAP").len(), 2);
    }
}
