//! What is wrong with models, words and images, and what is said of it.

use std::fs;

use dataset::{Vr, tags};
use domain::{Absence, Ask, Instead, Recognise, UnsuitableCode, Vocabulary};
use inference::{Manifest, Model};

use crate::levels::{Levels, OWN, listed, rewrite};
use crate::made::{Made, Read};
use crate::support::runtime;
use crate::{ask, asking, folder, header, tiny};

fn ct() -> Read {
    Made::ct([32, 32, 2]).read()
}

/// What is said of words for a CT of the abdomen.
fn refusal(model: &Model, read: &Read, asked: &Ask) -> String {
    let error = model.understand(asked, header(read)).unwrap_err();
    assert_eq!(error.code, UnsuitableCode::PromptRefused, "{error}");
    error.detail
}

#[test]
fn words_that_cannot_be_asked_are_refused_with_what_is_near() {
    let Some(runtime) = runtime() else { return };
    let (model, read) = (tiny("v1", &runtime), ct());
    let long = vec!["liver"; 80].join(" ");
    let in_long_words = "7".repeat(80);
    for (words, wanted) in [
        ("", "\"\": the prompt is empty"),
        ("  \t", "the prompt is empty"),
        (long.as_str(), "82 tokens, the model takes 77"),
        ("печень", "Cyrillic script"),
        ("retinal vessel", "this is CT"),
        ("splen", "nearest: spleen"),
        ("liver and spleen", "one prompt asks for one target"),
        ("liver MRI", "the prompt says MRI"),
    ] {
        let said = refusal(&model, &read, &asking(&[words]));
        assert!(said.contains(wanted), "{words}: {said}");
    }
    let open = |words: &str| Ask { vocabulary: Vocabulary::Open, ..asking(&[words]) };
    let said = refusal(&model, &read, &open(&in_long_words));
    assert!(said.contains("tokens, the model takes 77"), "{said}");
    let said = refusal(&model, &read, &open("nonsense <end_of_text>"));
    assert!(said.contains("a mark of the tokenizer"), "{said}");
    let many: Vec<String> = (0..300).map(|n| format!("thing number {n}")).collect();
    let many = Ask { prompts: many, vocabulary: Vocabulary::Open, ..Ask::default() };
    assert!(refusal(&model, &read, &many).contains("more than 256 prompts"));
    assert!(refusal(&model, &read, &Ask::default()).contains("nothing is asked"));
    let beyond = Ask { p_least: Some(f64::NAN), ..asking(&["liver"]) };
    assert!(refusal(&model, &read, &beyond).contains("p-values are from 0 to 1"));
}

#[test]
fn open_words_are_asked_as_they_are() {
    let Some(runtime) = runtime() else { return };
    let asked = Ask { vocabulary: Vocabulary::Open, ..asking(&["печень", "weird blob"]) };
    for generation in ["v1", "v2"] {
        let model = tiny(generation, &runtime);
        let findings = ask(&model, &ct(), &asked).unwrap();
        assert_eq!(findings.segments.len() + findings.absent.len(), 2);
    }
}

#[test]
fn words_of_a_rule_that_nobody_knows_are_refused() {
    let Some(runtime) = runtime() else { return };
    let (model, read) = (tiny("v1", &runtime), ct());
    let instead = |fill: fn(&mut Instead)| {
        let mut instead = Instead::default();
        fill(&mut instead);
        Ask { instead, ..asking(&["liver"]) }
    };
    for (asked, wanted) in [
        (instead(|rule| rule.modality = Some("nowhere".into())), "none of CT, MRI"),
        (instead(|rule| rule.site = Some("nowhere".into())), "none of abdomen"),
        (instead(|rule| rule.sequence = Some("nowhere".into())), "none of FLAIR"),
        (instead(|rule| rule.window = Some("nowhere".into())), "none of abdomen, lung"),
    ] {
        let said = refusal(&model, &read, &asked);
        assert!(said.contains("\"nowhere\"") && said.contains(wanted), "{said}");
    }
}

