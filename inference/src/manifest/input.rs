//! `[input]`: the tensor, the grid, the intensities.

use super::keys::Section;
use crate::faults::Faults;

/// What goes into the network, whatever its grid.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Input {
    /// Name of the tensor; `None`: the only one.
    pub(crate) tensor: Option<String>,
    /// How many channels; each gets the same values.
    pub(crate) channels: usize,
    /// How values between voxels are found.
    pub(crate) interpolation: Interpolation,
    /// Value outside the source volume, before intensities are mapped; `None`: the smallest of the volume.
    pub(crate) outside: Option<f32>,
    /// How intensities are mapped.
    pub(crate) intensity: Intensity,
}

/// How values between voxels are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interpolation {
    /// Trilinear.
    Linear,
    /// The voxel in which the point lies.
    Nearest,
}

/// The grid of a 3-D network. Arrays are in the order of the tensor: D, H, W.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct VolumeGrid {
    /// In mm; `None`: that of the source.
    pub(crate) spacing_mm: Option<[f64; 3]>,
    /// In voxels; `None`: enough to hold the source volume.
    pub(crate) size: Option<[usize; 3]>,
    /// Where the size is not given, it is rounded up to multiples of these.
    pub(crate) multiple_of: [usize; 3],
    /// Where the axes point.
    pub(crate) axes: Axes,
}

/// Where the three axes of the tensor point, D, H, W.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Axes {
    /// Slices, rows, columns of the source.
    Source,
    /// Exactly along these directions of the patient.
    Patient([Direction; 3]),
    /// Along those axes of the source that come nearest to these directions of the patient.
    Image([Direction; 3]),
}

/// A direction of the patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// To the left: +x.
    Left,
    /// To the right: -x.
    Right,
    /// To the back: +y.
    Posterior,
    /// To the front: -y.
    Anterior,
    /// To the head: +z.
    Superior,
    /// To the feet: -z.
    Inferior,
}

impl Direction {
    /// The letter in `model.toml`.
    pub(crate) fn letter(self) -> &'static str {
        match self {
            Self::Left => "L",
            Self::Right => "R",
            Self::Posterior => "P",
            Self::Anterior => "A",
            Self::Superior => "S",
            Self::Inferior => "I",
        }
    }

    /// Unit vector, LPS.
    pub(crate) fn vector(self) -> [f64; 3] {
        match self {
            Self::Left => [1.0, 0.0, 0.0],
            Self::Right => [-1.0, 0.0, 0.0],
            Self::Posterior => [0.0, 1.0, 0.0],
            Self::Anterior => [0.0, -1.0, 0.0],
            Self::Superior => [0.0, 0.0, 1.0],
            Self::Inferior => [0.0, 0.0, -1.0],
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let all = [
            Self::Left,
            Self::Right,
            Self::Posterior,
            Self::Anterior,
            Self::Superior,
            Self::Inferior,
        ];
        all.into_iter().find(|direction| direction.letter() == text)
    }

    fn patient_axis(self) -> usize {
        match self {
            Self::Left | Self::Right => 0,
            Self::Posterior | Self::Anterior => 1,
            Self::Superior | Self::Inferior => 2,
        }
    }
}

/// The grid of a 2-D network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SliceGrid {
    /// Rows, columns; `None`: those of the source.
    pub(crate) size: Option<[usize; 2]>,
    /// How a slice of another shape is brought to that size.
    pub(crate) fit: Fit,
    /// Slices in one run.
    pub(crate) batch: usize,
}

/// How a slice is brought to the size of a 2-D network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fit {
    /// Rows and columns by factors of their own.
    Stretch,
    /// By one factor, in the middle, the rest filled with the value outside.
    Pad,
}

/// How intensities become what the network was trained on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Intensity {
    /// Left as they are.
    None,
    /// `low` to `high` onto a range.
    Window {
        /// Lower end.
        low: f64,
        /// Upper end.
        high: f64,
        /// The range.
        onto: Onto,
    },
    /// From one percentile to another onto a range.
    Percentile {
        /// In percent.
        low: f64,
        /// In percent.
        high: f64,
        /// Which values count.
        over: Over,
        /// Whose values count.
        per: Per,
        /// The range.
        onto: Onto,
    },
    /// From the smallest to the largest onto a range.
    MinMax {
        /// Which values count.
        over: Over,
        /// Whose values count.
        per: Per,
        /// The range.
        onto: Onto,
    },
    /// Minus a mean, by a standard deviation.
    ZScore {
        /// Mean and standard deviation; `None`: measured.
        fixed: Option<(f64, f64)>,
        /// Values are limited to these first.
        limits: Option<(f64, f64)>,
        /// Which values count where they are measured.
        over: Over,
        /// Whose values count.
        per: Per,
    },
}

