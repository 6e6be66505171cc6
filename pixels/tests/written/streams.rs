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

/// Pseudo-random numbers (xorshift), the same in each run.
struct Numbers(u64);

impl Numbers {
    /// A number below `end`.
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}

/// A pixel frame that is cut off is no frame, however much of it there is.
#[test]
fn streams_that_are_cut_off_are_refused() {
    let mut accepted = Vec::new();
    for stream in streams() {
        let length = stream.bytes.len();
        for cut in (0..24).map(|step| length * step / 24).chain([length - length / 20 - 4]) {
            if stream.decode(&stream.bytes[..cut]).is_ok() {
                accepted.push(format!("{} cut to {cut} of {length}", stream.name));
            }
        }
    }
    assert!(accepted.is_empty(), "{accepted:#?}");
}

/// Peak of this process's memory in MiB, where the system tells.
fn peak_mib() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<usize>().ok()? / 1024)
}

/// Mutants of each stream; `PIXELS_MUTANTS` asks for more.
const MUTANTS: usize = 60;

#[test]
fn spoiled_streams_neither_panic_nor_take_memory_or_time() {
    let (mut numbers, mut decoded, mut refused) = (Numbers(0x9E37_79B9_7F4A_7C15), 0, 0);
    let asked = std::env::var("PIXELS_MUTANTS").ok().and_then(|text| text.parse().ok());
    for stream in streams() {
        for mutant in 0..asked.unwrap_or(MUTANTS) {
            let mut bytes = stream.bytes.clone();
            // Half of them are spoiled where sizes and tables are.
            let end = if mutant % 2 == 0 { bytes.len() } else { bytes.len().min(120) };
            for _ in 0..=numbers.below(4) {
                bytes[numbers.below(end)] = numbers.below(256).to_le_bytes()[0];
            }
            match stream.decode(&bytes) {
                Ok(_) => decoded += 1,
                Err(_) => refused += 1,
            }
        }
    }
    println!("{decoded} decoded, {refused} refused, peak {:?} MiB", peak_mib());
    assert!(peak_mib().is_none_or(|peak| peak < 512));
}