#[test]
fn images_that_no_model_takes_are_refused() {
    let Some(runtime) = runtime() else { return };
    let model = tiny("v2", &runtime);
    let code = |read: &Read| model.understand(&asking(&["liver"]), header(read)).unwrap_err().code;
    let photographs = Made::photographs([32, 32, 1], "OP").read();
    assert_eq!(code(&photographs), UnsuitableCode::WrongModality);
    let slide = Made::photographs([32, 32, 1], "US")
        .with(|made| made.change = |set| set.put_u32s(tags::TOTAL_PIXEL_MATRIX_COLUMNS, &[99]))
        .read();
    assert_eq!(code(&slide), UnsuitableCode::WholeSlide);
    let questions = model.understand(&asking(&["liver"]), header(&ct())).unwrap();
    let options = inference::AnswerOptions::default();
    let error = inference::answer(&model, &slide.source, &questions, options).unwrap_err();
    assert_eq!(error.code, UnsuitableCode::WholeSlide);
    // No body part and no rescale: an answer all the same, by what the words say.
    let bare = Made::ct([32, 32, 1]).with(|made| made.change = |_| {}).read();
    let questions = model.understand(&asking(&["liver"]), header(&bare)).unwrap();
    assert_eq!(questions.list()[0].understood, "liver in CT");
    assert!(inference::answer(&model, &bare.source, &questions, options).is_ok());
    let all = Ask { recognise: Recognise::All, ..asking(&[]) };
    let said = refusal(&tiny("v1", &runtime), &bare, &all);
    assert!(said.contains("no type for CT of an unknown site"), "{said}");
}

#[test]
fn images_of_any_size_are_answered() {
    let Some(runtime) = runtime() else { return };
    for generation in ["v1", "v2"] {
        let model = tiny(generation, &runtime);
        for size in [[1, 1, 1], [1, 40, 2], [300, 1, 1], [16_384, 2, 1], [3, 16_384, 1]] {
            let findings = ask(&model, &Made::ct(size).read(), &asking(&["left kidney"])).unwrap();
            assert_eq!(findings.grid.size(), size, "{generation}");
        }
    }
}

#[test]
fn equal_pixels_are_an_empty_picture_and_no_error() {
    let Some(runtime) = runtime() else { return };
    let flat = |modality: &'static str, stored: fn([usize; 3], usize) -> u16| {
        let made = Made::ct([32, 32, 2]).with(|made| {
            made.modality = modality;
            made.stored = stored;
        });
        made.read()
    };
    let levels = Levels::default().load(&runtime).unwrap();
    for (modality, asked) in [("CT", "liver"), ("MR", "liver in abdomen MRI")] {
        for read in [flat(modality, |_, _| 0), flat(modality, |_, _| 1100)] {
            for generation in ["v1", "v2"] {
                ask(&tiny(generation, &runtime), &read, &asking(&[asked])).unwrap();
            }
            let findings = ask(&levels, &read, &asking(&[asked])).unwrap();
            assert_eq!(findings.absent[0].reason, Absence::EmptyMask, "{modality}");
        }
    }
}

#[test]
fn slices_that_differ_in_depth_are_refused() {
    let Some(runtime) = runtime() else { return };
    // Colour among grey: the first slice decides.
    let model = tiny("v1", &runtime);
    let grey = Made::ct([32, 32, 2]).read();
    let mut mixed = grey.source.clone();
    let color = Made::photographs([32, 32, 1], "OP").read();
    mixed.slices[1].instance = std::sync::Arc::clone(&color.source.instances[0]);
    let questions = model.understand(&asking(&["liver"]), header(&grey)).unwrap();
    let options = inference::AnswerOptions::default();
    let error = inference::answer(&model, &mixed, &questions, options).unwrap_err();
    assert_eq!(error.code, UnsuitableCode::PixelFormat);
}

