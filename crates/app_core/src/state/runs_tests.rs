//! Pages, sums, fallbacks, and a log of the first version.

use super::*;

fn sample() -> NewRun<'static> {
    NewRun {
        run_id: "r",
        tool: "t",
        version: "0.1.0",
        input_hash: "h",
        pid: 7,
        planned: false,
        fallback: None,
    }
}

#[test]
fn a_log_of_the_first_version_opens_and_its_runs_were_no_fallbacks() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("runs.sqlite3");
    let old = open(&path, &MIGRATIONS[..1]).unwrap();
    old.execute_batch(
        "INSERT INTO runs (run_id, tool, version, input_hash, pid, planned, started_at) VALUES ('r0', 't', '0', 'h', 1, 0, 5)",
    )
    .unwrap();
    drop(old);
    let runs = Runs::open(dir.path()).unwrap();
    runs.start(&sample(), Timestamp::UNIX_EPOCH).unwrap();
    let filter = RunFilter {
        limit: 9,
        ..RunFilter::default()
    };
    let listed = runs.list(&filter).unwrap();
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().all(|run| run.fallback.is_none()));
    assert_eq!(runs.fallbacks().unwrap(), []);
}

#[test]
fn runs_are_listed_newest_first_by_page_and_summed() {
    let dir = tempfile::tempdir().unwrap();
    let runs = Runs::open(dir.path()).unwrap();
    let at: Timestamp = "2025-03-04T05:06:07Z".parse().unwrap();
    for n in 0..5 {
        let id = format!("r{n}");
        let run = NewRun {
            run_id: &id,
            fallback: (n > 2).then_some("switched"),
            ..sample()
        };
        runs.start(&run, at).unwrap();
        let error = (n == 3).then_some(("timeout", "timeout"));
        let exit = if n == 3 { 75 } else { 0 };
        runs.finish(
            &id,
            exit,
            error,
            Usd::from_cents(1),
            (2, 10),
            at + jiff::SignedDuration::from_millis(500),
        )
        .unwrap();
    }
    let page = runs
        .list(&RunFilter {
            limit: 2,
            ..RunFilter::default()
        })
        .unwrap();
    assert_eq!(
        page.iter().map(|r| r.run_id.as_str()).collect::<Vec<_>>(),
        ["r4", "r3"]
    );
    let next = runs
        .list(&RunFilter {
            limit: 2,
            before: Some(page[1].seq),
            ..RunFilter::default()
        })
        .unwrap();
    assert_eq!(next[0].run_id, "r2");
    let failed = runs
        .list(&RunFilter {
            failed: true,
            limit: 9,
            ..RunFilter::default()
        })
        .unwrap();
    assert_eq!(failed.len(), 1);
    let totals = runs.totals("t").unwrap();
    assert_eq!(
        totals.by_result,
        [("ok".to_owned(), 4), ("timeout".to_owned(), 1)]
    );
    assert_eq!(
        (totals.items, totals.bytes, totals.cost),
        (10, 50, Usd::from_cents(5))
    );
    assert_eq!(page[0].fallback.as_deref(), Some("switched"));
    assert_eq!(totals.fallbacks, runs.fallbacks().unwrap());
    assert_eq!((totals.fallbacks.len(), totals.fallbacks[0].runs), (1, 2));
}
