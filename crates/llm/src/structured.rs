//! Answers as values of a Rust type.
//!
//! Whatever a dialect promises, every answer goes through the same door: the first JSON object in it, decoded
//! tolerantly, checked against the whole schema, decoded, validated. One repair is asked for, with the mistakes named.

mod decode;

use std::{io::Write as _, path::Path};

use app_core::{
    ErrorKind, ToolError, ToolResult, Usd,
    contract::schema::{self, Mistake},
};
use garde::Validate;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::{
    call::{Call, Reply},
    client::Llm,
};

use decode::decoded;
pub use decode::first_object;

/// Mistakes that the model is told of at once.
const TOLD: usize = 12;

/// A value that a model gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Typed<T> {
    /// The value.
    pub value: T,
    /// The last answer that was asked for it.
    pub reply: Reply,
    /// What all answers cost together.
    pub cost: Usd,
    /// Whether the first answer had to be repaired.
    pub repaired: bool,
}

/// An answer that is no value of the type, also after the repair.
#[derive(Clone, Debug)]
pub struct Unparsed {
    /// The answer as it came. May hold personal data.
    pub raw: String,
    /// What is wrong with it.
    pub mistakes: Vec<Mistake>,
    /// What all answers cost together.
    pub cost: Usd,
}

/// Why there is no value.
#[derive(Debug)]
pub enum Untyped {
    /// There was no answer.
    Failed(Box<ToolError>),
    /// There was one, and it is no value of the type. A report is written all the same, and says `parse_failed`.
    Unparsed(Box<Unparsed>),
}

impl Unparsed {
    /// The failure, for the end of the run: exit code 69.
    pub fn error(&self) -> ToolError {
        let named: Vec<String> = self.mistakes.iter().take(3).map(told).collect();
        ToolError::new(
            ErrorKind::ProviderRejected,
            format!(
                "the answer of the model does not have the form that was asked for: {}",
                named.join("; ")
            ),
        )
        .code("parse_failed")
        .from_source("llm")
        .with("parse_failed", true)
        .with("cost_usd", self.cost.dollars())
    }

    /// Writes the answer as it came to `path`, readable by its owner alone. Takes the place of an older one.
    pub fn keep(&self, path: &Path) -> ToolResult<()> {
        let folder = path
            .parent()
            .filter(|p| !p.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let write = || -> std::io::Result<()> {
            // Temporary files are made for their owner alone.
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(self.raw.as_bytes())?;
            file.persist(path).map_err(|error| error.error).map(drop)
        };
        write().map_err(|error| ToolError::file("write", path, &error))
    }
}

impl From<ToolError> for Untyped {
    fn from(error: ToolError) -> Self {
        Self::Failed(Box::new(error))
    }
}

impl From<Untyped> for ToolError {
    fn from(untyped: Untyped) -> Self {
        match untyped {
            Untyped::Failed(error) => *error,
            Untyped::Unparsed(unparsed) => unparsed.error(),
        }
    }
}

impl Call {
    /// This call, asking for a value of `T`. For plans; [`Llm::complete_as`] does it itself.
    pub fn asking_for<T: JsonSchema>(mut self) -> Self {
        self.schema = Some(schema::of::<T>().to_value());
        self
    }
}

impl Llm {
    /// Asks for a value of `T`.
    ///
    /// Fails as [`Llm::complete`] does when there is no answer, and with [`Untyped::Unparsed`] when the answer, and the
    /// one repair that is asked for, are no such value.
    pub async fn complete_as<T>(&self, call: &Call) -> Result<Typed<T>, Untyped>
    where
        T: DeserializeOwned + JsonSchema + Validate<Context = ()>,
    {
        let mut call = call.clone().asking_for::<T>();
        let whole = call.schema.clone().unwrap_or_default();
        let mut cost = Usd::ZERO;
        for repaired in [false, true] {
            let reply = self.complete(&call).await?;
            cost += reply.cost;
            match decoded::<T>(&whole, &reply.text) {
                Ok(value) => {
                    return Ok(Typed {
                        value,
                        reply,
                        cost,
                        repaired,
                    });
                }
                Err(mistakes) if repaired => {
                    return Err(Untyped::Unparsed(Box::new(Unparsed {
                        raw: reply.text,
                        mistakes,
                        cost,
                    })));
                }
                Err(mistakes) => {
                    let list: Vec<String> = mistakes
                        .iter()
                        .take(TOLD)
                        .map(|m| format!("- {}", told(m)))
                        .collect();
                    call = call.assistant(reply.text).user(format!(
                        "That answer cannot be used:\n{}\nGive the whole answer again as one JSON object, with this mended and nothing else changed.",
                        list.join("\n")
                    ));
                }
            }
        }
        Err(ToolError::internal("an answer that is neither a value nor a failure").into())
    }
}

fn told((path, problem): &Mistake) -> String {
    if path.is_empty() {
        format!("the answer {problem}")
    } else {
        format!("`{path}` {problem}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_cannot_be_read_is_kept_for_its_owner() {
        let dir = tempfile::tempdir().unwrap();
        let unparsed = Unparsed {
            raw: "raw".to_owned(),
            mistakes: vec![("a".to_owned(), "is required".to_owned())],
            cost: Usd::ZERO,
        };
        let path = dir.path().join("answer.txt");
        unparsed.keep(&path).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
        assert_eq!(
            (std::fs::read_to_string(&path).unwrap().as_str(), mode & 0o777),
            ("raw", 0o600)
        );
        assert_eq!(
            (unparsed.error().kind.exit_code(), unparsed.error().code.as_str()),
            (69, "parse_failed")
        );
    }
}
