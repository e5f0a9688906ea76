//! The program from outside: pages on loopback in, pictures out, taken by a real Chromium.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod diff;
mod field;
mod guard;
mod many;
mod options;
mod refused;
mod stopped;

use std::{collections::BTreeMap, path::Path};

use image::{Rgba, RgbaImage};
use serde_json::Value;
use testkit::{Finished, Reply, Route, Sandbox, Site};

/// A place from which pages of loopback may be shown.
fn sandbox() -> Sandbox {
    Sandbox::new().unwrap().env("ONEJOB_ALLOW_PRIVATE", "1")
}

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_screenshot"))
}

fn run(sandbox: &Sandbox, args: &[&str]) -> Finished {
    sandbox.run(program(), args)
}

fn picture(sandbox: &Sandbox, name: &str) -> RgbaImage {
    let mut reader = image::ImageReader::open(sandbox.path(name)).unwrap();
    reader.no_limits();
    reader.decode().unwrap().into_rgba8()
}

/// The report beside a picture.
fn beside(sandbox: &Sandbox, name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(sandbox.path(name)).unwrap()).unwrap()
}

#[track_caller]
fn colour(image: &RgbaImage, x: u32, y: u32, wanted: [u8; 3]) {
    let [r, g, b] = wanted;
    assert_eq!(*image.get_pixel(x, y), Rgba([r, g, b, 255]), "at {x},{y}");
}

/// A page at `/`.
fn page(html: &str) -> Route {
    Route::text("/", "text/html; charset=utf-8", html)
}

/// A picture of one colour that takes a while.
fn coloured(path: &str, colour: &str, delay_s: f64) -> Route {
    let svg = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' width='200' height='200'><rect width='200' height='200' fill='{colour}'/></svg>"
    );
    slow(Route::text(path, "image/svg+xml", &svg), delay_s)
}

fn slow(mut route: Route, delay_s: f64) -> Route {
    route.responses[0].delay_s = delay_s;
    route
}

fn redirect(path: &str, to: &str) -> Route {
    let mut route = Route::status(path, 302);
    route.responses = vec![Reply {
        status: Some(302),
        headers: BTreeMap::from([("location".to_owned(), to.to_owned())]),
        ..Reply::default()
    }];
    route
}

/// Nothing of a browser is left: no folder, no process.
#[track_caller]
fn nothing_left(sandbox: &Sandbox) {
    let folder = sandbox.root().join("tmp");
    let left: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    assert!(left.is_empty(), "{left:?}");
    let alive = processes(&folder);
    assert!(alive.is_empty(), "{alive:?}");
    let home: Vec<_> = std::fs::read_dir(sandbox.root().join("home"))
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    assert!(home.is_empty(), "{home:?}");
}

/// Command lines that name a folder.
fn processes(folder: &Path) -> Vec<String> {
    let wanted = folder.display().to_string();
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    entries
        .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains("--user-data-dir") && line.contains(&wanted))
        .collect()
}

/// A site with the page of a field case at `/`.
fn field_site(html: &str, mut further: Vec<Route>) -> Site {
    further.push(page(html));
    Site::routes(further).unwrap()
}
