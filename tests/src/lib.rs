//! What end-to-end tests, the demo and the measurements share: a phantom series, the real binary, and its peers.
//!
//! Everything here drives programs from outside: it knows their command lines, ports and files, and nothing of
//! how they work. Processes are ended by their own id, also when a test fails.

mod authority;
mod backed;
mod binary;
mod clock;
mod cut;
mod http;
mod load;
mod node;
mod orthanc;
mod peers;
mod phantom;
mod port;
mod process;
pub mod raw_peer;

pub use authority::{Authority, Issued, IssuedFiles, Wishes, write_secret};
pub use backed::BackedMemory;
pub use binary::{parsenode, runtime_library, workspace_root};
pub use clock::{Stopwatch, wait_for};
pub use cut::cut_files;
pub use http::get as http_get;
pub use load::Load;
pub use node::{Node, NodeSettings, Status};
pub use orthanc::Orthanc;
pub use peers::{Validators, have, shared_data};
pub use phantom::{Phantom, Volumes};
pub use port::free_port;
pub use process::{Running, run};
