//! The largest part that differs and hangs together, corners included.

use super::{Area, Mark, Marks, Region};

/// A stretch of different pixels in one row.
#[derive(Clone, Copy)]
struct Run {
    y: u32,
    from: u32,
    to: u32,
}

/// The part with the most pixels; the upper one of two. `None` where nothing differs.
pub fn largest(marks: &Marks) -> Option<Region> {
    let runs = runs(marks);
    let mut parents: Vec<usize> = (0..runs.len()).collect();
    let mut above = 0;
    for (index, run) in runs.iter().enumerate() {
        while above < index
            && (runs[above].y + 1 < run.y || (runs[above].y + 1 == run.y && runs[above].to + 1 < run.from))
        {
            above += 1;
        }
        let mut near = above;
        while near < index && runs[near].y + 1 == run.y && runs[near].from <= run.to + 1 {
            join(&mut parents, near, index);
            near += 1;
        }
    }
    let mut regions: Vec<Option<(Run, Run, u64)>> = vec![None; runs.len()];
    for (index, run) in runs.iter().enumerate() {
        let root = root(&mut parents, index);
        let pixels = u64::from(run.to - run.from + 1);
        let region = regions[root].get_or_insert((*run, *run, 0));
        region.0.from = region.0.from.min(run.from);
        region.1.to = region.1.to.max(run.to);
        region.1.y = run.y;
        region.2 += pixels;
    }
    let found = regions
        .into_iter()
        .flatten()
        .rev()
        .max_by_key(|region| region.2)?;
    let (first, last, pixels) = found;
    Some(Region {
        area: Area {
            x: first.from,
            y: first.y,
            width: last.to - first.from + 1,
            height: last.y - first.y + 1,
        },
        pixels,
    })
}

fn runs(marks: &Marks) -> Vec<Run> {
    let mut runs = Vec::new();
    for (y, row) in marks.rows.chunks(marks.width.max(1) as usize).enumerate() {
        let mut begun = None;
        for (x, mark) in row.iter().enumerate() {
            match (begun, *mark == Mark::Different) {
                (None, true) => begun = Some(x),
                (Some(from), false) => {
                    runs.push(run(y, from, x - 1));
                    begun = None;
                }
                _ => {}
            }
        }
        if let Some(from) = begun {
            runs.push(run(y, from, row.len() - 1));
        }
    }
    runs
}

fn run(y: usize, from: usize, to: usize) -> Run {
    Run {
        y: y as u32,
        from: from as u32,
        to: to as u32,
    }
}

fn root(parents: &mut [usize], mut at: usize) -> usize {
    while parents[at] != at {
        parents[at] = parents[parents[at]];
        at = parents[at];
    }
    at
}

fn join(parents: &mut [usize], one: usize, two: usize) {
    let (one, two) = (root(parents, one), root(parents, two));
    parents[one.max(two)] = one.min(two);
}
