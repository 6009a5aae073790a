//! HTTP/2 frames by hand (RFC 9113, 4.1 and 6), so that they can be wrong.

/// Flags.
pub const END_STREAM: u8 = 0x1;
pub const END_HEADERS: u8 = 0x4;
pub const NONE: u8 = 0;

/// Kinds.
pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const PRIORITY: u8 = 2;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;

/// Settings by their number.
pub const INITIAL_WINDOW_SIZE: u16 = 4;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Frames on their way to the hub, and the number of the next stream.
#[derive(Clone, Debug)]
pub struct Wire {
    bytes: Vec<u8>,
    next_stream: u32,
}

impl Default for Wire {
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            next_stream: 1,
        }
    }
}

impl Wire {
    /// What stands here, and nothing stands here any more.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    /// A stream of ours that was not used before.
    pub fn stream(&mut self) -> u32 {
        let stream = self.next_stream;
        self.next_stream += 2;
        stream
    }

    pub fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = u32::try_from(payload.len())
            .expect("a frame of our own")
            .to_be_bytes();
        self.raw(&length[1..]);
        self.raw(&[kind, flags]);
        self.raw(&stream.to_be_bytes());
        self.raw(payload);
    }

    /// The preface and settings that change nothing but what is named.
    pub fn preface(&mut self, settings: &[(u16, u32)]) {
        self.raw(PREFACE);
        self.settings(settings);
    }

    pub fn settings(&mut self, settings: &[(u16, u32)]) {
        let mut payload = Vec::new();
        for (number, value) in settings {
            payload.extend_from_slice(&number.to_be_bytes());
            payload.extend_from_slice(&value.to_be_bytes());
        }
        self.frame(SETTINGS, NONE, 0, &payload);
    }

    /// A whole header block; the stream stays open for a body.
    pub fn headers(&mut self, stream: u32, block: &[u8]) {
        self.frame(HEADERS, END_HEADERS, stream, block);
    }

    /// A whole request without a body.
    pub fn request(&mut self, stream: u32, block: &[u8]) {
        self.frame(HEADERS, END_HEADERS | END_STREAM, stream, block);
    }

    /// A header block in as many frames as it takes.
    pub fn long_request(&mut self, stream: u32, block: &[u8]) {
        let mut parts = block.chunks(LARGEST_FRAME).peekable();
        let mut kind = HEADERS;
        while let Some(part) = parts.next() {
            let last = if parts.peek().is_none() {
                END_HEADERS
            } else {
                NONE
            };
            let first = if kind == HEADERS { END_STREAM } else { NONE };
            self.frame(kind, last | first, stream, part);
            kind = CONTINUATION;
        }
    }

    pub fn data(&mut self, stream: u32, payload: &[u8]) {
        self.frame(DATA, NONE, stream, payload);
    }

    /// The rest of a body.
    pub fn last_data(&mut self, stream: u32, payload: &[u8]) {
        self.frame(DATA, END_STREAM, stream, payload);
    }

    /// CANCEL.
    pub fn reset(&mut self, stream: u32) {
        self.frame(RST_STREAM, NONE, stream, &8_u32.to_be_bytes());
    }

    pub fn window_update(&mut self, stream: u32, more: u32) {
        self.frame(WINDOW_UPDATE, NONE, stream, &more.to_be_bytes());
    }

    pub fn ping(&mut self) {
        self.frame(PING, NONE, 0, b"attacked");
    }

    /// NO_ERROR, with no stream of the other side seen.
    pub fn goaway(&mut self) {
        self.frame(GOAWAY, NONE, 0, &[0; 8]);
    }
}

/// Bytes of one frame that the hub takes.
pub const LARGEST_FRAME: usize = 16 << 10;

/// One gRPC message as it stands in a body; its length can be a lie.
pub fn message(compressed: u8, declared: u32, bytes: &[u8]) -> Vec<u8> {
    let mut message = vec![compressed];
    message.extend_from_slice(&declared.to_be_bytes());
    message.extend_from_slice(bytes);
    message
}

/// One honest gRPC message.
pub fn plain(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).expect("a message of our own");
    message(0, length, bytes)
}

/// One honest gRPC message, compressed.
pub fn compressed(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let small = zstd::bulk::compress(bytes, 19)?;
    let length = u32::try_from(small.len()).expect("a message of our own");
    Ok(message(1, length, &small))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_its_length_kind_flags_stream_and_payload() {
        let mut wire = Wire::default();
        let stream = wire.stream();
        wire.last_data(stream, b"abc");
        assert_eq!(wire.take(), b"\0\0\x03\0\x01\0\0\0\x01abc");
        assert_eq!(wire.stream(), 3);
    }

    #[test]
    fn a_long_header_block_is_continued() {
        let mut wire = Wire::default();
        wire.long_request(1, &[b'x'; LARGEST_FRAME + 1]);
        let bytes = wire.take();
        assert_eq!(&bytes[..9], b"\0\x40\0\x01\x01\0\0\0\x01");
        assert_eq!(&bytes[9 + LARGEST_FRAME..], b"\0\0\x01\x09\x04\0\0\0\x01x");
    }
}
