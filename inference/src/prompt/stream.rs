//! The slices of a series through decoding, networks and judgement, each on a thread of its own, a few slices apart.

use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, ScopedJoinHandle};

use domain::{Unsuitable, UnsuitableCode};
use series::SourceSeries;

use super::SliceAnswers;
use super::asker::{Asker, Between, Planes, Shown};
use super::engine::{Decoded, SliceName};
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
    pub(super) answers: Vec<SliceAnswer>,
    /// The modality values of all slices; none of colour.
    pub(super) values: Vec<f32>,
    /// BLAKE3 of the values of each slice.
    pub(super) digests: Vec<[u8; 32]>,
}

/// A slice on its way to the networks.
enum Prepared {
    /// Its answer is known.
    Known(SliceAnswer),
    /// It is to be asked about.
    Pictures(Vec<Shown>),
}

/// A slice on its way to judgement.
enum Said {
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
    let (taken, answers) = thread::scope(|scope| {
        let (to_networks, prepared) = sync_channel(WAITING_MAX);
        let (to_judge, said) = sync_channel(WAITING_MAX);
        let preparer = Preparer { asker, source, ahead, whole: &whole };
        let preparing = scope.spawn(move || preparer.run(&to_networks));
        let judging = scope.spawn(move || judge(asker, &said));
        let asked = ask(asker, source, prepared, to_judge);
        let taken = joined(preparing)?;
        asked?;
        Ok((taken, joined(judging)?))
    })?;
    let values = whole.values.unwrap_or(taken.values);
    Ok(Streamed { answers, values, digests: taken.digests })
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
    /// Number of its values.
    size: usize,
}

impl Whole {
    fn of(asker: &Asker<'_>, source: &SourceSeries) -> Result<Self, Unsuitable> {
        let [columns, rows, count] = source.grid.size();
        let size = columns * rows * count;
        let Some(first) = source.slices.first() else {
            return Err(Unsuitable::new(UnsuitableCode::TooFewSlices, "no slices"));
        };
        if !asker.needs_series(&Shot::take(first, [columns, rows], &asker.looks)?) {
            return Ok(Self { values: None, range: None, size });
        }
        let values = read_volume(source)?.values;
        let (low, high) = series_range(&values);
        Ok(Self { values: Some(values), range: Some(Scale::Range { low, high }), size })
    }
}

/// What was read on the way.
#[derive(Default)]
struct Taken {
    values: Vec<f32>,
    digests: Vec<[u8; 32]>,
    color_count: usize,
}

impl Taken {
    /// Notes a slice; its values only where they were not read before.
    fn note(&mut self, shot: &Shot, whole: &Whole) {
        match (&shot.pixels, &whole.values) {
            (Pixels::Grey { values, .. }, None) => {
                if self.values.is_empty() {
                    // Growing would copy what is there, and hold it twice.
                    self.values.reserve_exact(whole.size);
                }
                self.values.extend_from_slice(values);
            }
            (Pixels::Grey { .. }, Some(_)) => {}
            (Pixels::Color(_), _) => self.color_count += 1,
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
            if to.send(self.prepared(k, three)).is_err() {
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
        taken.note(&shot, self.whole);
        if out_of_range || taken.is_mixed() {
            let uid = &slice.instance.identity.sop_instance;
            let detail =
                format!("{uid}: its pixels are stored in another way than the first slice's");
            return Err(Unsuitable::new(UnsuitableCode::PixelFormat, detail));
        }
        let planes = self.asker.planes(&shot, self.whole.range);
        Ok(Ready { shot, planes })
    }

    fn prepared(&self, k: usize, three: Between<'_, Ready>) -> Prepared {
        let name = SliceName::of(&self.source.slices[k]);
        // What is scaled by the whole series cannot have been answered before it was there.
        let ahead = self.ahead.filter(|_| self.whole.range.is_none());
        let known = ahead.and_then(|ahead| {
            ahead.take(&self.asker.key(name, three.map(|ready| &ready.shot.digest)))
        });
        match known {
            Some(answer) => Prepared::Known(answer),
            None => {
                let planes = three.map(|ready| &ready.planes);
                Prepared::Pictures(self.asker.show(&three.this.shot, planes))
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
    for (k, work) in prepared.iter().enumerate() {
        let said = match work {
            Prepared::Known(answer) => Said::Known(answer),
            Prepared::Pictures(pictures) => {
                let name = SliceName::of(&source.slices[k]);
                let decoded = asker.ask(&pictures, name, Next::after(k, count))?;
                Said::Raw(decoded, pictures.into_iter().map(|shown| shown.rgb).collect())
            }
        };
        if to.send(said).is_err() {
            break;
        }
    }
    Ok(())
}

fn judge(asker: &Asker<'_>, said: &Receiver<Said>) -> Result<Vec<SliceAnswer>, Unsuitable> {
    let judged = said.iter().map(|said| match said {
        Said::Known(answer) => Ok(answer),
        Said::Raw(decoded, pictures) => asker.judge(decoded, &pictures),
    });
    judged.collect()
}
