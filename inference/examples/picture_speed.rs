//! How long pictures for promptable models take, and the way back from their logits.
//!
//! `RAYON_NUM_THREADS=1 cargo run --release -p inference --example picture_speed [WORDS]`; with words, only what has one of
//! them in its name. Times are the least of some rounds: by the clock, and of all processors together, which other programs
//! disturb less.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "it prints times, and takes them itself"
)]

use std::fs;
use std::hint::black_box;
use std::time::{Duration, Instant};

use domain::{Mask, Quarters, SliceMask, Turn};
use inference::picture_door::{Door, Stretch, boxes, instance_boxes};

/// What all threads of this process have run so far, where the system tells.
fn processors() -> Duration {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let nanoseconds = tasks.filter_map(|task| {
        let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanoseconds.sum())
}

/// The most memory that this process ever held, in KiB.
fn peak_kib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    peak.trim().strip_suffix(" kB")?.parse().ok()
}

fn time<T>(name: &str, rounds: usize, mut act: impl FnMut() -> T) {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if !words.is_empty() && !words.iter().any(|word| name.contains(word.as_str())) {
        return;
    }
    let (mut least, mut least_run) = (Duration::MAX, Duration::MAX);
    for _ in 0..rounds {
        let (began, ran) = (Instant::now(), processors());
        black_box(act());
        least = least.min(began.elapsed());
        least_run = least_run.min(processors().saturating_sub(ran));
    }
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    println!(
        "{name:44} {:9.2} ms {:9.2} ms of processors",
        milliseconds(least),
        milliseconds(least_run)
    );
}

/// Something like a slice, −1000 to 1000.
fn slice([columns, rows]: [usize; 2]) -> Vec<f32> {
    let mut state = 1_u64;
    let mut noise = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 24) as f32
    };
    let mut values = Vec::with_capacity(columns * rows);
    for j in 0..rows {
        let y = j as f32 / rows as f32 - 0.5;
        values.extend((0..columns).map(|i| {
            let x = i as f32 / columns as f32 - 0.5;
            let radius = x * x + y * y;
            let level =
                if radius > 0.2 { -1000.0 } else { 1000.0 * (radius * 20.0).fract() - 300.0 };
            (level + 100.0 * noise()).round()
        }));
    }
    values
}

fn squared(side: usize) -> [usize; 2] {
    [side, side]
}

fn door(size: [usize; 2], side: usize) -> Door {
    Door { size, turn: Turn::default(), side }
}

const WINDOW: Stretch = Stretch::Between(-160.0, 240.0);

fn there() {
    let values = slice(squared(512));
    let positive: Vec<f32> = values.iter().map(|value| (value + 1000.0).max(0.0)).collect();
    let rgb: Vec<u8> =
        (0..512 * 512 * 3_usize).map(|n| ((n * 7919) >> 4).to_le_bytes()[0]).collect();
    let turned = Turn { quarters: Quarters::One, ..Turn::default() };
    let large = door(squared(512), 1024);
    time("v1 512 -> 1024", 30, || large.grey_v1(&values, WINDOW));
    time("v1 512 -> 1024, 90 degrees", 30, || {
        Door { turn: turned, ..large }.grey_v1(&values, WINDOW)
    });
    time("v1 512 -> 1024, percentiles", 30, || large.grey_v1(&positive, Stretch::OfSlice));
    time("v1 512 -> 1024 and its tensor", 30, || large.tensor_v1(&values, WINDOW));
    time("v1 512 -> 1024, colour", 30, || large.color_v1(&rgb));
    time("v1 512 -> 512", 30, || door(squared(512), 512).grey_v1(&values, WINDOW));
    time("v2 512 -> 512", 30, || door(squared(512), 512).grey_v2(&values, -160.0, 240.0));
    let small = slice(squared(320));
    time("v2 320 -> 512", 30, || door(squared(320), 512).grey_v2(&small, -160.0, 240.0));
    let uneven = slice([400, 320]);
    time("v2 400 x 320 -> 512", 30, || door([400, 320], 512).grey_v2(&uneven, -160.0, 240.0));
    let series: Vec<f32> = positive.iter().cycle().take(3 * 512 * 512).copied().collect();
    time("v2 tensor of 512 -> 512, three slices", 10, || {
        door(squared(512), 512).tensor_v2(&series, 1)
    });
}

fn large() {
    for side in [2048, 4096, 16_384] {
        let rounds = if side > 4096 { 3 } else { 10 };
        let values = slice(squared(side));
        let of = door(squared(side), 1024);
        time(&format!("v1 {side} -> 1024"), rounds, || of.grey_v1(&values, WINDOW));
        time(&format!("v1 {side} -> 1024, percentiles"), rounds, || {
            of.grey_v1(&values, Stretch::OfSlice)
        });
        let turn = Turn { quarters: Quarters::One, ..Turn::default() };
        time(&format!("v1 {side} -> 1024, 90 degrees"), rounds, || {
            Door { turn, ..of }.grey_v1(&values, WINDOW)
        });
        time(&format!("v2 {side} -> 512"), rounds, || {
            door(squared(side), 512).grey_v2(&values, -160.0, 240.0)
        });
    }
    let rgb = vec![77; 8192 * 8192 * 3];
    time("v1 8192 -> 1024, colour", 3, || door(squared(8192), 1024).color_v1(&rgb));
    if let Some(peak) = peak_kib() {
        println!(
            "memory at its peak: {peak} KiB, of which the largest slice is {}",
            (16_384 * 16_384) / 256
        );
    }
}

fn back() {
    let logits =
        |m: usize| -> Vec<f32> { slice(squared(m)).iter().map(|value| value / 100.0).collect() };
    let (coarse, fine) = (logits(256), logits(128));
    time("v1 logits 256 -> 1024", 30, || door(squared(512), 1024).probability_v1(&coarse, 256));
    time("v2 logits 128 -> 512", 30, || door(squared(512), 512).probability_v2(&fine, 128));
    let (wide, narrow) = (vec![0.5; 1024 * 1024], vec![0.5; 512 * 512]);
    time("v1 back 1024 -> 512", 30, || door(squared(512), 1024).back_v1(&wide));
    time("v2 back 512 -> 512", 30, || door(squared(512), 512).back_v2(&narrow));
    time("v2 back 512 -> 400 x 320", 30, || door([400, 320], 512).back_v2(&narrow));
}

fn parts() {
    let blob = |n: usize| {
        let (i, j) = (n % 512 / 16, n / 512 % 512 / 16);
        (i + j) % 3 == 0 || (n % 16 > 4 && n / 512 % 16 > 4)
    };
    let pixels: Vec<bool> = (0..512 * 512).map(blob).collect();
    let Some(mask) = SliceMask::from_pixels(&pixels) else { return };
    time("boxes of a mask of 512 x 512", 30, || boxes(&mask, 512));
    let volume = Mask { columns: 512, rows: 512, slices: vec![Some(mask); 20] };
    let edges = Mask { columns: 512, rows: 512, slices: vec![None; 20] };
    time("instances in 512 x 512 x 20", 5, || instance_boxes(&volume, &edges));
}

fn main() {
    there();
    back();
    parts();
    large();
}
