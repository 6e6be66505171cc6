//! A manifest in words: for `parsenode model show`, and as the settings that a result carries.

use std::fmt;

use domain::Target;

use super::{
    Activation, Axes, Direction, Fit, Intensity, Interpolation, LabelSpec, Manifest, Mode, Onto,
    Over, Per, Plan, PromptSpec, Scale, Spec, Vocabulary, VolumeGrid, Weights,
};

impl fmt::Display for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let identity = &self.identity;
        writeln!(f, "{} {}: {}", identity.name, identity.version, identity.title)?;
        writeln!(f, "  manufacturer    {}", identity.manufacturer)?;
        writeln!(f, "  licence         {}", self.licence.as_deref().unwrap_or("not stated"))?;
        writeln!(f, "  sha256          {}", identity.sha256)?;
        writeln!(f, "  kind            {}", self.kind().as_str())?;
        writeln!(f, "  modalities      {}", self.modalities.join(", "))?;
        writeln!(f, "  minimum slices  {}", self.minimum_slices)?;
        for setting in self.settings() {
            let (key, value) = setting.split_once('=').unwrap_or((&setting, ""));
            writeln!(f, "  {key:<15} {value}")?;
        }
        match &self.spec {
            Spec::Labels(spec) => spec.labels.iter().try_for_each(|label| {
                write_target(f, &format!("channel {}", label.channel), &label.target)
            }),
            Spec::Prompt(spec) => write_asked(f, spec),
        }
    }
}

fn write_target(f: &mut fmt::Formatter<'_>, what: &str, target: &Target) -> fmt::Result {
    write!(f, "  {what:<15} {}: {}", target.label, target.property_type)?;
    let more = [&target.laterality, &target.anatomic_region];
    more.into_iter().flatten().try_for_each(|code| write!(f, ", {code}"))?;
    writeln!(f)
}

/// What a promptable model may be asked.
fn write_asked(f: &mut fmt::Formatter<'_>, spec: &PromptSpec) -> fmt::Result {
    writeln!(f, "  least p-value   {}, unless a rule says otherwise", spec.p_least)?;
    writeln!(f, "  turn            {}, unless a rule says otherwise", spec.turn)?;
    match &spec.vocabulary {
        Vocabulary::V1 => {
            writeln!(f, "  targets         object types of v1: parsenode catalogue list")
        }
        Vocabulary::V2 => writeln!(f, "  targets         those of v2: parsenode catalogue list"),
        Vocabulary::Own(targets) => targets.iter().try_for_each(|own| {
            let modalities: Vec<_> = own.modalities.iter().map(|m| m.name()).collect();
            write_target(f, &format!("in {}", modalities.join(", ")), &own.target)
        }),
    }
}

impl Manifest {
    /// What shapes an answer, one `key=value` each, sorted by key.
    pub(crate) fn settings(&self) -> Vec<String> {
        match &self.spec {
            Spec::Labels(spec) => spec.settings(),
            Spec::Prompt(spec) => spec.settings(),
        }
    }
}

impl PromptSpec {
    fn settings(&self) -> Vec<String> {
        let vocabulary = match &self.vocabulary {
            Vocabulary::V1 => "v1",
            Vocabulary::V2 => "v2",
            Vocabulary::Own(_) => "own",
        };
        let mut settings = vec![
            format!("generation={}", self.generation.as_str()),
            format!("side={}", self.side),
            format!("vocabulary={vocabulary}"),
        ];
        if let Some(statistics) = &self.statistics {
            settings.push(format!("statistics=own, of {} targets", statistics.target_count()));
        }
        for window in &self.windows {
            let (low, high) = (window.low_hu, window.high_hu);
            settings.push(format!("window {}={low} to {high} HU", window.name));
        }
        settings.sort();
        settings
    }
}

impl LabelSpec {
    fn settings(&self) -> Vec<String> {
        let input = &self.input;
        let outside = input.outside.map_or_else(|| "smallest".into(), |value| value.to_string());
        let interpolation = match input.interpolation {
            Interpolation::Linear => "linear",
            Interpolation::Nearest => "nearest",
        };
        let activation = match self.output.activation {
            Activation::Softmax => "softmax",
            Activation::Sigmoid => "sigmoid",
        };
        let scale = match self.output.scale {
            Scale::Logits => "logits",
            Scale::Probabilities => "probabilities",
        };
        let mut settings = vec![
            format!("activation={activation} from {scale}"),
            format!("intensity={}", input.intensity),
            format!("interpolation={interpolation}"),
            format!("outside={outside}"),
            format!("threshold={}", self.output.threshold),
        ];
        match &self.plan {
            Plan::Volume { grid, mode } => {
                settings.push(format!("grid={grid}"));
                settings.push(format!("mode={mode}"));
            }
            Plan::Slice(grid) => {
                let fit = match grid.fit {
                    Fit::Stretch => "stretched",
                    Fit::Pad => "padded",
                };
                let size = grid.size.map_or_else(|| "source".into(), |size| by(&size));
                settings.push(format!("grid=slices of {size}, {fit}"));
            }
        }
        settings.sort();
        settings
    }
}

fn by<T: ToString>(numbers: &[T]) -> String {
    let numbers: Vec<_> = numbers.iter().map(T::to_string).collect();
    numbers.join(" x ")
}

impl fmt::Display for VolumeGrid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters = |directions: &[Direction; 3]| directions.map(Direction::letter).join(" ");
        match &self.axes {
            Axes::Source => f.write_str("axes of the source")?,
            Axes::Patient(directions) => write!(f, "axes {}", letters(directions))?,
            Axes::Image(directions) => write!(f, "axes near {}", letters(directions))?,
        }
        if let Some(spacing_mm) = &self.spacing_mm {
            write!(f, ", {} mm", by(spacing_mm))?;
        }
        if let Some(size) = &self.size {
            write!(f, ", {} voxels", by(size))?;
        }
        if self.multiple_of != [1; 3] {
            write!(f, ", multiples of {}", by(&self.multiple_of))?;
        }
        Ok(())
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => f.write_str("whole"),
            Self::Blocks { slices, halo } => write!(f, "blocks of {slices}, halo {halo}"),
            Self::Sliding { size, overlap, weights } => {
                let weights = match weights {
                    Weights::Gaussian => "gaussian",
                    Weights::Uniform => "uniform",
                };
                write!(f, "sliding {}, overlap {overlap}, {weights}", by(size))
            }
        }
    }
}

impl fmt::Display for Intensity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Window { low, high, onto } => write!(f, "window {low} to {high} {onto}"),
            Self::Percentile { low, high, over, per, onto } => {
                write!(f, "percentile {low} to {high} {}{onto}", of(*over, *per))
            }
            Self::MinMax { over, per, onto } => write!(f, "min-max {}{onto}", of(*over, *per)),
            Self::ZScore { fixed, limits, over, per } => {
                f.write_str("z-score ")?;
                match fixed {
                    Some((mean, deviation)) => write!(f, "mean {mean} deviation {deviation}")?,
                    None => f.write_str(of(*over, *per).trim_end())?,
                }
                limits.map_or(Ok(()), |(low, high)| write!(f, " limits {low} to {high}"))
            }
        }
    }
}

fn of(over: Over, per: Per) -> String {
    let over = match over {
        Over::All => "of all",
        Over::Nonzero => "of nonzero",
    };
    let per = match per {
        Per::Series => "",
        Per::Slice => "per slice ",
    };
    format!("{over} {per}")
}

impl fmt::Display for Onto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clip = if self.clip { ", clipped" } else { "" };
        write!(f, "onto {} to {}{clip}", self.low, self.high)
    }
}
