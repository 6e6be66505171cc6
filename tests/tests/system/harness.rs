//! The harness itself, against an archive that is known to be right: what it sends is DICOM, what it counts is there.

use tests::Orthanc;
use tests::Phantom;
use tests::raw_peer::{Answer, CT_IMAGE_STORAGE, Opened, RawPeer, data_set_of};

use crate::support::left_out;

#[test]
fn the_raw_peer_speaks_dicom_and_orthanc_outlives_a_stop() {
    if left_out("harness against Orthanc", &["Orthanc"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut orthanc = Orthanc::start(dir.path()).unwrap();
    let Opened::Accepted(mut peer) = RawPeer::open(orthanc.dicom_port, "ORTHANC", "TEST").unwrap()
    else {
        panic!("not accepted");
    };
    assert_eq!(peer.echo().unwrap(), Answer::Status(0));
    let phantom = Phantom::small(71, 2);
    let mut sent: Vec<String> = (0..2).map(|k| phantom.sop_instance(k)).collect();
    for (k, uid) in sent.iter().enumerate() {
        let file = phantom.file(k).unwrap();
        let answer = peer.store(CT_IMAGE_STORAGE, uid, data_set_of(&file).unwrap()).unwrap();
        assert_eq!(answer, Answer::Status(0));
    }
    peer.release().unwrap();
    orthanc.stop().unwrap();
    orthanc.resume().unwrap();
    sent.sort();
    assert_eq!(orthanc.sop_instances().unwrap(), sent);
    let kept = orthanc.file(&sent[0]).unwrap();
    assert_eq!(&kept[128..132], b"DICM");
    orthanc.clear().unwrap();
    assert_eq!(orthanc.sop_instances().unwrap(), Vec::<String>::new());
}
