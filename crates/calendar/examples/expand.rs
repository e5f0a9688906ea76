//! Expands rules for a comparison with other programs: one line `DTSTART<TAB>RRULE<TAB>END` in, one line of instances
//! out. Times are in UTC, `END` belongs to the range.
#![expect(clippy::print_stdout, reason = "a program for scripts/check-calendar")]

use std::io::BufRead as _;

use calendar::{DstGap, Limits, Moment, Window, Zone, group, read};
use jiff::civil::DateTime;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let mut parts = line.split('\t');
        let (Some(start), Some(rule), Some(end)) = (parts.next(), parts.next(), parts.next()) else {
            return Err("a line needs three parts".into());
        };
        let utc = Zone::utc();
        let seconds = |text: &str| -> Result<(i64, DateTime), jiff::Error> {
            let time: DateTime = text.trim_end_matches('Z').parse()?;
            Ok((utc.resolve(time).utc, time))
        };
        let ((from, first), (to, last)) = (seconds(start)?, seconds(end)?);
        let text = format!("BEGIN:VEVENT\nUID:x\nDTSTART:{start}\nRRULE:{rule}\nEND:VEVENT\n");
        let calendar = read(text.as_bytes(), None, &utc);
        if let Some(skipped) = calendar.skipped.first() {
            println!("error: {}", skipped.reason.message);
            continue;
        }
        let window = Window {
            from,
            to: to + 1,
            first: first.date(),
            last: last.date(),
        };
        let series = group(&calendar.events);
        let found = series[0].occurrences(&window, DstGap::Shift, &Limits::default());
        let mut shown: Vec<String> = Vec::new();
        for occurrence in &found.occurrences {
            if let Moment::At { utc: at, zone } = &occurrence.start {
                let civil = zone
                    .civil_at(*at)
                    .map(|civil| civil.strftime("%Y%m%dT%H%M%S").to_string());
                shown.push(civil.unwrap_or_default());
            }
        }
        if let Some(cut) = found.cut {
            shown.push(format!("cut: {cut}"));
        }
        println!("{}", shown.join(" "));
    }
    Ok(())
}
