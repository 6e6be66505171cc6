//! From stored values to what the scanner meant: slope, intercept and unit (PS3.3 §C.11.1, §C.7.6.16.2.9).

use dataset::{DataSet, tags};
use domain::{IntensityUnit, Unsuitable, UnsuitableCode};

/// The linear part of the Modality transformation of one slice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct PixelValues {
    pub(crate) slope: f64,
    pub(crate) intercept: f64,
    pub(crate) unit: IntensityUnit,
}

impl PixelValues {
    /// Reads the transformation. `transformation` is the item that holds the slope: the data set itself for a single-frame
    /// instance, the item of Pixel Value Transformation Sequence for a frame.
    pub(crate) fn read(
        header: &DataSet,
        transformation: Option<&DataSet>,
    ) -> Result<Self, Unsuitable> {
        let number = |tag, name: &str| {
            let number = transformation.map_or(Ok(None), |item| item.checked_number(tag));
            number.map_err(|_| fault(format!("{name} is no number")))
        };
        let slope = number(tags::RESCALE_SLOPE, "Rescale Slope")?;
        let intercept = number(tags::RESCALE_INTERCEPT, "Rescale Intercept")?;
        let is_told = slope.is_some() && intercept.is_some();
        let (slope, intercept) = (slope.unwrap_or(1.0), intercept.unwrap_or(0.0));
        if !slope.is_finite() || !intercept.is_finite() || slope == 0.0 {
            let detail = format!("Rescale Slope is {slope}, Rescale Intercept {intercept}");
            return Err(fault(detail));
        }
        let unit = if is_hounsfield(header, transformation, is_told) {
            IntensityUnit::Hounsfield
        } else {
            IntensityUnit::Signal
        };
        Ok(Self { slope, intercept, unit })
    }
}

fn fault(detail: String) -> Unsuitable {
    Unsuitable::new(UnsuitableCode::PixelFormat, detail)
}

/// Hounsfield units are what CT means unless it says otherwise (PS3.3 §C.8.2.1): Rescale Type may be absent only for them.
///
/// A Localizer is no cross-section, a multi-energy image has to name its unit, and an image of which slope and intercept are not
/// both told (a secondary capture from a CT) has none.
fn is_hounsfield(header: &DataSet, transformation: Option<&DataSet>, is_told: bool) -> bool {
    let is = |tag, wanted: &str| header.text(tag).is_some_and(|text| text.trim() == wanted);
    let localizer =
        header.texts(tags::IMAGE_TYPE).get(2).is_some_and(|text| text.trim() == "LOCALIZER");
    if !is(tags::MODALITY, "CT") || localizer {
        return false;
    }
    let says_hu = |item: &DataSet, tag| item.text(tag).map(|text| text.trim() == "HU");
    if let Some(lut) = header.items(tags::MODALITY_LUT_SEQUENCE).first() {
        return says_hu(lut, tags::MODALITY_LUT_TYPE) == Some(true);
    }
    let Some(item) = transformation.filter(|_| is_told) else {
        return false;
    };
    let rescale_type = item.text(tags::RESCALE_TYPE).filter(|text| !text.trim().is_empty());
    match rescale_type {
        Some(text) => text.trim() == "HU",
        None => !is(tags::MULTIENERGY_CT_ACQUISITION, "YES"),
    }
}
