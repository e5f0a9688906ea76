//! The report of a run whose files are written by hand.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::path::Path;

use base64::Engine as _;
use testkit::Sandbox;

const BIN: &str = env!("CARGO_BIN_EXE_campaign_report");

/// A page with a green upper half, whose script would make all of it red.
const PAGE: &str = "<!doctype html><title>Spring page</title><style>body{margin:0}\
    div{height:480px;background:#0a0}</style><div></div><script>document.body.style.background=\
    document.querySelector('div').style.background='#f00'</script>";

/// A run of one step that made a page.
fn run_folder(sandbox: &Sandbox) {
    std::fs::create_dir_all(sandbox.path("run/steps/page")).unwrap();
    std::fs::write(sandbox.path("run/steps/page/spring.html"), PAGE).unwrap();
    let run = serde_json::json!({
        "format": "onejob.campaign_run.v1",
        "id": "r1",
        "name": "Spring",
        "objective": "letters <b>again</b>",
        "status": "succeeded",
        "started_at": "2026-03-01T10:00:00Z",
        "steps": [{
            "id": "page",
            "tool": "html_bundler",
            "status": "succeeded",
            "artifacts": [{
                "path": "steps/page/spring.html",
                "role": "page",
                "media_type": "text/html",
                "bytes": PAGE.len(),
                "sha256": app_core::files::sha256(PAGE.as_bytes()),
            }]
        }]
    });
    std::fs::write(sandbox.path("run/run.json"), run.to_string()).unwrap();
}

#[test]
fn a_page_is_shown_as_it_looks_without_its_scripts() {
    let sandbox = Sandbox::new().unwrap();
    run_folder(&sandbox);
    sandbox.run(Path::new(BIN), &["run", "run"]).expect_code(0);
    let report = std::fs::read_to_string(sandbox.path("run/report.html")).unwrap();
    assert!(report.contains("Spring page") && report.contains("letters &lt;b&gt;again&lt;"));
    assert!(!report.contains("<script") && !report.contains(&sandbox.root().display().to_string()));
    // Slashes are escaped in attributes.
    let report = report.replace("&#x2f;", "/").replace("&#x3d;", "=");
    let (_, picture) = report.split_once("<img src=\"data:image/").unwrap();
    let (_, data) = picture.split_once(";base64,").unwrap();
    let data = data.split('"').next().unwrap();
    let bytes = base64::engine::general_purpose::STANDARD.decode(data).unwrap();
    let picture = raster::decode(&bytes, "page", &raster::Limits::default()).unwrap();
    let picture = picture.pixels.into_rgba();
    let (width, height) = (picture.width(), picture.height());
    let at = |x: u32, y: u32| picture.get_pixel(x, y).0;
    let near = |found: [u8; 4], wanted: [u8; 3]| found.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) < 16);
    let (above, below) = (at(width / 2, height / 8), at(width / 2, height - height / 8));
    assert!(near(above, [0, 0xaa, 0]), "{above:?}");
    assert!(near(below, [255, 255, 255]), "{below:?}");
}

#[test]
fn what_is_no_run_is_refused() {
    let sandbox = Sandbox::new().unwrap();
    std::fs::create_dir(sandbox.path("empty")).unwrap();
    let refused = sandbox.run(Path::new(BIN), &["run", "empty"]).expect_code(66);
    assert!(refused.stderr.contains("run.json"), "{}", refused.stderr);
    assert!(!sandbox.path("empty/report.html").exists());
}
