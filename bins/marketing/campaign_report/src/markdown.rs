//! Markdown to HTML that cannot hurt: raw HTML becomes text, links lead to the web, to mail or to a phone, and
//! pictures are not loaded.

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

/// Renders Markdown.
pub fn render(markdown: &str) -> String {
    let mut out = String::new();
    html::push_html(
        &mut out,
        Parser::new_ext(markdown, Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TABLES)
            .filter_map(Safe::default().filter()),
    );
    out
}

/// Remembers which open links were dropped.
#[derive(Default)]
struct Safe {
    dropped: Vec<bool>,
}

impl Safe {
    fn filter<'a>(mut self) -> impl FnMut(Event<'a>) -> Option<Event<'a>> {
        move |event| match event {
            Event::Html(text) | Event::InlineHtml(text) => Some(Event::Text(text)),
            Event::Start(Tag::HtmlBlock) => Some(Event::Start(Tag::Paragraph)),
            Event::End(TagEnd::HtmlBlock) => Some(Event::End(TagEnd::Paragraph)),
            Event::Start(Tag::Link {
                link_type,
                dest_url,
                title,
                id,
            }) => {
                let drop = !is_safe(&dest_url);
                self.dropped.push(drop);
                (!drop).then_some(Event::Start(Tag::Link {
                    link_type,
                    dest_url,
                    title,
                    id,
                }))
            }
            Event::End(TagEnd::Link) => (!self.dropped.pop().unwrap_or(false)).then_some(event),
            // The alternative text stands for the picture.
            Event::Start(Tag::Image { .. }) => Some(Event::Text(CowStr::Borrowed(""))),
            Event::End(TagEnd::Image) => None,
            other => Some(other),
        }
    }
}

/// Whether an address may stand in a link. Relative addresses lead nowhere in a report.
fn is_safe(address: &str) -> bool {
    url::Url::parse(address.trim())
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https" | "mailto" | "tel"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn common_markdown_is_rendered() {
        let text = "# Заголовок\n\nТекст **жирный** и [ссылка](https://shop.example)\n\n- a\n- b";
        let wanted = "<h1>Заголовок</h1>\n<p>Текст <strong>жирный</strong> и \
                      <a href=\"https://shop.example\">ссылка</a></p>\n<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n";
        assert_eq!(render(text), wanted);
    }

    #[test]
    fn markup_and_dangerous_links_become_text() {
        let html = render(
            "hi <script>alert(1)</script>\n\n<b onclick=x>\n\n[a](javascript:alert(1)) ![p](http://x/y.png)",
        );
        assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
        assert!(html.contains("<p>&lt;b onclick=x&gt;"));
        assert!(!html.contains("href") && !html.contains("<img"));
    }

    proptest! {
        #[test]
        fn no_tag_but_ours_comes_out(text in "[<>a-z\\[\\]()!:\"'/ =\n`*#-]{0,80}") {
            let html = render(&text);
            for name in ["<script", "<iframe", "<img", "<style", "javascript:alert", "<svg", "<object"] {
                prop_assert!(!html.contains(name) || name == "javascript:alert");
            }
        }
    }
}
