//! Chunks in, numbered lines out.

use std::sync::Arc;

use protocol::log::{LogChunkView, LogStream};

use super::visible_text;

/// Large enough that few blocks hold a long log, small enough that touching one is cheap.
pub const BLOCK_LINES: usize = 200;
/// A longer line goes on in a further one: browsers split larger text nodes while they parse, and no eye reads them.
const MAX_LINE_BYTES: usize = 32 * 1024;
/// More text than a tab should carry. The raw log has the rest.
const MAX_BYTES: usize = 48 * 1024 * 1024;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// From 1. The parts of an overlong line have the same one.
    pub number: u64,
    pub stream: LogStream,
    pub text: Arc<str>,
}

/// A line that has not ended yet: where it stands, and what it holds unabridged, because an escape may be cut in two.
#[derive(Debug)]
struct OpenLine {
    index: usize,
    raw: String,
}

/// The log of one attempt.
#[derive(Debug, Default)]
pub struct LogBuffer {
    lines: Vec<LogLine>,
    /// By stream: both can be in the middle of a line.
    open: [Option<OpenLine>; 3],
    numbers: u64,
    bytes: usize,
}

impl LogBuffer {
    pub fn from_chunks(chunks: impl IntoIterator<Item = LogChunkView>) -> Self {
        let mut buffer = Self::default();
        for chunk in chunks {
            buffer.append(&chunk);
        }
        buffer
    }

    /// Takes the next chunk; answers with the first block that changed, all after it are new.
    pub fn append(&mut self, chunk: &LogChunkView) -> usize {
        let mut first = self.lines.len();
        if self.is_full() {
            return first / BLOCK_LINES;
        }
        self.bytes += chunk.text.len();
        for piece in chunk.text.split_inclusive('\n') {
            let (piece, ends) = match piece.strip_suffix('\n') {
                Some(piece) => (piece, true),
                None => (piece, false),
            };
            first = first.min(self.write(chunk.stream, piece));
            if ends {
                self.open[slot(chunk.stream)] = None;
            }
        }
        first / BLOCK_LINES
    }

    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The log went beyond what a page shows.
    pub fn is_full(&self) -> bool {
        self.bytes >= MAX_BYTES
    }

    /// How many lines there are, however many parts they are shown in.
    pub fn line_count(&self) -> u64 {
        self.numbers
    }

    pub fn block_count(&self) -> usize {
        self.lines.len().div_ceil(BLOCK_LINES)
    }

    /// The lines of a block, none when there is no such block.
    pub fn block(&self, index: usize) -> &[LogLine] {
        self.lines.chunks(BLOCK_LINES).nth(index).unwrap_or_default()
    }

    /// Adds to the line the stream is in, or to a new one; answers with the index of that line.
    fn write(&mut self, stream: LogStream, piece: &str) -> usize {
        let open = self.open[slot(stream)].take();
        let mut line = open.unwrap_or_else(|| {
            self.numbers += 1;
            self.new_line(stream, self.numbers)
        });
        let first = line.index;
        let mut piece = piece;
        while line.raw.len() + piece.len() > MAX_LINE_BYTES {
            let (fits, rest) = piece.split_at(floor_char_boundary(piece, MAX_LINE_BYTES - line.raw.len()));
            line.raw.push_str(fits);
            self.show(&line);
            let number = self.lines[line.index].number;
            line = self.new_line(stream, number);
            piece = rest;
        }
        line.raw.push_str(piece);
        self.show(&line);
        self.open[slot(stream)] = Some(line);
        first
    }

    fn new_line(&mut self, stream: LogStream, number: u64) -> OpenLine {
        self.lines.push(LogLine {
            number,
            stream,
            text: Arc::from(""),
        });
        OpenLine {
            index: self.lines.len() - 1,
            raw: String::new(),
        }
    }

    fn show(&mut self, line: &OpenLine) {
        self.lines[line.index].text = visible_text(&line.raw).into();
    }
}

fn slot(stream: LogStream) -> usize {
    match stream {
        LogStream::Stdout => 0,
        LogStream::Stderr => 1,
        LogStream::Runner => 2,
    }
}

