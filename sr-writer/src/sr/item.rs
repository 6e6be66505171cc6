//! Content items of an SR tree (PS3.3 §C.17.3).

use dataset::{DataSet, Vr};
use domain::{CodedConcept, InstanceIdentity};

use crate::coding::{Code, put_code};
use crate::iod::sop_reference;
use crate::tags;
use crate::text::{ST_MAX, required, significant};

/// Significant decimal digits of measured values.
const DIGITS: usize = 7;

/// DICOM Content Mapping Resource (PS3.6 Table A-1).
const DCMR_UID: &str = "1.2.840.10008.8.1.1";

/// How an item stands to the one that holds it (PS3.3 Table C.17.3-8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relationship {
    Contains,
    HasObsContext,
    HasAcqContext,
    HasConceptMod,
    HasProperties,
    SelectedFrom,
}

impl Relationship {
    fn as_str(self) -> &'static str {
        match self {
            Self::Contains => "CONTAINS",
            Self::HasObsContext => "HAS OBS CONTEXT",
            Self::HasAcqContext => "HAS ACQ CONTEXT",
            Self::HasConceptMod => "HAS CONCEPT MOD",
            Self::HasProperties => "HAS PROPERTIES",
            Self::SelectedFrom => "SELECTED FROM",
        }
    }
}

/// A content item with its children.
#[derive(Debug)]
pub(crate) struct Item {
    set: DataSet,
    children: Vec<Self>,
}

impl Item {
    fn new(value_type: &str, name: Option<&CodedConcept>) -> Self {
        let mut set = DataSet::new();
        set.put_text(tags::VALUE_TYPE, Vr::CS, value_type);
        if let Some(name) = name {
            put_code(&mut set, tags::CONCEPT_NAME_CODE_SEQUENCE, name);
        }
        Self { set, children: Vec::new() }
    }

    /// A CONTAINER whose items stand for themselves.
    pub(crate) fn container(name: Code) -> Self {
        let mut item = Self::new("CONTAINER", Some(&name.concept()));
        item.set.put_text(tags::CONTINUITY_OF_CONTENT, Vr::CS, "SEPARATE");
        item
    }

    /// A CODE.
    pub(crate) fn code(name: Code, value: &CodedConcept) -> Self {
        Self::code_of_target(&name.concept(), value)
    }

    /// A CODE that is named by the code of a finding.
    pub(crate) fn code_of_target(name: &CodedConcept, value: &CodedConcept) -> Self {
        let mut item = Self::new("CODE", Some(name));
        put_code(&mut item.set, tags::CONCEPT_CODE_SEQUENCE, value);
        item
    }

    /// A CODE whose value is an item of a Code Sequence of the source, byte for byte.
    pub(crate) fn code_of_source(name: Code, value: DataSet) -> Self {
        let mut item = Self::new("CODE", Some(&name.concept()));
        item.set.put_items(tags::CONCEPT_CODE_SEQUENCE, vec![value]);
        item
    }

    /// A TEXT, in ASCII.
    pub(crate) fn text(name: Code, text: &str) -> Self {
        let mut item = Self::new("TEXT", Some(&name.concept()));
        item.set.put_text(tags::TEXT_VALUE, Vr::UT, &required(text, ST_MAX));
        item
    }

    /// A UIDREF.
    pub(crate) fn uid(name: Code, uid: &str) -> Self {
        let mut item = Self::new("UIDREF", Some(&name.concept()));
        item.set.put_uid(tags::UID, uid);
        item
    }

    /// A NUM with seven significant digits. `value` is finite.
    pub(crate) fn number(name: Code, value: f64, unit: Code) -> Self {
        let mut measured = DataSet::new();
        measured.put_decimals(tags::NUMERIC_VALUE, &[significant(value, DIGITS)]);
        put_code(&mut measured, tags::MEASUREMENT_UNITS_CODE_SEQUENCE, &unit.concept());
        let mut item = Self::new("NUM", Some(&name.concept()));
        item.set.put_items(tags::MEASURED_VALUE_SEQUENCE, vec![measured]);
        item
    }

