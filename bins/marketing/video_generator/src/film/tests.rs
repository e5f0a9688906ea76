//! Motion, measured on the drawn frames.

use std::path::Path;

use image::{Rgb, RgbImage};

use super::*;
use crate::spec::Spec;

fn film(dir: &Path, spec: &str) -> (Film, u64) {
    let ctx = Context::detached(app_core::definition!("marketing"), dir).unwrap();
    let spec = Spec::parse(spec.as_bytes().to_vec(), "test").unwrap();
    let project = Project::gather(spec, dir, true, &ctx).unwrap();
    let frames = project.timeline.frames;
    (Film::new(Arc::new(project), ctx), frames)
}

/// A white disc with soft edges on black, where a camera path can be read off.
fn disc(dir: &Path, width: u32, height: u32, centre: (f64, f64)) {
    let picture = RgbImage::from_fn(width, height, |x, y| {
        let (dx, dy) = (f64::from(x) + 0.5 - centre.0, f64::from(y) + 0.5 - centre.1);
        let level = ((20.0 - dx.hypot(dy) + 0.5).clamp(0.0, 1.0) * 255.0).round() as u8;
        Rgb([level; 3])
    });
    picture.save(dir.join("disc.png")).unwrap();
}

/// Centre of the light.
fn centre(frame: &[u8], width: usize) -> (f64, f64) {
    let (mut sum, mut across, mut down) = (0.0, 0.0, 0.0);
    for (index, pixel) in frame.chunks_exact(3).enumerate() {
        let level = f64::from(pixel[1]);
        sum += level;
        across += level * ((index % width) as f64 + 0.5);
        down += level * ((index / width) as f64 + 0.5);
    }
    (across / sum, down / sum)
}

/// Root mean square of the distance from the cubic through the path with the least squares.
fn roughness(path: &[f64]) -> f64 {
    let n = path.len();
    let at = |i: usize| i as f64 / (n - 1) as f64 * 2.0 - 1.0;
    let mut rows = [[0.0f64; 5]; 4];
    for (i, value) in path.iter().enumerate() {
        let powers = [1.0, at(i), at(i).powi(2), at(i).powi(3)];
        for (r, row) in rows.iter_mut().enumerate() {
            for c in 0..4 {
                row[c] += powers[r] * powers[c];
            }
            row[4] += powers[r] * value;
        }
    }
    for pivot in 0..4 {
        for r in 0..4 {
            if r != pivot {
                let factor = rows[r][pivot] / rows[pivot][pivot];
                let from = rows[pivot];
                rows[r]
                    .iter_mut()
                    .zip(from)
                    .for_each(|(to, from)| *to -= factor * from);
            }
        }
    }
    let fitted = |i: usize| {
        (0..4)
            .map(|k| rows[k][4] / rows[k][k] * at(i).powi(k as i32))
            .sum::<f64>()
    };
    let squares: f64 = path
        .iter()
        .enumerate()
        .map(|(i, v)| (v - fitted(i)).powi(2))
        .sum();
    (squares / n as f64).sqrt()
}

#[test]
fn motion_is_smooth_and_never_goes_backwards() {
    for (motion, picture, at) in [
        ("zoom_in", (1600, 900), (1250.0, 610.0)),
        ("zoom_out", (1600, 900), (1250.0, 610.0)),
        ("pan_right", (1700, 900), (830.0, 450.0)),
        ("pan_up", (900, 560), (450.0, 270.0)),
    ] {
        let dir = tempfile::tempdir().unwrap();
        disc(dir.path(), picture.0, picture.1, at);
        let spec = format!(
            "size: 640x360\nfps: 30\nscenes: [{{image: disc.png, duration: 5, motion: {motion}, zoom: 1.12}}]"
        );
        let (mut film, frames) = film(dir.path(), &spec);
        assert_eq!(frames, 150);
        let path: Vec<(f64, f64)> = film
            .draw(0..frames)
            .unwrap()
            .iter()
            .map(|frame| centre(frame, 640))
            .collect();
        for (axis, values) in [
            ("x", path.iter().map(|p| p.0).collect::<Vec<_>>()),
            ("y", path.iter().map(|p| p.1).collect()),
        ] {
            let moved = values[149] - values[0];
            let rms = roughness(&values);
            assert!(rms <= 0.05, "{motion} {axis}: {rms:.4} px rms");
            if moved.abs() > 2.0 {
                let back = values.windows(2).filter(|p| (p[1] - p[0]) * moved <= 0.0).count();
                assert_eq!(back, 0, "{motion} {axis}: {back} steps back or not at all");
            }
        }
        let moved = (path[149].0 - path[0].0).hypot(path[149].1 - path[0].1);
        assert!(moved > 10.0, "{motion} moved the disc by {moved:.1} pixels only");
    }
}

#[test]
fn frames_are_the_same_whatever_is_drawn_together() {
    let dir = tempfile::tempdir().unwrap();
    disc(dir.path(), 300, 200, (100.0, 100.0));
    let spec = "size: 64x36\nfps: 10\nscenes:\n- {image: disc.png, duration: 1, motion: zoom_in}\n\
                - {color: '#c00000', duration: 1, transition: crossfade, transition_s: 0.3, caption: Hi}\n\
                - {card: {title: End}, duration: 0.5, transition: wipe, transition_s: 0.2}";
    let (mut all, frames) = film(dir.path(), spec);
    assert_eq!(frames, 10 + 10 + 5 - 3 - 2);
    let together = all.draw(0..frames).unwrap();
    let (mut single, _) = film(dir.path(), spec);
    for frame in (0..frames).rev() {
        let alone = single.draw(frame..frame + 1).unwrap();
        assert_eq!(alone[0], together[frame as usize], "frame {frame}");
        // Two scenes at most are kept.
        assert!(single.shots.len() <= 2);
    }
}

#[test]
fn a_crossfade_goes_from_one_to_the_other_in_equal_steps() {
    let dir = tempfile::tempdir().unwrap();
    let spec = "size: 16x16\nfps: 10\nscenes:\n- {color: '#000', duration: 0.5}\n\
                - {color: '#c8c8c8', duration: 0.6, transition: fade, transition_s: 0.3}";
    let (mut film, frames) = film(dir.path(), spec);
    let levels: Vec<u8> = film
        .draw(0..frames)
        .unwrap()
        .iter()
        .map(|frame| frame[0])
        .collect();
    assert_eq!(levels, [0, 0, 50, 100, 150, 200, 200, 200]);
}
