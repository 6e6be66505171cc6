//! The spool as a whole, on a real folder.

mod bench;
mod broken;
mod commitments;
mod durability;
mod faults;
mod instances;
mod jobs;
mod late;
mod limits;
mod model;
mod purge;
mod recovery;
mod requests;
mod studies;
