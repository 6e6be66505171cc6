//! Secondary Capture (PS3.3 §A.8.1): chosen slices with the masks drawn on them, for viewers that show nothing but images.

use dataset::{DataSet, Vr};
use domain::{Extent, Segment};

use super::Companion;
use super::font::{GLYPH_HEIGHT, GLYPH_WIDTH, is_ink};
use crate::coding::{SOURCE_IMAGE, put_code};
use crate::iod::sop_reference;
use crate::text::{LO_MAX, ascii};
use crate::work::Work;
use crate::{ResultInstance, WriteError, tags};

/// Pictures are at least so wide: small images are enlarged, so that words on them can be read.
const WIDTH_MIN: usize = 512;

/// How much of a mask's colour is seen: inside, and on its border.
const INSIDE: f32 = 0.3;
const BORDER: f32 = 0.95;

/// Pixels of one dot of a letter.
const DOT: usize = 2;

/// A source slice as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backdrop {
    /// Which slice of the source grid.
    pub k: usize,
    /// Rows × columns display values, three bytes a pixel: red, green, blue.
    pub rgb: Vec<u8>,
}

/// One instance a backdrop.
pub(crate) fn write(work: &Work<'_>) -> Result<Vec<ResultInstance>, WriteError> {
    let [columns, rows, slices] = work.source.grid.size();
    let fits =
        |backdrop: &&Backdrop| backdrop.k < slices && backdrop.rgb.len() == columns * rows * 3;
    let backdrops = work.context.backdrops.iter().filter(fits);
    (1..).zip(backdrops).map(|(number, backdrop)| picture(work, backdrop, number)).collect()
}

fn picture(
    work: &Work<'_>,
    backdrop: &Backdrop,
    number: usize,
) -> Result<ResultInstance, WriteError> {
    let identity = Companion::Capture.identity(work, number)?;
    let mut set = Companion::Capture.begin(work, &identity);
    let canvas = draw(work, backdrop);
    set.put_text(tags::INSTANCE_NUMBER, Vr::IS, &number.to_string());
    set.put_texts(tags::IMAGE_TYPE, Vr::CS, &["DERIVED", "SECONDARY"]);
    set.put_text(tags::CONVERSION_TYPE, Vr::CS, "WSD");
    set.put_text(tags::CONTENT_DATE, Vr::DA, &work.created.date);
    set.put_text(tags::CONTENT_TIME, Vr::TM, &work.created.time);
    set.put_empty(tags::PATIENT_ORIENTATION, Vr::CS);
    set.put_text(tags::BURNED_IN_ANNOTATION, Vr::CS, "YES");
    set.put_text(tags::LOSSY_IMAGE_COMPRESSION, Vr::CS, lossy(work));
    let description = format!("Masks of {} drawn on an image", work.findings.model.name);
    set.put_text(tags::DERIVATION_DESCRIPTION, Vr::ST, &ascii(&description, LO_MAX));
    put_source(&mut set, work, backdrop.k);
    canvas.put_pixels(&mut set)?;
    Ok(Companion::Capture.end(identity, &set))
}

