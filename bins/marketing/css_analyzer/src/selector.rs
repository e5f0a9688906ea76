//! Selectors as flat lists of parts, their specificity and complexity.

use crate::{
    lex::{Kind, Lexer, is_space},
    sheet::Range,
    words,
};

/// Arguments nested deeper than this are not looked into: counting them doubles with each level.
const MAX_DEPTH: usize = 12;

/// One part of a complex selector.
#[derive(Debug)]
pub enum Part<'a> {
    /// An element name; without its namespace.
    Type(&'a str),
    /// `.name`.
    Class,
    /// `#name`.
    Id,
    /// `[name="value"]`.
    Attribute(Attribute<'a>),
    /// `:name` or `:name(...)`.
    PseudoClass(Pseudo<'a>),
    /// `::name` or `::name(...)`.
    PseudoElement(Pseudo<'a>),
    /// `>`, `+`, `~`, or a blank for the descendant combinator.
    Combinator(&'a str),
    /// `*`.
    Universal,
    /// `&`.
    Nesting,
    /// A keyframe percentage.
    Percentage,
}

/// An attribute selector.
#[derive(Debug)]
pub struct Attribute<'a> {
    /// Attribute name as written.
    pub name: &'a str,
    /// `=`, `~=`, ... or empty.
    pub operator: &'a str,
    /// Value as written, with quotes; empty when there is none.
    pub value: &'a str,
}

/// A pseudo-class or pseudo-element.
#[derive(Debug)]
pub struct Pseudo<'a> {
    /// Name without colons.
    pub name: &'a str,
    /// What stands in its parentheses.
    pub argument: Argument<'a>,
}

/// The argument of a pseudo-class.
#[derive(Debug)]
pub enum Argument<'a> {
    /// No parentheses, or nothing readable in them.
    None,
    /// A selector list.
    Selectors(Vec<Selector<'a>>),
    /// `An+B`, and whether it is one, and the list behind `of` if there is an `of`.
    Nth {
        /// Whether `An+B` could be read.
        formula: bool,
        /// The list behind `of`.
        of: Option<Vec<Selector<'a>>>,
    },
    /// Languages of `:lang()`; how many.
    Languages(usize),
}

/// One complex selector.
#[derive(Debug)]
pub struct Selector<'a> {
    /// As written.
    pub text: &'a str,
    /// Its parts in order.
    pub parts: Vec<Part<'a>>,
}

/// Reads a selector list.
pub fn parse(text: &str, range: Range) -> Vec<Selector<'_>> {
    Reader {
        text,
        lexer: Lexer::new(text, range.0, range.1),
        end: range.1,
        depth: 0,
    }
    .list(true)
}

