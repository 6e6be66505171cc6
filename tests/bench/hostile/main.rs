//! Two honest associations at full rate while eight hostile peers misbehave, one way after the other: the node's memory, its
//! answers, and what is left of the honest rate.
//!
//! ```text
//! hostile DIR [--quick]       everything is written below DIR, and removed
//! ```
//!
//! Attackers, honest senders and the node share the same processors, so the rate falls also by what the attackers take.
//! Rates are compared with those of the same run without attackers, before and after. A node that dies ends the measurement.
#![expect(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "it measures, and says what it measured"
)]

mod attack;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context as _, Result, bail};
use tests::{BackedMemory, Load, Node, NodeSettings, cut_files};

use attack::{Attack, Weapons, strike_on};

/// Hostile peers at a time.
const ATTACKERS: usize = 8;
/// Honest associations.
const HONEST: usize = 2;

/// What came of one attack.
struct Outcome {
    rate: f64,
    strikes: usize,
    answer: String,
    memory_bytes: u64,
}

/// Memory that is held ready for what is received.
const BYTES_BACKED: usize = 6 << 30;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let dir = PathBuf::from(arguments.next().context("a folder is missing")?);
    let instances = if arguments.any(|argument| argument == "--quick") { 200 } else { 2_000 };
    let weapons = Weapons::forge()?;
    println!(
        "{HONEST} associations send {instances} instances of 0.5 MB while {ATTACKERS} hostile peers do this:\n"
    );
    println!("| hostile peers | instances/s | of before | strikes | answer | peak MB |");
    println!("|---|---:|---:|---:|---|---:|");
    if dir.exists() {
        fs::remove_dir_all(&dir).with_context(|| format!("removing {}", dir.display()))?;
    }
    let _backed = BackedMemory::hold(BYTES_BACKED)?;
    let mut quiet = None;
    for (seed, attack) in (1..).zip(Attack::ALL.into_iter().chain([Attack::Nothing])) {
        let outcome = measure(&dir, attack, &weapons, (instances, seed))?;
        let before = *quiet.get_or_insert(outcome.rate);
        println!(
            "| {} | {:.0} | {:.0} % | {} | {} | {} |",
            attack.name(),
            outcome.rate,
            100.0 * outcome.rate / before,
            outcome.strikes,
            outcome.answer,
            outcome.memory_bytes / 1_000_000
        );
    }
    Ok(())
}

/// A node of its own for each attack, so that its memory is that of the attack.
fn measure(
    dir: &Path,
    attack: Attack,
    weapons: &Weapons,
    (instances, seed): (usize, u64),
) -> Result<Outcome> {
    let dir = dir.join(format!("node-{seed}"));
    let settings = NodeSettings {
        rule: "calling = [\"NOBODY\"]\n".into(),
        series_quiet_s: 600,
        ..NodeSettings::default()
    };
    let mut node = Node::start(&dir, &settings)?;
    let port = node.port;
    let load = Load { port, called: "PARSENODE".into(), associations: HONEST, instances, seed };
    let goes_on = AtomicBool::new(true);
    let (took, struck) = thread::scope(|scope| {
        let strike = || strike_on(attack, port, weapons, || goes_on.load(Ordering::Acquire));
        let attackers: Vec<_> = (0..ATTACKERS).map(|_| scope.spawn(strike)).collect();
        let took = load.send();
        goes_on.store(false, Ordering::Release);
        let join = |attacker: thread::ScopedJoinHandle<'_, Result<_>>| {
            attacker.join().unwrap_or_else(|_| bail!("an attacker failed by a bug"))
        };
        let struck: Result<Vec<_>> = attackers.into_iter().map(join).collect();
        (took, struck)
    });
    let (took, struck) = (took.context("honest senders")?, struck?);
    let memory_bytes = node.running()?.memory_peak_bytes()?;
    node.stop()?;
    cut_files(&dir)?;
    Ok(Outcome {
        rate: instances as f64 / took.as_secs_f64(),
        strikes: struck.iter().map(|(strikes, _)| strikes).sum(),
        answer: struck.into_iter().next().map(|(_, answer)| answer).unwrap_or_default(),
        memory_bytes,
    })
}
