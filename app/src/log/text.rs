//! What a command wrote, as text that can do nothing but be read.

/// The line without what would move the cursor, recolour, retitle, reorder or hide text: ANSI escapes, control
/// characters and Unicode's direction controls. A tab stays. As on a terminal, what follows a carriage return
/// replaces what stood before it.
pub fn visible_text(line: &str) -> String {
    let shown = line.trim_end_matches('\r');
    let shown = shown.rsplit('\r').next().unwrap_or(shown);
    let mut text = String::with_capacity(shown.len());
    let mut rest = shown.chars();
    while let Some(c) = rest.next() {
        match c {
            '\u{1b}' => skip_escape(&mut rest),
            '\u{9b}' => skip_control_sequence(&mut rest),
            '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}' => skip_control_string(&mut rest),
            '\t' => text.push(c),
            // Browsers break the line at these two whatever the style says.
            '\u{2028}' | '\u{2029}' => text.push(' '),
            c if c.is_control() || is_direction_control(c) => {}
            c => text.push(c),
        }
    }
    text
}

/// "Trojan Source", CVE-2021-42574: text that reads in another order than it is stored in.
fn is_direction_control(c: char) -> bool {
    matches!(
        c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

/// ECMA-48, after ESC.
fn skip_escape(rest: &mut std::str::Chars) {
    match rest.next() {
        Some('[') => skip_control_sequence(rest),
        Some('P' | 'X' | ']' | '^' | '_') => skip_control_string(rest),
        // Intermediate bytes, then one final byte.
        Some(' '..='/') => {
            rest.find(|c| !matches!(c, ' '..='/'));
        }
        _ => {}
    }
}

/// Parameters and intermediates up to a final byte.
fn skip_control_sequence(rest: &mut std::str::Chars) {
    rest.find(|c| !matches!(c, ' '..='?'));
}

/// A string, such as a window title, up to BEL or ST.
fn skip_control_string(rest: &mut std::str::Chars) {
    let mut before = '\0';
    rest.find(|&c| {
        let is_end = matches!(c, '\u{7}' | '\u{9c}') || (before == '\u{1b}' && c == '\\');
        before = c;
        is_end
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_text_is_untouched() {
        for line in [
            "",
            "hello world",
            "  indented\twith tab",
            "täglich 日本語 🦀",
            "<script>&amp;",
            "a[0m b",
        ] {
            assert_eq!(visible_text(line), line);
        }
    }

    #[test]
    fn escapes_vanish_with_their_parameters() {
        for (line, text) in [
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{1b}[38;5;196;1mbright\u{1b}[m!", "bright!"),
            ("\u{1b}]0;title\u{7}after", "after"),
            ("\u{1b}]8;;http://evil\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{9b}2Jafter", "after"),
            ("\u{1b}(Bafter", "after"),
            ("\u{1b}cafter", "after"),
            ("\u{1b}[2K\u{1b}[1Gagain", "again"),
            ("cut \u{1b}[3", "cut "),
            ("cut \u{1b}", "cut "),
            ("\u{1b}]0;never ended", ""),
        ] {
            assert_eq!(visible_text(line), text, "{line:?}");
        }
    }

    #[test]
    fn a_carriage_return_starts_the_line_again() {
        assert_eq!(visible_text("10 %\r50 %\r100 %"), "100 %");
        assert_eq!(visible_text("windows line\r"), "windows line");
    }

    #[test]
    fn controls_and_direction_changes_vanish() {
        assert_eq!(visible_text("a\0b\u{8}c\u{7f}d\u{85}e"), "abcde");
        assert_eq!(
            visible_text("user\u{202e}nimda\u{202c}\u{2066}!\u{2069}"),
            "usernimda!"
        );
        assert_eq!(visible_text("a\u{2028}b"), "a b");
    }

    #[test]
    fn whatever_comes_nothing_harmful_is_left() {
        let all: String = (0..0x3000).filter_map(char::from_u32).collect();
        for start in all.char_indices().map(|(at, _)| at).step_by(7) {
            let text = visible_text(&all[start..]);
            let harmful = |c: char| (c.is_control() && c != '\t') || is_direction_control(c);
            assert!(!text.contains(harmful));
        }
    }
}
