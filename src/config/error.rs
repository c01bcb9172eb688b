//! What is wrong with a configuration: all of it at once, each with its line and what to do.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// One thing that is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// The line, from 1, where one can be named.
    pub line: Option<usize>,
    /// What is wrong, and what to do.
    pub what: String,
}

impl Problem {
    /// A problem with what stands at `span` in `text`.
    pub(super) fn at(text: &str, span: Option<Range<usize>>, what: &str) -> Self {
        let line = span.map(|span| 1 + text.bytes().take(span.start).filter(|byte| *byte == b'\n').count());
        Self { line, what: what.trim().replace('\n', " ") }
    }

    /// A problem with what is not there.
    pub(super) fn missing(what: &str) -> Self {
        Self { line: None, what: what.to_owned() }
    }
}

/// Everything that is wrong with one file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigErrors {
    /// The file.
    pub file: PathBuf,
    /// What is wrong, by line.
    pub problems: Vec<Problem>,
}

impl ConfigErrors {
    pub(super) fn new(file: &Path, mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| problem.line.unwrap_or(usize::MAX));
        Self { file: file.to_owned(), problems }
    }

    pub(super) fn one(file: &Path, what: String) -> Self {
        Self::new(file, vec![Problem { line: None, what }])
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.problems.iter().enumerate() {
            let line = problem.line.map_or_else(String::new, |line| format!("{line}:"));
            let end = if at + 1 < self.problems.len() { "\n" } else { "" };
            write!(f, "{}:{line} {}{end}", self.file.display(), problem.what)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}
