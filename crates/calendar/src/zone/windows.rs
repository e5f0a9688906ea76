//! The names that Windows has for time zones.

/// Names of Windows and the zones of the database that CLDR (territory 001) gives for them, one `name=zone` a line.
const WINDOWS: &str = include_str!("windows_zones.txt");

/// The zone of a Windows name, also of one with a number that some programs append.
pub(super) fn windows(name: &str) -> Option<&'static str> {
    let bare = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let bare = if bare.len() < name.len() && bare.ends_with(' ') {
        bare.trim_end()
    } else {
        name
    };
    WINDOWS
        .lines()
        .filter_map(|line| line.split_once('='))
        .find_map(|(known, zone)| {
            (known.eq_ignore_ascii_case(name) || known.eq_ignore_ascii_case(bare)).then_some(zone)
        })
}

#[cfg(test)]
mod tests {
    use super::{super::database, *};

    #[test]
    fn every_windows_name_is_a_zone_of_the_database() {
        let mut names = 0;
        for line in WINDOWS.lines() {
            let (_, zone) = line.split_once('=').unwrap();
            assert!(database(zone).is_some(), "{line}");
            names += 1;
        }
        assert!(names > 130, "{names}");
    }
}
