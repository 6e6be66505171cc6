//! General Equipment and Enhanced General Equipment (PS3.3 §C.7.5.1, §C.7.5.2).

use dataset::{DataSet, Vr};

use crate::Device;
use crate::tags;
use crate::text::{LO_MAX, ascii, required};

/// This node as the equipment that made the instance. All four attributes of Enhanced General Equipment are type 1.
pub(crate) fn put_equipment(set: &mut DataSet, device: &Device) {
    let mut put = |tag, text: &str| set.put_text(tag, Vr::LO, &required(text, LO_MAX));
    put(tags::MANUFACTURER, &device.manufacturer);
    put(tags::MANUFACTURER_MODEL_NAME, &device.model_name);
    put(tags::DEVICE_SERIAL_NUMBER, &device.serial_number);
    put(tags::SOFTWARE_VERSIONS, &device.software_version);
    if let Some(station) = &device.station_name {
        set.put_text(tags::STATION_NAME, Vr::SH, &ascii(station, 16));
    }
}
