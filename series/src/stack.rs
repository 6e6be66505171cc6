//! Is a heap of frames a stack? The checks, each with its tolerance.

use domain::{Unsuitable, UnsuitableCode, VolumeGeometry, dot, norm, sub};

use crate::frame::{Frame, Plane};

/// Largest angle between row (column) directions of two slices, in radians: 0.05 mm at 500 mm from the first pixel.
pub const ANGLE_MAX_RAD: f64 = 1e-4;
/// Largest relative difference between pixel spacings of two slices: 0.05 mm over 500 mm.
pub const SPACING_RELATIVE_MAX: f64 = 1e-4;
/// Slices whose distance along the normal is below this, in mm, lie at the same position.
pub const DUPLICATE_MAX_MM: f64 = 1e-3;
/// From this multiple of the median distance on, a slice is missing.
pub const MISSING_SLICE_MIN: f64 = 1.5;
/// Largest part of the slice spacing by which a distance, or a slice's place in the even grid, may be off.
/// Positions that scanners round to 0.1 mm pass at 1 mm spacing; volumes stay right, because the mean spacing is used.
pub const IRREGULAR_MAX: f64 = 0.1;
/// Largest shift of a slice across the normal, in pixels (of the smaller spacing).
pub const SHIFT_MAX_PIXELS: f64 = 0.1;
/// Largest angle between normal and slice direction, in radians, whatever the shift: it is what direction cosines of
/// three decimals leave open (0.03°). Scanners tilt by half degrees.
pub const TILT_MAX_RAD: f64 = 5e-4;

/// Kinds of planes that are told apart when a series mixes them; all others count as "other".
const KINDS_MAX: usize = 16;
/// Instances that a reason names; the rest is counted.
const NAMED_MAX: usize = 3;

/// Checks that all planes are parallel, and of the same extent, pixel spacing and Frame of Reference.
///
/// # Errors
/// [`UnsuitableCode::MixedOrientation`] or [`UnsuitableCode::MixedGrid`], naming those that are in the minority.
pub(crate) fn check_alike(frames: &[Frame]) -> Result<(), Unsuitable> {
    if let Some(odd) = Minority::find(frames, is_parallel) {
        let shown = |plane: &Plane| plane.normal().map(|n| format!("{:.4}", n + 0.0)).join(" ");
        let detail = odd.told("normal", shown);
        return Err(Unsuitable::new(UnsuitableCode::MixedOrientation, detail));
    }
    if let Some(odd) = Minority::find(frames, has_same_grid) {
        let detail = odd.told("grid", |plane| {
            let ([x, y], frame) = (plane.spacing_mm, &plane.frame_of_reference);
            format!("{} x {} pixels of {x} x {y} mm in {frame}", plane.columns, plane.rows)
        });
        return Err(Unsuitable::new(UnsuitableCode::MixedGrid, detail));
    }
    Ok(())
}

/// Whether rows and columns of two planes point the same way.
pub(crate) fn is_parallel(a: &Plane, b: &Plane) -> bool {
    let mut pairs = a.directions.iter().zip(&b.directions);
    // The chord of two unit vectors is their angle to within its cube.
    pairs.all(|(a, b)| norm(sub(*a, *b)) <= ANGLE_MAX_RAD)
}

fn has_same_grid(a: &Plane, b: &Plane) -> bool {
    let near = |(a, b): (&f64, &f64)| (a - b).abs() <= SPACING_RELATIVE_MAX * a.max(*b);
    (a.columns, a.rows) == (b.columns, b.rows)
        && a.frame_of_reference == b.frame_of_reference
        && a.spacing_mm.iter().zip(&b.spacing_mm).all(near)
}

/// The planes of a series that are not like the others.
struct Minority<'a> {
    most: &'a Plane,
    others: Vec<&'a Frame>,
    count: usize,
}

impl<'a> Minority<'a> {
    fn find(frames: &'a [Frame], alike: fn(&Plane, &Plane) -> bool) -> Option<Self> {
        let mut kinds: Vec<(&Plane, Vec<usize>)> = Vec::new();
        for (index, frame) in frames.iter().enumerate() {
            let kind = kinds.iter().position(|(first, _)| alike(first, &frame.plane));
            match kind {
                Some(kind) => kinds[kind].1.push(index),
                None if kinds.len() < KINDS_MAX => kinds.push((&frame.plane, vec![index])),
                None => {}
            }
        }
        let (most, members) = kinds.into_iter().rev().max_by_key(|(_, members)| members.len())?;
        let mut members = members.into_iter().peekable();
        let is_other = |(index, _): &(usize, &Frame)| members.next_if_eq(index).is_none();
        let others: Vec<_> =
            frames.iter().enumerate().filter(is_other).map(|(_, frame)| frame).collect();
        (!others.is_empty()).then_some(Self { most, others, count: frames.len() })
    }

