//! A JSON reader for what web pages call JSON: it repairs what can be understood, says what it repaired, and drops
//! rather than guesses a value that was cut off.
//!
//! It is a parser, not a set of replacements: `//` in an address and `}` in a text stay what they are.

mod lex;
mod value;

use lex::Lexer;

/// A value. Numbers keep their spelling: `3.350` and a code of thirteen digits are not what a float makes of them.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// `null`, and words that mean it elsewhere.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number as it is written.
    Number(String),
    /// A text.
    Text(String),
    /// A list.
    Array(Vec<Json>),
    /// An object; members in their order, each name once.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// The member of that name.
    pub fn get(&self, name: &str) -> Option<&Json> {
        match self {
            Self::Object(members) => members
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value),
            _ => None,
        }
    }

    /// The text, when it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The entries of a list; a single value is a list of one.
    pub fn entries(&self) -> &[Json] {
        match self {
            Self::Array(entries) => entries,
            other => std::slice::from_ref(other),
        }
    }
}

/// What was read, and what had to be repaired for it, each repair named once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Read {
    /// The values: mostly one, several where they stand one behind the other.
    pub values: Vec<Json>,
    /// Repairs in the order they were met.
    pub repairs: Vec<String>,
}

/// Why a text could not be read at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// There is nothing in it.
    Empty,
    /// It does not begin like JSON, or stops making sense: what is wrong, and at which line.
    NotJson(String),
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Empty => f.write_str("empty"),
            Self::NotJson(why) => write!(f, "not JSON: {why}"),
        }
    }
}

/// Reads a text as JSON, tolerantly.
///
/// Fails when it is empty, is no JSON at its beginning, or is nested deeper than two hundred levels.
pub fn read(text: &str) -> Result<Read, Unreadable> {
    let mut lexer = Lexer::new(text);
    lexer.skip_blank();
    match lexer.peek() {
        None => return Err(Unreadable::Empty),
        Some('{' | '[') => {}
        Some(other) => {
            return Err(Unreadable::NotJson(format!(
                "begins with `{}`",
                other.escape_debug()
            )));
        }
    }
    let mut values = Vec::new();
    loop {
        values.extend(value::value(&mut lexer, 0)?);
        if !tail(&mut lexer) {
            break;
        }
    }
    if values.is_empty() {
        return Err(Unreadable::NotJson("cut off at its beginning".to_owned()));
    }
    Ok(Read {
        values,
        repairs: lexer.into_repairs(),
    })
}

