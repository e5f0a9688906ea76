//! Addresses (RFC 5321, RFC 5322, RFC 6531): checked once, then a type that holds nothing else.
//!
//! The domain is kept in its A-label form, lower-cased, so that both spellings of an internationalised domain are one
//! address. Comments are dropped; a local part is quoted only where it must be.

use std::fmt;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

use crate::header::{HeaderError, HeaderText};

/// Longest local part and longest address, in octets (RFC 5321, 4.5.3.1; RFC 3696, erratum 1690).
const LONGEST_LOCAL: usize = 64;
const LONGEST: usize = 254;

/// What is taken beside ordinary addresses.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rules {
    /// Domains without a dot, as `localhost`.
    pub local_domains: bool,
    /// Letters outside ASCII before the `@`, which only a server with SMTPUTF8 takes.
    pub utf8: bool,
}

/// An address of one mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    /// As it is written in commands: quoted where it must be.
    local: String,
    /// A-labels, lower case.
    domain: String,
}

/// Why a text is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressError {
    /// Nothing is there.
    Empty,
    /// A control character or a line separator.
    Control,
    /// Not one `@` outside quotes.
    NoAt,
    /// More than one address, or something behind the first.
    Several,
    /// What stands before the `@` is not allowed there.
    Local,
    /// Letters outside ASCII before the `@`.
    Utf8Local,
    /// What stands behind the `@` is no domain.
    Domain,
    /// The domain has no dot.
    NoDot,
    /// It is longer than an address can be.
    TooLong,
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "no address",
            Self::Control => "a control character in the address",
            Self::NoAt => "not an address: there is no `@`",
            Self::Several => "more than one address in one field",
            Self::Local => "not an address: what stands before the `@`",
            Self::Utf8Local => {
                "letters outside ASCII before the `@` need SMTPUTF8: `--smtputf8`, if the server offers it"
            }
            Self::Domain => "not an address: the domain",
            Self::NoDot => "the domain has no dot (`--allow-local` takes it)",
            Self::TooLong => "longer than an address can be",
        })
    }
}

impl std::error::Error for AddressError {}

impl Address {
    /// Reads one address without a name. Spaces around it and comments are dropped.
    pub fn parse(text: &str, rules: Rules) -> Result<Self, AddressError> {
        let text = text.trim_matches([' ', '\t', '\u{a0}']);
        if text.is_empty() {
            return Err(AddressError::Empty);
        }
        if text.chars().any(forbidden) {
            return Err(AddressError::Control);
        }
        let text = without_comments(text)?;
        let (local, rest) = local_part(text.trim(), rules)?;
        let rest = rest.trim_start().strip_prefix('@').ok_or_else(|| {
            if rest.contains('@') {
                AddressError::Local
            } else {
                AddressError::NoAt
            }
        })?;
        let domain = domain(rest.trim(), rules)?;
        if local.len() + 1 + domain.len() > LONGEST {
            return Err(AddressError::TooLong);
        }
        Ok(Self { local, domain })
    }

    /// What stands before the `@`, as commands write it.
    pub fn local(&self) -> &str {
        &self.local
    }

    /// The domain in A-labels.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// By what it is compared: servers need not tell apart `Ina` and `ina`, and practically none does.
    pub fn key(&self) -> String {
        format!("{}@{}", self.local.to_lowercase(), self.domain)
    }

    /// Whether only a server with SMTPUTF8 takes it.
    pub fn needs_smtputf8(&self) -> bool {
        !self.local.is_ascii()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}

/// An address with the name of whom it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// The name; empty without one.
    pub name: HeaderText,
    /// The address.
    pub address: Address,
}

impl Mailbox {
    /// Reads `ina@shop.example` or `Ina <ina@shop.example>`.
    pub fn parse(text: &str, rules: Rules) -> Result<Self, AddressError> {
        if text.chars().any(forbidden) {
            return Err(AddressError::Control);
        }
        let text = text.trim();
        let (name, address) = match text.strip_suffix('>').and_then(|rest| rest.rsplit_once('<')) {
            Some((name, address)) => (name.trim(), address),
            None => ("", text),
        };
        let name = name
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'))
            .map_or_else(
                || name.to_owned(),
                |inner| inner.replace("\\\"", "\"").replace("\\\\", "\\"),
            );
        Ok(Self {
            name: HeaderText::new(&name).map_err(|HeaderError| AddressError::Control)?,
            address: Address::parse(address, rules)?,
        })
    }
}

/// What acts as a line break, or otherwise than as a letter, somewhere on the way.
pub(crate) fn forbidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}')
}

/// Comments are for people; nested ones are allowed. Text in quotes is none.
fn without_comments(text: &str) -> Result<String, AddressError> {
    let (mut kept, mut depth, mut quoted) = (String::with_capacity(text.len()), 0_u32, false);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                let next = chars.next().ok_or(AddressError::Local)?;
                if depth == 0 {
                    kept.extend([c, next]);
                }
            }
            '"' if depth == 0 => {
                quoted = !quoted;
                kept.push(c);
            }
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.checked_sub(1).ok_or(AddressError::Local)?,
            _ if depth == 0 => kept.push(c),
            _ => {}
        }
    }
    if depth > 0 || quoted {
        return Err(AddressError::Local);
    }
    Ok(kept)
}

