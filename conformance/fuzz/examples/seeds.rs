//! Writes the first inputs of the fuzzer: what our own phantom, our own requests and our own examples are as bytes.
//!
//! `cargo run --manifest-path conformance/fuzz/Cargo.toml --example seeds -- FOLDER` makes a folder for each target. Code streams of
//! compressed frames come from `streams.py`, because we have no encoders.

use std::error::Error;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use dataset::{DataSet, Vr, encode, encode_implicit, tags};
use dimse::{
    Abort, AssociateRequest, Command, FragmentKind, OtherRequest, PDataWriter, ProposedContext,
    Response, Status, StoreRequest, UserInformation, uids,
};
use tests::Phantom;

type Failure = Box<dyn Error>;

const CT: &str = "1.2.840.10008.5.1.4.1.1.2";

fn main() -> Result<(), Failure> {
    let folder = std::env::args().nth(1).ok_or("a folder is missing")?;
    let folder = Path::new(&folder);
    pdus(folder)?;
    messages(folder)?;
    data_sets(folder)?;
    files(folder)?;
    texts(folder)?;
    prompts(folder)
}

fn seed(folder: &Path, target: &str, name: &str, bytes: &[u8]) -> Result<(), Failure> {
    let folder = folder.join(target);
    fs::create_dir_all(&folder)?;
    Ok(fs::write(folder.join(name), bytes)?)
}

fn request(contexts: u8) -> AssociateRequest {
    let context = |index: u8| ProposedContext {
        id: 2 * index + 1,
        abstract_syntax: if index == 0 { uids::VERIFICATION.into() } else { CT.into() },
        transfer_syntaxes: vec![
            uids::EXPLICIT_VR_LITTLE_ENDIAN.into(),
            uids::IMPLICIT_VR_LITTLE_ENDIAN.into(),
        ],
    };
    AssociateRequest {
        protocol_version: 1,
        called: "PARSENODE".into(),
        calling: "MODALITY".into(),
        application_context: uids::APPLICATION_CONTEXT.into(),
        contexts: (0..contexts).map(context).collect(),
        user: UserInformation::ours(16_384),
    }
}

fn pdus(folder: &Path) -> Result<(), Failure> {
    let mut data = Vec::new();
    PDataWriter::new(1, 64).put(&mut data, FragmentKind::DataSet, &[7; 100]);
    let release = dimse::encode_release_request();
    let abort = Abort::SERVICE_USER.encode();
    for (cut, contexts) in [(0, 1), (3, 2), (64, 5), (255, 0)] {
        let stream =
            [&[cut], request(contexts).encode().as_slice(), &data, &release, &abort].concat();
        seed(folder, "pdus", &format!("request-of-{contexts}"), &stream)?;
    }
    let rejected = [&[1, 3, 0, 0, 0, 0, 4, 0, 2, 3, 2][..], &dimse::encode_release_response()].concat();
    seed(folder, "pdus", "rejected", &rejected)
}

fn messages(folder: &Path) -> Result<(), Failure> {
    let store = StoreRequest {
        message_id: 7,
        sop_class: CT.into(),
        sop_instance: "1.2.3.4".into(),
        has_data_set: true,
    };
    let find = OtherRequest {
        field: 0x0020,
        message_id: 8,
        sop_class: Some("1.2.840.10008.5.1.4.1.2.2.1".into()),
        has_data_set: true,
    };
    let answer = Response::to_store(&store, Status::CANNOT_UNDERSTAND, "a comment");
    let commands = [
        ("echo", Command::EchoRequest { message_id: 1 }),
        ("store", Command::StoreRequest(store)),
        ("find", Command::OtherRequest(find)),
        ("cancel", Command::CancelRequest),
        ("response", Command::Response(answer)),
    ];
    for (name, command) in commands {
        for (size, pdu_bytes) in [("whole", 16_384), ("pieces", 20)] {
            let (mut stream, writer) = (Vec::new(), PDataWriter::new(1, pdu_bytes));
            writer.put(&mut stream, FragmentKind::Command, &command.encode());
            if command.has_data_set() {
                writer.put(&mut stream, FragmentKind::DataSet, &encode(&small()));
            }
            seed(folder, "messages", &format!("{name}-{size}"), &stream)?;
        }
    }
    Ok(())
}