/// What stands behind a whole value; whether another one follows.
fn tail(lexer: &mut Lexer<'_>) -> bool {
    loop {
        lexer.skip_blank();
        match lexer.peek() {
            None => return false,
            Some(';') => lexer.repair("trailing `;`"),
            Some(',') => lexer.repair("trailing comma"),
            Some('}') => lexer.repair("extra `}` at the end"),
            Some(']') => lexer.repair("extra `]` at the end"),
            Some('{' | '[') => {
                lexer.repair("several values in one script");
                return true;
            }
            Some(_) => {
                lexer.repair("text after the end left out");
                return false;
            }
        }
        lexer.next();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compact(json: &Json) -> String {
        let list = |items: Vec<String>| items.join(",");
        match json {
            Json::Null => "null".to_owned(),
            Json::Bool(flag) => flag.to_string(),
            Json::Number(text) => text.clone(),
            Json::Text(text) => format!("{text:?}"),
            Json::Array(items) => format!("[{}]", list(items.iter().map(compact).collect())),
            Json::Object(members) => format!(
                "{{{}}}",
                list(
                    members
                        .iter()
                        .map(|(k, v)| format!("{k:?}:{}", compact(v)))
                        .collect()
                )
            ),
        }
    }

    fn told(text: &str) -> (String, String) {
        let read = read(text).unwrap();
        let values: Vec<_> = read.values.iter().map(compact).collect();
        (values.join(" "), read.repairs.join("; "))
    }

    #[test]
    fn what_is_json_is_read_as_it_is() {
        let text = r#"{"a":[1,-2.50e3,true,false,null],"b":"x\u00e9\n\ud83d\ude00\/","c":{}}"#;
        let (value, repairs) = told(text);
        assert_eq!(value, r#"{"a":[1,-2.50e3,true,false,null],"b":"xé\n😀/","c":{}}"#);
        assert_eq!(repairs, "");
    }

    #[test]
    fn what_can_be_understood_is_repaired_and_told() {
        for (text, value, repairs) in [
            ("{\"a\":1,}", "{\"a\":1}", "trailing comma"),
            (
                "{\"a\":1}}]",
                "{\"a\":1}",
                "extra `}` at the end; extra `]` at the end",
            ),
            ("{\"a\":1};", "{\"a\":1}", "trailing `;`"),
            (
                "// <![CDATA[\n{\"a\":1 /* x } */}\n// ]]>",
                "{\"a\":1}",
                "CDATA; comment lines; block comment",
            ),
            ("<!--\n{\"a\":1}\n-->", "{\"a\":1}", "HTML comment"),
            ("{\"u\":\"http://x//y\"}", "{\"u\":\"http://x//y\"}", ""),
            (
                "{\"a\":\"l1\nl2\ttab\"}",
                "{\"a\":\"l1\\nl2\\ttab\"}",
                "raw control characters",
            ),
            (
                "{\"a\":\"5\" wide\",\"b\":1}",
                "{\"a\":\"5\\\" wide\",\"b\":1}",
                "unescaped quotes",
            ),
            (
                "{\"a\":1,\"a\":2}",
                "{\"a\":2}",
                "member named twice, the last one kept",
            ),
            (
                "{\"a\":NaN,b:'x'}",
                "{\"a\":null,\"b\":\"x\"}",
                "NaN; bare names; single quotes",
            ),
            ("{\"a\":1 \"b\":2}", "{\"a\":1,\"b\":2}", "missing comma"),
            (
                "{\"a\":1}{\"b\":2}",
                "{\"a\":1} {\"b\":2}",
                "several values in one script",
            ),
            (
                "{\"a\":1,\"b\":price,\"c\":2}",
                "{\"a\":1}",
                "the rest left out, an unknown word in line 1",
            ),
            ("{\"a\":\"x\\q\"}", "{\"a\":\"x\\\\q\"}", "unknown escapes"),
        ] {
            assert_eq!(told(text), (value.to_owned(), repairs.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_cut_end_keeps_what_was_whole_and_no_half_value() {
        assert_eq!(
            told("{\"name\":\"Cup\",\"offers\":{\"price\":\"18"),
            (
                "{\"name\":\"Cup\",\"offers\":{}}".to_owned(),
                "cut off".to_owned()
            )
        );
        assert_eq!(told("{\"a\":[1,2").0, "{\"a\":[1]}", "a number may go on");
        assert_eq!(told("{\"a\":1,\"b").0, "{\"a\":1}");
        assert_eq!(told("[{\"a\":tru").0, "[{}]");
    }

    #[test]
    fn what_is_no_json_is_refused_with_its_reason() {
        assert_eq!(read("  \n"), Err(Unreadable::Empty));
        for text in [
            "window.x = {\"a\":1};",
            "{{{{",
            "{\"a\" 1}",
            &"[".repeat(100_000),
            "{]",
        ] {
            assert!(matches!(read(text), Err(Unreadable::NotJson(_))), "{text:.20}");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_serde_writes_is_read_without_repair(names in proptest::collection::vec(".{0,12}", 0..6)) {
            let object: serde_json::Map<String, serde_json::Value> = names.iter().enumerate()
                .map(|(index, name)| (format!("{index}{name}"), serde_json::json!([name, index]))).collect();
            let text = serde_json::Value::Object(object.clone()).to_string();
            let read = read(&text).unwrap();
            proptest::prop_assert_eq!(&read.repairs, &Vec::<String>::new());
            for (key, value) in &object {
                let entries = read.values[0].get(key).unwrap().entries();
                proptest::prop_assert_eq!(entries[0].as_text(), value[0].as_str());
            }
        }

        #[test]
        fn nothing_makes_it_panic(text in "[\\[{\"':,}\\]a0. \\\\/*<!>u-]{0,60}") {
            let _ = read(&text);
        }
    }
}
