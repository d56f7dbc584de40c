//! The small end of two cells: it prints lines that carry the time of their printing, or answers HTTP and does
//! nothing else. A program of its own, so that it is small enough to go into an image.

use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::process::ExitCode;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// As long as log lines commonly are.
const LINE_WIDTH: usize = 89;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["clock", lines, pause_ms] => match (lines.parse(), pause_ms.parse()) {
            (Ok(lines), Ok(pause_ms)) => print_times(lines, Duration::from_millis(pause_ms)),
            _ => return usage(),
        },
        ["hello", address] => answer(address),
        _ => return usage(),
    };
    if done.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn usage() -> ExitCode {
    eprintln!("usage: bench-probe clock LINES PAUSE_MS | hello ADDRESS:PORT");
    ExitCode::from(2)
}

/// Lines of `number nanoseconds`, by the clock that everything on one kernel shares.
fn print_times(lines: u32, pause: Duration) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    for number in 1..=lines {
        std::thread::sleep(pause);
        let now = clock_gettime(ClockId::Monotonic);
        let text = format!("{number} {}{:09}", now.tv_sec, now.tv_nsec);
        // One write, so that the line is one piece on its way.
        stdout.write_all(format!("{text:LINE_WIDTH$}\n").as_bytes())?;
        stdout.flush()?;
    }
    Ok(())
}

fn answer(address: &str) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    for socket in listener.incoming() {
        let mut socket = socket?;
        let mut request = [0; 1024];
        let _length = socket.read(&mut request)?;
        socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello")?;
    }
    Ok(())
}
