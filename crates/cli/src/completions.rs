//! `logrec completions`: a shell's completion script on stdout.

use std::process::ExitCode;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::{Cli, show};

const EXAMPLES: &str = "\
Examples:
  logrec completions bash > ~/.local/share/bash-completion/completions/logrec
  logrec completions zsh > ~/.zfunc/_logrec
  logrec completions fish > ~/.config/fish/completions/logrec.fish";

/// Print the completion script of a shell.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CompletionsArgs {
    /// The shell to complete in.
    shell: Shell,
}

pub(crate) fn run(args: &CompletionsArgs) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "logrec", &mut script);
    show::print(&script)?;
    Ok(ExitCode::SUCCESS)
}