/// Once lossy, always lossy (PS3.3 §C.7.6.1.1.5).
fn lossy(work: &Work<'_>) -> &'static str {
    let is_lossy =
        |header: &DataSet| header.text(tags::LOSSY_IMAGE_COMPRESSION).as_deref() == Some("01");
    if work.source.instances.iter().any(|instance| is_lossy(&instance.header)) {
        "01"
    } else {
        "00"
    }
}

fn put_source(set: &mut DataSet, work: &Work<'_>, k: usize) {
    let slice = &work.source.slices[k];
    let mut source = sop_reference(&slice.instance.identity);
    if let Some(number) = slice.frame_number {
        source.put_text(tags::REFERENCED_FRAME_NUMBER, Vr::IS, &number.to_string());
    }
    put_code(&mut source, tags::PURPOSE_OF_REFERENCE_CODE_SEQUENCE, &SOURCE_IMAGE.concept());
    set.put_items(tags::SOURCE_IMAGE_SEQUENCE, vec![source]);
}

/// A picture that is drawn on.
struct Canvas {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

fn draw(work: &Work<'_>, backdrop: &Backdrop) -> Canvas {
    let [columns, rows, _] = work.source.grid.size();
    let scale = WIDTH_MIN.div_ceil(columns).clamp(1, 8);
    let mut canvas = Canvas::enlarged(&backdrop.rgb, columns, rows, scale);
    let shown: Vec<&Segment> =
        work.findings.segments.iter().filter(|s| s.mask.slices[backdrop.k].is_some()).collect();
    for segment in &shown {
        canvas.draw_mask(segment, backdrop.k, scale);
    }
    canvas.write(4, 4, "NOT FOR DIAGNOSIS", [255, 220, 0]);
    let model = format!("{} {}", work.findings.model.name, work.findings.model.version);
    canvas.write(4, 4 + LINE, &model, [255, 255, 255]);
    for (line, segment) in (2..).zip(&shown) {
        canvas.write(4, 4 + line * LINE, &legend(segment), segment.target.color_rgb);
    }
    canvas
}

/// Distance of lines of words.
const LINE: usize = (GLYPH_HEIGHT + 2) * DOT;

fn legend(segment: &Segment) -> String {
    let label = &segment.target.label;
    match segment.measurements.extent {
        Extent::Volumetric { volume_mm3, .. } => format!("{label} {:.1} ML", volume_mm3 / 1000.0),
        Extent::Planar { area_mm2, .. } => format!("{label} {area_mm2:.0} MM2"),
        Extent::Pixels { area_pixels, .. } => format!("{label} {area_pixels} PIXELS"),
    }
}

impl Canvas {
    fn enlarged(rgb: &[u8], columns: usize, rows: usize, scale: usize) -> Self {
        let (width, height) = (columns * scale, rows * scale);
        let mut enlarged = Vec::with_capacity(width * height * 3);
        for row in rgb.chunks_exact(columns * 3) {
            let line: Vec<u8> = row
                .chunks_exact(3)
                .flat_map(|pixel| std::iter::repeat_n(pixel, scale).flatten().copied())
                .collect();
            (0..scale).for_each(|_| enlarged.extend_from_slice(&line));
        }
        Self { width, height, rgb: enlarged }
    }

    fn draw_mask(&mut self, segment: &Segment, k: usize, scale: usize) {
        let mask = &segment.mask;
        let inside = |x: usize, y: usize| {
            let (i, j) = (x / scale, y / scale);
            i < mask.columns && j < mask.rows && mask.contains(i, j, k)
        };
        for y in 0..self.height {
            for x in (0..self.width).filter(|x| inside(*x, y)) {
                let is_border = x == 0
                    || y == 0
                    || !inside(x - 1, y)
                    || !inside(x, y - 1)
                    || !inside(x + 1, y)
                    || !inside(x, y + 1);
                self.blend(x, y, segment.target.color_rgb, if is_border { BORDER } else { INSIDE });
            }
        }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 0..=255")]
    fn blend(&mut self, x: usize, y: usize, color: [u8; 3], share: f32) {
        let at = (y * self.width + x) * 3;
        let Some(pixel) = self.rgb.get_mut(at..at + 3).filter(|_| x < self.width) else { return };
        for (under, over) in pixel.iter_mut().zip(color) {
            *under = (f32::from(*under) * (1.0 - share) + f32::from(over) * share).round() as u8;
        }
    }

    /// Writes words from a corner on; each letter has a dark edge, so that it is read on any ground.
    fn write(&mut self, left: usize, top: usize, words: &str, color: [u8; 3]) {
        for (place, letter) in ascii(words, LO_MAX).chars().enumerate() {
            let left = left + place * (GLYPH_WIDTH + 1) * DOT;
            for (shift, ink, share) in [(1, [0, 0, 0], 0.8), (0, color, 1.0)] {
                for y in 0..GLYPH_HEIGHT * DOT {
                    for x in (0..GLYPH_WIDTH * DOT).filter(|x| is_ink(letter, x / DOT, y / DOT)) {
                        self.blend(left + x + shift, top + y + shift, ink, share);
                    }
                }
            }
        }
    }

    fn put_pixels(self, set: &mut DataSet) -> Result<(), WriteError> {
        let extent = |what, count: usize| {
            let most = usize::from(u16::MAX);
            u16::try_from(count).map_err(|_| WriteError::TooMany { what, count, most })
        };
        set.put_u16s(tags::SAMPLES_PER_PIXEL, &[3]);
        set.put_text(tags::PHOTOMETRIC_INTERPRETATION, Vr::CS, "RGB");
        set.put_u16s(tags::PLANAR_CONFIGURATION, &[0]);
        set.put_u16s(tags::ROWS, &[extent("Rows", self.height)?]);
        set.put_u16s(tags::COLUMNS, &[extent("Columns", self.width)?]);
        set.put_u16s(tags::BITS_ALLOCATED, &[8]);
        set.put_u16s(tags::BITS_STORED, &[8]);
        set.put_u16s(tags::HIGH_BIT, &[7]);
        set.put_u16s(tags::PIXEL_REPRESENTATION, &[0]);
        set.put_bytes(tags::PIXEL_DATA, Vr::OB, self.rgb);
        Ok(())
    }
}
