//! From what a container writes to numbered chunks: at once when it is quiet, together when it is loud, cut at the
//! task's limit.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use protocol::log::{LogChunk, LogStream, MAX_CHUNK_BYTES, max_chunks};
use protocol::quantity::ByteSize;
use protocol::time::UnixMs;
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// How long bytes wait for company. A line after a pause does not wait at all; a flood makes 200 chunks a second
/// instead of one per write.
pub const FLUSH_AFTER: Duration = Duration::from_millis(5);

/// The longest part of a character that its end can be missing from.
const MAX_OPEN_CHAR: usize = 3;

/// Cuts one attempt's output into chunks. Pure: told the time, and asked for what is due.
#[derive(Debug)]
pub struct Chunker {
    next_seq: u64,
    stream: LogStream,
    buffer: Vec<u8>,
    /// When the buffer is due, if there is something in it.
    due: Option<Instant>,
    last_flush: Option<Instant>,
    ready: Vec<LogChunk>,
    meter: Meter,
}

/// Counts what the command writes against its limit.
#[derive(Debug)]
struct Meter {
    limit: ByteSize,
    written: u64,
}

impl Chunker {
    pub const fn new(limit: ByteSize) -> Self {
        Self {
            next_seq: 0,
            stream: LogStream::Stdout,
            buffer: Vec::new(),
            due: None,
            last_flush: None,
            ready: Vec::new(),
            meter: Meter { limit, written: 0 },
        }
    }

    /// Takes what the command wrote.
    pub fn write(&mut self, stream: LogStream, data: &Bytes, now: Instant, at: UnixMs) {
        let data = self.meter.admit(data);
        if data.is_empty() {
            return;
        }
        if stream != self.stream {
            self.flush_all(at);
            self.stream = stream;
        }
        self.buffer.extend_from_slice(data);
        while self.buffer.len() >= MAX_CHUNK_BYTES {
            let end = MAX_CHUNK_BYTES - open_char(&self.buffer[..MAX_CHUNK_BYTES]);
            self.emit(end, at);
            self.last_flush = Some(now);
        }
        if self.buffer.is_empty() {
            self.due = None;
        } else if self.due.is_none() {
            let quiet_since = self.last_flush.map_or(now, |last| last + FLUSH_AFTER);
            self.due = Some(quiet_since.max(now));
        }
    }

    /// When [`Chunker::flush_due`] has something to do.
    pub const fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Makes a chunk of what has waited long enough. The open end of a character waits for its rest once more, and
    /// goes out alone when that does not come.
    pub fn flush_due(&mut self, now: Instant, at: UnixMs) {
        if self.due.is_none_or(|due| due > now) {
            return;
        }
        let whole = self.buffer.len() - open_char(&self.buffer);
        let end = if whole == 0 { self.buffer.len() } else { whole };
        self.emit(end, at);
        self.last_flush = Some(now);
        self.due = (!self.buffer.is_empty()).then(|| now + FLUSH_AFTER);
    }

    /// Makes a chunk of everything that is left.
    pub fn flush_all(&mut self, at: UnixMs) {
        let end = self.buffer.len();
        self.emit(end, at);
        self.due = None;
    }

    /// Adds a line of the runner's own.
    pub fn remark(&mut self, text: &str, at: UnixMs) {
        self.flush_all(at);
        self.stream = LogStream::Runner;
        self.buffer.extend_from_slice(text.as_bytes());
        self.flush_all(at);
    }

    /// The chunks that are ready, in order.
    pub fn take_ready(&mut self) -> Vec<LogChunk> {
        std::mem::take(&mut self.ready)
    }

    /// Whether the command wrote more than it may, in bytes or in pieces.
    pub const fn is_over_limit(&self) -> bool {
        let limit = self.meter.limit.bytes();
        self.meter.written > limit || self.next_seq > max_chunks(self.meter.limit)
    }

    /// What the command wrote, cut bytes included.
    pub const fn written(&self) -> u64 {
        self.meter.written
    }

