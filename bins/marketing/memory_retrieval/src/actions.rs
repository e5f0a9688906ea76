//! All actions but `store`.

use std::io::Write as _;

use app_core::{Context, ToolError, ToolResult};
use memory::{Condition, Document, GoldQuestion, Memory, Question, Wanted};

use crate::{
    input::{Export, Forget, Gold, List, Match, Retrieve, Verify, conditions, span},
    output::Output,
    storing,
};

pub(crate) fn open(ctx: &Context) -> ToolResult<Memory> {
    Memory::open(ctx.state_dir()?)
}

pub(crate) fn find(input: &Retrieve, memory: &Memory, ctx: &Context) -> ToolResult<Output> {
    if input.query.trim().is_empty() {
        return Err(
            ToolError::invalid("query", "Query is required for 'retrieve' action.").code("query_required"),
        );
    }
    let conditions = conditions(&input.conditions)?;
    let wanted = Wanted {
        collection: &input.collection,
        limit: input.limit as usize,
        conditions: &conditions,
        as_of: span("as_of", input.as_of.as_deref())?,
        explain: input.explain,
    };
    if input.how == Match::Substring {
        let documents = memory.containing(&input.query, &wanted)?;
        let searched = memory.collection(&input.collection)?.documents;
        return Ok(Output::Substring { searched, documents });
    }
    let question = if input.syntax {
        Question::with_syntax(&input.query)?
    } else {
        Question::words(&input.query)?
    };
    if question.left_out() > 0 {
        ctx.warn(format!(
            "the question is long: {} words at its end were not looked for",
            question.left_out()
        ));
    }
    memory.search(&question, &wanted).map(Output::Retrieve)
}

/// Calls `act` with each document of a collection of which all conditions hold.
fn each(
    memory: &Memory,
    collection: &str,
    conditions: &[Condition],
    ctx: &Context,
    mut act: impl FnMut(Document) -> ToolResult<()>,
) -> ToolResult<()> {
    memory.each(collection, |document| {
        ctx.check_cancelled()?;
        if conditions.iter().all(|one| one.holds(&document)) {
            act(document)?;
        }
        Ok(true)
    })
}

pub(crate) fn list(input: &List, memory: &Memory, ctx: &Context) -> ToolResult<Output> {
    let (from, most) = (u64::from(input.offset), input.limit as usize);
    let (mut matching, mut documents) = (0, Vec::new());
    each(
        memory,
        &input.collection,
        &conditions(&input.conditions)?,
        ctx,
        |document| {
            if matching >= from && documents.len() < most {
                documents.push(document);
            }
            matching += 1;
            Ok(())
        },
    )?;
    Ok(Output::List { matching, documents })
}

