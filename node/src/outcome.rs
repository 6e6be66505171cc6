//! What became of one series under one model in `run`: as rows for JSON, as lines and a table for people.

use std::path::PathBuf;

use domain::{Absence, Absent, Extent, Findings, Segment};
use inference::Question;
use serde::Serialize;

use crate::failure::Failure;
use crate::pipeline::Processed;
use crate::text::{self, Table};

/// What became of one series under one model.
#[derive(Debug, Default, Serialize)]
pub(crate) struct SeriesOutcome {
    /// Series Instance UID.
    pub(crate) series: String,
    /// Name of the model.
    pub(crate) model: String,
    /// Instances of the series.
    pub(crate) instances: usize,
    /// Why nothing came out; absent when something did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unsuitable: Option<String>,
    /// What a promptable model was asked; empty for others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    questions: Vec<QuestionRow>,
    segments: Vec<SegmentRow>,
    absent: Vec<AbsentRow>,
    /// Files that were written.
    pub(crate) files: Vec<PathBuf>,
}

/// One question to a promptable model.
#[derive(Debug, Serialize)]
struct QuestionRow {
    given: Vec<String>,
    understood: String,
    label: String,
}

/// One segment.
#[derive(Debug, Serialize)]
struct SegmentRow {
    label: String,
    code: String,
    /// Absent for frames without a place in the patient.
    #[serde(skip_serializing_if = "Option::is_none")]
    volume_ml: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    area_mm2: Option<f64>,
    pixels: usize,
    mean: Option<f64>,
    standard_deviation: Option<f64>,
    confidence: Option<f64>,
    /// The best p-value of its slices, where masks are judged by one.
    #[serde(skip_serializing_if = "Option::is_none")]
    p: Option<f64>,
    /// The best probability of a slice that it is there, where the model gives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    existence: Option<f64>,
    /// Boxes around its connected parts; 0 where nobody asked for them.
    boxes: usize,
    color: String,
}

/// Something that was looked for and is not reported as found.
#[derive(Debug, Serialize)]
struct AbsentRow {
    label: String,
    code: &'static str,
    reason: String,
    /// The p-value, where it decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    p: Option<f64>,
    /// The probability that it is there, where the model gives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    probability: Option<f64>,
}

impl SeriesOutcome {
    /// An outcome of which nothing is known yet.
    pub(crate) fn new(series: String, model: String, instances: usize) -> Self {
        Self { series, model, instances, ..Self::default() }
    }

    /// Takes over what a model said.
    pub(crate) fn fill(&mut self, processed: &Processed) {
        let Findings { segments, absent, .. } = &processed.findings;
        self.questions = processed.questions.iter().map(question).collect();
        self.segments = segments.iter().map(segment).collect();
        self.absent = absent.iter().map(self::absent).collect();
    }

    /// Prints it for people.
    pub(crate) fn print(&self) -> Result<(), Failure> {
        text::print_line(&format!(
            "series {} · {} instances · {}",
            self.series, self.instances, self.model
        ))?;
        match &self.unsuitable {
            Some(reason) => text::print_line(&format!("  not usable: {reason}"))?,
            None => self.print_findings()?,
        }
        self.files.iter().try_for_each(|file| text::print_line(&format!("  {}", file.display())))
    }

    fn print_findings(&self) -> Result<(), Failure> {
        self.print_questions()?;
        let table = self.table();
        if !table.is_empty() {
            text::print_line(&table.to_string())?;
        }
        for absent in &self.absent {
            text::print_line(&format!("  not found: {} ({})", absent.label, absent.reason))?;
        }
        Ok(())
    }

    /// What was given by name, with what it was understood as; of recognition only how much it is.
    fn print_questions(&self) -> Result<(), Failure> {
        let (named, known): (Vec<_>, Vec<_>) =
            self.questions.iter().partition(|question| !question.given.is_empty());
        for question in named {
            let given = question.given.join(", ");
            text::print_line(&format!("  asked: {given} → {}", question.understood))?;
        }
        if !known.is_empty() {
            let count = known.len();
            text::print_line(&format!(
                "  asked: everything known of such images, {count} targets"
            ))?;
        }
        Ok(())
    }

