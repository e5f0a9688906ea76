//! Lists of recipients: CSV and JSON, each row with its data, each address once.

use std::collections::HashMap;

use app_core::{ToolError, ToolResult};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    address::{Address, Mailbox, Rules},
    header::HeaderText,
    table,
};

/// Most recipients of one list.
pub const MOST: usize = 500_000;

/// Who gets a letter, with what the letter may say to him.
#[derive(Clone, Debug)]
pub struct Recipient {
    /// Line of the list, or number of the entry, from 1.
    pub line: u64,
    /// Name and address.
    pub mailbox: Mailbox,
    /// The row: column to value.
    pub data: Map<String, Value>,
}

/// A row that gets nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Skipped {
    /// Line of the list, or number of the entry, from 1.
    pub line: u64,
    /// Why.
    pub why: Why,
    /// The field that is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The same in words.
    pub message: String,
}

/// Why a row gets nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Its address stands in an earlier row.
    Duplicate,
    /// The row is empty.
    Empty,
    /// It is no address, or a name that no header can hold.
    Invalid,
}

/// A list as it was read.
#[derive(Debug, Default)]
pub struct Recipients {
    /// Who gets a letter.
    pub all: Vec<Recipient>,
    /// Rows that get none.
    pub skipped: Vec<Skipped>,
    /// How the file was understood, in words.
    pub read_as: String,
}

/// How a list is to be read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reading<'a> {
    /// Which addresses are taken.
    pub rules: Rules,
    /// The column with the address, when it is not found by its name.
    pub column: Option<&'a str>,
    /// The encoding, when the bytes do not tell.
    pub encoding: Option<&'a str>,
}

/// Names of columns, without case and signs.
const ADDRESS: [&str; 10] = [
    "email",
    "mail",
    "emailaddress",
    "mailaddress",
    "address",
    "to",
    "recipient",
    "почта",
    "электроннаяпочта",
    "адрес",
];
const NAME: [&str; 5] = ["name", "fullname", "displayname", "имя", "фио"];

impl Recipients {
    /// Reads a list: JSON when it begins with `[`, else CSV.
    ///
    /// Fails when the file is no list at all, has no column of addresses, or more than [`MOST`] rows.
    pub fn read(bytes: &[u8], reading: Reading<'_>) -> ToolResult<Self> {
        let first = bytes
            .strip_prefix(b"\xef\xbb\xbf")
            .unwrap_or(bytes)
            .iter()
            .find(|b| !b.is_ascii_whitespace());
        if first == Some(&b'[') {
            Self::json(bytes, reading)
        } else {
            Self::csv(bytes, reading)
        }
    }

    fn csv(bytes: &[u8], reading: Reading<'_>) -> ToolResult<Self> {
        let table = table::read(bytes, reading.encoding)?;
        limit(table.rows.len())?;
        let head: Vec<String> = table.head.iter().map(|name| plain(name)).collect();
        let at = find(&table.head, &head, reading.column, &ADDRESS)?;
        let name = NAME.iter().find_map(|known| head.iter().position(|h| h == known));
        let delimiter = match table.delimiter {
            '\t' => "tab".to_owned(),
            other => format!("`{other}`"),
        };
        let mut list = Builder::new(
            format!("CSV, {}, separated by {delimiter}", table.encoding),
            reading.rules,
        );
        for (line, cells) in table.rows {
            if cells.iter().all(String::is_empty) {
                list.skip(line, Why::Empty, None, "an empty row".to_owned());
                continue;
            }
            let cell = |index: usize| cells.get(index).map(String::as_str).unwrap_or_default();
            let data = table
                .head
                .iter()
                .enumerate()
                .map(|(index, column)| (column.clone(), Value::from(cell(index))));
            let data = data.filter(|(column, _)| !column.is_empty()).collect();
            list.add(line, cell(at), name.map(cell).unwrap_or_default(), data);
        }
        Ok(list.done)
    }