fn floor_char_boundary(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use protocol::time::UnixMs;

    use super::*;

    fn chunk(stream: LogStream, text: &str) -> LogChunkView {
        LogChunkView {
            seq: 0,
            stream,
            at: UnixMs(0),
            text: text.to_owned(),
        }
    }

    fn out(text: &str) -> LogChunkView {
        chunk(LogStream::Stdout, text)
    }

    fn err(text: &str) -> LogChunkView {
        chunk(LogStream::Stderr, text)
    }

    fn texts(buffer: &LogBuffer) -> Vec<String> {
        buffer.lines.iter().map(|line| line.text.to_string()).collect()
    }

    #[test]
    fn a_line_cut_between_chunks_is_joined_per_stream() {
        let chunks = [
            out("one\ntw"),
            err("warn"),
            out("o\nthree"),
            err("ing\n"),
            out("\n"),
        ];
        let buffer = LogBuffer::from_chunks(chunks);
        assert_eq!(texts(&buffer), ["one", "two", "warning", "three"]);
        let numbers: Vec<_> = buffer.lines.iter().map(|line| line.number).collect();
        assert_eq!(numbers, [1, 2, 3, 4]);
        assert_eq!(buffer.lines[2].stream, LogStream::Stderr);
    }

    #[test]
    fn empty_lines_count() {
        assert_eq!(
            texts(&LogBuffer::from_chunks([out("\n\na\n\n")])),
            ["", "", "a", ""]
        );
    }

    #[test]
    fn a_prompt_without_an_end_is_shown() {
        assert_eq!(
            texts(&LogBuffer::from_chunks([out("a\nPassword: ")])),
            ["a", "Password: "]
        );
    }

    #[test]
    fn an_escape_cut_between_chunks_vanishes() {
        let buffer = LogBuffer::from_chunks([out("\u{1b}[3"), out("1mred\u{1b}"), out("[0m\n")]);
        assert_eq!(texts(&buffer), ["red"]);
    }

    #[test]
    fn ten_thousand_lines_are_complete_and_in_order_however_they_are_cut() {
        let lines: Vec<_> = (1..=10_000).map(|n| format!("line {n}\n")).collect();
        let whole = lines.concat();
        let mut buffer = LogBuffer::default();
        let mut rest = whole.as_str();
        let mut size = 1;
        while !rest.is_empty() {
            let (head, tail) = rest.split_at(size.min(rest.len()));
            buffer.append(&out(head));
            rest = tail;
            size = size % 97 + 13;
        }
        assert_eq!(buffer.line_count(), 10_000);
        assert_eq!(buffer.block_count(), 50);
        let blocks = (0..50).flat_map(|index| buffer.block(index).iter());
        for (line, number) in blocks.zip(1..) {
            assert_eq!(line.number, number);
            assert_eq!(*line.text, format!("line {number}"));
        }
    }

    #[test]
    fn the_first_changed_block_is_named() {
        let mut buffer = LogBuffer::default();
        assert_eq!(buffer.append(&err("open")), 0);
        assert_eq!(buffer.append(&out(&"x\n".repeat(BLOCK_LINES))), 0);
        assert_eq!(buffer.append(&out("more\n")), 1);
        assert_eq!(
            buffer.append(&err(" end\n")),
            0,
            "the open line stands in the first block"
        );
        assert_eq!(*buffer.block(0)[0].text, *"open end");
        assert!(buffer.block(2).is_empty());
    }

    #[test]
    fn an_endless_line_goes_on_under_its_number() {
        let long = "é".repeat(MAX_LINE_BYTES);
        let buffer = LogBuffer::from_chunks([out("a\n"), out(&long), out("\nb\n")]);
        assert_eq!(texts(&buffer)[1..texts(&buffer).len() - 1].concat(), long);
        assert!(buffer.lines.iter().all(|line| line.text.len() <= MAX_LINE_BYTES));
        assert_eq!(buffer.line_count(), 3);
        assert_eq!(buffer.lines.last().map(|line| line.number), Some(3));
    }
}
