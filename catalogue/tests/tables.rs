//! The tables agree with each other and with the counts that were published.

use std::collections::BTreeSet;

use catalogue::{Catalogue, Category, Context, Modality, Sequence, Version, catalogue};

#[test]
fn all_tables_parse() {
    Catalogue::read().unwrap();
}

#[test]
fn the_hierarchy_has_82_object_types_in_15_meta_types_and_3_categories() {
    let listed: Vec<_> = catalogue().objects().iter().filter(|object| object.listed).collect();
    let names: BTreeSet<_> = listed.iter().map(|object| object.name).collect();
    let metas: BTreeSet<_> = listed.iter().map(|object| (object.category, object.meta)).collect();
    let of = |category| listed.iter().filter(|object| object.category == category).count();
    assert_eq!((names.len(), metas.len(), catalogue().objects().len()), (82, 15, 85));
    assert_eq!([Category::Organ, Category::Abnormality, Category::Histology].map(of), [47, 27, 8]);
}

#[test]
fn objects_name_sites_concepts_and_colours_that_exist() {
    let mut colors = BTreeSet::new();
    for object in catalogue().objects() {
        for site in &object.sites {
            assert!(catalogue().site(site).is_some(), "{}: {site}", object.name);
        }
        for key in [Some(object.concept), object.fallback].into_iter().flatten() {
            assert!(catalogue().concept(key).is_some(), "{}: {key}", object.name);
        }
        assert!(colors.insert(object.color_rgb), "{}: colour", object.name);
        assert!(object.label.len() <= 64, "{}", object.name);
    }
}

#[test]
fn every_object_type_has_a_verified_code_or_a_verified_fallback() {
    let mut fallen = vec![];
    for object in catalogue().objects() {
        let target = catalogue().target(object, None).unwrap();
        assert_eq!(target.label, object.label);
        if !catalogue().concept(object.concept).unwrap().verified {
            assert!(object.fallback.is_some());
            fallen.push(object.name);
        } else {
            assert_eq!(object.fallback, None, "{} needs none", object.name);
        }
    }
    assert_eq!(
        fallen,
        [
            "optic cup",
            "fetal head",
            "lower-grade glioma",
            "viral pneumonia",
            "cystoid macular edema",
            "colon glandular structure",
            "inflammatory cells",
            "connective tissue cells",
            "epithelial cells",
        ]
    );
}

#[test]
fn an_object_without_verified_code_is_refused() {
    let mut object = catalogue().object("optic cup").unwrap().clone();
    object.fallback = None;
    let refused = catalogue().target(&object, None).unwrap_err();
    assert!(refused.to_string().starts_with("optic cup has no verified code: no SCT code"));
}

#[test]
fn sides_and_regions_stand_where_they_belong() {
    let target = |object: &str, site: Option<&str>| {
        let site = site.and_then(|site| catalogue().site(site));
        catalogue().target(catalogue().object(object).unwrap(), site).unwrap()
    };
    for object in catalogue().objects() {
        let side = target(object.name, None).laterality.map(|side| side.meaning);
        let words: Vec<_> = object.name.split(' ').collect();
        // The heart's chambers and the one middle lobe have sides of their own in their codes.
        let own = object.meta == "heart anatomies" || words.contains(&"middle");
        let expected = if own { None } else { words.first().copied() };
        let expected = expected.filter(|word| ["left", "right"].contains(word));
        assert_eq!(side.map(|side| side.to_lowercase()).as_deref(), expected, "{}", object.name);
    }
    let region = |object, site| target(object, site).anatomic_region.map(|region| region.value);
    assert_eq!(region("liver tumor", None).as_deref(), Some("10200004"));
    assert_eq!(region("neoplastic cells", Some("pancreatic")).as_deref(), Some("15776009"));
    assert_eq!(region("neoplastic cells", Some("other")), None);
    assert_eq!(region("liver", Some("abdomen")), None);
    assert_eq!(target("postcava", None).label, "inferior vena cava");
    assert_eq!(target("public symphysis", None).label, "pubic symphysis");
    assert_eq!(target("anterior hippocampus", None).laterality, None);
}

#[test]
fn sites_and_training_masks_add_up() {
    let counted: BTreeSet<_> =
        catalogue().sites().filter(|site| site.counted).map(|site| site.name).collect();
    assert_eq!(counted.len(), 26);
    let mut named = BTreeSet::new();
    for training in catalogue().training() {
        let site = training.site;
        assert!(site.is_none_or(|site| counted.contains(site)), "{site:?}");
        named.extend(site);
    }
    assert_eq!(named, counted);
    let masks = |modality: Option<Modality>| -> u64 {
        let rows = catalogue().training().iter();
        rows.filter(|row| modality.is_none_or(|modality| row.modality == modality))
            .filter_map(|row| row.masks)
            .sum()
    };
    let sums = Modality::ALL.map(|modality| masks(Some(modality)));
    assert_eq!(sums, [1_687_089, 1_553_040, 82_785, 51_810, 4_230, 1_460, 3_461, 4_019, 15_468]);
    assert_eq!(masks(None), 3_403_362);
    for site in catalogue().sites() {
        assert!(site.within.is_none_or(|around| catalogue().site(around).is_some()));
        let region = site.region.map(|key| catalogue().concept(key).unwrap());
        assert!(region.is_none_or(|concept| concept.verified), "{}", site.name);
        assert_eq!(region.is_none(), site.name == "other");
    }
}

