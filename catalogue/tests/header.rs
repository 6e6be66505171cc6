//! Headers in, modality, sequence and site out, with reasons.

use std::fs;
use std::path::Path;

use catalogue::{Context, Modality, Sequence, Vocabulary, context_of, find};
use dataset::{DataSet, ReadLimits, Vr, read_file_header, tags};
use domain::{CodedConcept, Tag};
use serde_json::Value;

const LIMITS: ReadLimits = ReadLimits {
    bytes_max: 1 << 20,
    depth_max: 8,
    elements_max: 1 << 16,
    value_bytes_max: 1 << 16,
};

/// A header of texts.
fn header(texts: &[(Tag, &str)]) -> DataSet {
    let mut header = DataSet::new();
    for (tag, text) in texts {
        header.put_bytes(*tag, Vr::LO, text.as_bytes().to_vec());
    }
    header
}

/// Modality, site and sequence, as one line.
fn line(context: &Context) -> String {
    let imaging = context.imaging().map_or("-", |imaging| imaging.label());
    format!("{imaging} {}", context.site.map_or("-", |site| site.says))
}

fn of(texts: &[(Tag, &str)]) -> String {
    line(&context_of(&header(texts)))
}

#[test]
fn images_of_nine_modalities_are_what_their_index_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/nine-modalities");
    let Ok(index) = fs::read_to_string(folder.join("index.json")) else {
        println!("skipped: no ../shared/data/nine-modalities");
        return;
    };
    let index: Value = serde_json::from_str(&index).unwrap();
    let mut prompts = 0;
    for entry in index.as_array().unwrap() {
        let text = |key: &str| entry[key].as_str().unwrap();
        let file = read_file_header(&folder.join(text("file")), &LIMITS).unwrap();
        let context = context_of(&file.data_set);
        assert_eq!(line(&context), format!("{} {}", text("modality"), text("site")), "{context:?}");
        assert!(context.why.len() >= 2, "{context:?}");
        for target in entry["targets"].as_object().unwrap().keys() {
            let found = find(target, &context, Vocabulary::Closed).unwrap();
            assert_eq!(found.understood, text("prompt").replace("{target}", target));
            prompts += 1;
        }
    }
    println!("{} images, {prompts} prompts", index.as_array().unwrap().len());
    assert_eq!((index.as_array().unwrap().len(), prompts), (27, 71));
}

#[test]
fn modalities_of_dicom_are_those_of_the_model() {
    for (dicom, modality) in [
        ("CT", Some(Modality::Ct)),
        ("MR", Some(Modality::Mri)),
        ("DX", Some(Modality::XRay)),
        ("CR", Some(Modality::XRay)),
        ("US", Some(Modality::Ultrasound)),
        ("OP", Some(Modality::Fundus)),
        ("OPT", Some(Modality::Oct)),
        ("ES", Some(Modality::Endoscope)),
        ("XC", Some(Modality::Dermoscopy)),
        ("DMS", Some(Modality::Dermoscopy)),
        ("SM", Some(Modality::Pathology)),
        ("GM", Some(Modality::Pathology)),
        ("PT", None),
        ("", None),
    ] {
        assert_eq!(context_of(&header(&[(tags::MODALITY, dicom)])).modality, modality, "{dicom}");
    }
    let face = [(tags::MODALITY, "XC"), (tags::BODY_PART_EXAMINED, "BREAST")];
    assert_eq!(of(&face), "- breast");
}

#[test]
fn a_site_that_nobody_names_is_not_guessed() {
    let context =
        context_of(&header(&[(tags::MODALITY, "CT"), (tags::SERIES_DESCRIPTION, "AX 5mm")]));
    assert_eq!((context.site, context.sequence), (None, None));
    assert_eq!(
        context.why,
        ["Modality CT is CT", "the site is not known: no attribute decides it"]
    );
    assert_eq!(line(&context_of(&DataSet::new())), "- -");
    let several = [(tags::MODALITY, "CT"), (tags::BODY_PART_EXAMINED, "CHESTABDPELVIS")];
    assert_eq!(of(&several), "CT -");
}

#[test]
fn codes_go_before_words_and_words_before_nothing() {
    let mut header = header(&[(tags::MODALITY, "CT"), (tags::BODY_PART_EXAMINED, "CHEST")]);
    assert_eq!(line(&context_of(&header)), "CT lung", "prompts for CT of the chest say lung");
    let mut item = DataSet::new();
    item.put_text(tags::CODE_VALUE, Vr::SH, "10200004");
    item.put_text(tags::CODING_SCHEME_DESIGNATOR, Vr::SH, "SCT");
    header.put_items(tags::ANATOMIC_REGION_SEQUENCE, vec![item]);
    assert_eq!(line(&context_of(&header)), "CT liver");
    header.put_text(tags::MODALITY, Vr::CS, "MR");
    assert_eq!(line(&context_of(&header)), "MRI abdomen", "MR was trained at the abdomen");
}

