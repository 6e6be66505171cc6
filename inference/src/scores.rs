//! What a network answered: channels over a grid, in the engine's memory or in ours.

use domain::{Unsuitable, UnsuitableCode};
use ort::value::Tensor;

/// Runs a network. The engine does; tests bring their own.
pub(crate) trait Network: Send + Sync {
    /// The output tensor for one input tensor; `next` says whether to keep memory for another of its size.
    ///
    /// # Errors
    /// [`UnsuitableCode::ModelFailed`] with the engine's words.
    fn run(&self, shape: &[usize], values: &[f32], next: Next) -> Result<Answer, Unsuitable>;

    /// Whether the first dimension of the input is fixed.
    fn has_fixed_batch(&self) -> bool;
}

/// What comes after a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Another run, most likely of the same size.
    Run,
    /// Nothing: the series is through.
    End,
}

impl Next {
    /// [`Next::End`] at the last of `count`.
    pub(crate) fn after(index: usize, count: usize) -> Self {
        if index + 1 < count { Self::Run } else { Self::End }
    }
}

/// An output tensor, row-major.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Its dimensions.
    pub(crate) shape: Vec<usize>,
    /// Its values.
    pub(crate) store: Store,
}

/// Where values are. The engine's are used where they are, without a copy.
#[derive(Debug)]
pub(crate) enum Store {
    /// In our memory.
    Own(Vec<f32>),
    /// In the engine's.
    Engine(Tensor<f32>),
}

impl Store {
    /// The values.
    pub(crate) fn values(&self) -> &[f32] {
        match self {
            Self::Own(values) => values,
            Self::Engine(tensor) => tensor.extract_tensor().1,
        }
    }

    /// The values, to be changed in place.
    pub(crate) fn values_mut(&mut self) -> &mut [f32] {
        match self {
            Self::Own(values) => values,
            Self::Engine(tensor) => tensor.extract_tensor_mut().1,
        }
    }
}

impl Answer {
    /// Checks the dimensions against those of the question and gives the number of channels: `[batch, channels, …space]`.
    ///
    /// # Errors
    /// [`UnsuitableCode::ModelFailed`], naming both.
    pub(crate) fn channels(
        &self,
        batch: usize,
        space: &[usize],
        channels_min: usize,
    ) -> Result<usize, Unsuitable> {
        let channels = match self.shape.as_slice() {
            [n, channels, rest @ ..] if *n == batch && rest == space => *channels,
            other => {
                let wanted = format!("[{batch}, channels, {}]", list(space));
                return Err(failed(format!("the output is [{}], not {wanted}", list(other))));
            }
        };
        let voxels: usize = self.shape.iter().product();
        if channels < channels_min {
            let what =
                format!("the output has {channels} channels, the labels need {channels_min}");
            return Err(failed(what));
        }
        if self.store.values().len() != voxels {
            return Err(failed("the output has not the values that its shape promises".into()));
        }
        Ok(channels)
    }
}

fn list(numbers: &[usize]) -> String {
    numbers.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")
}

/// The model failed.
pub(crate) fn failed(detail: String) -> Unsuitable {
    Unsuitable::new(UnsuitableCode::ModelFailed, detail)
}

/// Channels over a grid: `[channel][plane][row][column]`.
#[derive(Debug)]
pub(crate) struct Scores {
    /// Number of channels.
    pub(crate) channels: usize,
    /// Columns, rows, planes.
    pub(crate) size: [usize; 3],
    /// The values.
    pub(crate) store: Store,
}

impl Scores {
    /// A view of all of it.
    pub(crate) fn view(&self) -> View<'_> {
        View { values: self.store.values(), size: self.size }
    }
}

/// Channels over a grid, borrowed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    /// `[channel][plane][row][column]`.
    pub(crate) values: &'a [f32],
    /// Columns, rows, planes.
    pub(crate) size: [usize; 3],
}

impl<'a> View<'a> {
    /// The values of one channel.
    pub(crate) fn channel(&self, channel: usize) -> &'a [f32] {
        let voxels = self.voxels();
        &self.values[channel * voxels..(channel + 1) * voxels]
    }

    /// The values of one plane of one channel.
    pub(crate) fn plane(&self, channel: usize, plane: usize) -> &'a [f32] {
        let pixels = self.size[0] * self.size[1];
        &self.channel(channel)[plane * pixels..(plane + 1) * pixels]
    }

    /// Number of channels.
    pub(crate) fn channels(&self) -> usize {
        self.values.len() / self.voxels()
    }

    fn voxels(&self) -> usize {
        self.size.iter().product()
    }
}
