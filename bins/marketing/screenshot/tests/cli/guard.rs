//! What a page may reach.

use testkit::{Route, Sandbox, Site};

use crate::{beside, colour, coloured, nothing_left, page, picture, program, run, sandbox};

#[test]
fn a_page_of_the_working_directory_sees_no_other_files_and_nothing_inside() {
    let inside = Site::routes(vec![coloured("/secret.svg", "red", 0.0), page("secret")]).unwrap();
    let sandbox = Sandbox::new().unwrap();
    let html = format!(
        "<style>body{{margin:0;background:#123}}img,iframe{{display:block;width:100px;height:50px;border:0}}</style>\
         <img src=near.svg><img src=.hidden.svg><img src={0}/secret.svg><iframe src={0}/></iframe><img src=/etc/hostname>\
         <iframe src=file:///etc/passwd></iframe><script>fetch('{0}/secret.svg').catch(()=>0);new WebSocket('{1}/');\
         navigator.sendBeacon('{0}/secret.svg','x')</script>",
        inside.url(),
        inside.url().replace("http:", "ws:")
    );
    sandbox.file("page.html", html);
    let square = "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><rect width='9' height='9' fill='#0f0'/></svg>";
    sandbox.file("near.svg", square);
    sandbox.file(".hidden.svg", square);
    let run = sandbox
        .run(program(), &["page.html", "out.png", "--allow-file"])
        .expect_code(0);
    assert_eq!(inside.requests(), []);
    let told = beside(&sandbox, "out.json");
    let host = told["hosts"]
        .as_array()
        .unwrap()
        .iter()
        .find(|host| host["host"].as_str().unwrap().starts_with("127.0.0.1"));
    let host = host.unwrap_or_else(|| panic!("{told} {}", run.stderr));
    assert_eq!(host["passed"], 0);
    assert!(host["refused"].as_u64().unwrap() >= 4, "{host}");
    let refused = told["files_refused"].as_array().unwrap();
    let refused = |name: &str| refused.iter().any(|path| path.as_str().unwrap().ends_with(name));
    assert!(
        refused(".hidden.svg") && refused("/etc/hostname") && refused("/etc/passwd"),
        "{told}"
    );
    let image = picture(&sandbox, "out.png");
    colour(&image, 50, 25, [0, 255, 0]);
    nothing_left(&sandbox);
}

#[test]
fn files_and_private_addresses_are_shown_only_with_leave() {
    let site = Site::routes(vec![page("inside")]).unwrap();
    let sandbox = Sandbox::new().unwrap();
    sandbox.file("page.html", "x");
    let refused = |args: &[&str], code: i32, why: &str| {
        let run = sandbox.run(program(), args).expect_code(code);
        assert!(run.stderr.contains(why), "{}", run.stderr);
    };
    refused(&[&site.url(), "a.png"], 2, "private address");
    refused(&["http://localhost/", "a.png"], 2, "private address");
    refused(&["http://[::ffff:7f00:1]/", "a.png"], 2, "private address");
    refused(&["page.html", "a.png"], 2, "--allow-file");
    refused(
        &["/etc/hostname", "a.png", "--allow-file"],
        2,
        "working directory",
    );
    refused(&["file:///etc/hostname", "a.png"], 2, "files are not shown");
    refused(&["javascript:alert(1)", "a.png"], 2, "no address");
    refused(&["missing.html", "a.png", "--allow-file"], 66, "no file");
    assert_eq!(site.requests(), []);
    assert_eq!(sandbox.files(), ["page.html"]);
}

#[test]
fn headers_cookies_and_the_account_go_to_their_own_origin_alone() {
    let other = Site::routes(vec![coloured("/third.svg", "red", 0.0), page("frame")]).unwrap();
    let elsewhere = other.url().replace("127.0.0.1", "localhost");
    let html = format!("<img src=/own.svg><img src={elsewhere}/third.svg><iframe src={elsewhere}/></iframe>");
    let away = crate::redirect("/away", &format!("{elsewhere}/"));
    let site = Site::routes(vec![page(&html), coloured("/own.svg", "red", 0.0), away]).unwrap();
    let sandbox = sandbox()
        .env("SCREENSHOT_BASIC_AUTH", "joe:canary")
        .env("TOKEN", "canary2");
    let given = [
        "--header",
        "X-Token=secret:TOKEN",
        "--cookie",
        "c=1",
        "--basic-auth",
    ];
    let took = run(&sandbox, &[&[site.url().as_str(), "a.png"], &given[..]].concat()).expect_code(0);
    let own: Vec<_> = site
        .requests()
        .into_iter()
        .filter(|request| request.path != "/favicon.ico")
        .collect();
    assert_eq!(own.len(), 2, "{own:?}");
    for request in &own {
        assert_eq!(request.headers["x-token"], "canary2");
        assert_eq!(request.headers["authorization"], "Basic am9lOmNhbmFyeQ==");
        assert_eq!(request.headers["cookie"], "c=1");
    }
    let address = format!("{}/away", site.url());
    run(&sandbox, &[&[address.as_str(), "b.png"], &given[..]].concat()).expect_code(0);
    assert_eq!(beside(&sandbox, "b.json")["url"], format!("{elsewhere}/"));
    let there = other.requests();
    assert!(there.len() >= 3, "{there:?}");
    for request in there {
        let secret = ["x-token", "authorization", "cookie"]
            .iter()
            .any(|name| request.headers.contains_key(*name));
        assert!(!secret, "{request:?}");
    }
    let report = std::fs::read_to_string(sandbox.path("a.json")).unwrap();
    assert!(!(took.stdout + &took.stderr + &report).contains("canary"));
}

#[test]
fn an_account_in_the_address_is_sent_and_not_shown() {
    let site = Site::routes(vec![page("x"), Route::status("/favicon.ico", 404)]).unwrap();
    let sandbox = sandbox();
    let address = site.url().replace("http://", "http://joe:p%40ss@");
    let took = run(&sandbox, &[&address, "a.png"]).expect_code(0);
    assert_eq!(site.requests()[0].headers["authorization"], "Basic am9lOnBAc3M=");
    assert!(!(took.stdout + &took.stderr).contains("p@ss"));
}
