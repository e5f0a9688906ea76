//! The input that a child gets: the stored one with its secrets put back.

use app_core::{
    config::Config,
    contract::{ErrorKind, ToolError, ToolResult},
};
use serde_json::{Map, Value};

use super::Place;
use crate::{redact, secrets::Secrets, store::Claimed};

/// Puts back the secrets that were given, and looks up those that were named: in the credentials directory, the
/// environment and the `.env` of this process. Nothing of it is stored.
pub(super) fn of(claimed: &Claimed, place: &Place) -> ToolResult<Value> {
    let mut input = match &claimed.input {
        Value::Null => Value::Object(Map::new()),
        input => input.clone(),
    };
    if let Some(file) = &claimed.secrets {
        let given = Secrets::below(&place.state_dir).read(file).map_err(|e| {
            ToolError::new(
                ErrorKind::Io,
                format!("the secrets of the job cannot be read: {e}"),
            )
            .code("secret_lost")
            .from_source("job")
        })?;
        redact::put_back(&mut input, &given);
    }
    let mut config = None;
    redact::resolve_named(&mut input, &mut |name| {
        let config = match &mut config {
            Some(config) => config,
            None => config.insert(Config::load()?),
        };
        config.secret(name).map(|secret| secret.reveal().to_owned())
    })?;
    Ok(input)
}
