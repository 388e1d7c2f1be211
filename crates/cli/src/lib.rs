//! The logrec command: capture what a process logs and let people and assistants ask.
