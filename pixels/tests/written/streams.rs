//! Code streams that encoders of others made, against their own decoders; and the same streams cut off and spoiled.

use std::path::PathBuf;

use dataset::{DataSet, Vr, tags};
use pixels::{StoredFrame, StoredValues};

use crate::made::{Made, encapsulated};
use crate::python;

/// A line of `streams.tsv`.
struct Stream {
    name: String,
    /// A transfer syntax, kept as long as the tests run.
    syntax: &'static str,
    rows: u16,
    columns: u16,
    samples: u16,
    bits: [u16; 4],
    photometric: String,
    tolerance: f64,
    bytes: Vec<u8>,
    values: Vec<u8>,
}

impl Stream {
    fn parse(line: &str) -> Self {
        let fields: Vec<&str> = line.split('\t').collect();
        let number = |at: usize| fields[at].parse::<u16>().unwrap();
        let [allocated, stored, sign] = [5, 6, 7].map(number);
        Self {
            name: fields[0].to_owned(),
            syntax: fields[1].to_owned().leak(),
            rows: number(2),
            columns: number(3),
            samples: number(4),
            bits: [allocated, stored, stored - 1, sign],
            photometric: fields[8].to_owned(),
            tolerance: fields[9].parse().unwrap(),
            bytes: std::fs::read(PathBuf::from(fields[10])).unwrap(),
            values: std::fs::read(PathBuf::from(fields[11])).unwrap(),
        }
    }

    /// Decodes some bytes as if they were those of the stream.
    fn decode(&self, bytes: &[u8]) -> Result<StoredFrame, String> {
        let made = Made::new(self.columns, self.rows, &encapsulated(&[], &[bytes]))
            .with(|m| (m.syntax, m.length, m.bits) = (self.syntax, None, self.bits));
        let mut header: DataSet = made.header();
        header.put_text(tags::PHOTOMETRIC_INTERPRETATION, Vr::CS, &self.photometric);
        header.put_u16s(tags::SAMPLES_PER_PIXEL, &[self.samples]);
        pixels::stored_frame(&made.instance(header), 0).map_err(|reason| reason.to_string())
    }

    /// Largest difference from what the other decoder gave.
    fn difference(&self, frame: &StoredFrame) -> f64 {
        let ours: Vec<f64> = match &frame.values {
            StoredValues::U8(values) => values.iter().copied().map(f64::from).collect(),
            StoredValues::U16(values) => values.iter().copied().map(f64::from).collect(),
            StoredValues::I8(_)
            | StoredValues::I16(_)
            | StoredValues::U32(_)
            | StoredValues::I32(_)
            | StoredValues::F32(_)
            | StoredValues::F64(_) => panic!("{:?}", frame.values),
        };
        let theirs: Vec<f64> = if self.bits[0] == 8 {
            self.values.iter().copied().map(f64::from).collect()
        } else {
            let words = self.values.as_chunks::<2>().0.iter().copied();
            words.map(u16::from_le_bytes).map(f64::from).collect()
        };
        assert_eq!(ours.len(), theirs.len(), "{}", self.name);
        ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    }
}

/// Streams of every codec, or none, said aloud.
fn streams() -> Vec<Stream> {
    let folder = tempfile::tempdir().unwrap();
    if !python::ran("encoded.py", folder.path()) {
        return Vec::new();
    }
    let table = std::fs::read_to_string(folder.path().join("streams.tsv")).unwrap();
    table.lines().map(Stream::parse).collect()
}

#[test]
fn streams_of_other_encoders_are_what_their_decoders_read() {
    let mut faults = Vec::new();
    for stream in streams() {
        let Stream { name, syntax, photometric, tolerance, .. } = &stream;
        let outcome = stream.decode(&stream.bytes).map(|frame| stream.difference(&frame));
        println!("{name} | {syntax} | {photometric} | at most {tolerance} | {outcome:?}");
        if !outcome.is_ok_and(|off| off <= *tolerance) {
            faults.push(stream.name);
        }
    }
    assert!(faults.is_empty(), "{faults:?}");
}
