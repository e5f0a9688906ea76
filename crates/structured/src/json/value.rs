//! Values of a tolerant JSON text.

use super::{Json, Unreadable, lex::Lexer, lex::Place};

/// Levels inside each other, at most.
const DEEPEST: usize = 200;

/// The value that begins here; `None` when it is cut off before anything of it is sure.
pub(super) fn value(lexer: &mut Lexer<'_>, depth: usize) -> Result<Option<Json>, Unreadable> {
    in_place(lexer, depth, Place::Member)
}

fn in_place(lexer: &mut Lexer<'_>, depth: usize, place: Place) -> Result<Option<Json>, Unreadable> {
    if depth > DEEPEST {
        return Err(lexer.nonsense("nested too deeply"));
    }
    lexer.skip_blank();
    match lexer.peek() {
        None => {
            lexer.cut_off();
            Ok(None)
        }
        Some('{') => object(lexer, depth).map(Some),
        Some('[') => array(lexer, depth).map(Some),
        Some('"' | '\'') => {
            let text = lexer.text(place)?;
            if text.is_none() {
                lexer.cut_off();
            }
            Ok(text.map(Json::Text))
        }
        Some(_) => word(lexer),
    }
}

fn object(lexer: &mut Lexer<'_>, depth: usize) -> Result<Json, Unreadable> {
    lexer.next();
    let mut members: Vec<(String, Json)> = Vec::new();
    let mut comma = true;
    loop {
        lexer.skip_blank();
        match lexer.peek() {
            None => {
                lexer.cut_off();
                break;
            }
            Some('}') => {
                lexer.next();
                if comma && !members.is_empty() {
                    lexer.repair("trailing comma");
                }
                break;
            }
            Some(',') => {
                if comma {
                    lexer.repair("extra comma");
                }
                comma = true;
                lexer.next();
                continue;
            }
            _ => {}
        }
        if !comma {
            lexer.repair("missing comma");
        }
        comma = false;
        let (name, value) = match member(lexer, depth) {
            Ok(Some(member)) => member,
            Ok(None) => break,
            Err(why) if members.is_empty() => return Err(why),
            // What was whole before it is still right.
            Err(why) => {
                lexer.give_up(&why);
                break;
            }
        };
        match members.iter_mut().find(|(known, _)| *known == name) {
            Some(known) => {
                lexer.repair("member named twice, the last one kept");
                known.1 = value;
            }
            None => members.push((name, value)),
        }
    }
    Ok(Json::Object(members))
}

/// Name and value; `None` when they are cut off.
fn member(lexer: &mut Lexer<'_>, depth: usize) -> Result<Option<(String, Json)>, Unreadable> {
    let name = match lexer.peek() {
        Some('"' | '\'') => match lexer.text(Place::Name)? {
            Some(name) => name,
            None => {
                lexer.cut_off();
                return Ok(None);
            }
        },
        _ => {
            let name = lexer.word();
            if name.is_empty() {
                return Err(lexer.nonsense("no name of a member"));
            }
            lexer.repair("bare names");
            name.to_owned()
        }
    };
    lexer.skip_blank();
    match lexer.peek() {
        Some(':') => {
            lexer.next();
        }
        None => {
            lexer.cut_off();
            return Ok(None);
        }
        Some(_) => return Err(lexer.nonsense("no `:` behind a name")),
    }
    Ok(in_place(lexer, depth + 1, Place::Member)?.map(|value| (name, value)))
}

fn array(lexer: &mut Lexer<'_>, depth: usize) -> Result<Json, Unreadable> {
    lexer.next();
    let mut entries = Vec::new();
    let mut comma = true;
    loop {
        lexer.skip_blank();
        match lexer.peek() {
            None => {
                lexer.cut_off();
                break;
            }
            Some(']') => {
                lexer.next();
                if comma && !entries.is_empty() {
                    lexer.repair("trailing comma");
                }
                break;
            }
            Some(',') => {
                if comma {
                    lexer.repair("extra comma");
                }
                comma = true;
                lexer.next();
                continue;
            }
            // The list was not closed; the object around it goes on.
            Some('}' | ':') if depth > 0 => {
                lexer.repair("missing `]`");
                break;
            }
            _ => {}
        }
        if !comma {
            lexer.repair("missing comma");
        }
        comma = false;
        match in_place(lexer, depth + 1, Place::Entry) {
            Ok(Some(entry)) => entries.push(entry),
            Ok(None) => break,
            Err(why) if entries.is_empty() => return Err(why),
            Err(why) => {
                lexer.give_up(&why);
                break;
            }
        }
    }
    Ok(Json::Array(entries))
}

/// A number or a word; `None` when the text ends with it, since it may have gone on.
fn word(lexer: &mut Lexer<'_>) -> Result<Option<Json>, Unreadable> {
    let word = lexer.word();
    if word.is_empty() {
        return Err(lexer.nonsense("no value"));
    }
    if lexer.peek().is_none() {
        lexer.cut_off();
        return Ok(None);
    }
    Ok(Some(match word {
        "true" | "True" => Json::Bool(true),
        "false" | "False" => Json::Bool(false),
        "null" => Json::Null,
        "NaN" | "Infinity" | "-Infinity" | "undefined" | "None" => {
            lexer.repair(word);
            Json::Null
        }
        number if is_number(number) => Json::Number(number.to_owned()),
        number if is_number(number.trim_start_matches('+')) => {
            lexer.repair("plus sign");
            Json::Number(number.trim_start_matches('+').to_owned())
        }
        _ => return Err(lexer.nonsense("an unknown word")),
    }))
}

/// Digits with a point and an exponent, as JSON has them; leading zeros and a bare point are let through.
fn is_number(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = text
        .split_once(['e', 'E'])
        .map_or((text, None), |(m, e)| (m, Some(e)));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent_fits = exponent.is_none_or(|e| {
        let e = e.strip_prefix(['+', '-']).unwrap_or(e);
        !e.is_empty() && digits(e)
    });
    digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty()) && exponent_fits
}
