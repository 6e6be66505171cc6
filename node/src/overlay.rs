//! Masks drawn over slices, as a PNG for people who have no viewer at hand. Not for diagnosis.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;

use domain::{Findings, Segment, VolumeGeometry};
use sr_writer::Backdrop;

const PANEL_COLUMNS: usize = 3;
/// Pixels of the longer side of a panel, whatever the spacing of the slices is.
const PANEL_PIXELS: f64 = 360.0;

/// An RGB picture, row by row.
#[derive(Debug)]
pub(crate) struct Picture {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

impl Picture {
    /// Chosen slices side by side, masks filled lightly and outlined.
    pub(crate) fn of(backdrops: &[Backdrop], findings: &Findings) -> Self {
        let panel = Panel::new(findings);
        let columns = backdrops.len().clamp(1, PANEL_COLUMNS);
        let rows = backdrops.len().div_ceil(PANEL_COLUMNS).max(1);
        let mut picture = Self::black(columns * panel.width, rows * panel.height);
        for (index, backdrop) in backdrops.iter().enumerate() {
            let corner = (index % columns * panel.width, index / columns * panel.height);
            panel.draw(&mut picture, corner, backdrop);
        }
        picture
    }

    fn black(width: usize, height: usize) -> Self {
        Self { width, height, rgb: vec![0; width * height * 3] }
    }

    /// Writes the picture as PNG.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn write(&self, path: &Path) -> io::Result<()> {
        let side = |n: usize| u32::try_from(n).map_err(io::Error::other);
        let file = BufWriter::new(File::create(path)?);
        let mut encoder = png::Encoder::new(file, side(self.width)?, side(self.height)?);
        encoder.set_color(png::ColorType::Rgb);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&self.rgb)?;
        writer.finish()?;
        Ok(())
    }
}

/// How one slice is scaled, and what is drawn over it.
struct Panel<'a> {
    findings: &'a Findings,
    geometry: VolumeGeometry,
    mm_per_pixel: f64,
    width: usize,
    height: usize,
}

impl<'a> Panel<'a> {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "sizes of pictures"
    )]
    fn new(findings: &'a Findings) -> Self {
        let geometry = findings.grid.or_indices();
        let [width_mm, height_mm] =
            [0, 1].map(|a| geometry.size[a] as f64 * geometry.spacing_mm[a]);
        let mm_per_pixel = width_mm.max(height_mm) / PANEL_PIXELS;
        let side = |mm: f64| ((mm / mm_per_pixel).round() as usize).max(1);
        let (width, height) = (side(width_mm), side(height_mm));
        Self { findings, geometry, mm_per_pixel, width, height }
    }

    fn draw(&self, picture: &mut Picture, corner: (usize, usize), backdrop: &Backdrop) {
        for y in 0..self.height {
            for x in 0..self.width {
                let rgb = self.pixel(self.index(x, 0), self.index(y, 1), backdrop);
                let at = ((corner.1 + y) * picture.width + corner.0 + x) * 3;
                picture.rgb[at..at + 3].copy_from_slice(&rgb);
            }
        }
    }

    /// The voxel index along `axis` under the middle of picture pixel `pixel`.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "sizes of pictures"
    )]
    fn index(&self, pixel: usize, axis: usize) -> usize {
        let geometry = &self.geometry;
        let mm = (pixel as f64 + 0.5) * self.mm_per_pixel;
        ((mm / geometry.spacing_mm[axis]) as usize).min(geometry.size[axis] - 1)
    }

    fn pixel(&self, i: usize, j: usize, backdrop: &Backdrop) -> [u8; 3] {
        let (k, at) = (backdrop.k, 3 * (j * self.geometry.size[0] + i));
        let mut rgb = [0, 1, 2].map(|channel| backdrop.rgb[at + channel]);
        let segments = &self.findings.segments;
        for segment in segments.iter().filter(|segment| segment.mask.contains(i, j, k)) {
            let share = if on_border(segment, i, j, k) { 0.9 } else { 0.3 };
            for (channel, color) in rgb.iter_mut().zip(segment.target.color_rgb) {
                *channel = blend(*channel, color, share);
            }
        }
        rgb
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 0..=255")]
fn blend(under: u8, over: u8, share: f32) -> u8 {
    (f32::from(under) * (1.0 - share) + f32::from(over) * share) as u8
}

fn on_border(segment: &Segment, i: usize, j: usize, k: usize) -> bool {
    let mask = &segment.mask;
    let at_edge = i == 0 || j == 0 || i + 1 == mask.columns || j + 1 == mask.rows;
    at_edge
        || !(mask.contains(i - 1, j, k)
            && mask.contains(i + 1, j, k)
            && mask.contains(i, j - 1, k)
            && mask.contains(i, j + 1, k))
}

#[cfg(test)]
mod tests {
    use domain::{
        Bounds, CodedConcept, Evidence, Extent, Mask, Measurements, ModelIdentity, SourceGrid,
        Target,
    };

    use super::*;

    fn found(marked: &[usize]) -> Findings {
        let geometry = VolumeGeometry {
            size: [4, 2, 8],
            spacing_mm: [1.0, 2.0, 5.0],
            origin_mm: [0.0; 3],
            directions: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        };
        let voxels: Vec<bool> = (0..64).map(|v| marked.contains(&(v / 8)) && v % 8 == 0).collect();
        let code = CodedConcept::new("1", "SCT", "x");
        let target = Target {
            label: "x".into(),
            category: code.clone(),
            property_type: code,
            laterality: None,
            anatomic_region: None,
            color_rgb: [255, 0, 0],
        };
        let measurements = Measurements {
            voxel_count: marked.len(),
            bounds: Bounds { first: [0; 3], last: [0; 3] },
            extent: Extent::Pixels { frame_index: 0, area_pixels: 1 },
            intensity: None,
        };
        let mask = Mask::from_voxels(4, 2, &voxels);
        let segment = Segment {
            target,
            mask,
            measurements,
            confidence: None,
            evidence: Evidence::default(),
            probabilities: None,
            boxes: vec![],
        };
        let text = String::new;
        let model = ModelIdentity {
            name: text(),
            version: text(),
            title: text(),
            manufacturer: text(),
            sha256: text(),
        };
        Findings {
            model,
            parameters: vec![],
            input_sha256: text(),
            grid: SourceGrid::Patient(geometry),
            segments: vec![segment],
            absent: vec![],
        }
    }

    #[test]
    fn pixels_are_square_and_masks_have_their_colour() {
        let backdrop = Backdrop { k: 2, rgb: (0..24).map(|byte| 10 * (byte / 3)).collect() };
        let picture = Picture::of(&[backdrop], &found(&[2]));
        assert_eq!((picture.width, picture.height), (360, 360), "4 x 1 mm by 2 x 2 mm");
        let [red, green, _] = [picture.rgb[0], picture.rgb[1], picture.rgb[2]];
        assert!(red > 200 && green < 60, "the first voxel is in the mask");
        let last = picture.rgb.len() - 3;
        assert_eq!(picture.rgb[last], picture.rgb[last + 1], "the last is grey");
    }
}
