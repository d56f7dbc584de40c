//! One style sheet out of several files.

use std::{fs, path::Path};

use anyhow::{Context, bail};

/// `main` with every `@import "./file.css";` line replaced by that file, however deep.
pub fn bundle(main: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bundled = String::new();
    append(main, &mut bundled, 0)?;
    Ok(bundled.into_bytes())
}

fn append(file: &Path, bundled: &mut String, depth: u32) -> anyhow::Result<()> {
    // Nobody nests style sheets this deep; files that import each other do.
    if depth > 8 {
        bail!("{} imports itself", file.display());
    }
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    for line in text.lines() {
        if let Some(name) = imported(line) {
            append(&file.with_file_name(name), bundled, depth + 1)?;
        } else {
            bundled.push_str(line);
            bundled.push('\n');
        }
    }
    Ok(())
}

/// The neighbouring file an import line names; an import with a condition or from elsewhere stays as it is.
fn imported(line: &str) -> Option<&str> {
    let rest = line
        .trim()
        .strip_prefix("@import")?
        .trim()
        .strip_suffix(';')?
        .trim();
    let rest = rest
        .strip_prefix("url(")
        .and_then(|inner| inner.strip_suffix(')'))
        .unwrap_or(rest);
    let quoted = rest.strip_prefix('"').and_then(|inner| inner.strip_suffix('"'));
    let name = quoted.or_else(|| rest.strip_prefix('\'').and_then(|inner| inner.strip_suffix('\'')))?;
    Some(name.strip_prefix("./").unwrap_or(name)).filter(|name| !name.contains(':') && !name.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_replaced_by_their_files() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(
            folder.path().join("main.css"),
            "@import \"./a.css\";\nbody { margin: 0 }\n",
        )
        .unwrap();
        fs::write(
            folder.path().join("a.css"),
            "@import url('b.css');\n:root { color: red }\n",
        )
        .unwrap();
        fs::write(folder.path().join("b.css"), "html { color: blue }").unwrap();
        let bundled = bundle(&folder.path().join("main.css")).unwrap();
        assert_eq!(
            bundled,
            b"html { color: blue }\n:root { color: red }\nbody { margin: 0 }\n"
        );
    }

    #[test]
    fn foreign_imports_stay() {
        assert_eq!(imported("@import \"https://example.org/x.css\";"), None);
        assert_eq!(imported("@import \"./print.css\" print;"), None);
    }

    #[test]
    fn a_circle_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("main.css"), "@import './main.css';\n").unwrap();
        assert!(bundle(&folder.path().join("main.css")).is_err());
    }
}
