//! The errors of a web configuration.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use yaml_tree::YamlError;

use crate::{files::FileError, tls::TlsError};

/// Everything that is wrong with a web configuration. No message shows a value.
#[derive(Debug)]
pub struct WebConfigError {
    path: PathBuf,
    problems: Vec<WebConfigProblem>,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum WebConfigProblem {
    #[error("the system has no randomness")]
    NoRandomness,
    #[error("cannot be read: {0}")]
    File(#[from] FileError),
    #[error(transparent)]
    Setting(#[from] YamlError),
    #[error("{setting} {} cannot be read: {problem}", .path.display())]
    NamedFile {
        setting: &'static str,
        path: PathBuf,
        problem: FileError,
    },
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("tls_server_config was added or removed; restart the exporter for that")]
    TlsSwitched,
    #[error("{0} cannot be sent as a header")]
    Header(&'static str),
}

impl WebConfigError {
    pub(super) fn new(path: &Path, problems: Vec<WebConfigProblem>) -> Self {
        Self {
            path: path.to_owned(),
            problems,
        }
    }

    /// Returns the problems, each with the path and the line, or with the flag and the path.
    pub fn problems(&self) -> impl Iterator<Item = String> {
        let path = self.path.display();
        let problems = self.problems.iter();
        problems.map(move |problem| match problem {
            WebConfigProblem::Setting(YamlError { line, problem }) => {
                format!("{path}:{line}: {problem}")
            }
            other => format!("--web.config.file {path}: {other}"),
        })
    }
}

impl fmt::Display for WebConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the web configuration cannot be used:")?;
        let mut problems = self.problems();
        problems.try_for_each(|problem| write!(formatter, "\n  {problem}"))
    }
}

impl std::error::Error for WebConfigError {}
