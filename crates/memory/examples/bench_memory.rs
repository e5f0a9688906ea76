//! Measures the store beside plain FTS5 on the same texts: `cargo run --release -p memory --example bench_memory [DIR]`.
//!
//! 100,000 documents of 60 words, the words as frequent as in real texts (Zipf). The peer is an FTS5 table as it is usually
//! made, asked with `OR` and `ORDER BY rank`. `DIR` keeps the store for further use.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use app_core::{ToolError, ToolResult};
use jiff::Timestamp;
use memory::{Memory, NewDocument, Question, Wanted};
use rusqlite::Connection;
use serde_json::{Map, Value};

const DOCUMENTS: usize = 100_000;
const WORDS: usize = 60;
const VOCABULARY: usize = 40_000;
/// Documents a transaction, on both sides.
const BATCH: usize = 1_000;
/// Questions of each kind.
const QUESTIONS: usize = 200;

fn main() -> std::process::ExitCode {
    let dir = std::env::args_os().nth(1).map(PathBuf::from);
    let (text, code) = match measure(dir) {
        Ok(text) => (text, 0),
        Err(error) => (format!("{error}\n"), error.kind.exit_code()),
    };
    #[expect(
        clippy::disallowed_methods,
        reason = "a program of the tests, without the harness"
    )]
    let mut out = std::io::stdout();
    drop(std::io::Write::write_all(&mut out, text.as_bytes()));
    std::process::ExitCode::from(code)
}

/// SplitMix64, so that every run measures the same.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A rank from 0, rank `r` as often as `1 / (r + 1)`: the continuous form of Zipf's law.
    fn rank(&mut self) -> usize {
        (((VOCABULARY as f64).ln() * self.fraction()).exp() as usize).min(VOCABULARY) - 1
    }
}

/// Words without endings that a stemmer would take, frequent ones short.
fn vocabulary() -> Vec<String> {
    let mut random = Random(7);
    let syllables = [
        "ka", "lo", "mi", "ru", "te", "vo", "na", "pi", "go", "du", "ba", "xo",
    ];
    (0..VOCABULARY)
        .map(|rank| {
            let length = 1 + (rank + 2).ilog(9) as usize;
            let mut word: String = (0..length)
                .map(|_| syllables[random.next() as usize % syllables.len()])
                .collect();
            // Different for every rank.
            let mut rest = rank;
            while rest > 0 {
                word.push(char::from(b'a' + (rest % 26) as u8));
                rest /= 26;
            }
            word + "k"
        })
        .collect()
}

