//! Source slices as people see them: grey between two values, or in their colours. What overlays are drawn on.

use domain::{Findings, IntensityUnit, Unsuitable};
use inference::Volume;
use series::SourceSeries;
use sr_writer::Backdrop;

/// Most slices that are shown.
const SLICES_MAX: usize = 6;

/// Black and white of HU: a wide window for soft tissue.
const SOFT_TISSUE: (f32, f32) = (-300.0, 400.0);

/// Up to six slices, spread evenly over those with findings. What the volume does not have of them is read once more.
///
/// # Errors
/// What decoding says of a slice that is shown.
pub(crate) fn backdrops(
    volume: &Volume,
    findings: &Findings,
    source: &SourceSeries,
) -> Result<Vec<Backdrop>, Unsuitable> {
    let chosen = sr_writer::chosen_slices(findings, SLICES_MAX).into_iter();
    if source.slices.iter().all(|slice| pixels::check_color(&slice.instance).is_ok()) {
        return chosen.map(|k| in_color(source, k)).collect();
    }
    if volume.values.is_empty() && volume.unit == IntensityUnit::Hounsfield {
        return chosen.map(|k| read_grey(source, k)).collect();
    }
    // Where black and white lie is for all values to say.
    let read = volume.values.is_empty().then(|| inference::read_volume(source)).transpose()?;
    let volume = read.as_ref().unwrap_or(volume);
    let window = window(volume);
    Ok(chosen.map(|k| in_grey(volume, window, k)).collect())
}

fn read_grey(source: &SourceSeries, k: usize) -> Result<Backdrop, Unsuitable> {
    let values = pixels::slice_values(&source.slices[k], source.grid.size())?;
    Ok(Backdrop { k, rgb: shown(&values, SOFT_TISSUE) })
}

fn in_color(source: &SourceSeries, k: usize) -> Result<Backdrop, Unsuitable> {
    let slice = &source.slices[k];
    let frame = pixels::color_frame(&slice.instance, slice.frame_index)?;
    Ok(Backdrop { k, rgb: frame.rgb })
}

fn in_grey(volume: &Volume, window: (f32, f32), k: usize) -> Backdrop {
    let [columns, rows, _] = volume.grid.size();
    let plane = &volume.values[k * rows * columns..(k + 1) * rows * columns];
    Backdrop { k, rgb: shown(plane, window) }
}

fn shown(values: &[f32], window: (f32, f32)) -> Vec<u8> {
    values.iter().flat_map(|value| [grey(*value, window); 3]).collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0..=255; NaN becomes 0"
)]
fn grey(value: f32, (low, high): (f32, f32)) -> u8 {
    ((value - low) / (high - low) * 255.0).clamp(0.0, 255.0) as u8
}

/// Black and white: those of soft tissue for HU, the middle 98.5 % of a sample of the values otherwise.
fn window(volume: &Volume) -> (f32, f32) {
    if volume.unit == IntensityUnit::Hounsfield {
        return SOFT_TISSUE;
    }
    let step = (volume.values.len() / 100_000).max(1);
    let mut sample: Vec<f32> = volume.values.iter().copied().step_by(step).collect();
    sample.sort_by(f32::total_cmp);
    let low = sample[sample.len() / 100];
    let high = sample[sample.len() - 1 - sample.len() / 200];
    (low, if high > low { high } else { low + 1.0 })
}

#[cfg(test)]
mod tests {
    use domain::{FrameStack, ModelIdentity, SourceGrid};

    use super::*;

    #[test]
    fn grey_is_shown_between_two_values() {
        let grid = SourceGrid::Frames(FrameStack { size: [2, 2, 1], pixel_spacing_mm: None });
        let values = vec![-301.0, -300.0, 400.0, f32::NAN];
        let volume = Volume { grid, values, unit: IntensityUnit::Hounsfield };
        let shown = in_grey(&volume, window(&volume), 0);
        assert_eq!(shown.rgb, [0, 0, 0, 0, 0, 0, 255, 255, 255, 0, 0, 0]);
        let signal = Volume { unit: IntensityUnit::Signal, ..volume };
        assert!(window(&signal).0 < window(&signal).1);
    }

    #[test]
    fn without_findings_the_middle_is_shown() {
        let text = String::new;
        let [name, version, title, manufacturer, sha256] = [(); 5].map(|()| text());
        let grid = SourceGrid::Frames(FrameStack { size: [1, 1, 9], pixel_spacing_mm: None });
        let findings = Findings {
            model: ModelIdentity { name, version, title, manufacturer, sha256 },
            parameters: vec![],
            input_sha256: text(),
            grid,
            segments: vec![],
            absent: vec![],
        };
        assert_eq!(sr_writer::chosen_slices(&findings, SLICES_MAX), [4]);
    }
}