    fn json(bytes: &[u8], reading: Reading<'_>) -> ToolResult<Self> {
        let (text, _) = table::decoded(bytes, reading.encoding)?;
        let rows: Vec<Value> = serde_json::from_str(text.trim_start_matches('\u{feff}'))
            .map_err(|e| ToolError::invalid("to", format!("the list is no JSON: {e}")))?;
        limit(rows.len())?;
        let mut list = Builder::new("JSON".to_owned(), reading.rules);
        for (index, row) in rows.into_iter().enumerate() {
            let line = index as u64 + 1;
            let data = match row {
                Value::Object(data) => data,
                Value::String(address) => Map::from_iter([("email".to_owned(), Value::from(address))]),
                _ => {
                    list.skip(
                        line,
                        Why::Invalid,
                        None,
                        "neither an object nor an address".to_owned(),
                    );
                    continue;
                }
            };
            let names: Vec<String> = data.keys().cloned().collect();
            let folded: Vec<String> = names.iter().map(|name| plain(name)).collect();
            let Ok(at) = find(&names, &folded, reading.column, &ADDRESS) else {
                list.skip(line, Why::Invalid, None, "no field with an address".to_owned());
                continue;
            };
            let text = |at: usize| data[&names[at]].as_str().unwrap_or_default().to_owned();
            let name = NAME
                .iter()
                .find_map(|known| folded.iter().position(|h| h == known));
            let (address, name) = (text(at), name.map(text).unwrap_or_default());
            list.add(line, &address, &name, data);
        }
        Ok(list.done)
    }

    /// One recipient that was named by itself.
    pub fn one(address: &str, name: &str, rules: Rules) -> Self {
        let mut list = Builder::new("one address".to_owned(), rules);
        list.add(1, address, name, Map::new());
        list.done
    }

    /// Rows that were skipped because something is wrong with them.
    pub fn invalid(&self) -> impl Iterator<Item = &Skipped> {
        self.skipped.iter().filter(|row| row.why == Why::Invalid)
    }
}

struct Builder {
    rules: Rules,
    seen: HashMap<String, u64>,
    done: Recipients,
}

impl Builder {
    fn new(read_as: String, rules: Rules) -> Self {
        Self {
            rules,
            seen: HashMap::new(),
            done: Recipients {
                read_as,
                ..Recipients::default()
            },
        }
    }

    fn skip(&mut self, line: u64, why: Why, field: Option<&str>, message: String) {
        let field = field.map(str::to_owned);
        self.done.skipped.push(Skipped {
            line,
            why,
            field,
            message,
        });
    }

    fn add(&mut self, line: u64, address: &str, name: &str, data: Map<String, Value>) {
        let name = match HeaderText::new(name) {
            Ok(name) => name,
            Err(error) => return self.skip(line, Why::Invalid, Some("name"), error.to_string()),
        };
        let address = match Address::parse(address, self.rules) {
            Ok(address) => address,
            Err(error) => return self.skip(line, Why::Invalid, Some("to"), error.to_string()),
        };
        if let Some(first) = self.seen.get(&address.key()) {
            let message = format!("the same address as in line {first}");
            return self.skip(line, Why::Duplicate, Some("to"), message);
        }
        self.seen.insert(address.key(), line);
        self.done.all.push(Recipient {
            line,
            mailbox: Mailbox { name, address },
            data,
        });
    }
}

fn limit(rows: usize) -> ToolResult<()> {
    if rows > MOST {
        return Err(ToolError::invalid(
            "to",
            format!("the list has {rows} rows; {MOST} are the most"),
        ));
    }
    Ok(())
}

/// A column's name without case, spaces and signs.
fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

fn find(head: &[String], folded: &[String], asked: Option<&str>, known: &[&str]) -> ToolResult<usize> {
    let found = match asked {
        Some(asked) => head.iter().position(|name| name == asked),
        None => known
            .iter()
            .find_map(|name| folded.iter().position(|h| h == name)),
    };
    found.ok_or_else(|| {
        ToolError::invalid(
            "to",
            format!("the list has no column with addresses, only: {}", head.join(", ")),
        )
        .code("no_address_column")
        .hint("name it with --column")
    })
}

#[cfg(test)]
#[path = "recipients_tests.rs"]
mod tests;
