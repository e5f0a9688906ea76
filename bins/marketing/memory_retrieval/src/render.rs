//! Results for a person.

use std::fmt;

use app_core::{Paint, View, text::visible_line};
use memory::{Document, Found, Hit, Measured, Proof, Snippet, Verified, text_of};

use crate::{
    input::Input,
    output::{Output, Stored},
};

pub(crate) fn render(output: &Output, view: &View<'_, Input>, out: &mut dyn fmt::Write) -> fmt::Result {
    match output {
        Output::Store(stored) => store(stored, out),
        Output::Retrieve(found) => retrieve(found, view, out),
        Output::Substring { searched, documents } => {
            documents.iter().try_for_each(|one| row(one, view, out))?;
            writeln!(
                out,
                "{} of {}",
                documents.len(),
                counted(*searched as usize, "document")
            )
        }
        Output::List { matching, documents } => {
            documents.iter().try_for_each(|one| row(one, view, out))?;
            writeln!(
                out,
                "{} of {}",
                documents.len(),
                counted(*matching as usize, "document")
            )
        }
        Output::Forget { done, ids, proof } => {
            let verb = if *done { "forgot" } else { "would forget" };
            ids.iter()
                .try_for_each(|id| writeln!(out, "{verb} {}", visible_line(id)))?;
            match proof {
                Some(proof) => writeln!(
                    out,
                    "{}; looked for {} of their text in {} bytes and found none{}",
                    counted(ids.len(), "document"),
                    counted(proof.pieces as usize, "piece"),
                    proof.bytes,
                    not_sought(proof)
                ),
                None => writeln!(out, "{}", counted(ids.len(), "document")),
            }
        }
        Output::Collections { collections } => {
            for collection in collections {
                let name = visible_line(&collection.name);
                writeln!(
                    out,
                    "{:>9} documents  {:>11} terms  {name}",
                    collection.documents, collection.terms
                )?;
            }
            writeln!(out, "{}", counted(collections.len(), "collection"))
        }
        Output::Export { file, documents } => writeln!(
            out,
            "{} in {}",
            counted(*documents as usize, "document"),
            file.display()
        ),
        Output::Reindex { done, documents } => {
            let verb = if *done { "indexed" } else { "would index" };
            writeln!(out, "{verb} {}", counted(*documents as usize, "document"))
        }
        Output::Verify(verified) => verify(verified, view, out),
        Output::Gold(measured) => gold(measured, out),
    }
}

fn store(stored: &Stored, out: &mut dyn fmt::Write) -> fmt::Result {
    let verb = if stored.done { "stored" } else { "would store" };
    for skipped in &stored.skipped {
        writeln!(
            out,
            "not taken: {}: {}",
            visible_line(&skipped.place),
            visible_line(&skipped.reason)
        )?;
    }
    if stored.skipped_total > stored.skipped.len() as u64 {
        writeln!(
            out,
            "not taken: {} more",
            stored.skipped_total - stored.skipped.len() as u64
        )?;
    }
    if let [id] = stored.ids.as_slice() {
        writeln!(out, "{id}")?;
    }
    let name = visible_line(&stored.collection);
    write!(
        out,
        "{verb} {} in {name}, {} known already",
        counted(stored.new as usize, "new document"),
        stored.known
    )?;
    if stored.ignored > 0 {
        write!(out, ", {} files of other kinds passed over", stored.ignored)?;
    }
    writeln!(out)
}

fn retrieve(found: &Found, view: &View<'_, Input>, out: &mut dyn fmt::Write) -> fmt::Result {
    for (rank, hit) in found.hits.iter().enumerate() {
        writeln!(
            out,
            "{:>2}  {:<8} {}",
            rank + 1,
            format!("{:.2}", hit.score),
            head(&hit.document, view)
        )?;
        writeln!(out, "    {}", marked(&hit.snippet, view))?;
        details(hit, out)?;
    }
    for word in &found.unknown {
        writeln!(out, "no document has `{}`", visible_line(word))?;
    }
    let matching = counted(found.matching as usize, "hit");
    let among = counted(found.searched as usize, "document");
    writeln!(out, "{} of {matching} among {among}", found.hits.len())
}

