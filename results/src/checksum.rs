//! A short name for some bytes.

use flate2::Crc;

/// Eight digits for some bytes, the same on every machine: CRC-32.
#[must_use]
pub fn digits(bytes: &[u8]) -> String {
    let mut crc = Crc::new();
    crc.update(bytes);
    format!("{:08x}", crc.sum())
}

#[cfg(test)]
mod tests {
    use super::digits;

    #[test]
    fn they_are_those_of_every_other_crc_32() {
        // The check value that the catalogue of CRCs gives for CRC-32/ISO-HDLC.
        assert_eq!(digits(b"123456789"), "cbf43926");
        assert_eq!(digits(b""), "00000000", "eight of them, always");
    }
}