#[test]
fn values_that_are_none_name_the_graph() {
    let Some(runtime) = runtime() else { return };
    for (bias, graph) in [(f32::NAN, "image encoder"), (f32::INFINITY, "image encoder")] {
        let error = Levels { bias, ..Levels::default() }.load(&runtime).unwrap_err().to_string();
        assert!(error.contains(graph) && error.contains("not finite"), "{error}");
    }
    // Only these words give them, so that it is found when they are asked.
    let words = vec![(12_639, f32::NAN)];
    let model = Levels { words, ..Levels::default() }.load(&runtime).unwrap();
    assert!(ask(&model, &ct(), &asking(&["spleen"])).is_ok());
    let error = ask(&model, &ct(), &asking(&["liver"])).unwrap_err();
    assert_eq!(error.code, UnsuitableCode::ModelFailed);
    assert!(error.detail.contains("text encoder: token_emb"), "{error}");
    // "liver" and "in": their sum is more than a number can be.
    let words = vec![(12_639, f32::MAX), (530, f32::MAX)];
    let model = Levels { words, ..Levels::default() }.load(&runtime).unwrap();
    let error = ask(&model, &ct(), &asking(&["liver"])).unwrap_err();
    assert!(error.detail.contains("mask decoder: "), "{error}");
}

#[test]
fn graphs_that_do_not_keep_the_contract_are_refused_with_every_fault() {
    let Some(runtime) = runtime() else { return };
    let wrong = Levels { image_side: 48, feature: "other", ..Levels::default() };
    let faults = wrong.load(&runtime).unwrap_err().to_string();
    for wanted in [
        "image encoder, input image: is [1, 3, 48, 48]; [1, 3, 32, 32] is wanted",
        "mask decoder, input other: is no tensor of the graph; it has level, tokens",
        "mask decoder, input level: is not in the contract",
    ] {
        assert!(faults.contains(wanted), "{faults}");
    }
    let of_v1 = Levels::default().write();
    rewrite(of_v1.path(), "generation = \"v2\"", "generation = \"v1\"");
    let faults = Model::load(of_v1.path(), &runtime).unwrap_err().to_string();
    for wanted in [
        "text encoder, output class_emb: is no tensor",
        "mask decoder, input class_emb: is no tensor",
        "mask decoder, output mask_logits: is [?, 1, 32, 32]; [1, ?, ?] is wanted",
    ] {
        assert!(faults.contains(wanted), "{faults}");
    }
}

#[test]
fn a_file_that_is_another_is_named() {
    let folder = Levels::default().write();
    let path = folder.path().join("mask_decoder.onnx");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    let faults = Manifest::read(folder.path()).unwrap_err().to_string();
    assert!(
        faults.starts_with("files.mask_decoder.sha256: mask_decoder.onnx has sha256 "),
        "{faults}"
    );
    fs::remove_file(&path).unwrap();
    let faults = Manifest::read(folder.path()).unwrap_err().to_string();
    assert!(
        faults.contains("files.mask_decoder.file") && faults.contains("is not there"),
        "{faults}"
    );
}

#[test]
fn all_faults_of_a_manifest_are_said_at_once() {
    let folder = Levels::default().write();
    for (from, to) in [
        ("side = 32", "side = 33\np_least = 2\nturn = \"45\"\nodd = 1"),
        ("tokenizer = \"clip\"", "tokenizer = \"words\""),
        ("low_hu = 0", "low_hu = 300"),
        ("modalities = [\"CT\", \"MRI\"]", "modalities = [\"CT\", \"PET\"]"),
        ("name = \"spleen\"", "name = \"liver\""),
        ("name = \"aorta\"", "name = \"soul\""),
    ] {
        rewrite(folder.path(), from, to);
    }
    let faults = Manifest::read(folder.path()).unwrap_err().to_string();
    for wanted in [
        "prompt.side: a multiple of 32",
        "prompt.p_least: p-values are from 0 to 1",
        "prompt.turn: \"none\", \"90\"",
        "prompt.odd: unknown key",
        "prompt.tokenizer: \"clip\" is wanted",
        "window[1].low_hu: must be below high_hu",
        "target[1].modalities: \"PET\" is none of CT, MRI",
        "target[2].name: there is a target \"liver\" already",
        "target[3].name: the catalogue has no verified code for \"soul\"",
    ] {
        assert!(faults.contains(wanted), "{wanted}: {faults}");
    }
    let empty = Levels { sections: "[prompt]\n", ..Levels::default() }.write();
    let faults = Manifest::read(empty.path()).unwrap_err().to_string();
    for key in ["generation", "side", "vocabulary", "tokenizer"] {
        assert!(faults.contains(&format!("prompt.{key}: missing")), "{faults}");
    }
}