    /// Columns that only promptable models fill are left out for others.
    fn table(&self) -> Table {
        let is_asked = !self.questions.is_empty();
        let mut heading = vec!["segment", "code", "size", "mean", "SD", "confidence"];
        heading.extend(is_asked.then_some(["p", "existence", "boxes"]).into_iter().flatten());
        heading.push("colour");
        let mut table = Table::new(&heading);
        for row in &self.segments {
            let mut cells = row.cells();
            cells.extend(is_asked.then(|| row.judged()).into_iter().flatten());
            cells.push(row.color.clone());
            table.add(&cells.iter().map(String::as_str).collect::<Vec<_>>());
        }
        table
    }
}

/// A number with so many decimals, or a dash.
fn shown(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(|| "-".into(), |value| format!("{value:.decimals$}"))
}

impl SegmentRow {
    fn cells(&self) -> Vec<String> {
        let percent = self.confidence.map(|value| format!("{:.1} %", value * 100.0));
        let (mean, deviation) = (shown(self.mean, 1), shown(self.standard_deviation, 1));
        let confidence = percent.unwrap_or_else(|| "-".into());
        vec![self.label.clone(), self.code.clone(), self.size(), mean, deviation, confidence]
    }

    /// What a promptable model's mask passed by, and the number of its boxes.
    fn judged(&self) -> [String; 3] {
        let boxes = if self.boxes == 0 { "-".into() } else { self.boxes.to_string() };
        [shown(self.p, 4), shown(self.existence, 4), boxes]
    }

    /// Volume, area, or the number of pixels where their size is unknown.
    fn size(&self) -> String {
        match (self.volume_ml, self.area_mm2) {
            (Some(ml), _) => format!("{ml:.1} mL"),
            (None, Some(mm2)) => format!("{mm2:.1} mm2"),
            (None, None) => format!("{} pixels", self.pixels),
        }
    }
}

fn question(question: &Question) -> QuestionRow {
    let Question { given, understood, target, .. } = question;
    QuestionRow {
        given: given.clone(),
        understood: understood.clone(),
        label: target.label.clone(),
    }
}

fn segment(segment: &Segment) -> SegmentRow {
    let [red, green, blue] = segment.target.color_rgb;
    let measured = &segment.measurements;
    SegmentRow {
        label: segment.target.label.clone(),
        code: segment.target.property_type.to_string(),
        volume_ml: measured.extent.volume_mm3().map(|volume| volume / 1000.0),
        area_mm2: area_mm2(&measured.extent),
        pixels: measured.voxel_count,
        mean: measured.intensity.map(|intensity| intensity.mean),
        standard_deviation: measured.intensity.map(|intensity| intensity.standard_deviation),
        confidence: segment.confidence.map(|confidence| confidence.0),
        p: segment.evidence.p,
        existence: segment.evidence.existence,
        boxes: segment.boxes.len(),
        color: format!("#{red:02x}{green:02x}{blue:02x}"),
    }
}

fn area_mm2(extent: &Extent) -> Option<f64> {
    match extent {
        Extent::Planar { area_mm2, .. } => Some(*area_mm2),
        Extent::Volumetric { .. } | Extent::Pixels { .. } => None,
    }
}

fn absent(absent: &Absent) -> AbsentRow {
    let (code, p, probability) = match absent.reason {
        Absence::EmptyMask => ("empty-mask", None, None),
        Absence::LowPValue { p, .. } => ("low-p", Some(p), None),
        Absence::NotThere { probability, .. } => ("not-there", None, Some(probability)),
        Absence::Overlapped => ("overlapped", None, None),
        Absence::UnknownTarget => ("unknown-target", None, None),
        Absence::WindowMismatch => ("window-mismatch", None, None),
    };
    let (label, reason) = (absent.target.label.clone(), absent.reason.to_string());
    AbsentRow { label, code, reason, p, probability }
}
