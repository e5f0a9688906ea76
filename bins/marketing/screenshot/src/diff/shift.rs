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

/// Further distances that are tried: those of edges that both pictures have once.
const FAR: usize = 16;

/// Least edges that must be found again.
const LEAST: usize = 2;

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
        let sum = sums.entry(shift.down).or_insert(Shift { rows: 0, ..shift });
        sum.rows = sum.rows.max(shift.rows);
        sum.from_row = sum.from_row.min(shift.from_row);
    }
    sums.into_values()
        .max_by_key(|shift| (shift.rows, -shift.down.abs(), shift.down))
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

/// Compares by edges: places where a row differs from the one above it. What lies between two edges is of one kind and
/// is found everywhere.
fn in_strip(before: &[u64], after: &[u64]) -> Option<Shift> {
    let (here, there) = (edges(before), edges(after));
    // The edge above the first row moves with it.
    let moved: Vec<usize> = (1..here.len())
        .filter(|y| here[*y].is_some() && there.get(*y) != Some(&here[*y]))
        .collect();
    let mut best: Option<(usize, Shift)> = None;
    for down in distances(&here, &there) {
        let place = |y: usize| {
            usize::try_from(y as i64 + down)
                .ok()
                .filter(|at| *at < there.len())
        };
        let inside: Vec<usize> = moved.iter().copied().filter(|y| place(*y).is_some()).collect();
        let found: Vec<usize> = inside
            .iter()
            .copied()
            .filter(|y| place(*y).is_some_and(|at| there[at] == here[*y]))
            .collect();
        let cut = cut_off(before, after, &here, &there, down);
        let (explained, all) = (
            found.len() + usize::from(cut),
            inside.len() + usize::from(cut && down > 0),
        );
        if explained < LEAST || explained * 2 < all {
            continue;
        }
        let rows = (0..before.len())
            .filter(|y| after.get(*y) != Some(&before[*y]))
            .filter(|y| place(*y).is_some_and(|at| after[at] == before[*y]));
        let shift = Shift {
            down: i32::try_from(down).unwrap_or(i32::MAX),
            from_row: found.first().copied().unwrap_or_default() as u32,
            rows: rows.count() as u32,
        };
        let better =
            best.is_none_or(|(count, best)| (explained, -shift.down.abs()) > (count, -best.down.abs()));
        if better {
            best = Some((explained, shift));
        }
    }
    best.map(|(_, shift)| shift)
}

/// Whether what begins in the first row of one picture begins this much lower in the other: its upper edge is that of
/// the picture, so no pair of rows shows it.
fn cut_off(
    before: &[u64],
    after: &[u64],
    here: &[Option<(u64, u64)>],
    there: &[Option<(u64, u64)>],
    down: i64,
) -> bool {
    let (Some(first), Some(other)) = (before.first(), after.first()) else {
        return false;
    };
    let (edges, top) = if down > 0 { (there, first) } else { (here, other) };
    let at = usize::try_from(down.unsigned_abs()).unwrap_or(usize::MAX);
    let begins = edges.get(at).copied().flatten();
    first != other && begins.is_some_and(|(_, below)| below == *top)
}

/// For each row the pair of it and the one above, where they differ.
fn edges(rows: &[u64]) -> Vec<Option<(u64, u64)>> {
    (0..rows.len())
        .map(|y| match y.checked_sub(1) {
            Some(above) if rows[above] != rows[y] => Some((rows[above], rows[y])),
            _ => None,
        })
        .collect()
}

fn distances(before: &[Option<(u64, u64)>], after: &[Option<(u64, u64)>]) -> Vec<i64> {
    let once = |edges: &[Option<(u64, u64)>]| {
        let mut places: HashMap<(u64, u64), Option<usize>> = HashMap::new();
        for (y, row) in edges
            .iter()
            .enumerate()
            .filter_map(|(y, edge)| Some((y, edge.as_ref()?)))
        {
            places
                .entry(*row)
                .and_modify(|place| *place = None)
                .or_insert(Some(y));
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
