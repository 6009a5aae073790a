//! Serial numbers of the certificates the hub issues.

use std::fmt;
use std::str::FromStr;

/// Serial number of an office's certificate: 16 random bytes whose first bit is clear and whose first byte
/// is not zero, so that the DER integer is exactly these bytes (RFC 5280, 4.1.2.2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Serial([u8; 16]);

/// Bytes that are no serial number of this hub's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a serial number has 16 bytes, the first between 0x01 and 0x7f")]
pub struct SerialError;

impl Serial {
    pub fn random() -> Self {
        let mut bytes: [u8; 16] = rand::random();
        bytes[0] = bytes[0] & 0x3f | 0x40;
        Self(bytes)
    }

    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl TryFrom<&[u8]> for Serial {
    type Error = SerialError;

    fn try_from(bytes: &[u8]) -> Result<Self, SerialError> {
        let bytes: [u8; 16] = bytes.try_into().map_err(|_| SerialError)?;
        match bytes[0] {
            0x01..=0x7f => Ok(Self(bytes)),
            _ => Err(SerialError),
        }
    }
}

/// Hexadecimal, in either case: OpenSSL writes capitals.
impl FromStr for Serial {
    type Err = SerialError;

    fn from_str(text: &str) -> Result<Self, SerialError> {
        let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes());
        Self::try_from(bytes.map_err(|_| SerialError)?.as_slice())
    }
}

/// Lower-case hexadecimal.
impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Serial({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_random_serial_reads_back() {
        for _ in 0..1000 {
            let serial = Serial::random();
            assert_eq!(Serial::try_from(serial.as_bytes().as_slice()), Ok(serial));
            assert_eq!(serial.to_string().parse(), Ok(serial));
            assert_eq!(serial.to_string().to_uppercase().parse(), Ok(serial));
        }
    }

    #[test]
    fn other_bytes_are_refused() {
        for bytes in [&[][..], &[1; 15], &[1; 17], &[0; 16], &[0x80; 16]] {
            assert_eq!(Serial::try_from(bytes), Err(SerialError));
        }
        for text in ["", "41", "serial", "4141414141414141414141414141414g"] {
            assert_eq!(text.parse::<Serial>(), Err(SerialError));
        }
    }
}
