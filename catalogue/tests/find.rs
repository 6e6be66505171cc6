//! Prompts in, sentences or reasons out.
#![expect(clippy::unwrap_used, reason = "tests")]

use catalogue::{
    Context, FindError, Found, Imaging, Modality, Sequence, Vocabulary, catalogue, find,
    find_volume,
};

fn image(label: &str, site: &str) -> Context {
    let imaging = Imaging::labelled(label).unwrap();
    Context {
        modality: Some(imaging.modality()),
        sequence: Some(imaging.sequence()).filter(|sequence| *sequence != Sequence::Plain),
        site: catalogue().site(site),
        why: vec![],
    }
}

fn asked(words: &str, label: &str, site: &str) -> Result<Found, FindError> {
    find(words, &image(label, site), Vocabulary::Closed)
}

fn says(words: &str, label: &str, site: &str) -> String {
    asked(words, label, site).map_or_else(|error| error.to_string(), |found| found.understood)
}

#[test]
fn every_tested_sentence_is_found_as_it_is_with_and_without_a_header() {
    for prompt in catalogue().prompts() {
        let sentence = prompt.sentence();
        for context in [image(prompt.imaging.label(), prompt.site), Context::default()] {
            let found = find(&sentence, &context, Vocabulary::Closed).unwrap();
            assert_eq!(found.understood, sentence);
            assert_eq!(found.object.unwrap().name, prompt.object, "{sentence}");
            assert_eq!(found.given, sentence);
        }
    }
}

#[test]
fn every_tested_target_is_completed_from_the_header() {
    for prompt in catalogue().prompts() {
        let found = asked(prompt.target, prompt.imaging.label(), prompt.site).unwrap();
        assert_eq!(found.understood, prompt.sentence());
        assert_eq!(found.tested.map(|tested| tested.target), Some(prompt.target));
        assert!(found.notes.is_empty(), "{:?}", found.notes);
    }
}

#[test]
fn every_object_type_has_a_sentence() {
    for object in catalogue().objects() {
        let context = image(object.modalities[0].name(), object.sites[0]);
        let found = find(object.name, &context, Vocabulary::Closed).unwrap();
        assert_eq!(found.object.unwrap().name, object.name);
        assert!(found.understood.ends_with(found.imaging.unwrap().label()), "{}", found.understood);
    }
    assert_eq!(says("pancreas tumor", "CT", "pancreas"), "tumor in pancreas CT");
    assert_eq!(says("cerebellum", "MRI", "brain"), "cerebellum in brain MRI");
    assert_eq!(says("heart", "X-Ray", "chest"), "heart in chest X-Ray");
    assert_eq!(asked("heart", "X-Ray", "chest").unwrap().tested, None);
    assert_eq!(says("lung", "CT", "lung"), "lung was only trained in X-Ray, this is CT");
}

#[test]
fn words_of_five_languages_mean_the_same() {
    for (words, target) in [
        ("IVC", "postcava"),
        ("Vena cava inferior", "postcava"),
        ("untere Hohlvene", "postcava"),
        ("veine cave inférieure", "postcava"),
        ("下腔静脉", "postcava"),
        ("GB", "gallbladder"),
        ("Gallenblase", "gallbladder"),
        ("vésicule biliaire", "gallbladder"),
        ("vesícula biliar", "gallbladder"),
        ("胆囊", "gallbladder"),
        ("RK", "right kidney"),
        ("die rechte Niere", "right kidney"),
        ("le rein droit", "right kidney"),
        ("riñón derecho", "right kidney"),
        ("右肾", "right kidney"),
        ("oesophagus", "esophagus"),
        ("Speiseroehre", "esophagus"),
        ("Kidneys", "kidney"),
        ("la rate", "spleen"),
        ("renal mass", "kidney tumor"),
    ] {
        assert_eq!(says(words, "CT", "abdomen"), format!("{target} in abdomen CT"), "{words}");
    }
    assert_eq!(says("LA", "ultrasound", "heart"), "left heart atrium in heart ultrasound");
    assert_eq!(
        says("pubic symphysis", "ultrasound", "transperineal"),
        "public symphysis in transperineal ultrasound"
    );
}

