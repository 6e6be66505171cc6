//! A set of results of every kind over made sources, and what the gate is told of the sources.

use dataset::DataSet;
use domain::{Findings, FrameOfReferenceUid, Limits, PlanarBox};
use gate::{Evidence, Fault, SourceImage};
use series::SourceSeries;
use sr_writer::{SegmentationForm, SegmentationKind};

use crate::made;
use made::tags;

/// A source, findings over it, and the files that say so.
pub(crate) struct Made {
    pub(crate) source: SourceSeries,
    pub(crate) findings: Findings,
    /// SEG, then SR.
    pub(crate) files: Vec<Vec<u8>>,
}

impl Made {
    fn of(source: SourceSeries, kind: SegmentationKind) -> Self {
        let values = vec![10.0; source.grid.size().iter().product()];
        let segments = vec![
            made::segment(made::left_lung(), &source, &values, |[i, j, k], _| {
                (1..=3).contains(&k) && i < 2 && j < 4
            }),
            made::segment(made::liver_tumor(), &source, &values, |[i, j, k], _| {
                k == 3 && i == 6 && j > 2
            }),
        ];
        let mut findings = made::findings(&source, segments);
        findings.segments[0].boxes = vec![PlanarBox { k: 1, first: [0, 0], last: [1, 3] }];
        let mut context = made::context();
        context.form = SegmentationForm { kind, ..SegmentationForm::default() };
        let results = sr_writer::write(&findings, &source, &context).unwrap();
        let files = results.instances().map(|result| result.file.clone()).collect();
        Self { source, findings, files }
    }

    /// Label maps in RLE Lossless, as the node keeps them.
    pub(crate) fn in_rle() -> Self {
        let mut made = Self::in_patient(SegmentationKind::Labelmap);
        let mut context = made::context();
        context.form.kind = SegmentationKind::Labelmap;
        context.label_maps = sr_writer::LabelMapCoding::Rle;
        let results = sr_writer::write(&made.findings, &made.source, &context).unwrap();
        made.files = results.instances().map(|result| result.file.clone()).collect();
        made
    }

    pub(crate) fn in_patient(kind: SegmentationKind) -> Self {
        Self::of(made::series(|_| {}), kind)
    }

    pub(crate) fn multi_frame(kind: SegmentationKind) -> Self {
        Self::of(made::multi_frame_series(), kind)
    }

    /// Five frames without a place in the patient.
    pub(crate) fn cine(kind: SegmentationKind) -> Self {
        let mut cine = made::header(0);
        for tag in [
            tags::FRAME_OF_REFERENCE_UID,
            tags::IMAGE_ORIENTATION_PATIENT,
            tags::IMAGE_POSITION_PATIENT,
            tags::PIXEL_SPACING,
        ] {
            cine.remove(tag);
        }
        cine.put_text(tags::NUMBER_OF_FRAMES, dataset::Vr::IS, "5");
        let instances = [made::instance(cine, "1.3.1", 5)];
        Self::of(series::assemble(&instances, &Limits::default()).unwrap(), kind)
    }

    /// What the gate says of these files.
    pub(crate) fn check(&self, files: &[Vec<u8>]) -> Vec<Fault> {
        let images: Vec<_> = self.source.instances.iter().map(|i| self.image(i)).collect();
        let frame_of_reference: Option<&FrameOfReferenceUid> =
            self.source.place.as_ref().map(|place| &place.frame_of_reference);
        let [columns, rows, _] = self.source.grid.size();
        let known_code = |value: &str, scheme: &str, meaning: &str| {
            sr_writer::is_known_code(&self.findings, value, scheme, meaning)
        };
        let (size, known_code) = ([columns, rows], &known_code);
        let evidence = Evidence { images: &images, frame_of_reference, size, known_code };
        let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
        gate::check(&files, &evidence)
    }

    fn image(&self, instance: &series::SourceInstance) -> SourceImage {
        let uid = &instance.identity.sop_instance;
        let slices = self.source.slices.iter();
        let own = slices.filter(|slice| slice.instance.identity.sop_instance == *uid);
        let is_multi_frame = instance.header.contains(tags::NUMBER_OF_FRAMES);
        SourceImage {
            identity: instance.identity.clone(),
            frames: u32::try_from(instance.frame_count).ok().filter(|_| is_multi_frame),
            positions_mm: own.filter_map(|slice| Some(slice.position.as_ref()?.mm)).collect(),
        }
    }
}

/// The file of a changed data set.
pub(crate) fn changed(file: &[u8], change: &dyn Fn(&mut DataSet)) -> Vec<u8> {
    let length = usize::try_from(u32::from_le_bytes(file[140..144].try_into().unwrap())).unwrap();
    let (mut set, pixels) = made::parse(file);
    if !pixels.is_empty() {
        set.put_bytes(tags::PIXEL_DATA, dataset::Vr::OB, pixels);
    }
    change(&mut set);
    [&file[..144 + length], &dataset::encode(&set)].concat()
}
