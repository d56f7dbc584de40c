//! Keeps a hostile log from talking to the terminal.
//!
//! A container writes what it likes, also sequences that clear the screen, rename the window or type into the shell.
//! On a terminal control characters are shown in caret notation; into a pipe every byte goes as it came.

/// Turns raw log bytes into text that is safe on a terminal, across pieces that split a character.
#[derive(Debug, Default)]
pub struct TerminalFilter {
    /// The beginning of a character whose rest has not come yet.
    pending: Vec<u8>,
}

impl TerminalFilter {
    pub fn push(&mut self, bytes: &[u8]) -> String {
        self.pending.extend_from_slice(bytes);
        let whole = self.pending.len() - split_character_len(&self.pending);
        let rest = self.pending.split_off(whole);
        let text = printable(&String::from_utf8_lossy(&self.pending));
        self.pending = rest;
        text
    }

    /// What is left when no more comes.
    pub fn finish(self) -> String {
        printable(&String::from_utf8_lossy(&self.pending))
    }
}

/// The length of an unfinished character, or of a carriage return whose line feed may follow, at the end.
fn split_character_len(bytes: &[u8]) -> usize {
    if bytes.last() == Some(&b'\r') {
        return 1;
    }
    match std::str::from_utf8(bytes) {
        // Without a length the end is cut off; with one it is wrong and no later byte will mend it.
        Err(error) if error.error_len().is_none() => bytes.len() - error.valid_up_to(),
        _ => bytes
            .iter()
            .rev()
            .take(3)
            .position(|byte| *byte >= 0xC0)
            .map_or(0, |back| unfinished_len(&bytes[bytes.len() - 1 - back..])),
    }
}

/// The length of `tail`, a lead byte and what follows it, if the character is cut off.
fn unfinished_len(tail: &[u8]) -> usize {
    match std::str::from_utf8(tail) {
        Err(error) if error.error_len().is_none() => tail.len(),
        _ => 0,
    }
}

/// Text with control characters and direction overrides made visible. Line feeds and tabs stay.
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\r' if rest.peek() == Some(&'\n') => {}
            '\n' | '\t' => shown.push(c),
            '\0'..='\x1f' => {
                shown.push('^');
                shown.push(char::from_u32(u32::from(c) + 0x40).unwrap_or('?'));
            }
            '\x7f' => shown.push_str("^?"),
            // C1 controls act like escape sequences; the others turn the direction of what follows.
            '\u{80}'..='\u{9f}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' => {
                shown.push(char::REPLACEMENT_CHARACTER);
            }
            _ => shown.push(c),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_become_visible() {
        assert_eq!(printable("a\x1b[2Jb\x07\x7f\u{9b}31m"), "a^[[2Jb^G^?\u{fffd}31m");
        assert_eq!(printable("user\u{202e}txt.exe"), "user\u{fffd}txt.exe");
        assert_eq!(
            printable("tab\tline\nnext\r\nlone\rreturn"),
            "tab\tline\nnext\nlone^Mreturn"
        );
        assert_eq!(printable("grüße, 世界"), "grüße, 世界");
    }

    #[test]
    fn characters_split_between_pieces_come_out_whole() {
        let text = "\u{feff}grüße, 世界 😀\r\nend";
        for size in 1..5 {
            let mut filter = TerminalFilter::default();
            let mut shown = String::new();
            for piece in text.as_bytes().chunks(size) {
                shown.push_str(&filter.push(piece));
            }
            shown.push_str(&filter.finish());
            assert_eq!(shown, text.replace('\r', ""), "in pieces of {size}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced_and_never_kept_back() {
        let mut filter = TerminalFilter::default();
        assert_eq!(filter.push(b"\xff\xfea"), "\u{fffd}\u{fffd}a");
        assert_eq!(filter.push(b"\xe4"), "");
        assert_eq!(filter.push(b"b"), "\u{fffd}b");
        assert_eq!(filter.push(b"\xff\xe4\xb8"), "\u{fffd}");
        assert_eq!(filter.push(b"\x96"), "世");
        assert_eq!(filter.finish(), "");
    }
}
