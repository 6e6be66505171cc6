//! The slices of a series through decoding, networks and judgement, each on a thread of its own, a few slices apart.

use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, ScopedJoinHandle};

use domain::{IntensityUnit, Unsuitable, UnsuitableCode};
use series::SourceSeries;

use super::SliceAnswers;
use super::asker::{Asker, Between, Planes, Shown};
use super::engine::{Decoded, SliceName};
use super::judged::Judged;
use super::shot::{Pixels, Shot};
use super::slice_answer::SliceAnswer;
use crate::picture::{Scale, series_range};
use crate::scores::Next;
use crate::volume::read_volume;

/// Slices that may wait between two threads. Each waits with its pictures, so few are enough.
const WAITING_MAX: usize = 2;

/// A series, slice by slice answered.
#[derive(Debug)]
pub(super) struct Streamed {
    /// One for each slice.
    pub(super) slices: Vec<Judged>,
    /// The modality values of all slices, where they had to be read before the first was shown.
    pub(super) values: Option<Vec<f32>>,
    /// BLAKE3 of the values of each slice.
    pub(super) digests: Vec<[u8; 32]>,
    /// What the values mean; `None` of colour.
    pub(super) unit: Option<IntensityUnit>,
}

/// A slice on its way to the networks.
struct Prepared {
    way: Way,
    /// Its modality values; none of colour.
    values: Vec<f32>,
}

/// What is to be done about a slice.
enum Way {
    /// Nothing: its answer is known.
    Known(SliceAnswer),
    /// It is to be asked about.
    Pictures(Vec<Shown>),
}

/// A slice on its way to judgement.
struct Said {
    heard: Heard,
    /// Its modality values; none of colour.
    values: Vec<f32>,
}

/// What the networks said of a slice, and the pictures that they saw.
enum Heard {
    Known(SliceAnswer),
    Raw(Vec<Decoded>, Vec<Vec<u8>>),
}

/// Answers about all slices of a series.
///
/// # Errors
/// Of decoding first, then of the networks, then of judgement.
pub(super) fn stream(
    asker: &Asker<'_>,
    source: &SourceSeries,
    ahead: Option<&SliceAnswers>,
) -> Result<Streamed, Unsuitable> {
    let whole = Whole::of(asker, source)?;
    let columns = source.grid.size()[0];
    let (taken, slices) = thread::scope(|scope| {
        let (to_networks, prepared) = sync_channel(WAITING_MAX);
        let (to_judge, said) = sync_channel(WAITING_MAX);
        let preparer = Preparer { asker, source, ahead, whole: &whole };
        let preparing = scope.spawn(move || preparer.run(&to_networks));
        let judging = scope.spawn(move || judge(asker, &said, columns));
        let asked = ask(asker, source, prepared, to_judge);
        let taken = joined(preparing)?;
        asked?;
        Ok::<_, Unsuitable>((taken, joined(judging)?))
    })?;
    let unit = (taken.color_count == 0).then_some(source.unit);
    Ok(Streamed { slices, values: whole.values, digests: taken.digests, unit })
}

fn joined<T>(thread: ScopedJoinHandle<'_, Result<T, Unsuitable>>) -> Result<T, Unsuitable> {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}

/// What has to be known of the whole series before its first slice is shown.
struct Whole {
    /// All values, where they had to be read.
    values: Option<Vec<f32>>,
    /// The range of the series, where slices are shown in it.
    range: Option<Scale>,
}

impl Whole {
    fn of(asker: &Asker<'_>, source: &SourceSeries) -> Result<Self, Unsuitable> {
        let [columns, rows, _] = source.grid.size();
        let Some(first) = source.slices.first() else {
            return Err(Unsuitable::new(UnsuitableCode::TooFewSlices, "no slices"));
        };
        if !asker.needs_series(&Shot::take(first, [columns, rows], &asker.looks)?) {
            return Ok(Self { values: None, range: None });
        }
        let values = read_volume(source)?.values;
        let (low, high) = series_range(&values);
        Ok(Self { values: Some(values), range: Some(Scale::Range { low, high }) })
    }
}

/// What was read on the way.
#[derive(Default)]
struct Taken {
    digests: Vec<[u8; 32]>,
    color_count: usize,
}

impl Taken {
    /// Notes a slice.
    fn note(&mut self, shot: &Shot) {
        match &shot.pixels {
            Pixels::Grey { .. } => {}
            Pixels::Color(_) => self.color_count += 1,
        }
        self.digests.push(shot.digest);
    }

    /// Whether some slices are of colour and others are not.
    fn is_mixed(&self) -> bool {
        self.color_count > 0 && self.color_count < self.digests.len()
    }
}

/// A decoded slice and its planes.
struct Ready {
    shot: Shot,
    planes: Planes,
}

struct Preparer<'a> {
    asker: &'a Asker<'a>,
    source: &'a SourceSeries,
    ahead: Option<&'a SliceAnswers>,
    whole: &'a Whole,
}

