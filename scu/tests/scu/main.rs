//! The SCU against an acceptor whose every answer is ours, and against DCMTK's storescp.

#[cfg(test)]
mod acceptor;
#[cfg(test)]
mod commitment;
#[cfg(test)]
mod dcmtk;
#[cfg(test)]
mod files;
#[cfg(test)]
mod outcomes;
#[cfg(test)]
mod window;
