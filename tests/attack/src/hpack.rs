//! Header blocks by hand (RFC 7541, 5 and 6), without compression.

/// First number of the dynamic table.
const NEWEST: usize = 62;

/// A header block.
#[derive(Clone, Debug, Default)]
pub struct Block(Vec<u8>);

impl Block {
    /// The head of a request.
    pub fn request(method: &str, path: &str) -> Self {
        Self::default()
            .field(":method", method)
            .field(":scheme", "https")
            .field(":authority", "localhost")
            .field(":path", path)
    }

    /// The head of a gRPC call.
    pub fn call(path: &str) -> Self {
        Self::request("POST", path)
            .field("content-type", "application/grpc")
            .field("te", "trailers")
    }

    /// A field that no table remembers.
    #[must_use]
    pub fn field(self, name: &str, value: &str) -> Self {
        self.literal(0x00, name.as_bytes(), value.as_bytes())
    }

    /// A field that the hub's table remembers as the newest.
    #[must_use]
    pub fn remembered(self, name: &str, value: &str) -> Self {
        self.literal(0x40, name.as_bytes(), value.as_bytes())
    }

    /// The newest remembered field again: one byte.
    #[must_use]
    pub fn newest_again(mut self, times: usize) -> Self {
        self.0
            .extend(std::iter::repeat_n(0x80 | NEWEST as u8, times));
        self
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn literal(mut self, kind: u8, name: &[u8], value: &[u8]) -> Self {
        self.0.push(kind);
        for text in [name, value] {
            self.length(text.len());
            self.0.extend_from_slice(text);
        }
        self
    }

    /// A number with a prefix of seven bits.
    fn length(&mut self, length: usize) {
        const PREFIX: usize = 0x7f;
        if length < PREFIX {
            return self.0.push(length as u8);
        }
        self.0.push(PREFIX as u8);
        let mut rest = length - PREFIX;
        while rest >= 0x80 {
            self.0.push((rest % 0x80) as u8 | 0x80);
            rest /= 0x80;
        }
        self.0.push(rest as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_grow_as_the_standard_says() {
        let block = Block::default().field("a", &"x".repeat(1337));
        // 1337 - 127 = 1210 = 9 × 128 + 58.
        assert_eq!(block.bytes()[..6], [0, 1, b'a', 0x7f, 0x80 | 58, 9]);
    }
}
