//! A real MariaDB server on a port and socket of its own, in a temporary folder, gone with the value.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server with one database and one user.
pub struct MariaDb {
    folder: tempfile::TempDir,
    server: Child,
    port: u16,
}

impl MariaDb {
    /// The database made at the start.
    pub const DATABASE: &'static str = "golden";
    /// The user that may do everything in it.
    pub const USER: &'static str = "loader";
    /// The user's password, with characters an address would have to encode.
    pub const PASSWORD: &'static str = "p@ss:w/rd?#%41 слово";

    /// Starts a server. Fails the test when the Debian package `mariadb-server` is not installed.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap_or_else(|e| panic!("no temporary folder: {e}"));
        let data = folder.path().join("data");
        let user = std::env::var("USER").ok().filter(|name| !name.is_empty());
        let user = user.unwrap_or_else(|| "root".to_owned());
        let made = Command::new(program("mariadb-install-db"))
            .args([
                "--no-defaults",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
            ])
            .arg(format!("--datadir={}", data.display()))
            .arg(format!("--tmpdir={}", folder.path().display()))
            .arg(format!("--user={user}"))
            .stdin(Stdio::null())
            .output()
            .unwrap_or_else(|e| panic!("cannot run mariadb-install-db (apt install mariadb-server): {e}"));
        assert!(
            made.status.success(),
            "mariadb-install-db: {}",
            String::from_utf8_lossy(&made.stderr)
        );
        let start = folder.path().join("start.sql");
        let (database, name, password) = (Self::DATABASE, Self::USER, Self::PASSWORD);
        let sql = format!(
            "CREATE DATABASE {database} CHARACTER SET utf8mb4;\n\
             CREATE USER '{name}'@'%' IDENTIFIED BY '{password}';\n\
             GRANT ALL ON {database}.* TO '{name}'@'%';\n\
             CREATE USER 'onlooker'@'%' IDENTIFIED BY 'sesame-open';\n"
        );
        std::fs::write(&start, sql).unwrap_or_else(|e| panic!("cannot write {}: {e}", start.display()));
        let port = free_port();
        let log = File::create(folder.path().join("log")).unwrap_or_else(|e| panic!("no log: {e}"));
        let server = Command::new(program("mariadbd"))
            .arg("--no-defaults")
            .arg(format!("--datadir={}", data.display()))
            .arg(format!("--tmpdir={}", folder.path().display()))
            .arg(format!("--socket={}", folder.path().join("socket").display()))
            .arg(format!("--pid-file={}", folder.path().join("pid").display()))
            .arg(format!("--init-file={}", start.display()))
            .arg(format!("--port={port}"))
            .arg(format!("--user={user}"))
            .args([
                "--bind-address=127.0.0.1",
                "--character-set-server=utf8mb4",
                "--sql-mode=TRADITIONAL",
            ])
            .args([
                "--default-time-zone=+05:00",
                "--innodb-buffer-pool-size=32M",
                "--innodb-flush-log-at-trx-commit=0",
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|e| panic!("cannot run mariadbd (apt install mariadb-server): {e}"));
        let mut running = Self { folder, server, port };
        running.wait();
        running
    }

    fn wait(&mut self) {
        let begun = Instant::now();
        while !self.client(Self::USER, Self::PASSWORD, "SELECT 1").0 {
            let ended = self.server.try_wait().ok().flatten();
            let log = || std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(ended.is_none(), "mariadbd ended: {}", log());
            assert!(begun.elapsed() < PATIENCE, "mariadbd does not answer: {}", log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Port on 127.0.0.1.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The environment a tool needs to find it.
    pub fn env(&self) -> [(&'static str, String); 5] {
        [
            ("MYSQL_HOST", "127.0.0.1".to_owned()),
            ("MYSQL_PORT", self.port.to_string()),
            ("MYSQL_DATABASE", Self::DATABASE.to_owned()),
            ("MYSQL_USER", Self::USER.to_owned()),
            ("MYSQL_PASSWORD", Self::PASSWORD.to_owned()),
        ]
    }

    /// Runs SQL with the `mariadb` client and gives its output: a line per row, tabs between the values.
    pub fn sql(&self, sql: &str) -> String {
        let (done, output) = self.client(Self::USER, Self::PASSWORD, sql);
        assert!(done, "{sql}: {output}");
        output
    }

    /// Empties the database.
    pub fn reset(&self) {
        let database = Self::DATABASE;
        self.sql(&format!(
            "DROP DATABASE {database}; CREATE DATABASE {database} CHARACTER SET utf8mb4"
        ));
    }

    /// The named columns of a table's rows, dates as text.
    pub fn rows(&self, table: &str, columns: &[String]) -> Vec<serde_json::Value> {
        let pairs: Vec<String> = columns
            .iter()
            .map(|column| format!("'{column}',{column}"))
            .collect();
        let output = self.sql(&format!("SELECT JSON_OBJECT({}) FROM {table}", pairs.join(",")));
        let row = |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"));
        output.lines().map(row).collect()
    }

    fn client(&self, user: &str, password: &str, sql: &str) -> (bool, String) {
        let output = Command::new(program("mariadb"))
            .args([
                "--no-defaults",
                "--protocol=tcp",
                "--host=127.0.0.1",
                "--batch",
                "--raw",
                "--skip-column-names",
            ])
            .args([
                "--default-character-set=utf8mb4",
                "--init-command=SET time_zone='+00:00'",
            ])
            .arg(format!("--port={}", self.port))
            .arg(format!("--user={user}"))
            .env("MYSQL_PWD", password)
            .args(["--execute", sql, Self::DATABASE])
            .stdin(Stdio::null())
            .output();
        match output {
            Ok(output) if output.status.success() => {
                (true, String::from_utf8_lossy(&output.stdout).into_owned())
            }
            Ok(output) => (false, String::from_utf8_lossy(&output.stderr).into_owned()),
            Err(error) => (false, error.to_string()),
        }
    }
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        // Nothing in it is worth an orderly end.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Debian keeps the server out of the path of ordinary users.
fn program(name: &str) -> PathBuf {
    let outside = Path::new("/usr/sbin").join(name);
    if outside.exists() {
        outside
    } else {
        PathBuf::from(name)
    }
}

fn free_port() -> u16 {
    let socket = TcpListener::bind(("127.0.0.1", 0)).unwrap_or_else(|e| panic!("no free port: {e}"));
    socket
        .local_addr()
        .unwrap_or_else(|e| panic!("no free port: {e}"))
        .port()
}
