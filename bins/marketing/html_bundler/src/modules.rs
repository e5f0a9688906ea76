//! Finds the modules that a script imports by address: `import`, `export ... from`, and `import()` (ECMA-262).

/// A module that is imported.
#[derive(Debug, PartialEq, Eq)]
pub struct Import {
    /// Range of its address, without the quotes.
    pub range: (usize, usize),
    /// Its address as written.
    pub address: String,
    /// Whether it is an `import()`, which plain scripts have too.
    pub dynamic: bool,
}

/// What a script imports.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Imports {
    /// By address, in order.
    pub found: Vec<Import>,
    /// Calls of `import()` whose address is computed.
    pub computed: usize,
}

/// The imports of a script.
pub fn imports(script: &str) -> Imports {
    let tokens = tokens(script);
    let mut out = Imports::default();
    for (at, token) in tokens.iter().enumerate() {
        let property = at > 0 && matches!(tokens[at - 1], Token::Mark(b'.'));
        let Token::Word(word @ ("import" | "export")) = token else {
            continue;
        };
        if property {
            continue;
        }
        match (*word, tokens.get(at + 1)) {
            ("import", Some(Token::Text(start, end))) => out.add(script, *start, *end, false),
            ("import", Some(Token::Mark(b'('))) => match tokens.get(at + 2..at + 4) {
                Some([Token::Text(start, end), Token::Mark(b')' | b',')]) => {
                    out.add(script, *start, *end, true);
                }
                _ => out.computed += 1,
            },
            // `import.meta`, and a method or property of this name.
            (_, Some(Token::Mark(b'.' | b':' | b'=')) | None) | ("export", Some(Token::Word(_))) => {}
            _ => {
                if let Some((start, end)) = source(&tokens[at + 1..]) {
                    out.add(script, start, end, false);
                }
            }
        }
    }
    out
}

impl Imports {
    fn add(&mut self, script: &str, start: usize, end: usize, dynamic: bool) {
        self.found.push(Import {
            range: (start, end),
            address: script[start..end].to_owned(),
            dynamic,
        });
    }
}

/// What stands behind the `from` of a statement whose first word has been read.
fn source(tokens: &[Token<'_>]) -> Option<(usize, usize)> {
    for pair in tokens.windows(2) {
        match pair {
            [Token::Word("from"), Token::Text(start, end)] => return Some((*start, *end)),
            [
                Token::Mark(b';' | b'(' | b'=') | Token::Word("import" | "export"),
                _,
            ] => return None,
            _ => {}
        }
    }
    None
}

#[derive(Clone, Copy, Debug)]
enum Token<'a> {
    Word(&'a str),
    /// A quoted text: its range without the quotes.
    Text(usize, usize),
    /// A template or a regular expression.
    Other,
    Mark(u8),
}

/// The tokens of a script, comments left out.
fn tokens(script: &str) -> Vec<Token<'_>> {
    let bytes = script.as_bytes();
    let mut out: Vec<Token<'_>> = Vec::new();
    // For each open `${` the braces that are open in it.
    let mut templates: Vec<usize> = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let start = at;
        match byte {
            _ if byte.is_ascii_whitespace() => at += 1,
            b'/' if bytes.get(at + 1) == Some(&b'/') => at += line(&bytes[at..]),
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                at = script[at + 2..]
                    .find("*/")
                    .map_or(bytes.len(), |offset| at + offset + 4);
            }
            b'"' | b'\'' => {
                at = behind(bytes, at + 1, byte);
                out.push(Token::Text(start + 1, (at - 1).max(start + 1)));
            }
            b'`' => at = template(bytes, at + 1, &mut templates, &mut out),
            b'}' if templates.last() == Some(&0) => {
                templates.pop();
                at = template(bytes, at + 1, &mut templates, &mut out);
            }
            b'/' if regex_may_begin(out.last()) => {
                at = regex(bytes, at + 1);
                out.push(Token::Other);
            }
            _ if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'#') || byte >= 0x80 => {
                while bytes.get(at).is_some_and(|b| {
                    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$' | b'#') || *b >= 0x80
                }) {
                    at += 1;
                }
                out.push(Token::Word(&script[start..at]));
            }
            _ => {
                if let Some(open) = templates.last_mut() {
                    match byte {
                        b'{' => *open += 1,
                        b'}' => *open -= 1,
                        _ => {}
                    }
                }
                out.push(Token::Mark(byte));
                at += 1;
            }
        }
    }
    out
}

