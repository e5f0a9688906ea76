//! Whether a part of a picture has only moved up or down. A shift of a few pixels changes little of a page by count,
//! and everything to the eye.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use raster::RgbaImage;

use super::Shift;

/// Parts side by side that are looked at by themselves: one column may move alone.
const STRIPS: u32 = 8;

/// Distances that are tried in any case.
const NEAR: i64 = 64;

/// Further distances that are tried: those of rows that both pictures have once.
const FAR: usize = 16;

/// Least rows with something in them that must be found again.
const LEAST: u32 = 4;

/// The shift that explains most of what differs, and at least half of it; `None` where there is none.
pub fn find(before: &RgbaImage, after: &RgbaImage) -> Option<Shift> {
    let strips = STRIPS.min(before.width().min(after.width()));
    let found = (0..strips).filter_map(|strip| {
        let width = before.width().min(after.width());
        let (from, to) = (width * strip / strips, width * (strip + 1) / strips);
        in_strip(&rows(before, from, to), &rows(after, from, to))
    });
    // The same distance in several strips is one shift.
    let mut sums: HashMap<i32, Shift> = HashMap::new();
    for shift in found {
        let sum = sums.entry(shift.down).or_insert(Shift {
            rows: 0,
            ..shift
        });
        sum.rows = sum.rows.max(shift.rows);
        sum.from_row = sum.from_row.min(shift.from_row);
    }
    sums.into_values().max_by_key(|shift| (shift.rows, -shift.down.abs(), shift.down))
}

fn rows(image: &RgbaImage, from: u32, to: u32) -> Vec<u64> {
    let bytes = image.as_raw();
    let width = image.width() as usize * 4;
    bytes
        .chunks_exact(width)
        .map(|row| {
            let mut hasher = DefaultHasher::new();
            row[from as usize * 4..to as usize * 4].hash(&mut hasher);
            hasher.finish()
        })
        .collect()
}

/// Compares by rows, each a number.
fn in_strip(before: &[u64], after: &[u64]) -> Option<Shift> {
    let shared = before.len().min(after.len());
    let moved: Vec<usize> = (0..before.len())
        .filter(|y| after.get(*y) != Some(&before[*y]))
        .collect();
    // Rows within what differs, so that a row that merely ends earlier does not count.
    let looked_at: Vec<usize> = moved.iter().copied().filter(|y| *y < shared).collect();
    let mut best: Option<Shift> = None;
    for down in distances(before, after) {
        let (mut count, mut telling, mut first) = (0_u32, 0_u32, None);
        for &y in &moved {
            let there = usize::try_from(y as i64 + down).ok().and_then(|at| after.get(at));
            if there != Some(&before[y]) {
                continue;
            }
            count += 1;
            // Rows in the middle of one colour are found everywhere.
            if y == 0 || before[y - 1] != before[y] {
                telling += 1;
                first.get_or_insert(y);
            }
        }
        let explained = looked_at.iter().filter(|&&y| {
            usize::try_from(y as i64 + down).ok().and_then(|at| after.get(at)) == Some(&before[y])
        });
        let half = explained.count() * 2 >= looked_at.len();
        if telling < 1 || count < LEAST || !half {
            continue;
        }
        let shift = Shift {
            down: i32::try_from(down).unwrap_or(i32::MAX),
            from_row: first.unwrap_or(0) as u32,
            rows: count,
        };
        let better = best.is_none_or(|best| {
            (shift.rows, -shift.down.abs()) > (best.rows, -best.down.abs())
        });
        if better {
            best = Some(shift);
        }
    }
    best
}

fn distances(before: &[u64], after: &[u64]) -> Vec<i64> {
    let once = |rows: &[u64]| {
        let mut places: HashMap<u64, Option<usize>> = HashMap::new();
        for (y, row) in rows.iter().enumerate() {
            places.entry(*row).and_modify(|place| *place = None).or_insert(Some(y));
        }
        places
    };
    let (there, mut votes) = (once(after), HashMap::<i64, u32>::new());
    for (row, place) in once(before) {
        if let (Some(y), Some(Some(moved))) = (place, there.get(&row)) {
            *votes.entry(*moved as i64 - y as i64).or_default() += 1;
        }
    }
    let mut voted: Vec<(i64, u32)> = votes.into_iter().filter(|(down, _)| *down != 0).collect();
    voted.sort_by_key(|(down, count)| (std::cmp::Reverse(*count), down.abs(), *down));
    let near = (1..=NEAR).flat_map(|down| [down, -down]);
    let mut all: Vec<i64> = voted.into_iter().take(FAR).map(|(down, _)| down).collect();
    all.extend(near);
    all.dedup();
    all
}