/// A range to map onto.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Onto {
    /// What the lower end becomes.
    pub(crate) low: f32,
    /// What the upper end becomes.
    pub(crate) high: f32,
    /// Whether values beyond the ends are limited to them.
    pub(crate) clip: bool,
}

/// Which values a statistic is taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Over {
    /// All.
    All,
    /// All but 0.
    Nonzero,
}

/// Whether a statistic is that of the series or that of each slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Per {
    /// One for all.
    Series,
    /// One for each slice; for 2-D networks.
    Slice,
}

/// Reads what both kinds share of `[input]` and its `intensity`; `grid` is read by the caller.
pub(crate) fn read_input(
    input: &mut Section,
    grid: &mut Section,
    layout: &'static str,
    faults: &mut Faults,
) -> Input {
    let tensor = input.text("tensor", faults);
    input.choice("layout", &[(layout, ())], faults);
    let channels = input.whole("channels", 1, faults).unwrap_or(1);
    let interpolations = [("linear", Interpolation::Linear), ("nearest", Interpolation::Nearest)];
    let interpolation = grid.choice("interpolation", &interpolations, faults);
    let outside = grid.number("outside", faults).map(single);
    let mut intensity = input.section("intensity", faults);
    let mapping = read_intensity(&mut intensity, faults);
    if layout == "NCDHW" && mapping.per() == Per::Slice {
        faults.add(intensity.at("per"), "\"slice\" is for models of kind \"slice\"");
    }
    intensity.finish(faults);
    let interpolation = interpolation.unwrap_or(Interpolation::Linear);
    Input { tensor, channels, interpolation, outside, intensity: mapping }
}

#[expect(clippy::cast_possible_truncation, reason = "networks compute with f32")]
fn single(number: f64) -> f32 {
    number as f32
}

/// Reads `[input.grid]` of a 3-D network.
pub(crate) fn read_volume_grid(grid: &mut Section, faults: &mut Faults) -> VolumeGrid {
    let spacing_mm = grid.numbers::<3>("spacing_mm", faults);
    if spacing_mm.is_some_and(|spacing| spacing.iter().any(|mm| *mm <= 0.0)) {
        faults.add(grid.at("spacing_mm"), "must be above 0");
    }
    let size = grid.wholes::<3>("size", 1, faults);
    let multiple_of = grid.wholes::<3>("multiple_of", 1, faults);
    if size.is_some() && multiple_of.is_some() {
        faults.add(grid.at("multiple_of"), "has no meaning beside a fixed size");
    }
    let axes = read_axes(grid, faults);
    VolumeGrid { spacing_mm, size, multiple_of: multiple_of.unwrap_or([1; 3]), axes }
}

fn read_axes(grid: &mut Section, faults: &mut Faults) -> Axes {
    let words = grid.text_or_three("axes", faults);
    let along_image = grid.choice("align", &[("patient", false), ("image", true)], faults);
    let letters = match words.as_deref() {
        None => return Axes::Source,
        Some([word]) if word == "source" => return Axes::Source,
        Some(words) => words,
    };
    let directions: Option<Vec<_>> = letters.iter().map(|text| Direction::parse(text)).collect();
    let directions = directions.and_then(|list| <[Direction; 3]>::try_from(list).ok());
    let sorted = directions.map(|list| {
        let mut axes = list.map(Direction::patient_axis);
        axes.sort_unstable();
        axes
    });
    match (directions, sorted, along_image) {
        (Some(directions), Some([0, 1, 2]), Some(true)) => Axes::Image(directions),
        (Some(directions), Some([0, 1, 2]), _) => Axes::Patient(directions),
        _ => {
            let what = "\"source\" is wanted, or three letters, one each of L or R, A or P, S or I";
            faults.add(grid.at("axes"), what);
            Axes::Source
        }
    }
}