/// A data set with values of every kind of VR, and sequences in sequences.
fn small() -> DataSet {
    let mut inner = DataSet::new();
    inner.put_uid(tags::REFERENCED_SOP_INSTANCE_UID, "1.2.3.4");
    let mut outer = DataSet::new();
    outer.put_items(tags::REFERENCED_SERIES_SEQUENCE, vec![inner.clone(), inner]);
    let mut set = DataSet::new();
    set.put_uid(tags::SOP_CLASS_UID, CT);
    set.put_uid(tags::SOP_INSTANCE_UID, "1.2.3");
    set.put_text(tags::MODALITY, Vr::CS, "CT");
    set.put_text(tags::PATIENT_NAME, Vr::PN, "Phantom^One");
    set.put_uid(tags::STUDY_INSTANCE_UID, "1.2");
    set.put_uid(tags::SERIES_INSTANCE_UID, "1.2.1");
    set.put_text(tags::IMAGE_POSITION_PATIENT, Vr::DS, "1.5\\-2\\3e1");
    set.put_u16s(tags::ROWS, &[2]);
    set.put_bytes(tags::EXTENDED_OFFSET_TABLE, Vr::OV, vec![0; 8]);
    set.put_items(tags::REFERENCED_STUDY_SEQUENCE, vec![outer]);
    set
}

fn deflated(bytes: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

fn data_sets(folder: &Path) -> Result<(), Failure> {
    let set = small();
    let explicit = encode(&set);
    for limits in [0x08_u8, 0x42] {
        let write = |name: &str, how: u8, bytes: &[u8]| {
            let input = [&[how, limits], bytes].concat();
            seed(folder, "data_sets", &format!("{name}-{limits}"), &input)
        };
        write("explicit", 4, &explicit)?;
        write("implicit", 5, &encode_implicit(&set))?;
        write("deflated", 7, &deflated(&explicit)?)?;
        write("big", 6, b"\x00\x08\x00\x60CS\x00\x02CT\x00\x28\x00\x10US\x00\x02\x02\x00")?;
        let nested = [
            b"\x08\x00\x40\x11SQ\x00\x00\xFF\xFF\xFF\xFF\xFE\xFF\x00\xE0\xFF\xFF\xFF\xFF".as_slice(),
            &encode(&small()),
            b"\xFE\xFF\x0D\xE0\x00\x00\x00\x00\xFE\xFF\xDD\xE0\x00\x00\x00\x00",
        ];
        write("undefined", 4, &nested.concat())?;
        write("private", 4, b"\x09\x00\x10\x00UN\x00\x00\xFF\xFF\xFF\xFF\xFE\xFF\xDD\xE0\x00\x00\x00\x00")?;
    }
    Ok(())
}

fn files(folder: &Path) -> Result<(), Failure> {
    let phantom = Phantom { columns: 8, rows: 8, ..Phantom::small(1, 1) };
    let file = phantom.file(0)?;
    seed(folder, "files", "phantom", &file)?;
    let at = file.windows(19).position(|window| window == b"1.2.840.10008.1.2.1");
    let mut other = file.clone();
    // Its transfer syntax becomes Explicit VR Big Endian: the header is read the wrong way round.
    other[at.ok_or("no transfer syntax")? + 18] = b'2';
    seed(folder, "files", "big", &other)?;
    seed(folder, "files", "cut", &file[..file.len() - 50])
}

/// Configurations and manifests: our examples, whole and in parts.
fn texts(folder: &Path) -> Result<(), Failure> {
    seed(folder, "configuration", "example", config::EXAMPLE.as_bytes())?;
    let plain = config::EXAMPLE.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    seed(folder, "configuration", "short", plain.collect::<Vec<_>>().join("\n").as_bytes())?;
    let uncommented: Vec<&str> = config::EXAMPLE
        .lines()
        .filter_map(|line| match line.strip_prefix("# ") {
            Some(key) => key.split_once(" = ").filter(|(key, _)| !key.contains(' ')).map(|_| key),
            None => Some(line).filter(|line| !line.is_empty()),
        })
        .collect();
    seed(folder, "configuration", "full", uncommented.join("\n").as_bytes())?;
    for name in ["models/tissue-ct", "inference/tests/models/meshnet-gwm-light"] {
        let path = tests::workspace_root().join(name).join("model.toml");
        let (text, short) = (fs::read_to_string(path)?, name.rsplit('/').next().unwrap_or(name));
        let lines = text.lines().filter(|line| !line.trim().starts_with('#') && !line.is_empty());
        seed(folder, "manifests", short, lines.collect::<Vec<_>>().join("\n").as_bytes())?;
    }
    Ok(())
}

fn prompts(folder: &Path) -> Result<(), Failure> {
    let all = [
        "liver in abdomen CT",
        "left kidney",
        "Leber",
        "tumeur du sein",
        "肝脏",
        "neoplastic cells in colon pathology",
        "optic disc in retinal fundus",
        "T1Gd MRI enhancing tumor",
        "lungs and heart",
        "",
    ];
    for (index, text) in (0_u8..).zip(all) {
        for open in [0_u8, 0x80] {
            let input = [&[open | (index % 10)], text.as_bytes()].concat();
            seed(folder, "prompts", &format!("{index}-{open}"), &input)?;
        }
    }
    Ok(())
}