#[test]
fn a_vocabulary_of_its_own_has_targets_and_others_have_none() {
    let sections = OWN.split("\n[[target]]").next().unwrap();
    let none: &'static str = Box::leak(sections.to_owned().into_boxed_str());
    let folder = Levels { sections: none, ..Levels::default() }.write();
    let faults = Manifest::read(folder.path()).unwrap_err().to_string();
    assert_eq!(faults, "target: vocabulary \"own\" wants at least one [[target]]");
    let other = Levels::default().write();
    rewrite(other.path(), "vocabulary = \"own\"", "vocabulary = \"v2\"");
    let faults = Manifest::read(other.path()).unwrap_err().to_string();
    assert_eq!(faults, "target: is for vocabulary \"own\" only");
}

#[test]
fn statistics_of_its_own_are_read_or_refused() {
    let Some(runtime) = runtime() else { return };
    let with = |json: &str| {
        let folder = Levels::default().write();
        let path = folder.path().join("model.toml");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(folder.path().join("target_dist.json"), json).unwrap();
        let listed = listed("statistics", "target_dist.json", json.as_bytes());
        fs::write(path, text + &listed).unwrap();
        folder
    };
    let faults = Manifest::read(with("{\"CT-Abdomen\": []}").path()).unwrap_err().to_string();
    assert!(faults.starts_with("files.statistics.file: CT-Abdomen: "), "{faults}");
    let four = "[[400, 8], [2, 2], [2, 2], [2, 2]]";
    let folder = with(&format!("{{\"CT-Abdomen\": {{\"liver\": {four}}}}}"));
    let model = Model::load(folder.path(), &runtime).unwrap();
    let findings = ask(&model, &ct(), &asking(&["liver"])).unwrap();
    let told = findings.parameters.join("\n");
    assert!(told.contains("; p 0."), "{told}");
    assert!(told.contains("statistics=own, of 1 targets"), "{told}");
}

#[test]
fn a_model_that_takes_prompts_is_shown_and_one_that_does_not_says_so() {
    let manifest = Manifest::read(&folder("prompt-v2-tiny")).unwrap();
    let shown = manifest.to_string();
    assert!(shown.contains("kind            prompt"), "{shown}");
    assert!(shown.contains("generation      v2"), "{shown}");
    let own = Manifest::read(Levels::default().write().path()).unwrap().to_string();
    assert!(own.contains("window levels   0 to 255 HU"), "{own}");
    assert!(own.contains("in CT, MRI      liver: (10200004, SCT, \"Liver\")"), "{own}");
    let Some(runtime) = runtime() else { return };
    let model = Levels::default().load(&runtime).unwrap();
    let volume = inference::read_volume(&ct().source).unwrap();
    let error = inference::preprocess(model.manifest(), &volume, "CT").unwrap_err();
    assert_eq!(error.to_string(), "prompt-refused: levels has to be asked something");
}

#[test]
fn a_series_that_grew_a_header_of_its_own_is_still_asked_once() {
    let Some(runtime) = runtime() else { return };
    let model = Levels::default().load(&runtime).unwrap();
    let described = Made::ct([32, 32, 1])
        .with(|made| {
            made.change = |set| {
                set.put_text(tags::SERIES_DESCRIPTION, Vr::LO, "Abdomen");
            };
        })
        .read();
    let questions =
        model.understand(&asking(&["liver", "Leber", "foie"]), header(&described)).unwrap();
    assert_eq!(questions.list().len(), 1);
    assert_eq!(questions.list()[0].given.len(), 3);
    let key = questions.key();
    let other = model.understand(&asking(&["spleen"]), header(&described)).unwrap().key();
    assert!(key.len() == 64 && key != other);
}
