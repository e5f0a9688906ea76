//! From a job to the text of its units. Pure.

use app_core::Definition;
use jiff::SignedDuration;

use crate::schedule::Job;

/// Begins the line that says who wrote a unit, and from what.
pub(crate) const MARK: &str = "# Written by systemd_units; sha256 of what follows: ";

/// A unit file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unit {
    /// Its name: `onejob-site_monitor.timer`.
    pub(crate) name: String,
    /// Its text, without the line of [`MARK`].
    pub(crate) text: String,
}

/// What is the same for all units of a host.
pub(crate) struct Place<'a> {
    pub(crate) user: bool,
    /// Whether somebody can be told of a unit that failed.
    pub(crate) alerts: bool,
    pub(crate) bin_dir: &'a str,
    pub(crate) config_dir: &'a str,
    /// Whether a credential file of this name lies on the host.
    pub(crate) has_credential: &'a dyn Fn(&str) -> bool,
}

/// Service and, for what does not run all the time, timer.
pub(crate) fn of(job: &Job, definition: &Definition, place: &Place<'_>) -> Vec<Unit> {
    let name = format!("onejob-{}", job.entry.name);
    let mut units = vec![Unit {
        name: format!("{name}.service"),
        text: service(job, definition, place),
    }];
    if job.calendar.is_some() || job.interval.is_some() {
        units.push(Unit {
            name: format!("{name}.timer"),
            text: timer(job, definition),
        });
    }
    units
}

/// The secrets of a job that lie on the host, and those that do not.
pub(crate) fn credentials(
    job: &Job,
    definition: &Definition,
    place: &Place<'_>,
) -> (Vec<String>, Vec<String>) {
    let named = definition
        .env
        .iter()
        .filter(|var| var.secret)
        .map(|var| &var.name);
    let mut names: Vec<String> = named.chain(&job.entry.credentials).cloned().collect();
    names.sort();
    names.dedup();
    names.into_iter().partition(|name| (place.has_credential)(name))
}

fn service(job: &Job, definition: &Definition, place: &Place<'_>) -> String {
    let entry = &job.entry;
    let scheduled = job.calendar.is_some() || job.interval.is_some();
    let network = entry.network.unwrap_or(!definition.reaches.is_empty());
    let mut unit = Lines::new("Unit");
    unit.set(
        "Description",
        &escaped(&format!("onejob {}: {}", entry.name, definition.summary)),
    );
    if network && !place.user {
        unit.set("Wants", "network-online.target");
        unit.set("After", "network-online.target");
    }
    for after in &entry.after {
        unit.set("After", after);
    }
    if place.alerts && entry.tool != "alerts" {
        unit.set("OnFailure", "onejob-alert@%n.service");
    }
    unit.section("Service");
    let resident = definition.long_running && !scheduled;
    unit.set("Type", if resident { "notify" } else { "oneshot" });
    let mut args = entry.args.clone();
    if let Some(limit) = job.timeout {
        args.splice(
            0..0,
            ["--run-timeout".to_owned(), limit.as_secs().max(1).to_string()],
        );
    }
    unit.set(
        "ExecStart",
        &command(&format!("{}/{}", place.bin_dir, entry.tool), &args),
    );
    if resident {
        unit.set("Restart", "on-failure");
        unit.set("RestartSec", "10");
        // The harness answers the watchdog from the loop that also sees signals.
        unit.set("WatchdogSec", "120");
    }
    let own = definition
        .policy
        .timeout()
        .and_then(|limit| SignedDuration::try_from(limit).ok());
    if let Some(limit) = job.timeout.or(own).filter(|_| !resident) {
        // The tool ends itself at its own limit, and says why; systemd comes after it.
        let grace = definition.policy.cancel_grace().as_secs() + 10;
        unit.set(
            "TimeoutStartSec",
            &(limit.as_secs().max(1) + grace as i64).to_string(),
        );
    } else if !resident {
        unit.set("TimeoutStartSec", "infinity");
    }
    if !entry.success_exit_codes.is_empty() {
        let codes: Vec<_> = entry.success_exit_codes.iter().map(ToString::to_string).collect();
        unit.set("SuccessExitStatus", &codes.join(" "));
    }
    unit.set(
        "Environment",
        &quoted(&format!("ONEJOB_CONFIG_DIR={}", place.config_dir)),
    );
    for (name, value) in &entry.env {
        unit.set("Environment", &quoted(&format!("{name}={value}")));
    }
    for name in credentials(job, definition, place).0 {
        unit.set(
            "LoadCredential",
            &format!("{name}:{}/credentials/{name}", place.config_dir),
        );
    }
    if let Some(memory) = &entry.memory {
        unit.set("MemoryMax", memory);
    }
    if let Some(nice) = entry.nice {
        unit.set("Nice", &nice.to_string());
    }
    unit.set("UMask", "0077");
    unit.set("NoNewPrivileges", "yes");
    if !place.user {
        harden(&mut unit, network);
        for path in &entry.write_paths {
            unit.set("ReadWritePaths", path);
        }
    }
    if resident {
        unit.section("Install");
        unit.set(
            "WantedBy",
            if place.user {
                "default.target"
            } else {
                "multi-user.target"
            },
        );
    }
    unit.text
}