fn measure(dir: Option<PathBuf>) -> ToolResult<String> {
    let io = |e: std::io::Error| ToolError::internal(e.to_string());
    let sql = |e: rusqlite::Error| ToolError::internal(e.to_string());
    let temporary = tempfile::tempdir().map_err(io)?;
    let dir = dir.unwrap_or_else(|| temporary.path().join("state"));
    let words = vocabulary();
    let mut random = Random(1);
    let texts: Vec<String> = (0..DOCUMENTS)
        .map(|_| {
            (0..WORDS)
                .map(|_| words[random.rank()].as_str())
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect();
    let bytes: usize = texts.iter().map(String::len).sum();
    let mut report = format!(
        "memory: {DOCUMENTS} documents of {WORDS} words, {:.1} MB of text\n",
        bytes as f64 / 1e6
    );

    let mut memory = Memory::open(&dir)?;
    let begun = Instant::now();
    for part in texts.chunks(BATCH) {
        let documents: Vec<NewDocument> = part.iter().map(|text| document(text)).collect();
        memory.store("bench", &documents, Timestamp::UNIX_EPOCH)?;
    }
    let ours = begun.elapsed();
    drop(memory);
    let memory = Memory::open(&dir)?;

    let peer_path = temporary.path().join("plain.db");
    let peer = Connection::open(&peer_path).map_err(sql)?;
    let setup = "PRAGMA journal_mode = wal; PRAGMA synchronous = normal; CREATE VIRTUAL TABLE plain USING fts5(text);";
    peer.execute_batch(setup).map_err(sql)?;
    let begun = Instant::now();
    for part in texts.chunks(BATCH) {
        peer.execute_batch("BEGIN").map_err(sql)?;
        let mut insert = peer
            .prepare_cached("INSERT INTO plain VALUES (?1)")
            .map_err(sql)?;
        for text in part {
            insert.execute([text]).map_err(sql)?;
        }
        drop(insert);
        peer.execute_batch("COMMIT").map_err(sql)?;
    }
    let theirs = begun.elapsed();
    peer.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
        .map_err(sql)?;

    let rate = |took: Duration| DOCUMENTS as f64 / took.as_secs_f64();
    let _ = writeln!(
        report,
        "  store     {:>9.0}/s        plain FTS5 {:>9.0}/s        bar 2000/s",
        rate(ours),
        rate(theirs)
    );
    let size = |path: &Path| {
        std::fs::metadata(path)
            .map(|file| file.len() as f64 / bytes as f64)
            .map_err(io)
    };
    let (ours, theirs) = (size(&dir.join("memory.db"))?, size(&peer_path)?);
    let _ = writeln!(
        report,
        "  file      {ours:>9.2} x text   plain FTS5 {theirs:>9.2} x text   bar 2.5 x"
    );
    for (kind, ranks) in [
        ("3 words", vec![20..400, 200..4_000, 2_000..20_000]),
        (
            "5 words",
            vec![5..100, 20..400, 100..2_000, 200..4_000, 2_000..20_000],
        ),
        ("2 frequent words", vec![0..20, 0..20]),
        ("5 frequent words", vec![0..50; 5]),
    ] {
        let (mut mine, mut plain) = (Vec::new(), Vec::new());
        for _ in 0..QUESTIONS {
            let asked: Vec<&str> = ranks
                .iter()
                .map(|ranks| words[ranks.start + random.next() as usize % ranks.len()].as_str())
                .collect();
            let begun = Instant::now();
            let wanted = Wanted {
                collection: "bench",
                limit: 10,
                conditions: &[],
                as_of: None,
                explain: false,
            };
            let found = memory.search(&Question::words(&asked.join(" "))?, &wanted)?;
            mine.push(begun.elapsed());
            if found.hits.is_empty() {
                return Err(ToolError::internal(format!(
                    "`{}` found nothing",
                    asked.join(" ")
                )));
            }
            let query = asked
                .iter()
                .map(|word| format!("\"{word}\""))
                .collect::<Vec<_>>()
                .join(" OR ");
            let begun = Instant::now();
            let mut select = peer
                .prepare_cached("SELECT rowid, text FROM plain WHERE plain MATCH ?1 ORDER BY rank LIMIT 10")
                .map_err(sql)?;
            let rows = select
                .query_map([query], |row| row.get::<_, String>(1))
                .map_err(sql)?;
            let rows: Vec<String> = rows.collect::<Result<_, _>>().map_err(sql)?;
            plain.push(begun.elapsed());
            drop(rows);
        }
        let _ = writeln!(
            report,
            "  p95       {:>9.2} ms       plain FTS5 {:>9.2} ms       bar 20 ms   {kind}",
            p95(&mut mine),
            p95(&mut plain)
        );
    }
    let _ = writeln!(report, "  question  {} {}", words[0], words[1]);
    Ok(report)
}

fn document(text: &str) -> NewDocument {
    NewDocument {
        document: Map::from_iter([("text".to_owned(), Value::from(text))]),
        ..NewDocument::default()
    }
}

/// Milliseconds below which 95 of 100 lie.
fn p95(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    times
        .get(times.len() * 95 / 100)
        .map_or(0.0, |time| time.as_secs_f64() * 1000.0)
}
