//! Answers made ahead of the series: used where they fit, and only there.

use domain::Findings;
use inference::{
    Ahead, AheadCounts, AnswerOptions, Model, Neighbourhood, Questions, SliceAnswers, answer_ahead,
};
use series::SourceSlice;

use crate::made::{Made, Read, body};
use crate::support::runtime;
use crate::{asking, header, tiny};

fn neighbourhood(slices: &[SourceSlice], k: usize) -> Neighbourhood<'_> {
    Neighbourhood {
        this: &slices[k],
        previous: k.checked_sub(1).map(|k| &slices[k]),
        next: slices.get(k + 1),
    }
}

fn understood(model: &Model, read: &Read) -> Questions {
    let generation_fits = ["left kidney", "liver", "spleen"];
    model.understand(&asking(&generation_fits), header(read)).unwrap()
}

/// The findings with answers made ahead, and how many of them were used.
fn with(
    model: &Model,
    read: &Read,
    questions: &Questions,
    ahead: Option<&SliceAnswers>,
) -> Findings {
    let options = AnswerOptions { keep_probabilities: false, ahead };
    inference::answer(model, &read.source, questions, options).unwrap().1
}

fn make_all(model: &Model, read: &Read, questions: &Questions) -> SliceAnswers {
    let store = SliceAnswers::new(1 << 20);
    for k in 0..read.source.slices.len() {
        let around = neighbourhood(&read.source.slices, k);
        let made = answer_ahead(model, questions, &around, false, &store).unwrap();
        assert_eq!(made, Ahead::Made);
        let again = answer_ahead(model, questions, &around, false, &store).unwrap();
        assert_eq!(again, Ahead::Known);
    }
    store
}

#[test]
fn what_was_made_ahead_is_used_and_changes_nothing() {
    let Some(runtime) = runtime() else { return };
    let read = Made::ct([48, 40, 5]).read();
    for generation in ["v1", "v2"] {
        let model = tiny(generation, &runtime);
        let questions = understood(&model, &read);
        let wanted = with(&model, &read, &questions, None);
        let store = make_all(&model, &read, &questions);
        assert_eq!(store.len(), 5);
        assert_eq!(with(&model, &read, &questions, Some(&store)), wanted);
        assert_eq!(store.counts(), AheadCounts { made: 5, used: 5, dropped: 0 });
        // They have served; the next time all is computed.
        assert_eq!(with(&model, &read, &questions, Some(&store)), wanted);
    }
}

#[test]
fn a_slice_that_changed_takes_its_neighbours_along() {
    let Some(runtime) = runtime() else { return };
    let read = Made::ct([48, 40, 6]).read();
    // The same instances, but the pixels of slice 3 are others.
    let changed = Made::ct([48, 40, 6])
        .with(|made| made.stored = |at, _| body(at) + u16::from(at == [20, 20, 3]))
        .read();
    for (generation, used) in [("v1", 5), ("v2", 3)] {
        let model = tiny(generation, &runtime);
        let questions = understood(&model, &read);
        let store = make_all(&model, &read, &questions);
        let wanted = with(&model, &changed, &questions, None);
        assert_eq!(with(&model, &changed, &questions, Some(&store)), wanted);
        assert_eq!(store.counts().used, used, "{generation}");
    }
}

#[test]
fn other_questions_find_nothing() {
    let Some(runtime) = runtime() else { return };
    let read = Made::ct([48, 40, 3]).read();
    let model = tiny("v2", &runtime);
    let store = make_all(&model, &read, &understood(&model, &read));
    let other = model.understand(&asking(&["liver"]), header(&read)).unwrap();
    with(&model, &read, &other, Some(&store));
    assert_eq!(store.counts(), AheadCounts { made: 3, used: 0, dropped: 0 });
    let kept = AnswerOptions { keep_probabilities: true, ahead: Some(&store) };
    inference::answer(&model, &read.source, &understood(&model, &read), kept).unwrap();
    assert_eq!(store.counts().used, 0, "probabilities were not kept ahead");
}

#[test]
fn intensities_of_the_whole_series_have_to_be_waited_for() {
    let Some(runtime) = runtime() else { return };
    let read = Made::ct([48, 40, 3])
        .with(|made| {
            made.modality = "MR";
            made.change = |_| {};
        })
        .read();
    let model = tiny("v2", &runtime);
    let questions = understood(&model, &read);
    let store = SliceAnswers::new(1 << 20);
    let around = neighbourhood(&read.source.slices, 1);
    let made = answer_ahead(&model, &questions, &around, false, &store).unwrap();
    assert_eq!((made, store.len()), (Ahead::NeedsSeries, 0));
}