/// Reads `[input.grid]` of a 2-D network.
pub(crate) fn read_slice_grid(grid: &mut Section, faults: &mut Faults) -> SliceGrid {
    let size = grid.wholes::<2>("size", 1, faults);
    let fit = grid.choice("fit", &[("stretch", Fit::Stretch), ("pad", Fit::Pad)], faults);
    let batch = grid.whole("batch", 1, faults).unwrap_or(1);
    SliceGrid { size, fit: fit.unwrap_or(Fit::Stretch), batch }
}

impl Intensity {
    /// Whose values count.
    pub(crate) fn per(&self) -> Per {
        match self {
            Self::None | Self::Window { .. } => Per::Series,
            Self::Percentile { per, .. } | Self::MinMax { per, .. } | Self::ZScore { per, .. } => {
                *per
            }
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum IntensityKind {
    None,
    Window,
    Percentile,
    MinMax,
    ZScore,
}

fn read_intensity(keys: &mut Section, faults: &mut Faults) -> Intensity {
    let kinds = [
        ("none", IntensityKind::None),
        ("window", IntensityKind::Window),
        ("percentile", IntensityKind::Percentile),
        ("min-max", IntensityKind::MinMax),
        ("z-score", IntensityKind::ZScore),
    ];
    match keys.required_choice("kind", &kinds, faults) {
        None | Some(IntensityKind::None) => Intensity::None,
        Some(IntensityKind::Window) => {
            let (low, high) = ends(keys, faults);
            Intensity::Window { low, high, onto: onto(keys, faults) }
        }
        Some(IntensityKind::Percentile) => percentile(keys, faults),
        Some(IntensityKind::MinMax) => {
            let (over, per) = statistic(keys, faults);
            Intensity::MinMax { over, per, onto: onto(keys, faults) }
        }
        Some(IntensityKind::ZScore) => z_score(keys, faults),
    }
}

fn percentile(keys: &mut Section, faults: &mut Faults) -> Intensity {
    let (low, high) = ends(keys, faults);
    for (key, percent) in [("low", low), ("high", high)] {
        if !(0.0..=100.0).contains(&percent) {
            faults.add(keys.at(key), "percent are from 0 to 100");
        }
    }
    let (over, per) = statistic(keys, faults);
    Intensity::Percentile { low, high, over, per, onto: onto(keys, faults) }
}

fn z_score(keys: &mut Section, faults: &mut Faults) -> Intensity {
    let (mean, deviation) =
        (keys.number("mean", faults), keys.number("standard_deviation", faults));
    if mean.is_some() != deviation.is_some() {
        faults.add(keys.at("mean"), "mean and standard_deviation come together or not at all");
    }
    if deviation.is_some_and(|deviation| deviation <= 0.0) {
        faults.add(keys.at("standard_deviation"), "must be above 0");
    }
    let limits = keys.numbers::<2>("limits", faults).map(|[low, high]| (low, high));
    if limits.is_some_and(|(low, high)| low >= high) {
        faults.add(keys.at("limits"), "the first must be below the second");
    }
    let (over, per) = statistic(keys, faults);
    Intensity::ZScore { fixed: mean.zip(deviation), limits, over, per }
}

fn ends(keys: &mut Section, faults: &mut Faults) -> (f64, f64) {
    for key in ["low", "high"] {
        if !keys.has(key) {
            faults.add(keys.at(key), "missing");
        }
    }
    let (low, high) = (keys.number("low", faults), keys.number("high", faults));
    if low.zip(high).is_some_and(|(low, high)| low >= high) {
        faults.add(keys.at("low"), "must be below high");
    }
    (low.unwrap_or(0.0), high.unwrap_or(1.0))
}

fn onto(keys: &mut Section, faults: &mut Faults) -> Onto {
    let range = keys.numbers::<2>("range", faults).unwrap_or([0.0, 1.0]);
    if range[0] >= range[1] {
        faults.add(keys.at("range"), "the first must be below the second");
    }
    let clip = keys.yes("clip", faults).unwrap_or(true);
    Onto { low: single(range[0]), high: single(range[1]), clip }
}

fn statistic(keys: &mut Section, faults: &mut Faults) -> (Over, Per) {
    let over = keys.choice("over", &[("all", Over::All), ("nonzero", Over::Nonzero)], faults);
    let per = keys.choice("per", &[("series", Per::Series), ("slice", Per::Slice)], faults);
    (over.unwrap_or(Over::All), per.unwrap_or(Per::Series))
}
