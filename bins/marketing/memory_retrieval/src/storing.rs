//! The action `store`: what is given in the call, and what files hold.

use app_core::{Context, ErrorKind, ToolError, ToolResult};
use memory::{Memory, NewDocument, Origin};
use serde_json::{Map, Value};

use crate::{
    files,
    import::{self, PassedOver},
    input::{Store, span},
    output::{Output, Stored},
};

/// Most ids that are given back.
const IDS: usize = 1_000;

/// Stores what a call gives.
///
/// Fails with kind `partial` when parts of files could not be taken; what could be is stored.
pub(crate) fn run(input: Store, ctx: &Context) -> ToolResult<Output> {
    let given = given(&input)?;
    let mut memory = Memory::open(ctx.state_dir()?)?;
    let mut work = Work {
        memory: &mut memory,
        ctx,
        input: &input,
        stored: Stored::default(),
    };
    work.stored.collection.clone_from(&input.collection);
    work.stored.done = !ctx.dry_run();
    if let Some(document) = given {
        let id = memory::id(&document.document);
        work.store(
            vec![document],
            "store_document",
            &format!("{}/{id}", input.collection),
        )?;
    }
    let mut passed = PassedOver::default();
    let mut listed = Vec::new();
    for path in &input.file {
        listed.extend(files::behind(path, &mut passed, ctx)?);
    }
    let progress = ctx.progress("store", "files", Some(listed.len() as u64));
    for path in &listed {
        work.file(path, &mut passed)?;
        progress.inc(1);
    }
    progress.finish();
    let mut stored = work.stored;
    ctx.count_items(stored.new + stored.known);
    (stored.skipped_total, stored.skipped, stored.ignored) = (passed.total, passed.named, passed.ignored);
    if passed.total == 0 {
        return Ok(Output::Store(stored));
    }
    let message = format!("{} parts of the input were not taken", passed.total);
    Err(ToolError::partial(message, &Output::Store(stored)).code("not_all_taken"))
}

/// The document of the call itself, if it has one.
fn given(input: &Store) -> ToolResult<Option<NewDocument>> {
    let document = match (&input.document, &input.text) {
        (Some(_), Some(_)) => {
            return Err(ToolError::invalid("text", "give `text` or `document`, not both"));
        }
        (Some(document), None) => document.clone(),
        (None, Some(text)) if !text.trim().is_empty() => {
            Map::from_iter([("text".to_owned(), Value::from(text.clone()))])
        }
        _ => Map::new(),
    };
    if document.is_empty() {
        let nothing = input.file.is_empty() || input.document.is_some() || input.text.is_some();
        return if nothing { Err(nothing_given()) } else { Ok(None) };
    }
    let new = NewDocument {
        document,
        metadata: input.known(),
        event_at: span("event_at", input.event_at.as_deref())?.map(|span| span.start),
        origin: Origin {
            source: input.source.clone(),
            message_id: input.message_id.clone(),
            ..Origin::default()
        },
        ..NewDocument::default()
    };
    new.check()?;
    Ok(Some(new))
}

/// In the words of the replaced script.
fn nothing_given() -> ToolError {
    ToolError::invalid("document", "Document is required for 'store' action.")
        .code("document_required")
        .hint("give a text, a `--document` that is not empty, or a `--file`")
}

struct Work<'a> {
    memory: &'a mut Memory,
    ctx: &'a Context,
    input: &'a Store,
    stored: Stored,
}

impl Work<'_> {
    /// Stores documents, or in a dry run tells which of them are there already.
    fn store(&mut self, documents: Vec<NewDocument>, action: &str, target: &str) -> ToolResult<()> {
        let known: Vec<(String, bool)> = if self.ctx.may(action, target, "") {
            let stored = self
                .memory
                .store(&self.input.collection, &documents, self.ctx.now())?;
            stored.into_iter().map(|one| (one.id, !one.new)).collect()
        } else if self.ctx.dry_run() {
            let ids = documents.iter().map(|one| memory::id(&one.document));
            ids.map(|id| Ok((id.clone(), self.memory.contains(&self.input.collection, &id)?)))
                .collect::<ToolResult<_>>()?
        } else {
            return Ok(());
        };
        for (id, known) in known {
            *if known {
                &mut self.stored.known
            } else {
                &mut self.stored.new
            } += 1;
            if self.stored.ids.len() < IDS {
                self.stored.ids.push(id);
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &std::path::Path, passed: &mut PassedOver) -> ToolResult<()> {
        let event_at = span("event_at", self.input.event_at.as_deref())?.map(|span| span.start);
        let known = self.input.known();
        let target = format!("{}/{}", self.input.collection, path.display());
        let (ctx, input) = (self.ctx, self.input);
        let mut asked = false;
        import::read(path, passed, ctx, &mut |documents, passed| {
            ctx.check_cancelled()?;
            let mut fit = Vec::with_capacity(documents.len());
            for mut new in documents {
                if let Err(error) = new.check() {
                    passed.add(new.origin.path.unwrap_or_default(), error.message);
                    continue;
                }
                let own = std::mem::replace(&mut new.metadata, known.clone());
                new.metadata.extend(own);
                new.event_at = new.event_at.or(event_at);
                new.origin.source = new.origin.source.or_else(|| input.source.clone());
                fit.push(new);
            }
            // A file is planned once, however many parts it is stored in.
            if fit.is_empty() && asked {
                return Ok(());
            }
            asked = true;
            self.store(fit, "store_file", &target)
        })
        .map_err(|error| match error.kind {
            ErrorKind::Cancelled => error.hint("what was read so far is stored; the rest is not"),
            _ => error,
        })
    }
}

/// Collection that [`fill`] fills.
pub(crate) const FILLED: &str = "documents";

/// Fills a store of its own with what a file or folder holds. Fails when a part of it cannot be taken: a measurement on
/// other documents than those that were named would say nothing.
pub(crate) fn fill(memory: &mut Memory, path: &std::path::Path, ctx: &Context) -> ToolResult<()> {
    let mut passed = PassedOver::default();
    for file in files::behind(path, &mut passed, ctx)? {
        import::read(&file, &mut passed, ctx, &mut |documents, _| {
            ctx.check_cancelled()?;
            memory.store(FILLED, &documents, ctx.now()).map(drop)
        })?;
    }
    match passed.named.first() {
        None => Ok(()),
        Some(first) => Err(ToolError::invalid(
            "documents",
            format!("`{}` {}", first.place, first.reason),
        )),
    }
}