struct Reader<'a> {
    text: &'a str,
    lexer: Lexer<'a>,
    end: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn byte(&self, at: usize) -> u8 {
        if at < self.end {
            self.text.as_bytes()[at]
        } else {
            0
        }
    }

    fn list(&mut self, relative: bool) -> Vec<Selector<'a>> {
        let mut selectors = Vec::new();
        while self.lexer.pos < self.end {
            self.lexer.skip_space();
            let start = self.lexer.pos;
            let parts = self.complex(relative);
            if !parts.is_empty() {
                selectors.push(Selector {
                    text: &self.text[start..self.lexer.pos],
                    parts,
                });
            }
            if self.lexer.next_solid().kind != Kind::Comma {
                break;
            }
        }
        selectors
    }

    fn complex(&mut self, relative: bool) -> Vec<Part<'a>> {
        let mut parts = Vec::new();
        if relative && matches!(self.byte(self.lexer.pos), b'>' | b'+' | b'~') {
            parts.push(Part::Combinator(&self.text[self.lexer.pos..=self.lexer.pos]));
            self.lexer.pos += 1;
            self.lexer.skip_space();
        }
        loop {
            let before = parts.len();
            while let Some(part) = self.simple() {
                parts.push(part);
            }
            if parts.len() == before {
                return parts;
            }
            let end = self.lexer.pos;
            self.lexer.skip_space();
            if self.lexer.pos >= self.end {
                self.lexer.pos = end;
                return parts;
            }
            let spaced = self.lexer.pos > end;
            if matches!(self.byte(self.lexer.pos), b'>' | b'+' | b'~') {
                parts.push(Part::Combinator(&self.text[self.lexer.pos..=self.lexer.pos]));
                self.lexer.pos += 1;
                self.lexer.skip_space();
            } else if spaced {
                parts.push(Part::Combinator(" "));
            } else {
                return parts;
            }
        }
    }

    /// The next simple selector; leaves the position alone when there is none.
    fn simple(&mut self) -> Option<Part<'a>> {
        let before = self.lexer;
        let token = self.lexer.next();
        let text = &self.text[token.start..token.end];
        let part = match (token.kind, text) {
            (Kind::Ident, _) if !text.starts_with("--") => {
                Some(self.local_name().unwrap_or(Part::Type(text)))
            }
            (Kind::Delim, "*") => Some(self.local_name().unwrap_or(Part::Universal)),
            (Kind::Delim, "|") => self.name_behind_bar(),
            (Kind::Hash, _) => Some(Part::Id),
            (Kind::Delim, "&") => Some(Part::Nesting),
            (Kind::Percentage, _) => Some(Part::Percentage),
            (Kind::Delim, ".") => (self.lexer.next().kind == Kind::Ident).then_some(Part::Class),
            (Kind::LeftBracket, _) => Some(self.attribute(token.end)),
            (Kind::Colon, _) => self.pseudo(),
            _ => None,
        };
        if part.is_none() {
            self.lexer = before;
        }
        part
    }

    /// The name behind `|`, when one follows: the part before it was a namespace.
    fn local_name(&mut self) -> Option<Part<'a>> {
        if self.byte(self.lexer.pos) != b'|' || self.byte(self.lexer.pos + 1) == b'=' {
            return None;
        }
        let before = self.lexer;
        self.lexer.pos += 1;
        let part = self.name_behind_bar();
        if part.is_none() {
            self.lexer = before;
        }
        part
    }

    fn name_behind_bar(&mut self) -> Option<Part<'a>> {
        let token = self.lexer.next();
        match (token.kind, &self.text[token.start..token.end]) {
            (Kind::Ident, name) => Some(Part::Type(name)),
            (Kind::Delim, "*") => Some(Part::Universal),
            _ => None,
        }
    }

    fn attribute(&mut self, start: usize) -> Part<'a> {
        let mut end = start;
        loop {
            let token = self.lexer.next();
            match token.kind {
                Kind::RightBracket => {
                    end = token.start;
                    break;
                }
                Kind::End => break,
                _ => {}
            }
        }
        let content = self.text[start..end].trim_matches(|c: char| c.is_ascii() && is_space(c as u8));
        let stop =
            |c: char| matches!(c, '=' | '~' | '|' | '^' | '$' | '*') || (c.is_ascii() && is_space(c as u8));
        let name = &content[..content.find(stop).unwrap_or(content.len())];
        let rest = content[name.len()..].trim_start();
        let operator = match rest.as_bytes() {
            [b'=', ..] => &rest[..1],
            [b'~' | b'|' | b'^' | b'$' | b'*', b'=', ..] => &rest[..2],
            _ => "",
        };
        let value = if operator.is_empty() {
            ""
        } else {
            rest[operator.len()..].trim_start()
        };
        let value = match value.as_bytes().first() {
            Some(b'"' | b'\'') => {
                let token = Lexer::new(value, 0, value.len()).next();
                &value[..token.end]
            }
            _ => value
                .split(|c: char| c.is_ascii_whitespace())
                .next()
                .unwrap_or(""),
        };
        Part::Attribute(Attribute {
            name,
            operator,
            value,
        })
    }

    fn pseudo(&mut self) -> Option<Part<'a>> {
        let element = self.byte(self.lexer.pos) == b':';
        self.lexer.pos += usize::from(element);
        let token = self.lexer.next();
        let pseudo = match token.kind {
            Kind::Ident => Pseudo {
                name: &self.text[token.start..token.end],
                argument: Argument::None,
            },
            Kind::Function => {
                let name = &self.text[token.start..token.end - 1];
                Pseudo {
                    name,
                    argument: self.argument(name, token.end),
                }
            }
            _ => return None,
        };
        Some(if element {
            Part::PseudoElement(pseudo)
        } else {
            Part::PseudoClass(pseudo)
        })
    }

    fn argument(&mut self, name: &str, start: usize) -> Argument<'a> {
        let mut depth = 1_usize;
        let end = loop {
            let token = self.lexer.next();
            match token.kind {
                Kind::LeftParen | Kind::Function => depth += 1,
                Kind::RightParen => {
                    depth -= 1;
                    if depth == 0 {
                        break token.start;
                    }
                }
                Kind::End => return Argument::None,
                _ => {}
            }
        };
        if end <= start || self.depth > MAX_DEPTH {
            return Argument::None;
        }
        let mut inner = Reader {
            text: self.text,
            lexer: Lexer::new(self.text, start, end),
            end,
            depth: self.depth + 1,
        };
        const NTH: [&str; 6] = [
            "nth-child",
            "nth-last-child",
            "nth-of-type",
            "nth-last-of-type",
            "nth-col",
            "nth-last-col",
        ];
        if words::has(&NTH, name) {
            return inner.nth();
        }
        if name.eq_ignore_ascii_case("lang") {
            let mut languages = 0;
            loop {
                match inner.lexer.next().kind {
                    Kind::End => return Argument::Languages(languages),
                    Kind::Ident | Kind::Str => languages += 1,
                    _ => {}
                }
            }
        }
        let selectors = inner.list(name.eq_ignore_ascii_case("has"));
        if selectors.is_empty() {
            Argument::None
        } else {
            Argument::Selectors(selectors)
        }
    }

    /// `An+B [of S]?` (CSS Syntax, section 6).
    fn nth(mut self) -> Argument<'a> {
        let start = self.lexer.pos;
        let mut formula_end = self.end;
        let mut of = None;
        let mut scan = self.lexer;
        loop {
            let token = scan.next();
            if token.kind == Kind::End {
                break;
            }
            if token.kind == Kind::Ident && self.text[token.start..token.end].eq_ignore_ascii_case("of") {
                formula_end = token.start;
                self.lexer.pos = token.end;
                of = Some(self.list(true));
                break;
            }
        }
        Argument::Nth {
            formula: is_formula(&self.text[start..formula_end]),
            of,
        }
    }
}

