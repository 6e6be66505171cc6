//! A sender that prepares everything before it sends, so that what is measured is the receiver.
//!
//! Each association has a series of its own. Its message is made once; between two instances only the SOP Instance UID in
//! it changes. It knows nothing of who receives.

use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use crate::clock::Stopwatch;
use crate::phantom::Phantom;
use crate::raw_peer::{Answer, Opened, RawPeer, data_set_of};

/// What is to be sent: CT instances of 512 × 512 pixels of 16 bits.
#[derive(Debug, Clone)]
pub struct Load {
    /// Port on loopback.
    pub port: u16,
    /// Called AE title.
    pub called: String,
    /// Associations at a time.
    pub associations: usize,
    /// Instances of all associations together; each sends its share.
    pub instances: usize,
    /// Loads of different seeds send different instances.
    pub seed: u64,
}

/// An association, and the message that it sends.
struct Sender {
    peer: RawPeer,
    message: Vec<u8>,
    /// Where the SOP Instance UID stands in the message.
    places: Vec<usize>,
    uid: String,
}

impl Load {
    /// Sends all instances. The time is from the first request to the last answer; connecting and releasing are in it.
    ///
    /// # Errors
    /// When an association is not accepted, or an instance not answered with success.
    pub fn send(&self) -> Result<Duration> {
        let slices = self.slices()?;
        let watch = Stopwatch::start();
        thread::scope(|scope| {
            let senders: Vec<_> =
                slices.iter().map(|slice| scope.spawn(move || self.send_share(slice))).collect();
            let join = |sender: thread::ScopedJoinHandle<'_, Result<()>>| {
                sender.join().unwrap_or_else(|_| bail!("a sender failed by a bug"))
            };
            senders.into_iter().try_for_each(join)
        })?;
        Ok(watch.elapsed())
    }

    /// A data set for each association, with its SOP Instance UID.
    fn slices(&self) -> Result<Vec<(String, Vec<u8>)>> {
        let made = |index: usize| {
            let seed = self.seed * 100 + u64::try_from(index)?;
            let phantom = Phantom { columns: 512, rows: 512, ..Phantom::small(seed, 1) };
            let file = phantom.file(0)?;
            Ok((phantom.sop_instance(0), data_set_of(&file)?.to_vec()))
        };
        (0..self.associations).map(made).collect()
    }

    fn send_share(&self, (uid, data_set): &(String, Vec<u8>)) -> Result<()> {
        let mut sender = Sender::open(self, uid, data_set)?;
        for number in 0..self.instances / self.associations {
            sender.store(number)?;
        }
        sender.peer.release()
    }
}

impl Sender {
    fn open(load: &Load, uid: &str, data_set: &[u8]) -> Result<Self> {
        let mut peer = match RawPeer::open(load.port, &load.called, "LOAD")? {
            Opened::Accepted(peer) => peer,
            other @ (Opened::Rejected { .. } | Opened::Gone) => bail!("not accepted: {other:?}"),
        };
        let message = peer.prepare(uid, data_set);
        // It stands in the command and in the first bytes of the data set.
        let places: Vec<usize> = message[..message.len().min(4096)]
            .windows(uid.len())
            .enumerate()
            .filter_map(|(at, window)| (window == uid.as_bytes()).then_some(at))
            .collect();
        ensure!(places.len() == 2, "the SOP Instance UID stands {} times", places.len());
        Ok(Self { peer, message, places, uid: uid.to_owned() })
    }

    fn store(&mut self, number: usize) -> Result<()> {
        let uid = numbered(&self.uid, number)?;
        for at in &self.places {
            self.message[*at..*at + uid.len()].copy_from_slice(uid.as_bytes());
        }
        match self.peer.store_prepared(&self.message)? {
            Answer::Status(0) => Ok(()),
            other @ (Answer::Status(_) | Answer::Aborted | Answer::Closed) => {
                bail!("{uid}: {other:?}")
            }
        }
    }
}

/// Another UID of the same length: the last seven digits are a number.
fn numbered(uid: &str, number: usize) -> Result<String> {
    let kept = uid.len().checked_sub(7).context("a UID is too short")?;
    let kept = uid.get(..kept).filter(|kept| !kept.ends_with('.')).context("a UID with dots")?;
    Ok(format!("{kept}{number:07}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_take_the_place_of_the_last_digits() {
        let uid = "2.25.123456789012345678";
        assert_eq!(numbered(uid, 42).unwrap(), "2.25.123456789010000042");
        assert!(numbered("1.2", 1).is_err());
    }

    #[test]
    fn a_message_names_its_instance_twice() {
        let load = Load { port: 0, called: "X".into(), associations: 1, instances: 1, seed: 1 };
        let (uid, data_set) = load.slices().unwrap().remove(0);
        assert!(data_set.len() > 512 * 512 * 2);
        let found = data_set[..4096].windows(uid.len()).filter(|w| *w == uid.as_bytes()).count();
        assert_eq!(found, 1);
    }
}
