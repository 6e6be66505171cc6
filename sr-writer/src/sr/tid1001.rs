//! TID 1001, Observation Context, with TID 1002 and TID 1004 for a device as observer.

use super::item::Item;
use crate::coding::{
    DEVICE, DEVICE_OBSERVER_MANUFACTURER, DEVICE_OBSERVER_MODEL_NAME, DEVICE_OBSERVER_NAME,
    DEVICE_OBSERVER_SERIAL_NUMBER, DEVICE_OBSERVER_UID, OBSERVER_TYPE,
};
use crate::work::Work;

/// Who observed: this node; to be added as observation context, in this order.
pub(crate) fn device_observer(work: &Work<'_>) -> Vec<Item> {
    let device = &work.context.device;
    let name = device.station_name.as_deref().unwrap_or(&device.model_name);
    vec![
        Item::code(OBSERVER_TYPE, &DEVICE.concept()),
        Item::uid(DEVICE_OBSERVER_UID, work.uids.device()),
        Item::text(DEVICE_OBSERVER_NAME, name),
        Item::text(DEVICE_OBSERVER_MANUFACTURER, &device.manufacturer),
        Item::text(DEVICE_OBSERVER_MODEL_NAME, &device.model_name),
        Item::text(DEVICE_OBSERVER_SERIAL_NUMBER, &device.serial_number),
    ]
}
