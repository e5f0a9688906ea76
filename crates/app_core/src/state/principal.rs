//! Who does something: never a name that somebody merely typed.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{ToolError, ToolResult};

/// Somebody whom a face has authenticated: `cli:ana` is the operating-system user `ana` at a command line,
/// `console:ana` the holder of the console's token of that name.
///
/// A face makes one from what it has checked; none is ever read from a payload.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Principal(String);

impl Principal {
    /// The user who runs this process, as the kernel knows him: neither `USER` nor any other variable is asked.
    pub fn os_user(face: &str) -> Self {
        let uid = rustix::process::getuid().as_raw();
        let name = std::fs::read_to_string("/etc/passwd")
            .ok()
            .and_then(|text| name_of(&text, uid))
            .unwrap_or_else(|| format!("uid{uid}"));
        Self(format!("{face}:{name}"))
    }

    /// The holder of a token that a face gave out under a name, and has just checked.
    ///
    /// Fails on a name that is empty, too long, or holds other characters than letters, digits, `_`, `-`, `.` and `@`.
    pub fn token(face: &str, name: &str) -> ToolResult<Self> {
        let fits = |c: char| c.is_alphanumeric() || "_-.@".contains(c);
        if name.is_empty() || name.len() > 64 || !name.chars().all(fits) {
            return Err(ToolError::invalid(
                "name",
                format!("`{}` is not the name of a token", name.escape_debug()),
            ));
        }
        Ok(Self(format!("{face}:{name}")))
    }

    /// `face:name`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name without the face.
    pub fn name(&self) -> &str {
        self.0.split_once(':').map_or(&self.0, |(_, name)| name)
    }

    /// Whether two principals can be the same person: the same name at two faces counts as one.
    pub fn may_be(&self, other: &Self) -> bool {
        self.name().to_lowercase() == other.name().to_lowercase()
    }

    /// One that was written down by this library.
    pub(super) fn stored(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Principal {
    /// For answers that are read again. A face never decodes a request into one: see [`Principal::token`].
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

/// passwd(5): `name:password:uid:...`.
fn name_of(passwd: &str, uid: u32) -> Option<String> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_is_the_one_of_the_kernel() {
        let passwd = "root:x:0:0::/root:/bin/sh\nana:x:1000:1000::/home/ana:/bin/sh\n";
        assert_eq!(name_of(passwd, 1000).as_deref(), Some("ana"));
        assert_eq!(name_of(passwd, 7), None);
        let here = Principal::os_user("cli");
        assert!(here.as_str().starts_with("cli:") && here.name().len() > 1);
    }

    #[test]
    fn one_name_at_two_faces_is_one_person() {
        let token = |face, name| Principal::token(face, name).unwrap();
        assert!(token("console", "ana").may_be(&token("cli", "Ana")));
        assert!(!token("console", "ana").may_be(&token("console", "bob")));
        for name in ["", "a b", "a:b", "a\n", &"x".repeat(65)] {
            assert!(Principal::token("console", name).is_err(), "{name:?}");
        }
    }
}