    /// An IMAGE: a whole instance.
    pub(crate) fn image(identity: &InstanceIdentity) -> Self {
        let mut item = Self::new("IMAGE", None);
        item.set.put_items(tags::REFERENCED_SOP_SEQUENCE, vec![sop_reference(identity)]);
        item
    }

    /// A COMPOSITE: an instance that is no image.
    pub(crate) fn composite(identity: &InstanceIdentity) -> Self {
        let mut item = Self::new("COMPOSITE", None);
        item.set.put_items(tags::REFERENCED_SOP_SEQUENCE, vec![sop_reference(identity)]);
        item
    }

    /// An IMAGE: one frame of an instance that has several.
    pub(crate) fn frame(identity: &InstanceIdentity, frame: Option<u32>) -> Self {
        let mut reference = sop_reference(identity);
        if let Some(number) = frame {
            reference.put_text(tags::REFERENCED_FRAME_NUMBER, Vr::IS, &number.to_string());
        }
        let mut item = Self::new("IMAGE", None);
        item.set.put_items(tags::REFERENCED_SOP_SEQUENCE, vec![reference]);
        item
    }

    /// An SCOORD: a polyline through points (column, row).
    pub(crate) fn polyline(name: Code, points: &[[f32; 2]]) -> Self {
        let mut item = Self::new("SCOORD", Some(&name.concept()));
        item.set.put_text(tags::GRAPHIC_TYPE, Vr::CS, "POLYLINE");
        let bytes = points.iter().flatten().flat_map(|value| value.to_le_bytes()).collect();
        item.set.put_bytes(tags::GRAPHIC_DATA, Vr::FL, bytes);
        item
    }

    /// The same item with a name.
    pub(crate) fn named(mut self, name: Code) -> Self {
        put_code(&mut self.set, tags::CONCEPT_NAME_CODE_SEQUENCE, &name.concept());
        self
    }

    /// An IMAGE: one segment of a Segmentation.
    pub(crate) fn segment(name: Code, identity: &InstanceIdentity, number: u16) -> Self {
        let mut reference = sop_reference(identity);
        reference.put_u16s(tags::REFERENCED_SEGMENT_NUMBER, &[number]);
        let mut item = Self::new("IMAGE", Some(&name.concept()));
        item.set.put_items(tags::REFERENCED_SOP_SEQUENCE, vec![reference]);
        item
    }

    /// Names the template of PS3.16 that this item is the root of.
    pub(crate) fn template(mut self, identifier: &str) -> Self {
        let mut template = DataSet::new();
        template.put_text(tags::MAPPING_RESOURCE, Vr::CS, "DCMR");
        template.put_uid(tags::MAPPING_RESOURCE_UID, DCMR_UID);
        template.put_text(tags::TEMPLATE_IDENTIFIER, Vr::CS, identifier);
        self.set.put_items(tags::CONTENT_TEMPLATE_SEQUENCE, vec![template]);
        self
    }

    /// Adds a child.
    pub(crate) fn with(mut self, relationship: Relationship, child: Self) -> Self {
        self.push(relationship, child);
        self
    }

    /// Adds children of one relationship.
    pub(crate) fn with_all(
        mut self,
        relationship: Relationship,
        children: impl IntoIterator<Item = Self>,
    ) -> Self {
        for child in children {
            self.push(relationship, child);
        }
        self
    }

    fn push(&mut self, relationship: Relationship, mut child: Self) {
        child.set.put_text(tags::RELATIONSHIP_TYPE, Vr::CS, relationship.as_str());
        self.children.push(child);
    }

    fn into_data_set(mut self) -> DataSet {
        if !self.children.is_empty() {
            let children = self.children.into_iter().map(Self::into_data_set).collect();
            self.set.put_items(tags::CONTENT_SEQUENCE, children);
        }
        self.set
    }

    /// Puts the attributes of this item into the data set of the instance (SR Document Content).
    pub(crate) fn put_as_root(self, set: &mut DataSet) {
        let mut own = self.into_data_set();
        let tags: Vec<_> = own.iter().map(|(tag, _)| *tag).collect();
        for tag in tags {
            if let Some(element) = own.remove(tag) {
                set.insert(tag, element);
            }
        }
    }
}
