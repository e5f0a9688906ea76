//! A table as the upserts see it, and a value in it.

/// Columns of a table and what an upsert does with them.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Name.
    pub name: &'static str,
    /// Columns that are written, in the order of the cells.
    pub columns: &'static [&'static str],
    /// The unique key, by which a row is known again. Its columns are among `columns`.
    pub key: &'static [&'static str],
    /// Columns refreshed when the row is there already.
    pub refresh: &'static [&'static str],
    /// Columns that hold dates, which MySQL does not give out as text by itself.
    pub dates: &'static [&'static str],
    /// Column set to the present time when a row is refreshed.
    pub touched: Option<&'static str>,
}

/// A value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Cell {
    /// Nothing.
    Null,
    /// A whole number; also yes (1) and no (0).
    Int(i64),
    /// Text; also a date as `YYYY-MM-DD HH:MM:SS` in UTC.
    Text(String),
}

impl Cell {
    /// A moment as both databases keep it: to the second, UTC.
    pub fn date(at: jiff::Timestamp) -> Self {
        Self::Text(at.strftime("%Y-%m-%d %H:%M:%S").to_string())
    }

    /// The first `most` characters of a text, or nothing.
    pub fn cut<T: AsRef<str>>(text: Option<T>, most: usize) -> Self {
        text.map_or(Self::Null, |text| {
            Self::Text(text.as_ref().chars().take(most).collect())
        })
    }

    /// As much of a text as fits into `most` bytes of UTF-8, or nothing.
    pub fn cut_bytes(text: Option<&str>, most: usize) -> Self {
        text.map_or(Self::Null, |text| {
            Self::Text(text[..text.floor_char_boundary(most)].to_owned())
        })
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len() + 8,
            Self::Int(_) | Self::Null => 9,
        }
    }
}

impl<T: Into<i64>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, |value| Self::Int(value.into()))
    }
}

impl From<i64> for Cell {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<bool> for Cell {
    fn from(value: bool) -> Self {
        Self::Int(i64::from(value))
    }
}

/// Which SQL is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    MySql,
}

/// Rows of one statement: not more than this,
const MOST_ROWS: usize = 500;
/// nor more than this many bytes, well below the smallest packet servers accept by default (4 MiB),
const MOST_BYTES: usize = 1 << 20;
/// nor more values than SQLite takes.
const MOST_CELLS: usize = 30_000;

impl Table {
    /// Upsert of `rows` rows in one statement, with `?` for every cell.
    pub(super) fn upsert(&self, dialect: Dialect, rows: usize) -> String {
        let row = format!("({})", vec!["?"; self.columns.len()].join(","));
        let rows = vec![row.as_str(); rows].join(",");
        let mut sql = format!(
            "INSERT INTO {} ({}) VALUES {rows}",
            self.name,
            self.columns.join(",")
        );
        let new = |column: &str| match dialect {
            Dialect::Sqlite => format!("{column}=excluded.{column}"),
            Dialect::MySql => format!("{column}=VALUES({column})"),
        };
        let mut sets: Vec<String> = self.refresh.iter().map(|column| new(column)).collect();
        sets.extend(self.touched.map(|column| format!("{column}=CURRENT_TIMESTAMP")));
        match dialect {
            Dialect::Sqlite if sets.is_empty() => {
                sql.push_str(&format!(" ON CONFLICT({}) DO NOTHING", self.key.join(",")));
            }
            Dialect::Sqlite => {
                sql.push_str(&format!(
                    " ON CONFLICT({}) DO UPDATE SET {}",
                    self.key.join(","),
                    sets.join(",")
                ));
            }
            Dialect::MySql => {
                if sets.is_empty() {
                    sets.extend(self.key.first().map(|column| format!("{column}={column}")));
                }
                sql.push_str(&format!(" ON DUPLICATE KEY UPDATE {}", sets.join(",")));
            }
        }
        sql
    }