impl Preparer<'_> {
    /// Decodes and shows slice after slice, until nobody listens any more.
    fn run(&self, to: &SyncSender<Prepared>) -> Result<Taken, Unsuitable> {
        let count = self.source.slices.len();
        let mut taken = Taken::default();
        let mut previous: Option<Ready> = None;
        let mut this = self.ready(0, &mut taken)?;
        for k in 0..count {
            let next = (k + 1 < count).then(|| self.ready(k + 1, &mut taken)).transpose()?;
            let three = Between { this: &this, previous: previous.as_ref(), next: next.as_ref() };
            let way = self.way(k, three);
            if to.send(Prepared { way, values: this.shot.take_values() }).is_err() {
                break;
            }
            let Some(next) = next else { break };
            previous = Some(std::mem::replace(&mut this, next));
        }
        Ok(taken)
    }

    fn ready(&self, k: usize, taken: &mut Taken) -> Result<Ready, Unsuitable> {
        let [columns, rows, _] = self.source.grid.size();
        let (slice, looks) = (&self.source.slices[k], &self.asker.looks);
        let shot = match &self.whole.values {
            Some(values) => {
                let pixels = columns * rows;
                Shot::of_values(slice, values[k * pixels..(k + 1) * pixels].to_vec(), looks)?
            }
            None => Shot::take(slice, [columns, rows], looks)?,
        };
        let out_of_range = self.whole.range.is_none() && self.asker.needs_series(&shot);
        taken.note(&shot);
        if out_of_range || taken.is_mixed() {
            let uid = &slice.instance.identity.sop_instance;
            let detail =
                format!("{uid}: its pixels are stored in another way than the first slice's");
            return Err(Unsuitable::new(UnsuitableCode::PixelFormat, detail));
        }
        let planes = self.asker.planes(&shot, self.whole.range);
        Ok(Ready { shot, planes })
    }

    fn way(&self, k: usize, three: Between<'_, Ready>) -> Way {
        let name = SliceName::of(&self.source.slices[k]);
        // What is scaled by the whole series cannot have been answered before it was there.
        let ahead = self.ahead.filter(|_| self.whole.range.is_none());
        let known = ahead.and_then(|ahead| {
            ahead.take(&self.asker.key(name, three.map(|ready| &ready.shot.digest)))
        });
        match known {
            Some(answer) => Way::Known(answer),
            None => {
                let planes = three.map(|ready| &ready.planes);
                Way::Pictures(self.asker.show(&three.this.shot, planes))
            }
        }
    }
}

/// Runs the networks over what comes, in the order of the slices.
fn ask(
    asker: &Asker<'_>,
    source: &SourceSeries,
    prepared: Receiver<Prepared>,
    to: SyncSender<Said>,
) -> Result<(), Unsuitable> {
    let count = source.slices.len();
    // Both ends are dropped with this function, which stops the threads at them.
    let (prepared, to) = (prepared, to);
    for (k, Prepared { way, values }) in prepared.iter().enumerate() {
        let heard = match way {
            Way::Known(answer) => Heard::Known(answer),
            Way::Pictures(pictures) => {
                let name = SliceName::of(&source.slices[k]);
                let decoded = asker.ask(&pictures, name, Next::after(k, count))?;
                Heard::Raw(decoded, pictures.into_iter().map(|shown| shown.rgb).collect())
            }
        };
        if to.send(Said { heard, values }).is_err() {
            break;
        }
    }
    Ok(())
}

/// Judges and measures what comes, of slices of so many columns; the values of a slice end here.
fn judge(
    asker: &Asker<'_>,
    said: &Receiver<Said>,
    columns: usize,
) -> Result<Vec<Judged>, Unsuitable> {
    let judged = said.iter().enumerate().map(|(k, Said { heard, values })| {
        let answer = match heard {
            Heard::Known(answer) => answer,
            Heard::Raw(decoded, pictures) => asker.judge(decoded, &pictures)?,
        };
        Ok(Judged::new(answer, &values, columns, k))
    });
    judged.collect()
}