/// Whether a text begins like `An+B`, `odd`, `even` or a number.
fn is_formula(text: &str) -> bool {
    let text = text.trim().to_ascii_lowercase();
    if matches!(text.as_str(), "odd" | "even") {
        return true;
    }
    let rest = text.trim_start_matches(['+', '-']);
    rest.starts_with('n') || rest.starts_with(|c: char| c.is_ascii_digit())
}

/// Specificity (Selectors 4, section 17): ids; classes, attributes and pseudo-classes; types and pseudo-elements.
pub type Specificity = [u64; 3];

fn add(to: &mut Specificity, other: Specificity) {
    for (sum, part) in to.iter_mut().zip(other) {
        *sum += part;
    }
}

fn highest(list: &[Selector<'_>]) -> Specificity {
    list.iter()
        .map(|selector| specificity(&selector.parts))
        .max()
        .unwrap_or_default()
}

/// The first compound of the first selector of an argument.
fn first_compound<'s, 'a>(argument: &'s Argument<'a>) -> &'s [Part<'a>] {
    let Argument::Selectors(list) = argument else {
        return &[];
    };
    let parts = list.first().map_or(&[][..], |selector| &selector.parts);
    let end = parts
        .iter()
        .position(|part| matches!(part, Part::Combinator(_)))
        .unwrap_or(parts.len());
    &parts[..end]
}

