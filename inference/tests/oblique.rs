//! An oblique series with anisotropic voxels through a network on another grid, and back: what is found lies where it was.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use domain::{Segment, VolumeGeometry, cross, norm, sub};
use inference::Volume;
use support::{about, label, load, onnx, run, runtime, volume};

const CENTRE_MM: [f64; 3] = [12.0, -30.0, 55.0];
const RADIUS_MM: f64 = 18.0;

/// Axes that are turned about all three axes of the patient, roughly coronal.
fn oblique() -> VolumeGeometry {
    let unit = |v: [f64; 3]| v.map(|x| x / norm(v));
    let i = unit([0.95, 0.2, -0.1]);
    let k = unit(cross(i, [0.1, 0.25, -0.9]));
    let j = cross(k, i);
    let mut geometry = VolumeGeometry {
        size: [90, 70, 30],
        spacing_mm: [0.7, 0.9, 2.2],
        origin_mm: [0.0; 3],
        directions: [i, j, k],
    };
    geometry.origin_mm = sub(CENTRE_MM, geometry.centre_mm());
    geometry.origin_mm[0] += 3.0;
    geometry
}

/// A soft ball: 0 at its surface, falling off by 10 a millimetre.
fn ball() -> Volume {
    let geometry = oblique();
    let of = geometry.clone();
    volume(geometry, move |index| {
        let position = of.position_mm(index.map(|n| f64::from(u32::try_from(n).unwrap())));
        #[expect(clippy::cast_possible_truncation, reason = "a test's numbers are small")]
        let value = ((RADIUS_MM - norm(sub(position, CENTRE_MM))) * 10.0) as f32;
        value
    })
}

fn found(grid: &str) -> Option<Segment> {
    let runtime = runtime()?;
    let rest = "[input.intensity]\nkind = \"none\"\n[output]\nactivation = \"softmax\"\nfrom = \"logits\"\n";
    let text = [about("volume"), grid.into(), rest.into(), label(1)].concat();
    // Logits 0 and x / 20: the surface is where they meet.
    let model = load(&text, &onnx::pointwise(3, &[0.0, 0.05], &[0.0, 0.0]), &runtime).unwrap();
    let volume = ball();
    let mut findings = run(&model, &volume).unwrap();
    assert_eq!(findings.grid, volume.grid);
    findings.segments.pop()
}

/// Share of voxels on which the segment and the ball itself disagree.
fn disagreement(segment: &Segment) -> f64 {
    let volume = ball();
    let [columns, rows, _] = volume.grid.size();
    let differ = volume.values.iter().enumerate().filter(|(n, value)| {
        let is_in = segment.mask.contains(n % columns, n / columns % rows, n / columns / rows);
        is_in != (**value > 0.0)
    });
    let inside = volume.values.iter().filter(|value| **value > 0.0).count();
    differ.count() as f64 / inside as f64
}

fn centre_mm(segment: &Segment) -> [f64; 3] {
    let geometry = oblique();
    let [columns, rows, planes] = geometry.size;
    let mut sum = [0.0; 3];
    for (k, j, i) in (0..planes)
        .flat_map(|k| (0..rows).flat_map(move |j| (0..columns).map(move |i| (k, j, i))))
        .filter(|(k, j, i)| segment.mask.contains(*i, *j, *k))
    {
        let position = geometry.position_mm([i as f64, j as f64, k as f64]);
        sum = [0, 1, 2].map(|n| sum[n] + position[n]);
    }
    sum.map(|sum| sum / segment.measurements.voxel_count as f64)
}