fn line(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .position(|byte| *byte == b'\n')
        .unwrap_or(bytes.len())
}

/// Behind the quote that ends a text, or the end of the line.
fn behind(bytes: &[u8], mut at: usize, quote: u8) -> usize {
    while let Some(&byte) = bytes.get(at) {
        at += match byte {
            b'\\' => 2,
            b'\n' => return at + 1,
            byte if byte == quote => return at + 1,
            _ => 1,
        };
    }
    bytes.len() + 1
}

/// Behind a template, or behind the `${` in it that opens an expression.
fn template(bytes: &[u8], mut at: usize, templates: &mut Vec<usize>, out: &mut Vec<Token<'_>>) -> usize {
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 1,
            b'`' => {
                out.push(Token::Other);
                return at + 1;
            }
            b'$' if bytes.get(at + 1) == Some(&b'{') => {
                templates.push(0);
                out.push(Token::Mark(b'{'));
                return at + 2;
            }
            _ => {}
        }
        at += 1;
    }
    at
}

/// Whether a slash begins a regular expression and does not divide.
fn regex_may_begin(before: Option<&Token<'_>>) -> bool {
    match before {
        None => true,
        Some(Token::Mark(mark)) => !matches!(mark, b')' | b']' | b'}'),
        Some(Token::Word(word)) => {
            matches!(
                *word,
                "return"
                    | "typeof"
                    | "case"
                    | "in"
                    | "of"
                    | "delete"
                    | "void"
                    | "throw"
                    | "new"
                    | "else"
                    | "do"
            )
        }
        Some(Token::Text(..) | Token::Other) => false,
    }
}

fn regex(bytes: &[u8], mut at: usize) -> usize {
    let mut class = false;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'\\' => at += 1,
            b'[' => class = true,
            b']' => class = false,
            b'/' if !class => return at,
            b'\n' => return at,
            _ => {}
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(script: &str) -> Vec<String> {
        imports(script)
            .found
            .into_iter()
            .map(|import| import.address)
            .collect()
    }

    #[test]
    fn modules_are_found_where_they_are_imported() {
        let script = "import './side.js';import a, {b as c} from \"./a.js\"/* x */\nimport * as d from'./d.js'\n\
            export * from './e.js'; export {f, g as h} from './f.js'; const i = await import( './i.js' );\
            import j from './j.json' with {type: 'json'};const k = `${import('./k.js')} ${`x`}`;import(\"./l.js\", {})";
        let wanted = [
            "./side.js",
            "./a.js",
            "./d.js",
            "./e.js",
            "./f.js",
            "./i.js",
            "./j.json",
            "./k.js",
            "./l.js",
        ];
        assert_eq!(found(script), wanted);
    }

    #[test]
    fn what_only_looks_like_an_import_is_none() {
        let script = "// import './a.js'\n/* import './b.js' */ let important = \"import './c.js'\", x = `import './d.js'`;\
            obj.import('./e.js'); import.meta.url; export const from = './f.js'; export default './g.js';\
            let r = /import '.\\/h.js'/, y = 4 / 2 / 1; export {z}; let w = {import: './i.js'};";
        assert_eq!(found(script), [""; 0]);
        assert_eq!(imports("import(name); import('./a' + x)").computed, 2);
        for broken in ["'", "`${", "/[", "import", "import '", "/*", "import(", "}"] {
            imports(broken);
        }
    }
}