/// Specificity of one complex selector.
pub fn specificity(parts: &[Part<'_>]) -> Specificity {
    let mut sum = [0, 0, 0];
    for part in parts {
        match part {
            Part::Id => sum[0] += 1,
            Part::Class | Part::Attribute(_) => sum[1] += 1,
            Part::Type(_) => sum[2] += 1,
            Part::PseudoClass(pseudo) => add(&mut sum, pseudo_class(pseudo)),
            Part::PseudoElement(pseudo) => add(&mut sum, pseudo_element(pseudo)),
            Part::Combinator(_) | Part::Universal | Part::Nesting | Part::Percentage => {}
        }
    }
    sum
}

fn pseudo_class(pseudo: &Pseudo<'_>) -> Specificity {
    let name = pseudo.name.to_ascii_lowercase();
    match name.as_str() {
        "where" => [0, 0, 0],
        "-webkit-any" | "any" => [0, u64::from(matches!(pseudo.argument, Argument::Selectors(_))), 0],
        "-moz-any" | "is" | "matches" | "not" | "has" => match &pseudo.argument {
            Argument::Selectors(list) => highest(list),
            _ => [0, 0, 0],
        },
        "nth-child" | "nth-last-child" => {
            let mut sum = [0, 1, 0];
            if let Argument::Nth { of: Some(list), .. } = &pseudo.argument {
                add(&mut sum, highest(list));
            }
            sum
        }
        "host" | "host-context" => {
            let mut sum = [0, 1, 0];
            add(&mut sum, specificity(first_compound(&pseudo.argument)));
            sum
        }
        "after" | "before" | "first-letter" | "first-line" => [0, 0, 1],
        _ => [0, 1, 0],
    }
}

fn pseudo_element(pseudo: &Pseudo<'_>) -> Specificity {
    let name = pseudo.name.to_ascii_lowercase();
    let mut sum = [0, 0, 1];
    if name == "slotted" {
        add(&mut sum, specificity(first_compound(&pseudo.argument)));
    } else if name.starts_with("view-transition-")
        && matches!(first_compound(&pseudo.argument), [Part::Universal])
    {
        sum = [0, 0, 0];
    }
    sum
}

/// Number of parts, where vendor prefixes and attribute values count extra and arguments count their own parts.
pub fn complexity(parts: &[Part<'_>]) -> u64 {
    parts
        .iter()
        .map(|part| match part {
            Part::Attribute(attribute) => 1 + u64::from(!attribute.value.is_empty()),
            Part::PseudoClass(pseudo) => {
                let own = 1 + u64::from(words::is_prefixed(pseudo.name));
                own + argument_complexity(
                    &pseudo.argument,
                    words::has(&words::SELECTOR_FUNCTIONS, pseudo.name),
                )
            }
            Part::PseudoElement(pseudo) => {
                1 + u64::from(words::is_prefixed(pseudo.name)) + argument_complexity(&pseudo.argument, false)
            }
            _ => 1,
        })
        .sum()
}

/// `transparent`: the pseudo-class stands for its argument, so the list itself counts nothing.
fn argument_complexity(argument: &Argument<'_>, transparent: bool) -> u64 {
    let listed = |list: &[Selector<'_>]| {
        list.iter()
            .map(|selector| complexity(&selector.parts))
            .sum::<u64>()
    };
    match argument {
        Argument::None => 0,
        Argument::Selectors(list) if transparent => all_nested(list),
        Argument::Selectors(list) => 1 + listed(list),
        Argument::Nth { of: Some(list), .. } if transparent && !list.is_empty() => all_nested(list),
        Argument::Nth {
            formula,
            of: Some(list),
        } => 1 + u64::from(*formula) + if list.is_empty() { 0 } else { 1 + listed(list) },
        Argument::Nth { formula, of: None } => u64::from(*formula),
        Argument::Languages(count) => *count as u64,
    }
}

/// Complexity of every selector of a list and of every list below it.
fn all_nested(list: &[Selector<'_>]) -> u64 {
    let mut sum = 0;
    for selector in list {
        sum += complexity(&selector.parts);
        for part in &selector.parts {
            if let Part::PseudoClass(pseudo) | Part::PseudoElement(pseudo) = part {
                match &pseudo.argument {
                    Argument::Selectors(list) | Argument::Nth { of: Some(list), .. } => {
                        sum += all_nested(list)
                    }
                    _ => {}
                }
            }
        }
    }
    sum
}

/// Calls `found` for every part, also inside arguments, in document order.
pub fn walk<'s, 'a>(parts: &'s [Part<'a>], found: &mut impl FnMut(&'s Part<'a>)) {
    for part in parts {
        found(part);
        if let Part::PseudoClass(pseudo) | Part::PseudoElement(pseudo) = part {
            match &pseudo.argument {
                Argument::Selectors(list) | Argument::Nth { of: Some(list), .. } => {
                    for selector in list {
                        walk(&selector.parts, found);
                    }
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> (Specificity, u64) {
        let list = parse(text, (0, text.len()));
        assert_eq!(list.len(), 1, "{text}");
        (specificity(&list[0].parts), complexity(&list[0].parts))
    }

    #[test]
    fn specificity_follows_selectors_4() {
        assert_eq!(one("#a .b[c] > d::before").0, [1, 2, 2]);
        assert_eq!(one(":is(#a, .b) :where(#c)").0, [1, 0, 0]);
        assert_eq!(one("li:nth-child(2n+1 of .x, #y)").0, [1, 1, 1]);
        assert_eq!(one(":not(.a.b, c)").0, [0, 2, 0]);
        assert_eq!(one("svg|a *|*").0, [0, 0, 1]);
    }

    #[test]
    fn complexity_counts_parts_and_combinators() {
        assert_eq!(one("a").1, 1);
        assert_eq!(one("a > b").1, 3);
        assert_eq!(one("[type=\"x\"]").1, 2);
        assert_eq!(one("input::-moz-focus-inner").1, 3);
        assert_eq!(one("a:not(.b)").1, 3);
        assert_eq!(one("li:nth-child(2n+1)").1, 3);
    }

    #[test]
    fn lists_keep_their_texts() {
        let text = "a:is(b, c),\n d[e=\",\"] , f";
        let list = parse(text, (0, text.len()));
        let texts: Vec<_> = list.iter().map(|selector| selector.text.trim()).collect();
        assert_eq!(texts, ["a:is(b, c)", "d[e=\",\"]", "f"]);
    }
}
