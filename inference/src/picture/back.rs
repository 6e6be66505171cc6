//! From a map on the picture to the pixels of the source.

use super::axis::Axis;
use super::taps::{Taps, resample};
use super::turn::Lie;

/// The map at the middle of each pixel of the source, by linear interpolation.
pub(crate) fn back(map: &[f32], lie: Lie, axes: [Axis; 2]) -> Vec<f32> {
    let map = lie.turned_back(map, axes[0].side);
    if axes.iter().all(Axis::is_same) {
        return map.into_owned();
    }
    let [along, down] = axes.map(taps);
    resample(&map, [&along, &down], |_| {}, |lanes| lanes)
}

/// The pixels of the source, each between two of the picture.
pub(crate) fn taps(axis: Axis) -> Taps {
    if axis.is_same() {
        return Taps::same(axis.count);
    }
    Taps::linear(axis.side, (0..axis.count).map(|n| axis.in_picture(n)))
}