pub(crate) fn forget(input: Forget, memory: &mut Memory, ctx: &Context) -> ToolResult<Output> {
    if input.ids.is_empty() && input.conditions.is_empty() {
        return Err(ToolError::invalid(
            "ids",
            "name what is to be forgotten: ids, or conditions with `--where`",
        ));
    }
    if !input.ids.is_empty() && !input.conditions.is_empty() {
        return Err(ToolError::invalid("where", "give ids or conditions, not both"));
    }
    let mut ids = Vec::new();
    for id in input.ids {
        let id = id.trim().to_ascii_lowercase();
        memory.get(&input.collection, &id)?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    if !input.conditions.is_empty() {
        each(
            memory,
            &input.collection,
            &conditions(&input.conditions)?,
            ctx,
            |document| {
                ids.push(document.id);
                Ok(())
            },
        )?;
    }
    if ctx.dry_run() {
        for id in &ids {
            ctx.may("forget", &format!("{}/{id}", input.collection), "");
        }
        return Ok(Output::Forget {
            done: false,
            ids,
            proof: None,
        });
    }
    ids.retain(|id| ctx.may("forget", &format!("{}/{id}", input.collection), ""));
    if ids.is_empty() {
        return Ok(Output::Forget {
            done: true,
            ids,
            proof: None,
        });
    }
    let forgotten = memory.forget(&input.collection, &ids)?;
    ctx.count_items(ids.len() as u64);
    Ok(Output::Forget {
        done: true,
        ids: forgotten.ids,
        proof: Some(forgotten.proof),
    })
}

pub(crate) fn export(input: Export, memory: &Memory, ctx: &Context) -> ToolResult<Output> {
    let failed = |e: &std::io::Error| ToolError::file("write", &input.output, e);
    let mut file = std::io::BufWriter::new(ctx.create(&input.output, "application/x-ndjson", "export")?);
    let mut documents = 0;
    each(
        memory,
        &input.collection,
        &conditions(&input.conditions)?,
        ctx,
        |document| {
            let line = serde_json::to_string(&document)
                .map_err(|e| ToolError::internal(format!("a document does not serialise: {e}")))?;
            documents += 1;
            writeln!(file, "{line}").map_err(|e| failed(&e))
        },
    )?;
    file.into_inner().map_err(|e| failed(e.error()))?.commit()?;
    ctx.count_items(documents);
    Ok(Output::Export {
        file: input.output,
        documents,
    })
}

pub(crate) fn reindex(memory: &mut Memory, ctx: &Context) -> ToolResult<Output> {
    let documents = memory
        .collections()?
        .iter()
        .map(|collection| collection.documents)
        .sum();
    if !ctx.may("reindex", "memory.db", "") {
        return Ok(Output::Reindex {
            done: false,
            documents,
        });
    }
    let progress = ctx.progress("reindex", "documents", Some(documents));
    let documents = memory.reindex(|done| {
        progress.set(done);
        ctx.check_cancelled()
    })?;
    progress.finish();
    ctx.count_items(documents);
    Ok(Output::Reindex {
        done: true,
        documents,
    })
}

pub(crate) fn verify(input: &Verify, memory: &mut Memory, ctx: &Context) -> ToolResult<Output> {
    if input.clean && ctx.may("clean", "memory.db", "") {
        memory.clean()?;
    }
    let verified = memory.verify(&input.text)?;
    let found = verified.sought.iter().filter(|sought| sought.found > 0).count();
    let problems = verified.problems.len();
    let output = Output::Verify(verified);
    match (problems, found) {
        (0, 0) => Ok(output),
        (0, _) => {
            Err(ToolError::partial("a text that was looked for is in the file", &output).code("text_found"))
        }
        _ => Err(
            ToolError::partial(format!("{problems} things are wrong with the store"), &output)
                .code("not_in_order"),
        ),
    }
}

pub(crate) fn gold(input: &Gold, ctx: &Context) -> ToolResult<Output> {
    let text = ctx.read(&input.questions, 64 << 20)?;
    let mut questions: Vec<GoldQuestion> = Vec::new();
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let question = serde_json::from_slice(line).map_err(|e| {
            ToolError::invalid(
                "questions",
                format!("`{}` line {}: {e}", input.questions.display(), index + 1),
            )
        })?;
        questions.push(question);
    }
    if questions.is_empty() {
        return Err(ToolError::invalid(
            "questions",
            format!("`{}` has no question", input.questions.display()),
        ));
    }
    let measured = match &input.documents {
        None => open(ctx)?.measure(&input.collection, &questions, input.limit as usize)?,
        Some(path) => {
            let folder =
                tempfile::tempdir().map_err(|e| ToolError::file("make", &std::env::temp_dir(), &e))?;
            let mut memory = Memory::open(folder.path())?;
            storing::fill(&mut memory, path, ctx)?;
            memory.measure(storing::FILLED, &questions, input.limit as usize)?
        }
    };
    let (recall, least) = (measured.recall, input.min_recall.unwrap_or(0.0));
    let output = Output::Gold(measured);
    if recall < least {
        return Err(
            ToolError::partial(format!("recall is {recall:.4}, less than {least}"), &output)
                .code("recall_too_low"),
        );
    }
    Ok(output)
}