    /// Count of the rows among `rows` keys that are there already.
    pub(super) fn count_known(&self, rows: usize) -> String {
        let one: Vec<String> = self.key.iter().map(|column| format!("{column}=?")).collect();
        let one = format!("({})", one.join(" AND "));
        let all = vec![one.as_str(); rows].join(" OR ");
        format!("SELECT COUNT(*) FROM {} WHERE {all}", self.name)
    }

    /// Every row, in the order of the key.
    pub(super) fn select(&self, dialect: Dialect) -> String {
        let column = |column: &&str| match dialect {
            Dialect::MySql if self.dates.contains(column) => {
                format!("DATE_FORMAT({column},'%Y-%m-%d %H:%i:%s')")
            }
            _ => (*column).to_owned(),
        };
        let columns: Vec<String> = self.columns.iter().map(column).collect();
        format!(
            "SELECT {} FROM {} ORDER BY {}",
            columns.join(","),
            self.name,
            self.key.join(",")
        )
    }

    /// The key's cells of a row.
    pub(super) fn key_of<'r>(&self, row: &'r [Cell]) -> Vec<&'r Cell> {
        let place = |key: &&str| self.columns.iter().position(|column| column == key);
        self.key
            .iter()
            .filter_map(place)
            .filter_map(|at| row.get(at))
            .collect()
    }

    /// Splits rows into pieces that fit into one statement.
    pub(super) fn pieces<'r>(&self, rows: &'r [Vec<Cell>]) -> Vec<&'r [Vec<Cell>]> {
        let most = MOST_ROWS.min(MOST_CELLS / self.columns.len().max(1)).max(1);
        let mut pieces = Vec::new();
        let (mut start, mut bytes) = (0, 0);
        for (at, row) in rows.iter().enumerate() {
            let size: usize = row.iter().map(Cell::bytes).sum();
            if at > start && (at - start >= most || bytes + size > MOST_BYTES) {
                pieces.push(&rows[start..at]);
                (start, bytes) = (at, 0);
            }
            bytes += size;
        }
        if start < rows.len() {
            pieces.push(&rows[start..]);
        }
        pieces
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: Table = Table {
        name: "t",
        columns: &["a", "b", "c"],
        key: &["a", "b"],
        refresh: &["c"],
        dates: &[],
        touched: Some("at"),
    };

    #[test]
    fn each_dialect_has_its_upsert() {
        assert_eq!(
            TABLE.upsert(Dialect::Sqlite, 2),
            "INSERT INTO t (a,b,c) VALUES (?,?,?),(?,?,?) ON CONFLICT(a,b) DO UPDATE SET c=excluded.c,at=CURRENT_TIMESTAMP"
        );
        assert_eq!(
            TABLE.upsert(Dialect::MySql, 1),
            "INSERT INTO t (a,b,c) VALUES (?,?,?) ON DUPLICATE KEY UPDATE c=VALUES(c),at=CURRENT_TIMESTAMP"
        );
        assert_eq!(
            TABLE.count_known(2),
            "SELECT COUNT(*) FROM t WHERE (a=? AND b=?) OR (a=? AND b=?)"
        );
    }

    #[test]
    fn pieces_respect_rows_and_bytes() {
        let small = vec![vec![Cell::Int(1); 3]; 1200];
        assert_eq!(
            TABLE.pieces(&small).iter().map(|p| p.len()).collect::<Vec<_>>(),
            [500, 500, 200]
        );
        let large = vec![vec![Cell::Null, Cell::Null, Cell::Text("x".repeat(700_000))]; 3];
        assert_eq!(TABLE.pieces(&large).len(), 3);
        assert!(TABLE.pieces(&[]).is_empty());
    }

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(Cell::cut(Some("приветы"), 6), Cell::Text("привет".into()));
        assert_eq!(Cell::cut_bytes(Some("при"), 5), Cell::Text("пр".into()));
        assert_eq!(Cell::cut(None::<String>, 6), Cell::Null);
    }
}
