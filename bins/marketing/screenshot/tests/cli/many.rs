//! Many shots of a file, and the check against earlier ones.

use testkit::{Reply, Sandbox, Site};

use crate::{page, picture, run, sandbox};

fn square(colour: &str, top: u32) -> String {
    format!(
        "<body style='margin:0'><div style='margin-top:{top}px;border-top:1px solid #fff0;width:80px;height:80px;background:{colour}'></div>"
    )
}

fn listed(sandbox: &Sandbox, site: &Site) {
    let yaml = format!(
        "defaults: {{width: 400, height: 300}}\nshots:\n\
         - {{url: '{0}/', output: a.png}}\n\
         - {{url: '{0}/missing', output: b.png}}\n\
         - {{url: '{0}/', output: c.png, selector: div}}\n\
         - {{url: '{0}/', output: d.png, selector: '#none'}}\n",
        site.url()
    );
    sandbox.file("shots.yml", yaml);
}

#[test]
fn one_failure_does_not_stop_the_others() {
    let site = Site::routes(vec![page(&square("#f00", 0))]).unwrap();
    let sandbox = sandbox();
    listed(&sandbox, &site);
    let run = run(
        &sandbox,
        &["run", "shots.yml", "--parallel", "3", "-o", "out", "--json"],
    )
    .expect_code(3);
    let told = &run.json();
    assert_eq!(
        (&told["taken"], &told["failed"]),
        (&3.into(), &2.into()),
        "{told}"
    );
    let codes: Vec<_> = told["shots"]
        .as_array()
        .unwrap()
        .iter()
        .map(|shot| shot["code"].as_str().unwrap_or(""))
        .collect();
    assert_eq!(codes, ["", "http_404", "", "no_match"]);
    assert_eq!(picture(&sandbox, "out/a.png").dimensions(), (400, 300));
    assert_eq!(picture(&sandbox, "out/c.png").dimensions(), (80, 81));
}

#[test]
fn a_wrong_file_is_refused_with_all_that_is_wrong() {
    let sandbox = sandbox();
    let refused = |yaml: &str, why: &[&str]| {
        sandbox.file("shots.yml", yaml);
        let run = run(&sandbox, &["run", "shots.yml"]).expect_code(2);
        for why in why {
            assert!(run.stderr.contains(why), "{why}: {}", run.stderr);
        }
    };
    refused("shots: []", &["lists 0 shots"]);
    refused("shot: 1", &["shot"]);
    refused(
        "defaults: {widht: 3}\nshots: [{url: 'http://a.example/', output: a.png}, {url: x, output: b.png, width: 400}]",
        &["shots[0].widht", "shots[1]"],
    );
    refused(
        "shots: [{url: 'http://a.example/', output: ../a.png}]",
        &["shots[0].output"],
    );
    refused(
        "shots: [{url: 'http://a.example/', output: a.png, quality: 500}]",
        &["shots[0].quality"],
    );
    refused(
        "shots: [{url: 'http://a.example/', output: a.png}, {url: 'http://a.example/', output: a.jpg}]",
        &["shots[1].output", "another shot"],
    );
}

#[test]
fn a_check_finds_what_changed_and_takes_it_over_when_told_to() {
    let mut route = page(&square("#f00", 0));
    let text = |html: &str| Reply {
        body_text: Some(html.to_owned()),
        ..route.responses[0].clone()
    };
    // Four visits see it as it was, the later ones moved down.
    let (before, after) = (text(&square("#f00", 0)), text(&square("#f00", 4)));
    route.responses = vec![before.clone(), before, after];
    let site = Site::routes(vec![route]).unwrap();
    let sandbox = sandbox();
    sandbox.file(
        "shots.yml",
        format!(
            "shots: [{{url: '{}/', output: a.png, width: 200, height: 200}}]",
            site.url()
        ),
    );
    let check = |more: &[&str], code: i32| {
        let args = [
            &["check", "shots.yml", "--baseline", "kept", "-o", "now", "--json"],
            more,
        ]
        .concat();
        run(&sandbox, &args).expect_code(code).json()
    };
    let missing = run(&sandbox, &["check", "shots.yml", "--baseline", "kept"]).expect_code(66);
    assert!(missing.stderr.contains("--update"), "{}", missing.stderr);
    let first = check(&["--update"], 0);
    assert_eq!(
        (&first["new"], &first["updated"]),
        (&1.into(), &1.into()),
        "{first}"
    );
    let again = check(&[], 0);
    assert_eq!(again["same"], 1, "{again}");
    let kept = std::fs::read(sandbox.path("kept/a.png")).unwrap();
    let moved = check(&[], 3);
    assert_eq!(moved["differing"], 1, "{moved}");
    assert_eq!(moved["shots"][0]["comparison"]["shift"]["down"], 4, "{moved}");
    assert_eq!(std::fs::read(sandbox.path("kept/a.png")).unwrap(), kept);
    let html = std::fs::read_to_string(sandbox.path("now/report.html")).unwrap();
    assert!(
        html.contains("moved down by 4 pixels") && html.matches("data:image/png").count() >= 3,
        "{html}"
    );
    assert!(sandbox.path("now/a.diff.png").exists());
    let taken = check(&["--update"], 0);
    assert_eq!(taken["updated"], 1, "{taken}");
    assert_eq!(check(&[], 0)["same"], 1);
}
