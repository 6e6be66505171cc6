//! The site of the body in a header.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use dataset::{DataSet, tags};
use domain::Tag;

use super::text::{Text, text};
use crate::catalogue::catalogue;
use crate::imaging::Modality;
use crate::site::Site;
use crate::table::{Table, TableFault};
use crate::words::runs_of;

/// What `body_parts.tsv` says: names of sites by keyword (without spaces), and by `SCHEME:VALUE`.
struct BodyParts(BTreeMap<&'static str, Vec<&'static str>>);

static BODY_PARTS: LazyLock<BodyParts> = LazyLock::new(|| match BodyParts::read() {
    Ok(parts) => parts,
    // The text is part of the program and a test reads it, so nobody can meet this.
    Err(fault) => unreachable!("{fault}"),
});

impl BodyParts {
    fn read() -> Result<Self, TableFault> {
        let table = Table::read("body_parts.tsv", include_str!("../../data/body_parts.tsv"))?;
        let rows = table.map(|row| {
            let sites = row.list("sites", ",")?;
            match sites.iter().find(|name| catalogue().site(name).is_none()) {
                Some(unknown) => Err(row.fault(format!("there is no site {unknown}"))),
                None => Ok((sites, row.list("keywords", ";")?, row.list("codes", ";")?)),
            }
        })?;
        let mut parts = BTreeMap::new();
        for (sites, keywords, codes) in rows {
            for key in keywords.into_iter().chain(codes) {
                parts.insert(key, sites.clone());
            }
        }
        Ok(Self(parts))
    }

    fn sites(&self, key: &str) -> Vec<&'static Site> {
        let names = self.0.get(key).into_iter().flatten();
        names.filter_map(|name| catalogue().site(name)).collect()
    }
}

/// One place in a header that may name sites.
struct Source {
    name: &'static str,
    sites: Vec<&'static Site>,
}

/// The site, and why; `None` when no attribute decides.
pub(super) fn site_of(
    header: &DataSet,
    modality: Option<Modality>,
    why: &mut Vec<String>,
) -> Option<&'static Site> {
    let sources = sources(header, why);
    let mut untrained = None;
    for Source { name, sites } in sources {
        let trained: Vec<_> = sites.iter().filter_map(|site| trained(site, modality?)).collect();
        if let Some(site) = only(&trained) {
            let tested = as_tested(site, modality);
            why.push(format!("site {}: {name}", site.says));
            if tested.name != site.name {
                why.push(format!("site {}: prompts for {} say so", tested.says, site.says));
            }
            return Some(tested);
        }
        if !trained.is_empty() {
            let says: Vec<&str> = trained.iter().map(|site| site.says).collect();
            why.push(format!("{name} decides no site: it says {}", says.join(", ")));
        }
        untrained = untrained.or_else(|| only(&sites).map(|site| (site, name)));
    }
    match untrained {
        Some((site, name)) => {
            why.push(format!("site {}: {name}, but never trained there", site.says))
        }
        None => why.push("the site is not known: no attribute decides it".to_owned()),
    }
    untrained.map(|(site, _)| site)
}

/// All places, the most reliable first.
fn sources(header: &DataSet, why: &mut Vec<String>) -> Vec<Source> {
    let specimen = header.items(tags::SPECIMEN_DESCRIPTION_SEQUENCE);
    let structure = |item: &DataSet| coded(item, tags::PRIMARY_ANATOMIC_STRUCTURE_SEQUENCE);
    let body_part = header.text(tags::BODY_PART_EXAMINED).unwrap_or_default();
    let keyword: String = body_part.chars().filter(|letter| letter.is_alphanumeric()).collect();
    let mut of_body_part = BODY_PARTS.sites(&keyword.to_uppercase());
    if of_body_part.is_empty() {
        of_body_part = said(&body_part);
    }
    let mut sources = vec![
        Source {
            name: "Anatomic Region Sequence",
            sites: coded(header, tags::ANATOMIC_REGION_SEQUENCE),
        },
        Source { name: "Primary Anatomic Structure Sequence", sites: structure(header) },
        Source {
            name: "Specimen Description Sequence",
            sites: specimen.iter().flat_map(structure).collect(),
        },
        Source { name: "Body Part Examined", sites: of_body_part },
    ];
    for (name, tag) in [
        ("Protocol Name", tags::PROTOCOL_NAME),
        ("Series Description", tags::SERIES_DESCRIPTION),
        ("Study Description", tags::STUDY_DESCRIPTION),
    ] {
        match text(header, tag) {
            Text::Nothing => {}
            Text::Read(text) => sources.push(Source { name, sites: said(&text) }),
            Text::OtherCharacterSet => {
                why.push(format!("{name} is in a character set that is not read here"));
            }
        }
    }
    sources
}

