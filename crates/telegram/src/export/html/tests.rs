//! Whole pages, looked at as text.

use super::*;
use crate::export::{Format, samples};

fn page() -> String {
    let mut renderer = Format::Html.renderer(Options::default());
    let mut out = Vec::new();
    let all = samples::conversation();
    renderer.begin(&mut out, &samples::header(all.len())).unwrap();
    for (message, attachment) in &all {
        renderer.message(&mut out, message, attachment.as_ref()).unwrap();
    }
    renderer.end(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn every_message_has_its_anchor_and_elements_are_balanced() {
    let page = page();
    for id in 1..=28 {
        assert_eq!(page.matches(&format!("id=\"m{id}\"")).count(), 1, "message {id}");
    }
    for tag in ["div", "a", "b", "span", "pre", "blockquote", "small", "i"] {
        let opened = page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "<{tag}>");
    }
}

#[test]
fn texts_are_escaped_and_replies_lead_to_what_they_answer() {
    let page = page();
    assert!(page.contains("с &lt;b&gt;тегами&lt;/b&gt; &amp; амперсандом"));
    assert!(page.contains("walk &lt;1&gt;.mp4"));
    assert!(page.contains("<a class=\"reply\" href=\"#m2\"><b dir=\"auto\">Alice Doe</b><span dir=\"auto\">Welcome everybody</span></a>"));
    assert!(page.contains("<span class=\"mine\">🔥 2</span>"));
    assert!(page.contains("pinned <a href=\"#m2\""));
    assert_eq!(
        page.matches("secret").count(),
        1,
        "a quotation does not give a spoiler away"
    );
}

#[test]
fn an_album_is_one_bubble_and_dates_part_the_days() {
    let page = page();
    assert_eq!(page.matches("class=\"album\"").count(), 1);
    assert_eq!(page.matches("class=\"day\"").count(), 2);
    assert!(page.contains("<span>2 January 2025</span>") && page.contains("<span>5 January 2025</span>"));
}

#[test]
fn an_album_at_the_very_end_is_not_lost() {
    let photo = |id| Message {
        grouped_id: Some(5),
        ..samples::photo(id, "")
    };
    let page = samples::rendered(Format::Html, &samples::header(2), &[photo(1), photo(2)]);
    assert!(page.contains("id=\"m1\"") && page.contains("id=\"m2\"") && page.ends_with("</html>\n"));
}

#[test]
fn stored_files_are_linked_by_encoded_paths() {
    let stored = Attachment::Stored {
        path: "файлы/a \"b\".jpg".to_owned(),
        thumbnail: None,
    };
    let mut renderer = Format::Html.renderer(Options::default());
    let mut out = Vec::new();
    renderer.begin(&mut out, &samples::header(1)).unwrap();
    renderer
        .message(&mut out, &samples::photo(1, ""), Some(&stored))
        .unwrap();
    renderer.end(&mut out).unwrap();
    let page = String::from_utf8(out).unwrap();
    assert!(page.contains("href=\"%D1%84%D0%B0%D0%B9%D0%BB%D1%8B/a%20%22b%22.jpg\""));
}