fn details(hit: &Hit, out: &mut dyn fmt::Write) -> fmt::Result {
    if !hit.missing.is_empty() {
        writeln!(out, "    without: {}", visible_line(&hit.missing.join(", ")))?;
    }
    for share in &hit.explain {
        writeln!(
            out,
            "    {:>8.4}  {} ({} here, in {} documents, weight {:.4})",
            share.score,
            visible_line(&share.term),
            share.count,
            share.documents,
            share.weight
        )?;
    }
    Ok(())
}

/// Id, time and origin of a document, in one line.
fn head(document: &Document, view: &View<'_, Input>) -> String {
    let time = document.event_at.map(|at| at.strftime("%Y-%m-%d").to_string());
    let place = document.origin.path.as_ref().or(document.origin.source.as_ref());
    let place = place.map(|place| visible_line(place).into_owned());
    let parts = [time, place].into_iter().flatten();
    let rest = parts.fold(String::new(), |line, part| line + "  " + &part);
    format!("{}{rest}", view.paint(Paint::Dim, &document.id))
}

/// The snippet in one line, with what was found in it in colour.
fn marked(snippet: &Snippet, view: &View<'_, Input>) -> String {
    let chars: Vec<char> = snippet.text.chars().collect();
    let part = |from: usize, to: usize| chars.get(from..to).unwrap_or_default().iter().collect::<String>();
    let plain =
        |text: String| visible_line(&text.split_whitespace().collect::<Vec<_>>().join(" ")).into_owned();
    let spaced = |from: usize, to: usize| {
        // Blanks at the ends keep words apart from what is marked beside them.
        let text = part(from, to);
        let blank = |c: Option<char>| {
            if c.is_some_and(char::is_whitespace) {
                " "
            } else {
                ""
            }
        };
        let inner = plain(text.clone());
        if inner.is_empty() {
            return blank(text.chars().next()).to_owned();
        }
        format!(
            "{}{inner}{}",
            blank(text.chars().next()),
            blank(text.chars().last())
        )
    };
    let mut line = if snippet.offset > 0 {
        "... ".to_owned()
    } else {
        String::new()
    };
    let mut at = 0;
    for (from, to) in &snippet.matches {
        line.push_str(&spaced(at, *from));
        line.push_str(&view.paint(Paint::Bold, &plain(part(*from, *to))));
        at = *to;
    }
    line.push_str(&spaced(at, chars.len()));
    if snippet.more {
        line.push_str(" ...");
    }
    line
}

fn row(document: &Document, view: &View<'_, Input>, out: &mut dyn fmt::Write) -> fmt::Result {
    let text = text_of(&document.document);
    let words: String = text
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .take(100)
        .collect();
    writeln!(out, "{}", head(document, view))?;
    writeln!(out, "    {}", visible_line(&words))
}

fn verify(verified: &Verified, view: &View<'_, Input>, out: &mut dyn fmt::Write) -> fmt::Result {
    for problem in &verified.problems {
        writeln!(
            out,
            "{} {}",
            view.paint(Paint::Red, "wrong:"),
            visible_line(problem)
        )?;
    }
    for sought in &verified.sought {
        writeln!(
            out,
            "`{}` stands {} times in the file",
            visible_line(&sought.text),
            sought.found
        )?;
    }
    writeln!(
        out,
        "{} documents, {} entries of the index, {} bytes: {}",
        verified.documents,
        verified.postings,
        verified.bytes,
        if verified.problems.is_empty() {
            "all in order"
        } else {
            "not in order"
        }
    )
}

fn gold(measured: &Measured, out: &mut dyn fmt::Write) -> fmt::Result {
    for miss in &measured.misses {
        writeln!(
            out,
            "missed: {}: {}",
            visible_line(&miss.question),
            visible_line(&miss.missing.join(", "))
        )?;
    }
    writeln!(
        out,
        "{} questions: recall@{} {:.4}, mean reciprocal rank {:.4}",
        measured.questions, measured.limit, measured.recall, measured.mean_reciprocal_rank
    )
}

/// What of the forgotten was not looked for.
fn not_sought(proof: &Proof) -> String {
    let mut text = String::new();
    for (count, why) in [
        (proof.shared, "stand in other documents too"),
        (proof.left_out, "were too many to look for"),
    ] {
        if count > 0 {
            text.push_str(&format!("; {} {why}", counted(count as usize, "piece")));
        }
    }
    text
}

/// `1 document`, `2 documents`.
fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
