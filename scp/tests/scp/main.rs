//! The SCP over real sockets: good peers, DCMTK's tools, and peers that misbehave.

#[cfg(test)]
mod access;
#[cfg(test)]
mod commitment;
#[cfg(test)]
mod dcmtk;
#[cfg(test)]
mod floods;
#[cfg(test)]
mod good;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod keepers;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod openssl;
#[cfg(test)]
mod pauses;
#[cfg(test)]
mod rate;
#[cfg(test)]
mod secure;
#[cfg(test)]
mod support;
#[cfg(test)]
mod window;
