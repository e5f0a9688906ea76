//! robots.txt by RFC 9309, with the line that decided.

mod pattern;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

pub use pattern::matches;

/// Bytes that are read; a parser must take at least this many (RFC 9309, section 2.5).
pub const MOST_BYTES: usize = 512 * 1024;

/// The rules of a site.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Robots {
    groups: Vec<Group>,
    /// Addresses of sitemaps.
    pub sitemaps: Vec<String>,
    /// What is odd about the file.
    pub warnings: Vec<String>,
    /// Whether nothing may be fetched: the file could not be had.
    closed: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Group {
    /// Product tokens, lower case; `*` is everybody.
    agents: Vec<String>,
    rules: Vec<Rule>,
    /// Seconds between two requests.
    delay: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Rule {
    line: usize,
    allow: bool,
    /// As it is written.
    written: String,
    /// In the form that is compared.
    pattern: String,
}

/// Whether an address may be fetched, and by which rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Verdict {
    /// Whether it may.
    pub allowed: bool,
    /// The line that decided, with its number; absent when no rule fits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

/// What a site answered when it was asked for its robots.txt.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// HTTP status.
    pub status: u16,
    /// Media type without parameters, lower case.
    pub media_type: &'a str,
    /// Body.
    pub body: &'a [u8],
}

impl Robots {
    /// From the site's answer: 2xx is read, 4xx means that there are no rules, 5xx and 429 that nobody knows them and
    /// nothing may be fetched (RFC 9309, section 2.3.1).
    pub fn of(answer: Answer<'_>) -> Self {
        match answer.status {
            200..=299 => {
                let html = matches!(answer.media_type, "text/html" | "application/xhtml+xml");
                if looks_like_html(answer.body) {
                    let kind = if html { "a web page" } else { "HTML" };
                    return Self {
                        warnings: vec![format!(
                            "robots.txt is {kind} and holds no rules: everything taken for allowed"
                        )],
                        ..Self::default()
                    };
                }
                Self::parse(answer.body)
            }
            429 | 500..=599 => Self {
                closed: true,
                warnings: vec![format!(
                    "robots.txt answered {}: the rules are unknown",
                    answer.status
                )],
                ..Self::default()
            },
            404 | 410 => Self::default(),
            status => Self {
                warnings: vec![format!("robots.txt answered {status}: taken for no rules")],
                ..Self::default()
            },
        }
    }

    /// Reads the file.
    pub fn parse(body: &[u8]) -> Self {
        let mut robots = Self::default();
        if body.len() > MOST_BYTES {
            robots.warnings.push(format!(
                "only the first {MOST_BYTES} bytes of robots.txt are read"
            ));
        }
        let text = String::from_utf8_lossy(&body[..body.len().min(MOST_BYTES)]);
        let text = text
            .trim_start_matches('\u{feff}')
            .replace("\r\n", "\n")
            .replace('\r', "\n");
        let mut group: Option<Group> = None;
        for (index, line) in text.split('\n').enumerate() {
            let line = line.split('#').next().unwrap_or_default();
            let Some((key, value)) = line.split_once(':') else {
                continue;
            };
            let value = value.trim();
            match key.trim().to_ascii_lowercase().as_str() {
                "user-agent" | "useragent" | "user agent" => {
                    let begins = group
                        .as_ref()
                        .is_none_or(|group| !group.rules.is_empty() || group.delay.is_some());
                    if begins {
                        robots.groups.extend(group.take());
                        group = Some(Group::default());
                    }
                    if let Some(group) = &mut group {
                        group.agents.push(token(value));
                    }
                }
                key @ ("allow" | "disallow") => {
                    // Rules before any user agent belong to nobody.
                    let Some(group) = &mut group else { continue };
                    group.rules.push(Rule {
                        line: index + 1,
                        allow: key == "allow",
                        written: value.to_owned(),
                        pattern: pattern::normal(value),
                    });
                }
                "crawl-delay" => {
                    let seconds = value
                        .parse::<f64>()
                        .ok()
                        .filter(|seconds| seconds.is_finite() && *seconds >= 0.0);
                    if let (Some(group), Some(seconds)) = (&mut group, seconds) {
                        group.delay = Some(group.delay.map_or(seconds, |known| known.max(seconds)));
                    }
                }
                "sitemap" if !value.is_empty() && robots.sitemaps.len() < 1000 => {
                    robots.sitemaps.push(value.to_owned());
                }
                _ => {}
            }
        }
        robots.groups.extend(group);
        robots
    }

    /// Whether the file could not be had, so that nothing may be fetched.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// The groups for this product token: all of its own, else all of `*`.
    fn groups(&self, agent: &str) -> impl Iterator<Item = &Group> {
        let own = token(agent);
        let named = self.groups.iter().any(|group| group.agents.contains(&own));
        let wanted = if named { own } else { "*".to_owned() };
        self.groups
            .iter()
            .filter(move |group| group.agents.contains(&wanted))
    }

    /// Seconds between two requests that the site asks of this agent.
    pub fn delay(&self, agent: &str) -> Option<f64> {
        self.groups(agent)
            .filter_map(|group| group.delay)
            .reduce(f64::max)
    }

