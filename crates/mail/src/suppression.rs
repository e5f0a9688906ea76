//! Who gets nothing any more, whatever sends it: one list for all senders of the host, in `outreach.db`.

use std::path::{Path, PathBuf};

use app_core::{
    ToolError, ToolResult,
    state::{
        database::{database_error, open},
        folder,
    },
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::address::Address;

const MIGRATIONS: &[&str] = &["
CREATE TABLE suppressions (
  address TEXT PRIMARY KEY,     -- as it is compared
  reason TEXT NOT NULL,
  source TEXT NOT NULL,
  at INTEGER NOT NULL           -- milliseconds since 1970
) WITHOUT ROWID;
"];

/// Why an address gets nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Whoever reads there does not want it.
    Unsubscribed,
    /// The address does not exist (5.1.x).
    Hard,
    /// It was called spam.
    Complaint,
    /// Somebody here put it on the list.
    Manual,
}

impl Reason {
    /// Name in the store and in outputs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unsubscribed => "unsubscribed",
            Self::Hard => "hard",
            Self::Complaint => "complaint",
            Self::Manual => "manual",
        }
    }

    fn of(word: &str) -> Self {
        match word {
            "unsubscribed" => Self::Unsubscribed,
            "hard" => Self::Hard,
            "complaint" => Self::Complaint,
            _ => Self::Manual,
        }
    }
}

/// One address that gets nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Suppressed {
    /// The address as it is compared.
    pub address: String,
    /// Why.
    pub reason: Reason,
    /// Where that is known from.
    pub source: String,
    /// Since when.
    pub at: Timestamp,
}

/// The list of the host.
#[derive(Debug)]
pub struct Suppressions {
    path: PathBuf,
    connection: Connection,
}

impl Suppressions {
    /// Opens it.
    pub fn open(state_dir: &Path) -> ToolResult<Self> {
        folder(state_dir)?;
        let path = state_dir.join("outreach.db");
        let connection = open(&path, MIGRATIONS)?;
        Ok(Self { path, connection })
    }

    /// Why an address gets nothing; `None` when it may get letters.
    pub fn reason(&self, address: &Address) -> ToolResult<Option<Reason>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT reason FROM suppressions WHERE address = ?1")
            .map_err(|e| self.failed(&e))?;
        let word: Option<String> = statement
            .query_row([address.key()], |row| row.get(0))
            .optional()
            .map_err(|e| self.failed(&e))?;
        Ok(word.map(|word| Reason::of(&word)))
    }

    /// Puts an address on the list. One that is there stays as it is. Returns whether it is new.
    pub fn add(&self, address: &Address, reason: Reason, source: &str, now: Timestamp) -> ToolResult<bool> {
        let values = params![address.key(), reason.as_str(), source, now.as_millisecond()];
        let changed = self
            .connection
            .execute(
                "INSERT INTO suppressions VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
                values,
            )
            .map_err(|e| self.failed(&e))?;
        Ok(changed == 1)
    }

    /// Puts many on the list, all or none. Returns how many are new.
    pub fn add_all(
        &mut self,
        addresses: &[Address],
        reason: Reason,
        source: &str,
        now: Timestamp,
    ) -> ToolResult<u64> {
        let path = self.path.clone();
        let failed = |e: &rusqlite::Error| database_error(&path, e);
        let transaction = self.connection.transaction().map_err(|e| failed(&e))?;
        let mut fresh = 0;
        for address in addresses {
            let values = params![address.key(), reason.as_str(), source, now.as_millisecond()];
            fresh += transaction
                .execute(
                    "INSERT INTO suppressions VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
                    values,
                )
                .map_err(|e| failed(&e))?;
        }
        transaction.commit().map_err(|e| failed(&e))?;
        Ok(fresh as u64)
    }

    /// Takes an address off the list. Fails with kind `not_found` when it is not on it.
    pub fn remove(&self, address: &Address) -> ToolResult<()> {
        let changed = self
            .connection
            .execute("DELETE FROM suppressions WHERE address = ?1", [address.key()])
            .map_err(|e| self.failed(&e))?;
        if changed == 0 {
            return Err(ToolError::not_found(
                "the address is not on the list of those who get nothing",
            ));
        }
        Ok(())
    }

    /// How many there are.
    pub fn count(&self) -> ToolResult<u64> {
        self.connection
            .query_row("SELECT count(*) FROM suppressions", [], |row| {
                row.get::<_, i64>(0)
            })
            .map(|count| count as u64)
            .map_err(|e| self.failed(&e))
    }

    /// The newest ones, at most `limit`.
    pub fn list(&self, limit: u32) -> ToolResult<Vec<Suppressed>> {
        let mut statement = self
            .connection
            .prepare(
                "SELECT address, reason, source, at FROM suppressions ORDER BY at DESC, address LIMIT ?1",
            )
            .map_err(|e| self.failed(&e))?;
        let rows = statement
            .query_map([limit], |row| {
                Ok(Suppressed {
                    address: row.get(0)?,
                    reason: Reason::of(&row.get::<_, String>(1)?),
                    source: row.get(2)?,
                    at: Timestamp::from_millisecond(row.get(3)?).unwrap_or_default(),
                })
            })
            .map_err(|e| self.failed(&e))?;
        rows.collect::<Result<_, _>>().map_err(|e| self.failed(&e))
    }

    fn failed(&self, error: &rusqlite::Error) -> ToolError {
        database_error(&self.path, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Rules;

    #[test]
    fn both_forms_of_a_domain_are_on_the_list_and_nothing_resubscribes() {
        let dir = tempfile::tempdir().unwrap();
        let mut list = Suppressions::open(dir.path()).unwrap();
        let address = |text| Address::parse(text, Rules::default()).unwrap();
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        let (ina, same) = (
            address("ina@bücher.example"),
            address("Ina@xn--bcher-kva.example"),
        );
        assert!(list.add(&ina, Reason::Unsubscribed, "link", now).unwrap());
        assert_eq!(
            list.add_all(
                &[same.clone(), address("b@x.example")],
                Reason::Manual,
                "file",
                now
            )
            .unwrap(),
            1
        );
        assert_eq!(list.reason(&same).unwrap(), Some(Reason::Unsubscribed));
        assert_eq!(list.count().unwrap(), 2);
        list.remove(&same).unwrap();
        assert_eq!(list.reason(&ina).unwrap(), None);
        assert!(list.remove(&same).is_err());
        assert_eq!(list.list(9).unwrap().len(), 1);
    }
}