#[test]
fn the_tested_prompts_are_those_published() {
    let prompts = catalogue().prompts();
    let images: u32 = prompts.iter().map(|prompt| prompt.images).sum();
    assert_eq!((prompts.len(), images), (112, 102_855));
    let of = |modality| prompts.iter().filter(move |prompt| prompt.imaging.modality() == modality);
    // Tasks, images and mean of the median Dice, as published for each modality.
    let published = [
        (27, 45_306, 0.888),
        (34, 30_990, 0.869),
        (12, 13_840, 0.977),
        (7, 10_184, 0.906),
        (2, 800, 0.903),
        (1, 283, 0.894),
        (3, 410, 0.966),
        (2, 65, 0.953),
        (24, 977, 0.832),
    ];
    for (modality, (tasks, images, dice)) in Modality::ALL.into_iter().zip(published) {
        let median: f64 = of(modality).map(|prompt| prompt.dice_median).sum();
        assert_eq!(of(modality).count(), tasks, "{modality}");
        assert_eq!(of(modality).map(|prompt| prompt.images).sum::<u32>(), images, "{modality}");
        let mean = median / f64::from(u32::try_from(tasks).unwrap());
        assert!((mean - dice).abs() < 0.002, "{modality}: {mean} {dice}");
    }
}

#[test]
fn tested_prompts_name_objects_that_were_trained_there() {
    for prompt in catalogue().prompts() {
        let object = catalogue().object(prompt.object).unwrap();
        assert!(object.modalities.contains(&prompt.imaging.modality()), "{}", prompt.sentence());
        let site = catalogue().site(prompt.site).unwrap();
        assert_eq!(site.says, site.name, "{}", prompt.sentence());
        assert!(object.sites.contains(&site.name), "{}", prompt.sentence());
        assert!(prompt.dice_mean > 0.5 && prompt.dice_median <= 1.0);
    }
    let sentences: BTreeSet<_> = catalogue().prompts().iter().map(|p| p.sentence()).collect();
    assert_eq!(sentences.len(), 106, "six rows are splits of other rows");
    for known in
        ["tumor core in brain MRI-FLAIR", "optic disc in retinal fundus", "nodule in lung CT"]
    {
        assert!(sentences.contains(known));
    }
}

#[test]
fn recognition_looks_for_what_has_statistics() {
    assert_eq!(catalogue().recognition().len(), 14);
    assert_eq!(catalogue().statistics().len(), 64);
    for kind in catalogue().recognition() {
        for target in &kind.targets {
            let has =
                |row: &&catalogue::TargetStatistics| (row.kind, row.target) == (kind.name, *target);
            assert_eq!(catalogue().statistics().iter().filter(has).count(), 1, "{target}");
        }
        for site in &kind.sites {
            assert!(catalogue().site(site).is_some(), "{site}");
        }
        let window = kind.window.map(|name| catalogue().window(Version::V1, name));
        assert_eq!(window.is_some(), kind.imaging.modality() == Modality::Ct);
        assert!(window.is_none_or(|window| window.is_some()), "{}", kind.name);
    }
    for row in catalogue().statistics() {
        assert!(catalogue().recognition().iter().any(|kind| kind.name == row.kind), "{}", row.kind);
    }
}

#[test]
fn windows_are_those_of_the_two_models() {
    let of = |version| catalogue().windows().iter().filter(move |w| w.version == version).count();
    assert_eq!([of(Version::V1), of(Version::V2)], [6, 4]);
    let lung = catalogue().window(Version::V1, "lung").unwrap();
    assert_eq!((lung.low_hu, lung.high_hu), (-1000.0, 1000.0));
}

#[test]
fn types_of_recognition_belong_to_images() {
    let of = |modality, sequence, site: &str| {
        let site = catalogue().site(site);
        let context = Context { modality: Some(modality), site, sequence, why: vec![] };
        catalogue().recognition_for(&context).map(|kind| kind.name)
    };
    assert_eq!(of(Modality::Ct, None, "abdomen"), Some("CT-Abdomen"));
    assert_eq!(of(Modality::Ct, None, "lung"), Some("CT-Chest"));
    assert_eq!(of(Modality::Ct, None, "pelvis"), None);
    assert_eq!(of(Modality::Ct, None, "nowhere"), None);
    assert_eq!(of(Modality::Mri, Some(Sequence::T1Gd), "brain"), Some("MRI-T1-Gd-Brain"));
    assert_eq!(of(Modality::Mri, Some(Sequence::T2), "abdomen"), Some("MRI-Abdomen"));
    assert_eq!(of(Modality::Mri, Some(Sequence::T2), "brain"), None);
    assert_eq!(of(Modality::Mri, None, "heart"), Some("MRI-Cardiac"));
    assert_eq!(of(Modality::Oct, None, "nowhere"), Some("OCT"));
    assert_eq!(catalogue().recognition_for(&Context::default()), None);
}

#[test]
fn targets_of_v2_have_verified_codes_or_none() {
    let mut names = BTreeSet::new();
    let mut without = 0;
    for target in catalogue().volumes() {
        assert!(names.insert(target.name), "{} twice", target.name);
        let known = |modality: &&'static str| {
            Modality::named(modality).is_some() || ["PET", "EM", "light-sheet"].contains(modality)
        };
        assert!(target.modalities.iter().all(known), "{}", target.name);
        assert!(target.same_as.is_none_or(|name| catalogue().object(name).is_some()));
        match (target.concept, catalogue().volume_target(target)) {
            (None, Err(_)) => without += 1,
            (Some(_), Ok(coded)) => {
                assert_eq!(coded.laterality, target.side.map(|side| side.code()));
                let concept = catalogue().concept(target.concept.unwrap()).unwrap();
                let own = concept.laterality().cloned();
                assert!(own.is_none() || own == coded.laterality, "{}", target.name);
            }
            other => panic!("{}: {other:?}", target.name),
        }
    }
    assert_eq!((names.len(), without), (153, 31));
}
