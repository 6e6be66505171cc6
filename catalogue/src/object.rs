//! Object types: what v1 was trained to find, in categories and meta types.

use crate::imaging::Modality;
use crate::table::{Row, Table, TableFault};

/// The three categories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Category {
    /// Organs and their parts.
    Organ,
    /// What should not be there.
    Abnormality,
    /// Structures of tissue under a microscope.
    Histology,
}

impl Category {
    /// The published word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Organ => "organ",
            Self::Abnormality => "abnormality",
            Self::Histology => "histology",
        }
    }

    fn named(name: &str) -> Option<Self> {
        let all = [Self::Organ, Self::Abnormality, Self::Histology];
        all.into_iter().find(|category| category.name() == name)
    }
}

/// An object type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectType {
    /// The category.
    pub category: Category,
    /// The meta type, such as "heart anatomies".
    pub meta: &'static str,
    /// The published name; prompts may say it shorter.
    pub name: &'static str,
    /// Whether it is one of the 82 of the hierarchy.
    pub listed: bool,
    /// Modalities in which it was trained.
    pub modalities: Vec<Modality>,
    /// Names of the sites at which it was trained, the usual one first.
    pub sites: Vec<&'static str>,
    /// Key of its concept.
    pub concept: &'static str,
    /// Key of the concept that is written while its own is not verified.
    pub fallback: Option<&'static str>,
    /// Segment Label.
    pub label: &'static str,
    /// Colour on screens, sRGB; no two object types share one.
    pub color_rgb: [u8; 3],
}

/// Reads `objects.tsv`.
pub(crate) fn read() -> Result<Vec<ObjectType>, TableFault> {
    Table::read("objects.tsv", include_str!("../data/objects.tsv"))?.map(object)
}

fn object(row: Row<'_>) -> Result<ObjectType, TableFault> {
    let modality = |name: &&str| {
        Modality::named(name).ok_or_else(|| row.fault(format!("{name} is no modality")))
    };
    let name = row.text("object")?;
    Ok(ObjectType {
        category: row.known("category", Category::named)?,
        meta: row.text("meta")?,
        name,
        listed: row.yes("listed")?,
        modalities: row.list("modalities", ",")?.iter().map(modality).collect::<Result<_, _>>()?,
        sites: row.list("sites", ",")?,
        concept: row.text("concept")?,
        fallback: row.optional("fallback")?,
        label: row.optional("label")?.unwrap_or(name),
        color_rgb: row.known("color", color)?,
    })
}

/// `#rrggbb`.
fn color(cell: &str) -> Option<[u8; 3]> {
    let [_, red, green, blue] =
        u32::from_str_radix(cell.strip_prefix('#')?, 16).ok()?.to_be_bytes();
    (cell.len() == 7).then_some([red, green, blue])
}
