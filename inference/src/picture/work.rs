//! Whether a loop over pixels is shared among threads.

use rayon::prelude::*;

/// Loops over no more values than this run where they are called. They take about a tenth of a millisecond, and waking other threads
/// for them costs as much processor time again, which networks beside them then lack.
const ALONE_MAX: usize = 1 << 18;

/// Whether so many values are few enough for one thread.
pub(crate) fn is_small(values: usize) -> bool {
    values <= ALONE_MAX
}

/// Calls `work` with each chunk of `length` values and its index, on several threads where there is enough to do. `scratch` is made
/// once for several chunks. A chunk has to come out the same whatever was in it.
pub(crate) fn for_each_chunk<T: Send, S>(
    values: &mut [T],
    length: usize,
    scratch: impl Fn() -> S + Sync + Send,
    work: impl Fn(&mut S, usize, &mut [T]) + Sync + Send,
) {
    let length = length.max(1);
    if is_small(values.len()) {
        let mut scratch = scratch();
        let chunks = values.chunks_mut(length).enumerate();
        chunks.for_each(|(index, chunk)| work(&mut scratch, index, chunk));
        return;
    }
    let chunks = values.par_chunks_mut(length).enumerate();
    chunks.for_each_init(scratch, |scratch, (index, chunk)| work(scratch, index, chunk));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_chunk_is_worked_on_however_many_there_are() {
        for count in [0, 1, 7, ALONE_MAX, ALONE_MAX + 1] {
            let mut values = vec![0; count];
            for_each_chunk(&mut values, 3, || (), |(), index, chunk| chunk.fill(index + 1));
            assert!(values.iter().enumerate().all(|(n, value)| *value == n / 3 + 1), "{count}");
        }
    }
}