    fn told(&self, what: &str, shown: impl Fn(&Plane) -> String) -> String {
        let (few, all) = (self.others.len(), self.count);
        let first = self.others.first().map(|frame| shown(&frame.plane)).unwrap_or_default();
        let most = shown(self.most);
        let names = named(self.others.iter().copied());
        format!("{few} of {all} slices have another {what} ({first}, most {most}): {names}")
    }
}

/// UIDs of the first instances among these frames, and how many more there are.
fn named<'a>(frames: impl Iterator<Item = &'a Frame>) -> String {
    let mut uids: Vec<&str> =
        frames.map(|frame| frame.instance.identity.sop_instance.as_str()).collect();
    uids.dedup();
    let more = uids.len().saturating_sub(NAMED_MAX);
    uids.truncate(NAMED_MAX);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    uids.join(", ") + &more
}

/// Sorts frames along the normal of the first; frames at the same place by UID and frame, so that the order is one.
pub(crate) fn sort(frames: &mut [Frame]) {
    let Some(normal) = frames.first().map(|frame| frame.plane.normal()) else { return };
    frames.sort_by(|a, b| {
        let along = |frame: &Frame| dot(frame.plane.position_mm, normal);
        let name =
            |frame: &Frame| (frame.instance.identity.sop_instance.clone(), frame.frame_index);
        along(a).total_cmp(&along(b)).then_with(|| name(a).cmp(&name(b)))
    });
}

/// Distances between neighbours of a sorted stack along its normal, in mm.
pub(crate) fn distances_mm(frames: &[Frame]) -> Vec<f64> {
    let Some(normal) = frames.first().map(|frame| frame.plane.normal()) else { return Vec::new() };
    let apart = |pair: &[Frame]| sub(pair[1].plane.position_mm, pair[0].plane.position_mm);
    frames.windows(2).map(|pair| dot(apart(pair), normal)).collect()
}

/// The mean distance between the slices of a sorted stack, in mm; `None` for fewer than two.
pub(crate) fn mean_mm(distances: &[f64]) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "numbers of slices are far below 2^52")]
    let count = distances.len() as f64;
    (!distances.is_empty()).then(|| distances.iter().sum::<f64>() / count)
}

fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    let lower = if sorted.len().is_multiple_of(2) { *sorted.get(middle - 1)? } else { upper };
    Some(f64::midpoint(lower, upper))
}

/// Whether distances are equal within the tolerance.
pub(crate) fn is_even(distances: &[f64]) -> bool {
    median(distances).is_some_and(|median| {
        median >= DUPLICATE_MAX_MM
            && distances.iter().all(|mm| (mm - median).abs() <= IRREGULAR_MAX * median)
    })
}

/// Checks the distances between the slices of a sorted stack.
///
/// # Errors
/// [`UnsuitableCode::DuplicateSlice`] or [`UnsuitableCode::Gap`], with places and distances.
pub(crate) fn check_distances(frames: &[Frame], distances: &[f64]) -> Result<(), Unsuitable> {
    let Some(median) = median(distances) else { return Ok(()) };
    let pairs = || frames.windows(2).zip(distances);
    let doubled: Vec<_> = pairs().filter(|(_, mm)| **mm < DUPLICATE_MAX_MM).collect();
    if let Some((pair, _)) = doubled.first() {
        let (count, at) = (doubled.len(), shown_mm(pair[0].plane.position_mm));
        let detail =
            format!("two slices at {at} mm: {} (places with two: {count})", named(pair.iter()));
        return Err(Unsuitable::new(UnsuitableCode::DuplicateSlice, detail));
    }
    let wide: Vec<_> = pairs().filter(|(_, mm)| **mm > MISSING_SLICE_MIN * median).collect();
    if let Some((pair, mm)) = wide.first() {
        let detail = format!(
            "{mm:.3} mm (median {median:.3} mm) between the slices at {} and {} mm: {} (gaps: {})",
            shown_mm(pair[0].plane.position_mm),
            shown_mm(pair[1].plane.position_mm),
            named(pair.iter()),
            wide.len()
        );
        return Err(Unsuitable::new(UnsuitableCode::Gap, detail));
    }
    if is_even(distances) { Ok(()) } else { Err(irregular(distances, median)) }
}