#[test]
fn a_ball_comes_back_where_it_was() {
    for grid in [
        "",
        "[input.grid]\nspacing_mm = [1, 1, 1]\naxes = [\"L\", \"I\", \"A\"]\n",
        "[input.grid]\nspacing_mm = [1, 1, 1]\nsize = [80, 72, 66]\naxes = [\"S\", \"P\", \"R\"]\n",
        "[input.grid]\nspacing_mm = [0.8, 0.8, 0.8]\naxes = [\"R\", \"A\", \"S\"]\nalign = \"image\"\n",
        "[input.grid]\naxes = \"source\"\nspacing_mm = [1.1, 1.1, 1.1]\nmultiple_of = [16, 16, 16]\n",
        "[input.grid]\nspacing_mm = [1, 1, 1]\naxes = [\"A\", \"L\", \"I\"]\n[inference]\nmode = \"sliding\"\nsize = [32, 40, 0]\n",
    ] {
        let Some(segment) = found(grid) else { return };
        let off_mm = norm(sub(centre_mm(&segment), CENTRE_MM));
        assert!(off_mm < 0.1, "{grid}: {off_mm} mm");
        let volume_mm3 = 4.0 / 3.0 * std::f64::consts::PI * RADIUS_MM.powi(3);
        let ratio = segment.measurements.extent.volume_mm3().unwrap() / volume_mm3;
        assert!((ratio - 1.0).abs() < 0.01, "{grid}: {ratio}");
        let share = disagreement(&segment);
        assert!(share < 0.02, "{grid}: {share}");
        assert!(
            segment.measurements.intensity.unwrap().minimum > -5.0,
            "{grid}: {:?}",
            segment.measurements
        );
    }
}

#[test]
fn what_lies_outside_the_network_s_grid_is_background() {
    // A grid of 18 mm, which lies in the ball with all its corners.
    let grid =
        "[input.grid]\nspacing_mm = [1, 1, 1]\nsize = [18, 18, 18]\naxes = [\"S\", \"P\", \"L\"]\n";
    let Some(segment) = found(grid) else { return };
    let volume_mm3 = segment.measurements.extent.volume_mm3().unwrap();
    assert!((volume_mm3 / 5832.0 - 1.0).abs() < 0.02, "{volume_mm3}");
    assert!(segment.measurements.intensity.unwrap().minimum > 0.0);
}

#[test]
fn sigmoids_come_back_each_by_itself() {
    let Some(runtime) = runtime() else { return };
    let rest = "[input.grid]\nspacing_mm = [1, 1, 1]\naxes = [\"L\", \"I\", \"A\"]\n\
        [input.intensity]\nkind = \"none\"\n[output]\nactivation = \"sigmoid\"\nfrom = \"logits\"\n";
    let text = [about("volume"), rest.into(), label(2), label(0)].concat();
    // The ball; a smaller one that nobody asks for; one 6 mm smaller.
    let network = onnx::pointwise(3, &[0.05, 0.05, 0.05], &[0.0, -9.0, -3.0]);
    let model = load(&text, &network, &runtime).unwrap();
    let findings = run(&model, &ball()).unwrap();
    let [inner, outer] = findings.segments.as_slice() else { panic!("two are there") };
    assert!(disagreement(outer) < 0.02, "{}", disagreement(outer));
    let ratio = inner.measurements.extent.volume_mm3().unwrap()
        / outer.measurements.extent.volume_mm3().unwrap();
    let wanted = ((RADIUS_MM - 6.0) / RADIUS_MM).powi(3);
    assert!((ratio / wanted - 1.0).abs() < 0.03, "{ratio} {wanted}");
}

#[test]
fn slices_of_another_size_come_back_too() {
    let Some(runtime) = runtime() else { return };
    let rest = "[input.intensity]\nkind = \"none\"\n[output]\nactivation = \"sigmoid\"\nfrom = \"logits\"\n";
    for grid in [
        "size = [128, 128]\nfit = \"stretch\"\nbatch = 7",
        "size = [96, 200]\nfit = \"pad\"\nbatch = 4",
    ] {
        let grid = format!("[input.grid]\n{grid}\n");
        let text = [about("slice"), grid.clone(), rest.into(), label(0)].concat();
        let model = load(&text, &onnx::pointwise(2, &[0.05], &[0.0]), &runtime).unwrap();
        let findings = run(&model, &ball()).unwrap();
        let share = disagreement(&findings.segments[0]);
        assert!(share < 0.01, "{grid}: {share}");
    }
}