#[test]
fn paraphrases_are_understood() {
    let sentence = "liver in abdomen CT";
    for words in [
        "CT imaging of the liver in the abdomen",
        "Visualization of the liver in abdominal CT imaging",
        "Leber im Abdomen CT",
        "hígado en TC de abdomen",
        "腹部CT中的肝脏",
        "LIVER",
    ] {
        assert_eq!(says(words, "CT", "abdomen"), sentence, "{words}");
    }
    let words = "renal mass in abdominal computed tomography imaging";
    assert_eq!(says(words, "CT", "abdomen"), "kidney tumor in abdomen CT");
    assert_eq!(says("tumour in the liver", "CT", "abdomen"), "tumor in liver CT");
    assert_eq!(
        says("brain tumour core in MRI FLAIR", "MRI", "brain"),
        "tumor core in brain MRI-FLAIR"
    );
}

#[test]
fn a_modality_that_was_never_trained_is_refused_with_the_reason() {
    let refused = says("retinal vessel", "CT", "abdomen");
    assert_eq!(refused, "retinal vessel was only trained in fundus, this is CT");
    assert_eq!(
        says("edema", "MRI-T1-Gd", "brain"),
        "edema was only trained in MRI-FLAIR, OCT, this is MRI-T1-Gd"
    );
    assert_eq!(
        says("liver in abdomen CT", "MRI", "abdomen"),
        "the prompt says CT, the image is MRI"
    );
    assert_eq!(says("liver CT MRI", "MRI", "abdomen"), "the prompt says CT and MRI");
}

#[test]
fn a_site_where_it_cannot_be_is_refused_and_a_neighbour_is_not() {
    assert_eq!(
        says("prostate", "MRI", "brain"),
        "prostate was only trained at pelvis, prostate, this is brain"
    );
    let found = asked("liver", "CT", "lung").unwrap();
    assert_eq!(found.understood, "liver in abdomen CT");
    assert_eq!(found.notes, ["the image is lung, the prompt says abdomen: trained there"]);
}

#[test]
fn what_the_sequence_decides() {
    assert_eq!(says("edema", "MRI-FLAIR", "brain"), "edema in brain MRI-FLAIR");
    let mut context = image("MRI", "brain");
    let found = find("edema", &context, Vocabulary::Closed).unwrap();
    assert_eq!(found.understood, "edema in brain MRI-FLAIR");
    assert_eq!(found.notes, ["the sequence is not known; edema was only trained in MRI-FLAIR"]);
    context.sequence = Some(Sequence::Plain);
    let refused = find("edema", &context, Vocabulary::Closed).unwrap_err();
    assert_eq!(refused.to_string(), "edema was only trained in MRI-FLAIR, OCT, this is MRI");
    let said = find("edema in brain MRI-FLAIR", &context, Vocabulary::Closed).unwrap();
    assert_eq!(
        said.understood, "edema in brain MRI-FLAIR",
        "the prompt knows more than the header"
    );
    assert_eq!(says("PZ", "MRI-T2", "prostate"), "prostate peripheral zone in prostate MRI-T2");
    assert_eq!(says("prostate", "MRI-T2", "prostate"), "prostate in prostate MRI");
    assert_eq!(Imaging::new(Modality::Mri, Sequence::T2).label(), "MRI-T2");
}

#[test]
fn words_that_may_mean_several_things_ask_back() {
    let context = Context { modality: Some(Modality::Ct), ..Context::default() };
    let error = find("tumor", &context, Vocabulary::Closed).unwrap_err();
    assert!(matches!(error, FindError::Ambiguous { .. }), "{error}");
    assert!(error.to_string().contains("liver tumor"), "{error}");
    let error = find("liver", &Context::default(), Vocabulary::Closed).unwrap_err();
    assert_eq!(
        error.to_string(),
        "liver was trained in CT, MRI, ultrasound; neither prompt nor image says which"
    );
    assert_eq!(
        says("optic disc and optic cup", "fundus", "retinal"),
        "one prompt asks for one target, not for optic disc and optic cup"
    );
}

#[test]
fn two_targets_are_never_taken_for_one() {
    for words in [
        "liver and spleen",
        "foie et rate",
        "Leber und Milz",
        "liver kidney",
        "kidney and liver tumor",
    ] {
        let refused = asked(words, "CT", "abdomen");
        assert!(matches!(refused, Err(FindError::SeveralTargets { .. })), "{words}: {refused:?}");
        let refused = find_volume(words, &image("CT", "abdomen"));
        assert!(refused.is_err(), "{words}: {refused:?}");
    }
}