/// One user for all tools, since they share ledger, run log and outbox: two dynamic users on one state folder take it
/// from each other.
fn harden(unit: &mut Lines, network: bool) {
    for (name, value) in [
        ("User", "onejob"),
        ("Group", "onejob"),
        ("StateDirectory", "onejob"),
        ("StateDirectoryMode", "0700"),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "yes"),
        ("PrivateTmp", "yes"),
        ("PrivateDevices", "yes"),
        ("PrivateUsers", "yes"),
        ("PrivateMounts", "yes"),
        ("DevicePolicy", "closed"),
        ("ProtectProc", "invisible"),
        ("ProcSubset", "pid"),
        ("ProtectKernelTunables", "yes"),
        ("ProtectKernelModules", "yes"),
        ("ProtectKernelLogs", "yes"),
        ("ProtectControlGroups", "yes"),
        ("ProtectClock", "yes"),
        ("ProtectHostname", "yes"),
        ("RestrictNamespaces", "yes"),
        ("RestrictRealtime", "yes"),
        ("RestrictSUIDSGID", "yes"),
        ("LockPersonality", "yes"),
        ("MemoryDenyWriteExecute", "yes"),
        ("SystemCallArchitectures", "native"),
        ("SystemCallFilter", "@system-service"),
        ("SystemCallFilter", "~@privileged @resources"),
        ("CapabilityBoundingSet", ""),
        ("RemoveIPC", "yes"),
        ("KeyringMode", "private"),
    ] {
        unit.set(name, value);
    }
    if network {
        unit.set("RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX");
    } else {
        unit.set("PrivateNetwork", "yes");
        unit.set("RestrictAddressFamilies", "AF_UNIX");
    }
}

fn timer(job: &Job, definition: &Definition) -> String {
    let mut unit = Lines::new("Unit");
    unit.set(
        "Description",
        &escaped(&format!(
            "onejob {}: when it runs ({})",
            job.entry.name, definition.name
        )),
    );
    unit.section("Timer");
    if let Some(calendar) = &job.calendar {
        unit.set("OnCalendar", calendar);
    }
    if let Some(interval) = job.interval {
        let text = format!("{}s", interval.as_secs().max(1));
        unit.set("OnActiveSec", "10s");
        unit.set("OnUnitActiveSec", &text);
    }
    unit.set("AccuracySec", "1s");
    if job.entry.persistent {
        unit.set("Persistent", "yes");
    }
    if let Some(jitter) = job.jitter {
        unit.set("RandomizedDelaySec", &format!("{}s", jitter.as_secs().max(1)));
        // Else it is drawn anew whenever units are read, and a daily timer may never run.
        unit.set("FixedRandomDelay", "yes");
    }
    unit.section("Install");
    unit.set("WantedBy", "timers.target");
    unit.text
}

/// The unit that `OnFailure=` of all others starts.
pub(crate) fn alert(definition: Option<&Definition>, place: &Place<'_>) -> Option<Unit> {
    let definition = definition?;
    let job = Job {
        entry: crate::schedule::Entry::of_tool("alert", "alerts"),
        calendar: None,
        when: None,
        interval: Some(SignedDuration::from_secs(1)),
        timeout: None,
        jitter: None,
    };
    let text = service(&job, definition, place);
    let program = command(&format!("{}/alerts", place.bin_dir), &[]);
    let mut words = format!("{program} unit %i");
    if place.user {
        words.push_str(" --user");
    }
    Some(Unit {
        name: "onejob-alert@.service".to_owned(),
        text: text.replace(&format!("ExecStart={program}\n"), &format!("ExecStart={words}\n")),
    })
}

/// The user and the folder of the configuration.
pub(crate) fn sysusers() -> String {
    "u onejob - \"onejob\" /var/lib/onejob\n".to_owned()
}

pub(crate) fn tmpfiles(config_dir: &str) -> String {
    format!("d {config_dir} 0755 root root\nd {config_dir}/credentials 0700 root root\n")
}

/// A command line as systemd takes it apart: every argument comes back as it was.
fn command(program: &str, args: &[String]) -> String {
    let mut line = program.to_owned();
    for arg in args {
        line.push(' ');
        line.push_str(&quoted(&arg.replace('$', "$$")));
    }
    line
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '%' => quoted.push_str("%%"),
            '\t' => quoted.push_str("\\t"),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Free text in a unit: one line, without specifiers.
fn escaped(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    text.replace('%', "%%").replace('\\', "\\\\")
}

struct Lines {
    text: String,
}

impl Lines {
    fn new(section: &str) -> Self {
        Self {
            text: format!("[{section}]\n"),
        }
    }

    fn section(&mut self, name: &str) {
        self.text.push_str(&format!("\n[{name}]\n"));
    }

    fn set(&mut self, name: &str, value: &str) {
        self.text.push_str(&format!("{name}={value}\n"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_systemd_would_read_otherwise_is_escaped() {
        let args = ["100% done; rm -rf $HOME", "it's", "a\"b\\c\td", "", "ü 漢"].map(str::to_owned);
        assert_eq!(
            command("/usr/local/bin/t", &args),
            "/usr/local/bin/t \"100%% done; rm -rf $$HOME\" \"it's\" \"a\\\"b\\\\c\\td\" \"\" \"ü 漢\""
        );
    }
}
