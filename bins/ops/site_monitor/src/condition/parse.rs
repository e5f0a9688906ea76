//! Reading the sides of a condition.

use super::{Operand, Step};

pub(super) fn operand(text: &str) -> Result<Operand, String> {
    if let Some(inner) = call(text, "len") {
        return Ok(Operand::Length(Box::new(operand(inner)?)));
    }
    if let Some(inner) = call(text, "has") {
        return Ok(Operand::Has(Box::new(operand(inner)?)));
    }
    if let Some(inner) = call(text, "pat") {
        return Ok(Operand::Pattern(inner.to_owned()));
    }
    if let Some(inner) = call(text, "any") {
        return inner
            .split(',')
            .map(|part| operand(part.trim()))
            .collect::<Result<_, _>>()
            .map(Operand::Any);
    }
    if let Some(rest) = text.strip_prefix('[') {
        let (name, path) = rest
            .split_once(']')
            .ok_or_else(|| format!("`{text}` has no closing bracket"))?;
        return match name.to_ascii_uppercase().as_str() {
            "STATUS" => Ok(Operand::Status),
            "RESPONSE_TIME" => Ok(Operand::ResponseTime),
            "DNS_TIME" => Ok(Operand::DnsTime),
            "IP" => Ok(Operand::Ip),
            "CONNECTED" => Ok(Operand::Connected),
            "CERTIFICATE_DAYS" => Ok(Operand::CertificateDays),
            "BODY" => steps(path).map(Operand::Body),
            "HEADER" => match path.strip_prefix('.') {
                Some(header) if !header.is_empty() => Ok(Operand::Header(header.to_ascii_lowercase())),
                _ => Err("`[HEADER]` needs a name: `[HEADER].content-type`".to_owned()),
            },
            other => Err(format!(
                "`[{other}]` is not known; there are STATUS, RESPONSE_TIME, DNS_TIME, IP, CONNECTED, CERTIFICATE_DAYS, HEADER, BODY"
            )),
        };
    }
    Ok(number(text).map_or_else(
        || Operand::Text(text.trim_matches(['"', '\'']).to_owned()),
        Operand::Number,
    ))
}

fn call<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')')
}

/// A number, or a duration in milliseconds; days stay days, for certificates.
pub(super) fn number(text: &str) -> Option<f64> {
    let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let value: f64 = text[..split].parse().ok()?;
    let factor = match &text[split..] {
        "" | "ms" | "d" => 1.0,
        "s" => 1000.0,
        "m" => 60_000.0,
        "h" => 3_600_000.0,
        _ => return None,
    };
    value.is_finite().then_some(value * factor)
}

/// `.items[0].name`
fn steps(path: &str) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    for part in path.split('.').filter(|part| !part.is_empty()) {
        let (name, mut rest) = part.find('[').map_or((part, ""), |at| part.split_at(at));
        if !name.is_empty() {
            steps.push(Step::Field(name.to_owned()));
        }
        while let Some(inner) = rest.strip_prefix('[') {
            let (index, after) = inner
                .split_once(']')
                .ok_or_else(|| format!("`{part}` has no closing bracket"))?;
            steps.push(Step::Index(
                index.parse().map_err(|_| format!("`{index}` is not an index"))?,
            ));
            rest = after;
        }
    }
    Ok(steps)
}
