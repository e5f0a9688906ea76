use telegram::export::{Format, Header, Options, legacy::world::World, markup, names};
use telegram::model::MarkedId;
#[test]
fn same_as_telethon() {
    let cases: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string("/tmp/T/cmp/cases.json").unwrap()).unwrap();
    let mut bad = 0;
    for case in cases.as_array().unwrap() {
        let world = serde_json::json!({"messages": {"1": [{"id": 1, "text": case["text"], "entities": case["entities"]}]}});
        let world = World::new(&world);
        let m = &world.messages(MarkedId(1))[0];
        let got = markup::markdown(&m.text, &m.entities);
        if got != case["want"].as_str().unwrap() {
            bad += 1;
            if bad < 6 {
                println!("{case}\n   got {got:?}");
            }
        }
    }
    println!("bad {bad} of {}", cases.as_array().unwrap().len());
    let cases: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string("/tmp/T/cmp/names.json").unwrap()).unwrap();
    let mut badn = 0;
    for case in cases.as_array().unwrap() {
        let got = names::file_name(case["name"].as_str(), "unknown_chat");
        if got != case["want"].as_str().unwrap() {
            badn += 1;
            if badn < 6 {
                println!("{case} got {got:?}");
            }
        }
    }
    println!("bad names {badn}");
    assert_eq!((bad, badn), (0, 0));
}
#[test]
#[ignore]
fn speed() {
    let count: i32 = std::env::var("N").unwrap().parse().unwrap();
    let world = serde_json::json!({"entities": [{"kind":"user","id":111,"first_name":"Alice","last_name":"Doe"},{"kind":"supergroup","id":1002,"title":"Demo"}],
      "messages": {"-1000000001002": [{"id": 1, "from":111, "date":"2025-01-02T03:04:05", "text": "some words of a usual message, привет 🔥 and more", "entities": [{"type":"bold","offset":5,"length":5}], "reactions":[{"emoji":"🔥","count":2}]}]}});
    let world = World::new(&world);
    let template = world.messages(MarkedId(-1000000001002))[0].clone();
    let header = Header::new(
        world.peer(MarkedId(-1000000001002)),
        count as usize,
        jiff::Timestamp::UNIX_EPOCH,
    );
    for format in Format::ALL {
        let begin = std::time::Instant::now();
        let mut renderer = format.renderer(Options::default());
        let mut out = std::io::BufWriter::new(std::fs::File::create("/dev/null").unwrap());
        renderer.begin(&mut out, &header).unwrap();
        let mut message = template.clone();
        for id in 1..=count {
            message.id = id;
            renderer.message(&mut out, &message, None).unwrap();
        }
        renderer.end(&mut out).unwrap();
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let hwm = status
            .lines()
            .find(|l| l.starts_with("VmHWM"))
            .unwrap()
            .to_owned();
        println!(
            "{format:?}: {:.2} s, {:.0} messages/s; {hwm}",
            begin.elapsed().as_secs_f64(),
            f64::from(count) / begin.elapsed().as_secs_f64()
        );
    }
}