    fn emit(&mut self, end: usize, at: UnixMs) {
        if end == 0 {
            return;
        }
        let rest = self.buffer.split_off(end);
        let data = std::mem::replace(&mut self.buffer, rest);
        self.ready.push(LogChunk {
            seq: self.next_seq,
            stream: self.stream,
            at,
            data,
        });
        self.next_seq += 1;
    }
}

impl Meter {
    /// Counts the data and gives back the part of it that is within the limit.
    fn admit<'a>(&mut self, data: &'a Bytes) -> &'a [u8] {
        let room = self.limit.bytes().saturating_sub(self.written);
        self.written = self
            .written
            .saturating_add(u64::try_from(data.len()).unwrap_or(u64::MAX));
        let room = usize::try_from(room).unwrap_or(usize::MAX).min(data.len());
        &data[..room]
    }
}

/// How many bytes at the end belong to a UTF-8 character that is not complete yet.
fn open_char(bytes: &[u8]) -> usize {
    let tail = &bytes[bytes.len().saturating_sub(MAX_OPEN_CHAR)..];
    for (back, byte) in tail.iter().rev().enumerate() {
        let needed = match byte {
            0x80..=0xBF => continue,
            0xC2..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF4 => 4,
            _ => return 0,
        };
        let have = back + 1;
        return if have < needed { have } else { 0 };
    }
    0
}

/// The memory that one attempt's log may take on its way to the server before its container has to wait.
pub fn budget() -> Arc<Semaphore> {
    const BYTES: usize = 4 * 1024 * 1024;
    Arc::new(Semaphore::new(BYTES))
}