/// The sites of the codes in a sequence.
fn coded(header: &DataSet, sequence: Tag) -> Vec<&'static Site> {
    let mut sites = vec![];
    for item in header.items(sequence) {
        let of = |tag| item.text(tag).unwrap_or_default();
        // SNM3 and 99SDM are older names of SRT.
        let scheme = match of(tags::CODING_SCHEME_DESIGNATOR).as_str() {
            "SNM3" | "99SDM" => "SRT".to_owned(),
            scheme => scheme.to_owned(),
        };
        sites.extend(BODY_PARTS.sites(&format!("{scheme}:{}", of(tags::CODE_VALUE))));
    }
    sites
}

/// The sites that words name; words that name none are passed over.
fn said(text: &str) -> Vec<&'static Site> {
    let names = runs_of(text).into_iter().flatten().flat_map(|meaning| meaning.sites.iter());
    names.filter_map(|name| catalogue().site(name)).collect()
}

/// The site, or the nearest one around it, at which the modality was trained.
fn trained(site: &'static Site, modality: Modality) -> Option<&'static Site> {
    let mut site = Some(site);
    while let Some(at) = site {
        if catalogue().is_trained_at(at, modality) {
            return Some(at);
        }
        site = at.within.and_then(|around| catalogue().site(around));
    }
    None
}

/// The one site among them; of sites around each other the outer one.
fn only(sites: &[&'static Site]) -> Option<&'static Site> {
    let outer = |site: &&&'static Site| {
        !sites.iter().any(|other| site.within == Some(other.name) && other.name != site.name)
    };
    let mut outer = sites.iter().filter(outer);
    let first = outer.next()?;
    outer.all(|site| site.says == first.says).then_some(first)
}

/// Prompts of a CT of the chest say "lung": the only site within that was tested.
fn as_tested(site: &'static Site, modality: Option<Modality>) -> &'static Site {
    let prompts = || {
        let prompts = catalogue().prompts().iter();
        prompts.filter(|prompt| Some(prompt.imaging.modality()) == modality)
    };
    if prompts().any(|prompt| prompt.site == site.says) {
        return site;
    }
    let within = catalogue().sites().filter(|inner| inner.within == Some(site.name));
    let tested: Vec<_> =
        within.filter(|inner| prompts().any(|prompt| prompt.site == inner.name)).collect();
    if let [tested] = tested[..] { tested } else { site }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<&'static str> {
        said(text).into_iter().map(|site| site.name).collect()
    }

    #[test]
    fn descriptions_in_five_languages_name_sites() {
        assert_eq!(names("MRT Schädel nativ"), ["brain"]);
        assert_eq!(names("MRT Schaedel"), ["brain"]);
        assert_eq!(names("TDM thoracique"), ["chest"]);
        assert_eq!(names("RM de cráneo"), ["brain"]);
        assert_eq!(names("腹部CT平扫"), ["abdomen"]);
        assert_eq!(names("CT Thorax/Abdomen"), ["chest", "abdomen"]);
        assert!(names("AX 5mm B30f").is_empty());
    }

    #[test]
    fn the_table_is_sound() {
        assert!(BodyParts::read().is_ok());
        assert!(BODY_PARTS.sites("CHESTABDPELVIS").len() == 3);
    }
}
