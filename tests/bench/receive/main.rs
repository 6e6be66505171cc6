//! How many instances a second are received: a node of ours, the servers of others, and the floors beneath all of them.
//!
//! ```text
//! receive DIR [--quick] [--load] [--keep] [--instances=N] [--rounds=N] [NAME…]
//! ```
//!
//! Everything is written below DIR, and removed at the end. Names are parts of rows; `--load` leaves storescu out.
//!
//! Each round starts each server anew with an empty folder, in turn, so that what else the machine does meets all of them alike.
//! What is printed are medians. Files that were removed slow down the next run for six minutes, see [`cut_files`]: wait, or `--keep` them. After each sending it is checked that the server has every instance.
#![expect(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "it measures, and says what it measured"
)]

mod floor;
mod sender;
mod server;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};

use floor::Floor;
use sender::{Sender, Sending};
use server::Server;
use tests::{BackedMemory, cut_files};

/// Associations at a time.
const ASSOCIATIONS: [usize; 2] = [1, 4];

/// Memory for what one instance of half a megabyte takes on its way, held ready several times over: the last measurement's is
/// not free before this one begins, and half of what is held lies in pieces too small for large writes.
const BYTES_BACKED: usize = 2_700_000;
/// At least so much is held: other programs take some of it, too.
const BYTES_BACKED_MIN: usize = 6 << 30;

/// How much is measured.
struct Plan {
    dir: PathBuf,
    /// Instances of a sending; a table for each.
    instances: Vec<usize>,
    senders: Vec<Sender>,
    rounds: usize,
    /// Instances and rounds where each instance waits for a timer.
    slow_instances: usize,
    slow_rounds: usize,
    /// Only rows that have one of these in their names; all without.
    names: Vec<String>,
}

/// A place in the table: row and column.
type Cell = (usize, usize);

/// What was measured.
#[derive(Default)]
struct Rates {
    /// Instances a second, one number a round.
    cells: BTreeMap<Cell, Vec<f64>>,
    /// Milliseconds of processor an instance of each row, one number a round: those of the first column.
    processor: BTreeMap<usize, Vec<f64>>,
    /// Most memory of each row's process in bytes; its children's is not in it.
    memory: BTreeMap<usize, u64>,
}

/// What a sending took.
struct Taken {
    time: Duration,
    processor: Duration,
    memory_bytes: u64,
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let dir = PathBuf::from(arguments.next().context("a folder is missing")?);
    let rest: Vec<String> = arguments.collect();
    let has = |flag: &str| rest.iter().any(|word| word == flag);
    let names = rest.iter().filter(|word| !word.starts_with("--")).cloned().collect();
    let number = |flag: &str| {
        let value = rest.iter().find_map(|word| word.strip_prefix(flag)?.strip_prefix('='));
        value.map(str::parse::<usize>).transpose()
    };
    let (instances, rounds, slow_instances, slow_rounds) =
        if has("--quick") { (vec![300], 3, 40, 1) } else { (vec![500, 3000], 5, 200, 2) };
    let instances = number("--instances")?.map_or(instances, |number| vec![number]);
    let rounds = number("--rounds")?.unwrap_or(rounds);
    let senders = if has("--load") { vec![Sender::Load] } else { Sender::ALL.to_vec() };
    let plan = Plan { dir, instances, senders, rounds, slow_instances, slow_rounds, names };
    for instances in &plan.instances {
        let rates = plan.measure(*instances)?;
        plan.print(*instances, &rates);
    }
    if has("--keep") { Ok(()) } else { plan.clear() }
}

impl Plan {
    fn measure(&self, instances: usize) -> Result<Rates> {
        let files = self.dir.join("files");
        sender::write_files(&files, instances)?;
        sender::write_files(&files, self.slow_instances)?;
        let _backed = BackedMemory::hold(BYTES_BACKED_MIN.max(BYTES_BACKED * instances))?;
        let mut rates = Rates::default();
        for round in 0..self.rounds {
            for (row, floor) in (0..).zip(Floor::ALL).filter(|(_, floor)| self.wants(floor.name()))
            {
                self.measure_floor(row, floor, instances, &mut rates)?;
            }
            for (row, server) in (Floor::ALL.len()..).zip(Server::ALL) {
                if self.wants(server.name()) {
                    self.measure_server(row, server, (round, instances), &mut rates)
                        .with_context(|| format!("measuring {}", server.name()))?;
                }
            }
        }
        Ok(rates)
    }