/// The local part, and the rest that begins with `@`.
fn local_part(text: &str, rules: Rules) -> Result<(String, &str), AddressError> {
    let (local, rest) = if let Some(inner) = text.strip_prefix('"') {
        let (plain, rest) = quoted(inner)?;
        if dot_atom(&plain) {
            (plain, rest)
        } else {
            let escaped = plain.replace('\\', "\\\\").replace('"', "\\\"");
            (format!("\"{escaped}\""), rest)
        }
    } else {
        let Some(at) = text.find('@') else {
            return Err(AddressError::NoAt);
        };
        let local = text[..at].trim_end();
        if local.contains([',', ';']) {
            return Err(AddressError::Several);
        }
        if !dot_atom(local) {
            return Err(AddressError::Local);
        }
        (local.to_owned(), &text[at..])
    };
    if local.len() > LONGEST_LOCAL {
        return Err(AddressError::TooLong);
    }
    if !local.is_ascii() && !rules.utf8 {
        return Err(AddressError::Utf8Local);
    }
    Ok((local, rest))
}

/// The text of a quoted string whose first quote is gone, and what follows it.
fn quoted(inner: &str) -> Result<(String, &str), AddressError> {
    let mut plain = String::new();
    let mut chars = inner.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((plain, &inner[at + 1..])),
            '\\' => plain.push(chars.next().ok_or(AddressError::Local)?.1),
            other => plain.push(other),
        }
    }
    Err(AddressError::Local)
}

fn dot_atom(text: &str) -> bool {
    text.split('.')
        .all(|atom| !atom.is_empty() && atom.chars().all(|c| !c.is_ascii() || atext(c)))
}

/// RFC 5322, 3.2.3.
pub(crate) fn atext(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c)
}

fn domain(text: &str, rules: Rules) -> Result<String, AddressError> {
    if text.contains([',', ';']) || text.contains(char::is_whitespace) {
        return Err(AddressError::Several);
    }
    if text.contains('@') {
        return Err(AddressError::NoAt);
    }
    let ascii = Uts46::new()
        .to_ascii(
            text.as_bytes(),
            AsciiDenyList::STD3,
            Hyphens::CheckFirstLast,
            DnsLength::Verify,
        )
        .map_err(|_| AddressError::Domain)?;
    let last = ascii.rsplit('.').next().unwrap_or_default();
    if last.bytes().all(|b| b.is_ascii_digit()) {
        return Err(AddressError::Domain);
    }
    if !ascii.contains('.') && !rules.local_domains {
        return Err(AddressError::NoDot);
    }
    Ok(ascii.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<String, AddressError> {
        Address::parse(text, Rules::default()).map(|a| a.to_string())
    }

    #[test]
    fn what_is_an_address_and_what_is_none() {
        for (text, expected) in [
            ("ina@quillmoss.example", Ok("ina@quillmoss.example")),
            (" INA@Quillmoss.Example ", Ok("INA@quillmoss.example")),
            ("olga@bücher.example", Ok("olga@xn--bcher-kva.example")),
            ("\"a b\"@quillmoss.example", Ok("\"a b\"@quillmoss.example")),
            ("\"ina\"@quillmoss.example", Ok("ina@quillmoss.example")),
            ("ina(note)@quillmoss.example", Ok("ina@quillmoss.example")),
            ("a@b@quillmoss.example", Err(AddressError::NoAt)),
            ("a..b@quillmoss.example", Err(AddressError::Local)),
            (".a@quillmoss.example", Err(AddressError::Local)),
            ("a@-x.example", Err(AddressError::Domain)),
            ("a@1.2.3.4", Err(AddressError::Domain)),
            ("a@x_y.example", Err(AddressError::Domain)),
            ("ina@localhost", Err(AddressError::NoDot)),
            ("a@x.example, b@x.example", Err(AddressError::Several)),
            ("инна@почта.example", Err(AddressError::Utf8Local)),
            ("a@x.example\r\nBcc: b@x.example", Err(AddressError::Control)),
            ("a\u{2028}@x.example", Err(AddressError::Control)),
            ("not-an-address", Err(AddressError::NoAt)),
            ("", Err(AddressError::Empty)),
            ("a@", Err(AddressError::Domain)),
            ("\"a@x.example", Err(AddressError::Local)),
            ("a@x.example (", Err(AddressError::Local)),
        ] {
            assert_eq!(parsed(text), expected.map(str::to_owned), "{text:?}");
        }
    }

    #[test]
    fn both_forms_of_a_domain_and_all_cases_are_one_address() {
        let key = |text| {
            Address::parse(
                text,
                Rules {
                    utf8: true,
                    ..Rules::default()
                },
            )
            .unwrap()
            .key()
        };
        assert_eq!(key("Olga@BÜCHER.example"), key("olga@xn--bcher-kva.example"));
        assert_eq!(key("Инна@почта.example"), "инна@xn--80a1acny.example");
    }

    #[test]
    fn a_name_may_stand_before_it() {
        let mailbox = Mailbox::parse("\"Weber, Ina\" <ina@shop.example>", Rules::default()).unwrap();
        assert_eq!(
            (mailbox.name.as_str(), mailbox.address.to_string().as_str()),
            ("Weber, Ina", "ina@shop.example")
        );
        assert!(Mailbox::parse("Ina\n <ina@shop.example>", Rules::default()).is_err());
    }
}