fn irregular(distances: &[f64], median: f64) -> Unsuitable {
    let least = distances.iter().copied().fold(f64::INFINITY, f64::min);
    let most = distances.iter().copied().fold(0.0, f64::max);
    let detail = format!(
        "slices lie {least:.3} to {most:.3} mm apart (median {median:.3} mm), not evenly within {} %",
        100.0 * IRREGULAR_MAX
    );
    Unsuitable::new(UnsuitableCode::Gap, detail)
}

fn shown_mm(position: [f64; 3]) -> String {
    position.map(|mm| format!("{mm:.3}")).join("\\")
}

/// Checks that the grid puts each slice where its own position is.
///
/// # Errors
/// [`UnsuitableCode::Gap`] for a slice that is off along the normal, [`UnsuitableCode::GantryTilt`] or
/// [`UnsuitableCode::MixedGrid`] for one that is off across it.
pub(crate) fn check_fit(frames: &[Frame], grid: &VolumeGeometry) -> Result<(), Unsuitable> {
    let mut offsets = Vec::with_capacity(frames.len());
    for (k, frame) in frames.iter().enumerate() {
        let off = Offset::of(frame, k, grid);
        if off.along_mm.abs() > IRREGULAR_MAX * grid.spacing_mm[2] {
            let detail = format!(
                "slice {k} lies {:.3} mm from its place in an even stack of {:.3} mm: {}",
                off.along_mm,
                grid.spacing_mm[2],
                named([frame].into_iter())
            );
            return Err(Unsuitable::new(UnsuitableCode::Gap, detail));
        }
        offsets.push(off);
    }
    let Some(worst) = offsets.iter().position(|off| off.across_mm() > off.across_max_mm(grid))
    else {
        return Ok(());
    };
    Err(if is_sheared(&offsets, grid) {
        tilted(&offsets)
    } else {
        let detail = format!(
            "slice {worst} is shifted {:.3} mm in its plane: {}",
            offsets[worst].across_mm(),
            named(frames[worst..].iter().take(1))
        );
        Unsuitable::new(UnsuitableCode::MixedGrid, detail)
    })
}

/// Where a slice is, against where the grid has it.
#[derive(Debug, Clone, Copy)]
struct Offset {
    /// Along rows and columns, in mm.
    across: [f64; 2],
    along_mm: f64,
    from_first_mm: f64,
}

impl Offset {
    #[expect(clippy::cast_precision_loss, reason = "numbers of slices are far below 2^52")]
    fn of(frame: &Frame, k: usize, grid: &VolumeGeometry) -> Self {
        let from_first = sub(frame.plane.position_mm, grid.origin_mm);
        let [x, y, z] = grid.directions.map(|direction| dot(from_first, direction));
        Self { across: [x, y], along_mm: z - k as f64 * grid.spacing_mm[2], from_first_mm: z }
    }

    fn across_mm(self) -> f64 {
        self.across[0].hypot(self.across[1])
    }

    fn across_max_mm(self, grid: &VolumeGeometry) -> f64 {
        let pixel_mm = grid.spacing_mm[0].min(grid.spacing_mm[1]);
        (SHIFT_MAX_PIXELS * pixel_mm).max(TILT_MAX_RAD * self.from_first_mm)
    }
}

/// Sheared: every slice is off in proportion to its distance from the first.
fn is_sheared(offsets: &[Offset], grid: &VolumeGeometry) -> bool {
    let Some(last) = offsets.last().filter(|last| last.from_first_mm > 0.0) else { return false };
    let slope = last.across.map(|mm| mm / last.from_first_mm);
    offsets.iter().all(|off| {
        let rest = [0, 1].map(|axis| off.across[axis] - slope[axis] * off.from_first_mm);
        rest[0].hypot(rest[1]) <= off.across_max_mm(grid)
    })
}

fn tilted(offsets: &[Offset]) -> Unsuitable {
    let (across, along) =
        offsets.last().map_or((0.0, 1.0), |last| (last.across_mm(), last.from_first_mm));
    let angle = across.atan2(along).to_degrees();
    let detail = format!(
        "the slices are sheared by {angle:.2} degrees: {across:.3} mm across over {along:.3} mm"
    );
    Unsuitable::new(UnsuitableCode::GantryTilt, detail)
}