    fn wants(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|part| name.contains(part.as_str()))
    }

    fn measure_floor(
        &self,
        row: usize,
        floor: Floor,
        instances: usize,
        rates: &mut Rates,
    ) -> Result<()> {
        for (column, associations) in ASSOCIATIONS.into_iter().enumerate() {
            let dir = self.new_folder()?;
            let took = floor.measure(&dir, associations, instances)?;
            rates.add((row, column), instances, took);
            cut_files(&dir)?;
        }
        Ok(())
    }

    fn measure_server(
        &self,
        row: usize,
        server: Server,
        (round, instances): (usize, usize),
        rates: &mut Rates,
    ) -> Result<()> {
        for (index, sender) in self.senders.iter().copied().enumerate() {
            // A stock storescu waits for a timer, too, unless the receiver spares it that: only we do.
            let is_ours = matches!(server, Server::ParsenodeCache | Server::ParsenodeDisk);
            let is_slow = server.is_timer_bound() || (sender == Sender::Storescu && !is_ours);
            if is_slow && round >= self.slow_rounds {
                continue;
            }
            let instances = if is_slow { self.slow_instances } else { instances };
            for (column, associations) in ASSOCIATIONS.into_iter().enumerate() {
                let taken = self.send(server, sender, (associations, instances))?;
                rates.note((row, ASSOCIATIONS.len() * index + column), instances, &taken);
            }
        }
        Ok(())
    }

    fn send(
        &self,
        server: Server,
        sender: Sender,
        (associations, instances): (usize, usize),
    ) -> Result<Taken> {
        let dir = self.new_folder()?;
        let mut started = server.start(&dir)?;
        let sending = Sending {
            port: started.port(),
            called: server.title(),
            associations,
            instances,
            files: &self.dir.join("files"),
        };
        let before = started.running()?.processor_time()?;
        let time = sender.send(&sending)?;
        // DCMTK's storescp works in children, and looks for those that have ended every second.
        thread::sleep(Duration::from_millis(1500));
        let processor = started.running()?.processor_time()?.saturating_sub(before);
        let memory_bytes = started.running()?.memory_peak_bytes()?;
        started.check(instances)?;
        started.stop()?;
        cut_files(&dir)?;
        let (server, sender) = (server.name(), sender.name());
        tell(&format!("{server} | {sender} | {associations} | {instances} | {time:.2?}"));
        Ok(Taken { time, processor, memory_bytes })
    }

    /// A new folder, with nothing of earlier runs still on its way to the disk.
    ///
    /// Those of earlier runs stay, see [`cut_files`].
    fn new_folder(&self) -> Result<PathBuf> {
        let runs = self.runs();
        fs::create_dir_all(&runs).with_context(|| format!("making {}", runs.display()))?;
        let dir = runs.join(fs::read_dir(&runs)?.count().to_string());
        fs::create_dir(&dir).with_context(|| format!("making {}", dir.display()))?;
        sync(&dir)?;
        Ok(dir)
    }

    fn runs(&self) -> PathBuf {
        self.dir.join("runs")
    }

    /// Removes what was left.
    fn clear(&self) -> Result<()> {
        let runs = self.runs();
        if runs.exists() {
            fs::remove_dir_all(&runs).with_context(|| format!("removing {}", runs.display()))?;
        }
        Ok(())
    }

    fn print(&self, instances: usize, rates: &Rates) {
        println!(
            "\nInstances a second, {instances} instances of 512 x 512 x 16 bit, medians of {} rounds",
            self.rounds
        );
        println!(
            "({} instances and {} round(s) where each instance waits for a timer)\n",
            self.slow_instances, self.slow_rounds
        );
        let columns = self.senders.iter().flat_map(|sender| {
            ASSOCIATIONS.map(|associations| format!("{} x{associations}", sender.name()))
        });
        let columns: Vec<String> = columns.collect();
        println!("| | {} | CPU ms | peak MB |", columns.join(" | "));
        println!("|---|{}", "---:|".repeat(columns.len() + 2));
        let names = Floor::ALL.map(Floor::name).into_iter().chain(Server::ALL.map(Server::name));
        for (row, name) in names.enumerate().filter(|(_, name)| self.wants(name)) {
            let cells = (0..columns.len()).map(|column| rates.median((row, column)));
            let memory =
                rates.memory.get(&row).map_or(String::new(), |b| (b / 1_000_000).to_string());
            let processor = rates
                .processor
                .get(&row)
                .map_or(String::new(), |ms| format!("{:.2}", median(ms.clone())));
            let cells = cells.collect::<Vec<_>>().join(" | ");
            println!("| {name} | {cells} | {processor} | {memory} |");
        }
    }
}

impl Rates {
    fn add(&mut self, cell: Cell, instances: usize, took: Duration) {
        self.cells.entry(cell).or_default().push(instances as f64 / took.as_secs_f64());
    }

    fn note(&mut self, (row, column): Cell, instances: usize, taken: &Taken) {
        self.add((row, column), instances, taken.time);
        if column == 0 {
            let an_instance = 1e3 * taken.processor.as_secs_f64() / instances as f64;
            self.processor.entry(row).or_default().push(an_instance);
        }
        let most = self.memory.entry(row).or_default();
        *most = taken.memory_bytes.max(*most);
    }

    fn median(&self, cell: Cell) -> String {
        let rates = self.cells.get(&cell);
        rates.map_or(String::new(), |rates| format!("{:.0}", median(rates.clone())))
    }
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// Writes back what the system holds for the file system of `dir`.
fn sync(dir: &Path) -> Result<()> {
    let status = Command::new("sync").arg("-f").arg(dir).status().context("starting sync")?;
    anyhow::ensure!(status.success(), "sync: {status}");
    Ok(())
}

/// How far it is, beside the table.
#[expect(clippy::print_stderr, reason = "the table goes to stdout")]
fn tell(text: &str) {
    eprintln!("{text}");
}
