//! Receiving takes little memory, however long the series is.

use tests::raw_peer::{self, Answer, CT_IMAGE_STORAGE, RawPeer, explicit};
use tests::{Node, NodeSettings, Phantom, Stopwatch};

use crate::support::{PATIENCE, call_well, left_out, text};

/// What the receiving part may take at most.
const BYTES_MAX: u64 = 100_000_000;

/// What a node without models may take at most, however large an instance is.
const BYTES_WITHOUT_MODELS_MAX: u64 = 30_000_000;

#[test]
fn an_instance_of_a_hundred_megabytes() {
    receive_one(100_000_000);
}

/// Sends one instance of so many bytes of Pixel Data to a node without models: it is the receiving part alone.
pub(crate) fn receive_one(pixel_bytes: u32) {
    let work = tempfile::tempdir().unwrap();
    let settings = NodeSettings { rules: Some(String::new()), ..NodeSettings::default() };
    let mut node = Node::start(&work.path().join("node"), &settings).unwrap();
    let before = node.running().unwrap().memory_peak_bytes().unwrap();
    let uid = |group: u16, element: u16, uid: &str| raw_peer::text(group, element, "UI", uid);
    let head = [
        uid(0x0008, 0x0016, CT_IMAGE_STORAGE),
        uid(0x0008, 0x0018, "1.2.3.4"),
        uid(0x0020, 0x000D, "1.2.3"),
        uid(0x0020, 0x000E, "1.2.3.1"),
        explicit(0x7FE0, 0x0010, "OW", pixel_bytes, &[]),
    ]
    .concat();
    let watch = Stopwatch::start();
    let mut peer = RawPeer::accepted(node.port).unwrap();
    let answer = peer.store_long("1.2.3.4", &head, pixel_bytes.into()).unwrap();
    assert_eq!(answer, Answer::Status(0));
    let seconds = watch.elapsed().as_secs_f64();
    peer.release().unwrap();
    let peak = node.running().unwrap().memory_peak_bytes().unwrap();
    println!(
        "{} MB in {seconds:.1} s; memory at its peak {:.1} MB before, {:.1} MB with it",
        pixel_bytes / 1_000_000,
        f64::from(u32::try_from(before / 1000).unwrap()) / 1000.0,
        f64::from(u32::try_from(peak / 1000).unwrap()) / 1000.0
    );
    assert!(peak < BYTES_WITHOUT_MODELS_MAX, "{peak} bytes");
    node.stop().unwrap();
}

#[test]
fn a_hundred_large_slices() {
    receive(100);
}

/// Sends a series of `slices` slices of 512 × 512 that no rule takes, so that only receiving is measured.
pub(crate) fn receive(slices: usize) {
    if left_out("memory of receiving", &["ONNX Runtime"]) {
        return;
    }
    let work = tempfile::tempdir().unwrap();
    let study = work.path().join("study");
    let phantom = Phantom { columns: 512, rows: 512, slices, slice_spacing_mm: 1.0, seed: 600 };
    phantom.write(&study).unwrap();
    // Only our own title may call, and the rule of the default settings asks for it to be somebody else.
    let settings =
        NodeSettings { rule: "calling = [\"NOBODY\"]\n".into(), ..NodeSettings::default() };
    let mut node = Node::start(&work.path().join("node"), &settings).unwrap();
    let watch = Stopwatch::start();
    call_well(&["send", &node.address(), text(&study)]);
    let seconds = watch.elapsed().as_secs_f64();
    let while_receiving = node.running().unwrap().memory_peak_bytes().unwrap();
    let status = node
        .wait_for_status("the series to close", PATIENCE, |s| s.count("series", "closed") == 1)
        .unwrap();
    assert!(status.rows("jobs").is_empty(), "{status:?}");
    let peak = node.running().unwrap().memory_peak_bytes().unwrap();
    println!(
        "{slices} instances in {seconds:.1} s ({:.0}/s); peak memory {:.1} MB receiving, {:.1} MB in all",
        f64::from(u32::try_from(slices).unwrap()) / seconds,
        f64::from(u32::try_from(while_receiving / 1000).unwrap()) / 1000.0,
        f64::from(u32::try_from(peak / 1000).unwrap()) / 1000.0
    );
    assert!(peak < BYTES_MAX, "{peak} bytes");
    node.stop().unwrap();
}