    /// Whether this agent may fetch an address: the longest rule that fits decides, `Allow` among equals.
    pub fn verdict(&self, agent: &str, url: &Url) -> Verdict {
        let path = url.path();
        if path == "/robots.txt" {
            return Verdict {
                allowed: true,
                rule: None,
            };
        }
        if self.closed {
            return Verdict {
                allowed: false,
                rule: None,
            };
        }
        let asked = match url.query() {
            Some(query) => format!("{path}?{query}"),
            None => path.to_owned(),
        };
        let asked = pattern::normal(&asked);
        let fitting = self
            .groups(agent)
            .flat_map(|group| &group.rules)
            .filter(|rule| !rule.pattern.is_empty() && matches(&rule.pattern, &asked));
        let best = fitting.max_by_key(|rule| (rule.pattern.len(), rule.allow, std::cmp::Reverse(rule.line)));
        Verdict {
            allowed: best.is_none_or(|rule| rule.allow),
            rule: best.map(|rule| {
                let kind = if rule.allow { "Allow" } else { "Disallow" };
                format!("line {}: {kind}: {}", rule.line, rule.written)
            }),
        }
    }
}

/// The product token: letters, `_` and `-` up to the first other character, lower case.
fn token(text: &str) -> String {
    if text.starts_with('*') {
        return "*".to_owned();
    }
    let end = text
        .find(|c: char| !(c.is_ascii_alphabetic() || matches!(c, '_' | '-')))
        .unwrap_or(text.len());
    text[..end].to_ascii_lowercase()
}

/// Whether the body begins like a web page.
fn looks_like_html(body: &[u8]) -> bool {
    let head = String::from_utf8_lossy(&body[..body.len().min(2048)]).to_ascii_lowercase();
    let head = head.trim_start_matches('\u{feff}').trim_start();
    head.starts_with('<')
        && [
            "<!doctype",
            "<html",
            "<head",
            "<body",
            "<!--",
            "<title",
            "<script",
            "<meta",
        ]
        .iter()
        .any(|tag| head.contains(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(text: &str, path: &str) -> Verdict {
        let url = Url::parse("https://shop.example").unwrap().join(path).unwrap();
        Robots::parse(text.as_bytes()).verdict("onejob", &url)
    }

    #[test]
    fn the_longest_rule_decides_and_allow_among_equals() {
        let text = "User-agent: *\nDisallow: /a\nAllow: /a/b\nDisallow: /a/b\nDisallow: /x*y$";
        assert!(!verdict(text, "/a").allowed && verdict(text, "/a/b/c").allowed);
        assert_eq!(verdict(text, "/a/b").rule.as_deref(), Some("line 3: Allow: /a/b"));
        assert!(!verdict(text, "/x/1/y").allowed && verdict(text, "/x/1/yz").allowed);
        assert!(verdict(text, "/other").allowed);
    }

    #[test]
    fn own_groups_are_merged_and_replace_those_for_everybody() {
        let text = "User-agent: onejob\rDisallow: /a\r\rUser-agent: *\rDisallow: /\r\rUSER-AGENT: OneJob/3.1 (x)\rDisallow: /b\r";
        assert!(!verdict(text, "/a").allowed && !verdict(text, "/b").allowed && verdict(text, "/c").allowed);
        assert!(!verdict("User-agent: onejobber\nUser-agent: *\nDisallow: /", "/c").allowed);
        assert!(verdict("User-agent: onejobber\nDisallow: /", "/c").allowed);
        assert!(verdict("Disallow: /", "/c").allowed, "a rule of nobody");
        assert!(verdict("User-agent: *\nDisallow:", "/c").allowed);
    }

    #[test]
    fn what_the_site_answers_decides_whether_there_are_rules() {
        let url = Url::parse("https://shop.example/p").unwrap();
        let of = |status, media_type, body: &str| {
            let robots = Robots::of(Answer {
                status,
                media_type,
                body: body.as_bytes(),
            });
            (robots.verdict("onejob", &url).allowed, robots.warnings.len())
        };
        assert_eq!(of(200, "text/plain", "User-agent: *\nDisallow: /"), (false, 0));
        assert_eq!(
            of(200, "text/html", "User-agent: *\nDisallow: /"),
            (false, 0),
            "a wrong type is no page"
        );
        assert_eq!(
            of(200, "text/html", "\n<!doctype html><p>User-agent: *\nDisallow: /"),
            (true, 1)
        );
        assert_eq!(of(404, "text/html", "<html>"), (true, 0));
        assert_eq!(of(403, "", ""), (true, 1));
        assert_eq!(of(503, "", ""), (false, 1));
        assert_eq!(of(429, "", ""), (false, 1));
    }

    #[test]
    fn what_makes_matching_slow_elsewhere_is_quick_here() {
        let rule = format!("/{}b$", "*a".repeat(5_000));
        let text = format!("User-agent: *\nDisallow: {rule}");
        let began = std::time::Instant::now();
        assert!(verdict(&text, &format!("/{}", "a".repeat(50_000))).allowed);
        assert!(began.elapsed() < std::time::Duration::from_secs(2));
    }
}
