//! Much to send: the same message again and again, and data sets longer than memory.

use anyhow::Result;

use super::{Answer, CT_IMAGE_STORAGE, RawPeer, p_data};

impl RawPeer {
    /// The PDUs of a C-STORE of a CT instance, ready to be sent as often as wanted.
    pub fn prepare(&mut self, sop_instance: &str, data_set: &[u8]) -> Vec<u8> {
        let command = self.command(CT_IMAGE_STORAGE, 0x0001, Some(sop_instance));
        [self.pdvs(1, 0b01, &command), self.pdvs(1, 0b00, data_set)].concat()
    }

    /// Sends what [`RawPeer::prepare`] made, and waits for the answer.
    ///
    /// # Errors
    /// When it cannot be sent, or the answer is no message.
    pub fn store_prepared(&mut self, message: &[u8]) -> Result<Answer> {
        self.send(message)?;
        self.answer()
    }

    /// C-STORE of a CT instance whose data set is `head` and as many zeros behind it as wanted; nothing of it is held.
    ///
    /// # Errors
    /// When it cannot be sent, or the answer is no message.
    pub fn store_long(&mut self, sop_instance: &str, head: &[u8], zeros: u64) -> Result<Answer> {
        let command = self.command(CT_IMAGE_STORAGE, 0x0001, Some(sop_instance));
        self.send_pdvs(1, 0b01, &command)?;
        self.send(&p_data(1, 0b00, head))?;
        let piece = self.pdu_length_max - 6;
        let whole = p_data(1, 0b00, &vec![0; piece]);
        for _ in 0..zeros / u64::try_from(piece)? {
            self.send(&whole)?;
        }
        let rest = usize::try_from(zeros % u64::try_from(piece)?)?;
        self.send(&p_data(1, 0b10, &vec![0; rest]))?;
        self.answer()
    }
}