#[test]
fn the_organ_of_a_specimen_counts() {
    let mut structure = DataSet::new();
    structure.put_code(
        tags::PRIMARY_ANATOMIC_STRUCTURE_SEQUENCE,
        &CodedConcept::new("T-65000", "SRT", "Pancreas"),
    );
    let mut header = header(&[(tags::MODALITY, "SM")]);
    header.put_items(tags::SPECIMEN_DESCRIPTION_SEQUENCE, vec![structure]);
    let context = context_of(&header);
    assert_eq!(line(&context), "pathology pancreatic");
    assert_eq!(context.why[1], "site pancreatic: Specimen Description Sequence");
}

#[test]
fn descriptions_are_read_in_several_languages() {
    for (description, site) in [
        ("MRT Schädel nativ", "brain"),
        ("IRM cérébrale", "brain"),
        ("RM de cráneo", "brain"),
        ("头颅MR平扫", "brain"),
        ("MRT Oberbauch", "abdomen"),
        ("MRT der Prostata", "prostate"),
        ("Herz MRT", "heart"),
        ("MRT Kopf-Hals", "head-neck"),
    ] {
        let texts = [(tags::MODALITY, "MR"), (tags::STUDY_DESCRIPTION, description)];
        assert_eq!(of(&texts), format!("MRI {site}"), "{description}");
    }
}

#[test]
fn latin_1_is_read_and_other_sets_are_named() {
    let mut header =
        header(&[(tags::MODALITY, "MR"), (tags::SPECIFIC_CHARACTER_SET, "ISO_IR 100")]);
    header.put_bytes(tags::STUDY_DESCRIPTION, Vr::LO, b"Sch\xe4del".to_vec());
    assert_eq!(line(&context_of(&header)), "MRI brain");
    header.put_text(tags::SPECIFIC_CHARACTER_SET, Vr::CS, "GB18030");
    header.put_bytes(tags::STUDY_DESCRIPTION, Vr::LO, b"\xcd\xb7\xc2\xad".to_vec());
    let context = context_of(&header);
    assert_eq!(context.site, None);
    assert!(context.why[1].starts_with("Study Description is in a character set"), "{context:?}");
}

#[test]
fn sequences_of_mr() {
    let mr = |description: &str, more: &[(Tag, &str)]| {
        let mut texts = vec![(tags::MODALITY, "MR"), (tags::SERIES_DESCRIPTION, description)];
        texts.extend(more);
        context_of(&header(&texts)).sequence
    };
    let agent = [(tags::CONTRAST_BOLUS_AGENT, "Gadovist")];
    for (description, more, sequence) in [
        ("AX T2 FLAIR", &[][..], Some(Sequence::Flair)),
        ("t2_tirm_tra_dark-fluid", &[], Some(Sequence::Flair)),
        ("AX T1 FLAIR", &[], Some(Sequence::Plain)),
        ("AX T1 FLAIR POST", &[], Some(Sequence::T1Gd)),
        ("t1_mprage_sag_KM", &[], Some(Sequence::T1Gd)),
        ("t1_mprage_sag", &agent, Some(Sequence::T1Gd)),
        ("AX T1 PRE", &agent, Some(Sequence::Plain)),
        ("T1+C", &[], Some(Sequence::T1Gd)),
        ("C SPINE T1", &[], Some(Sequence::Plain)),
        ("AX T2 TSE", &[], Some(Sequence::T2)),
        ("AX T2* GRE", &[], None),
        ("ep2d_diff_ADC", &[], Some(Sequence::Adc)),
        ("DWI", &[(tags::IMAGE_TYPE, "DERIVED\\PRIMARY\\DIFFUSION\\ADC")], Some(Sequence::Adc)),
        ("AX", &[(tags::ACQUISITION_CONTRAST, "FLUID_ATTENUATED")], Some(Sequence::Flair)),
        (
            "AX",
            &[
                (tags::REPETITION_TIME, "9000"),
                (tags::ECHO_TIME, "120"),
                (tags::INVERSION_TIME, "2500"),
            ],
            Some(Sequence::Flair),
        ),
        ("AX", &[(tags::REPETITION_TIME, "4000"), (tags::ECHO_TIME, "100")], Some(Sequence::T2)),
        ("AX", &[(tags::REPETITION_TIME, "500"), (tags::ECHO_TIME, "10")], None),
        ("", &[], None),
    ] {
        assert_eq!(mr(description, more), sequence, "{description} {more:?}");
    }
}

#[test]
fn reasons_hold_no_values_of_descriptions() {
    let texts = [(tags::MODALITY, "CT"), (tags::STUDY_DESCRIPTION, "Abdomen DOE^JOHN")];
    let context = context_of(&header(&texts));
    assert_eq!(context.why, ["Modality CT is CT", "site abdomen: Study Description"]);
}