/// A chunk's share of that.
pub fn cost(chunk: &LogChunk) -> u32 {
    /// The chunk itself, its place in a queue, its allocation.
    const OVERHEAD: usize = 256;
    u32::try_from(chunk.data.len() + OVERHEAD).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const AT: UnixMs = UnixMs(0);

    fn text(chunks: &[LogChunk]) -> Vec<&str> {
        chunks
            .iter()
            .map(|chunk| str::from_utf8(&chunk.data).unwrap())
            .collect()
    }

    #[test]
    fn the_first_line_is_due_at_once_and_the_next_wait_for_company() {
        let (mut chunker, start) = (Chunker::new(ByteSize::mib(1)), Instant::now());
        chunker.write(LogStream::Stdout, &Bytes::from("one\n"), start, AT);
        assert_eq!(chunker.due(), Some(start));
        chunker.flush_due(start, AT);
        assert_eq!(text(&chunker.take_ready()), ["one\n"]);

        let soon = start + Duration::from_millis(1);
        chunker.write(LogStream::Stdout, &Bytes::from("two\n"), soon, AT);
        chunker.flush_due(soon, AT);
        assert!(chunker.take_ready().is_empty());
        chunker.write(LogStream::Stdout, &Bytes::from("three\n"), soon, AT);
        assert_eq!(chunker.due(), Some(start + FLUSH_AFTER));
        chunker.flush_due(start + FLUSH_AFTER, AT);
        assert_eq!(text(&chunker.take_ready()), ["two\nthree\n"]);
        assert_eq!(chunker.due(), None);
    }

    #[test]
    fn streams_stay_apart_and_in_order() {
        let (mut chunker, now) = (Chunker::new(ByteSize::mib(1)), Instant::now());
        for (stream, line) in [
            (LogStream::Stdout, "a"),
            (LogStream::Stdout, "b"),
            (LogStream::Stderr, "c"),
            (LogStream::Stdout, "d"),
        ] {
            chunker.write(stream, &Bytes::from(line), now, AT);
        }
        chunker.flush_all(AT);
        let chunks = chunker.take_ready();
        assert_eq!(text(&chunks), ["ab", "c", "d"]);
        assert_eq!(chunks[1].stream, LogStream::Stderr);
        assert_eq!(chunks.iter().map(|c| c.seq).collect::<Vec<_>>(), [0, 1, 2]);
    }

    #[test]
    fn a_character_is_not_split_unless_its_rest_never_comes() {
        let (mut chunker, start) = (Chunker::new(ByteSize::mib(1)), Instant::now());
        let euro = "€".as_bytes();
        chunker.write(
            LogStream::Stdout,
            &Bytes::from([b"5 ", &euro[..2]].concat()),
            start,
            AT,
        );
        chunker.flush_due(start, AT);
        assert_eq!(text(&chunker.take_ready()), ["5 "]);
        chunker.write(LogStream::Stdout, &Bytes::copy_from_slice(&euro[2..]), start, AT);
        chunker.flush_due(start + FLUSH_AFTER, AT);
        assert_eq!(text(&chunker.take_ready()), ["€"]);

        chunker.write(
            LogStream::Stdout,
            &Bytes::copy_from_slice(&euro[..1]),
            start + FLUSH_AFTER,
            AT,
        );
        chunker.flush_due(start + 3 * FLUSH_AFTER, AT);
        assert_eq!(chunker.take_ready()[0].data, &euro[..1]);
    }

    #[test]
    fn the_limit_cuts_and_a_remark_follows() {
        let (mut chunker, now) = (Chunker::new(ByteSize(5)), Instant::now());
        chunker.write(LogStream::Stdout, &Bytes::from("12345"), now, AT);
        assert!(!chunker.is_over_limit());
        chunker.write(LogStream::Stdout, &Bytes::from("6789"), now, AT);
        assert!(chunker.is_over_limit());
        chunker.remark("cut", AT);
        let chunks = chunker.take_ready();
        assert_eq!(text(&chunks), ["12345", "cut"]);
        assert_eq!(chunks[1].stream, LogStream::Runner);
        assert_eq!(chunker.written(), 9);
    }

    #[test]
    fn many_tiny_pieces_are_over_the_limit_too() {
        let (mut chunker, now) = (Chunker::new(ByteSize::mib(1)), Instant::now());
        let mut pieces = 0_u32;
        while !chunker.is_over_limit() {
            let stream = if pieces.is_multiple_of(2) {
                LogStream::Stdout
            } else {
                LogStream::Stderr
            };
            chunker.write(stream, &Bytes::from("x"), now, AT);
            pieces += 1;
        }
        assert!((16_384..20_000).contains(&pieces), "{pieces}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn nothing_is_lost_reordered_or_too_large(
            writes in proptest::collection::vec(
                (any::<bool>(), any::<u8>(), 0..70_000_usize, 0_u64..12),
                0..8,
            ),
        ) {
            let mut chunker = Chunker::new(ByteSize::gib(1));
            let mut now = Instant::now();
            let mut expected: Vec<(LogStream, u8)> = Vec::new();
            for (is_stderr, seed, len, pause_ms) in &writes {
                // Cheaper to make than random bytes, and as hard to cut: every byte value, in a run of its own.
                let data: Vec<u8> = (0_u8..251).cycle().map(|n| n.wrapping_add(*seed)).take(*len).collect();
                let stream = if *is_stderr { LogStream::Stderr } else { LogStream::Stdout };
                expected.extend(data.iter().map(|byte| (stream, *byte)));
                now += Duration::from_millis(*pause_ms);
                chunker.flush_due(now, AT);
                chunker.write(stream, &Bytes::from(data), now, AT);
            }
            chunker.flush_all(AT);
            let chunks = chunker.take_ready();
            prop_assert!(chunks.iter().all(|c| !c.data.is_empty() && c.data.len() <= MAX_CHUNK_BYTES));
            prop_assert!(chunks.iter().zip(0..).all(|(c, seq)| c.seq == seq));
            let got: Vec<_> = chunks.iter().flat_map(|c| c.data.iter().map(|b| (c.stream, *b))).collect();
            prop_assert!(got == expected);
        }

        #[test]
        fn text_is_cut_between_characters(words in proptest::collection::vec(("\\PC{1,40}", 0..900_usize), 1..4)) {
            let mut chunker = Chunker::new(ByteSize::gib(1));
            let now = Instant::now();
            let words: Vec<String> = words.iter().map(|(word, times)| word.repeat(*times)).collect();
            for word in &words {
                chunker.write(LogStream::Stdout, &Bytes::from(word.clone()), now, AT);
            }
            chunker.flush_all(AT);
            let chunks = chunker.take_ready();
            prop_assert!(text(&chunks).concat() == words.concat());
        }
    }
}
