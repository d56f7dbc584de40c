//! What can be typed after `parity`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use protocol::id::TaskId;
use protocol::task::TaskStatus;

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  something failed that has no code of its own
  2  the command line is wrong
  4  not found
  5  not possible in this state, for example cancelling a finished task
  6  the server cannot be reached or does not answer
With `task create --wait` the exit code is the task's own, 1 when it has none or failed with 0.";

/// Post tasks to a Parity server, watch them, run a server or a runner.
#[derive(Debug, Parser)]
#[command(name = "parity", version, after_help = EXIT_CODES)]
pub struct Arguments {
    /// Address of the server
    #[arg(
        long,
        global = true,
        env = "PARITY_SERVER",
        default_value = "http://localhost:8080",
        value_name = "URL"
    )]
    pub server: String,
    /// Print JSON, in the form of the REST API
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub command: Command,
}

/// `server` and `runner` are dispatched before anything is read; here they stand for the help.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Post, list, show, follow, cancel tasks
    #[command(subcommand, after_help = EXIT_CODES)]
    Task(TaskCommand),
    /// Start `parity-server`; what follows is passed on
    Server,
    /// Start `parity-runner`; what follows is passed on
    Runner,
}

#[derive(Debug, Subcommand)]
pub enum TaskCommand {
    /// Post a task
    #[command(after_help = EXIT_CODES)]
    Create(Box<CreateArguments>),
    /// List tasks, newest first
    List(ListArguments),
    /// Show everything about a task
    Show { id: TaskId },
    /// Print what a task wrote
    Logs {
        id: TaskId,
        /// Go on until the task is over
        #[arg(long, short)]
        follow: bool,
    },
    /// Ask for the end of a task
    Cancel { id: TaskId },
}

#[derive(Debug, Args)]
pub struct CreateArguments {
    /// Post this JSON file as it is; `-` reads standard input
    #[arg(long, short, value_name = "FILE", conflicts_with_all = ["TaskFlags"])]
    pub file: Option<PathBuf>,
    #[command(flatten)]
    pub flags: TaskFlags,
    /// Follow the log and exit with the task's exit code
    #[arg(long, short)]
    pub wait: bool,
}

#[derive(Debug, Args)]
#[group(id = "TaskFlags", multiple = true)]
pub struct TaskFlags {
    /// Image reference, for example alpine:latest
    #[arg(long, required_unless_present = "file")]
    pub image: Option<String>,
    /// One line for lists; the command when left out
    #[arg(long)]
    pub title: Option<String>,
    /// What it is for, in markdown
    #[arg(long, value_name = "TEXT")]
    pub description: Option<String>,
    /// Environment variable; may be given more than once
    #[arg(long, short, value_name = "NAME=VALUE")]
    pub env: Vec<String>,
    /// Working directory in the container
    #[arg(long, value_name = "PATH")]
    pub workdir: Option<String>,
    /// A fresh volume at this path; may be given more than once
    #[arg(long, value_name = "NAME:PATH")]
    pub volume: Vec<String>,
    /// Memory limit, for example 512m
    #[arg(long, value_name = "SIZE")]
    pub memory: Option<String>,
    /// Processor limit, for example 1.0
    #[arg(long, value_name = "NUMBER")]
    pub cpus: Option<String>,
    /// Longest run time, for example 5m
    #[arg(long, value_name = "TIME")]
    pub timeout: Option<String>,
    /// Reward in whole tokens, for example 0.25; nothing when left out
    #[arg(long, value_name = "AMOUNT")]
    pub reward: Option<String>,
    /// Symbol of the reward's token
    #[arg(long, value_name = "SYMBOL")]
    pub token: Option<String>,
    /// Give up this long after posting, for example 2h
    #[arg(long, value_name = "TIME")]
    pub deadline: Option<String>,
    /// Most attempts when runners fail
    #[arg(long, value_name = "NUMBER")]
    pub max_attempts: Option<u32>,
    /// The command and its arguments; the image's own when left out
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

#[derive(Debug, Args)]
pub struct ListArguments {
    /// Only tasks in this state
    #[arg(long)]
    pub status: Option<TaskStatus>,
    /// Tasks per page
    #[arg(long, value_name = "NUMBER")]
    pub limit: Option<u32>,
    /// Where to go on: `next_cursor` of the page before
    #[arg(long)]
    pub cursor: Option<String>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_file_excludes_flags_and_one_of_both_is_needed() {
        let parse = |words: &[&str]| {
            let all = ["parity", "task", "create"].iter().chain(words);
            Arguments::try_parse_from(all).is_ok()
        };
        assert!(parse(&["--file", "-"]));
        assert!(parse(&["--image", "alpine", "--wait", "--", "echo", "--hi"]));
        assert!(!parse(&[]));
        assert!(!parse(&["--title", "x"]));
        assert!(!parse(&["--file", "-", "--title", "x"]));
        assert!(!parse(&["--file", "-", "--", "echo"]));
    }
}