#[test]
fn unknown_words_are_refused_with_the_nearest_or_sent_as_they_are() {
    let error = asked("left kidny", "CT", "abdomen").unwrap_err();
    let FindError::Unknown { words, nearest } = &error else { panic!("{error}") };
    assert_eq!((words.as_str(), nearest[0].as_str()), ("left kidny", "left kidney"));
    assert!(asked("brain", "MRI", "brain").is_err(), "a site is no target");
    let context = image("CT", "abdomen");
    let found = find(" Appendix  vermiformis ", &context, Vocabulary::Open).unwrap();
    assert_eq!((found.understood.as_str(), found.object), ("Appendix vermiformis", None));
    assert!(found.notes[0].starts_with("sent as it is"));
    let wrong = find("retinal vessel", &context, Vocabulary::Open).unwrap_err();
    assert!(matches!(wrong, FindError::WrongModality { .. }), "open does not mean wrong");
}

#[test]
fn bad_prompts_have_clear_results() {
    for empty in ["", "   ", "\t\n", "...", "-"] {
        assert_eq!(asked(empty, "CT", "abdomen"), Err(FindError::Empty));
    }
    let long = "liver ".repeat(75);
    assert!(!matches!(asked(&long, "CT", "abdomen"), Err(FindError::TooLong { .. })));
    let long = "liver ".repeat(76);
    assert_eq!(asked(&long, "CT", "abdomen"), Err(FindError::TooLong { tokens: 78 }));
    assert_eq!(
        asked("печень", "CT", "abdomen"),
        Err(FindError::OtherScript { script: "Cyrillic" })
    );
    assert_eq!(asked("الكبد", "CT", "abdomen"), Err(FindError::OtherScript { script: "Arabic" }));
    assert_eq!(asked("간", "CT", "abdomen"), Err(FindError::OtherScript { script: "Korean" }));
}

#[test]
fn every_target_of_v2_is_found_by_its_name() {
    for target in catalogue().volumes() {
        let found = find_volume(target.name, &Context::default()).unwrap();
        assert_eq!((found.target.name, found.understood.as_str()), (target.name, target.name));
    }
}

#[test]
fn words_of_v1_find_targets_of_v2() {
    let of = |words: &str, label, site| find_volume(words, &image(label, site));
    let says = |words, label, site| of(words, label, site).unwrap().understood;
    assert_eq!(says("IVC", "CT", "abdomen"), "inferior vena cava in abdomen CT");
    assert_eq!(says("linke Niere im CT", "CT", "abdomen"), "left kidney in abdomen CT");
    assert_eq!(says("CT of the left humerus", "CT", "chest"), "left humerus in chest CT");
    assert_eq!(says("liver in abdomen", "CT", "abdomen"), "liver in abdomen CT");
    let said = find_volume("liver in abdomen CT", &Context::default()).unwrap();
    assert_eq!(said.understood, "liver in abdomen CT");
    assert_eq!(says("la rate", "CT", "abdomen"), "spleen in abdomen CT");
    assert_eq!(says("LA", "MRI", "heart"), "left heart atrium in heart MRI");
    let refused = of("retinal vessel", "CT", "abdomen").unwrap_err();
    assert!(matches!(refused, FindError::Unknown { .. }), "{refused}");
    let refused = of("left humerus", "MRI", "abdomen").unwrap_err();
    assert_eq!(refused.to_string(), "left humerus was only trained in CT, this is MRI");
    assert!(matches!(
        of("trachea and sacrum", "CT", "lung"),
        Err(FindError::SeveralTargets { .. })
    ));
    assert_eq!(of(" ", "CT", "lung"), Err(FindError::Empty));
    assert!(
        matches!(asked("left humerus", "CT", "lung"), Err(FindError::Unknown { .. })),
        "v1 has none"
    );
}

#[test]
fn no_text_breaks_the_search() {
    let pieces = [
        "liver",
        "LEFT",
        "kidney",
        " ",
        "-",
        "肝",
        "左",
        "ß",
        "Ö",
        "e\u{301}",
        "\u{301}",
        "in",
        "CT",
        "MRI",
        "FLAIR",
        "la",
        "LA",
        "\0",
        "\u{202e}",
        "🫁",
        "x",
        "tumor",
        "abdomen",
        "pancreatic",
        "Я",
        "\t",
    ];
    let mut state = 7_u64;
    let mut found = 0;
    for _ in 0..600 {
        let mut text = String::new();
        for _ in 0..6 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            text.push_str(pieces[usize::try_from(state >> 33).unwrap() % pieces.len()]);
        }
        for context in [Context::default(), image("CT", "abdomen"), image("MRI", "brain")] {
            found += usize::from(find(&text, &context, Vocabulary::Closed).is_ok());
            found += usize::from(find_volume(&text, &context).is_ok());
            let open = find(&text, &context, Vocabulary::Open);
            assert!(open.is_err() || open.unwrap().given == text);
        }
    }
    assert!(found > 10, "{found}");
}
