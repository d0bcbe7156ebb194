//! Where PostgreSQL's programs are.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

/// Environment variable that names the folder of PostgreSQL's programs.
pub const SEARCH_VARIABLE: &str = "ORDERSTREAM_POSTGRES_BIN";
/// Environment variable that, set to `1`, makes tests fail where there is no PostgreSQL.
pub const REQUIRE_VARIABLE: &str = "ORDERSTREAM_REQUIRE_POSTGRES";
/// Where Debian puts them: a folder for each version.
const DEBIAN: &str = "/usr/lib/postgresql";
/// Who runs the server when we are root, which it refuses to be run by.
const SERVER_USERS: [&str; 2] = ["postgres", "nobody"];

/// The folder of PostgreSQL's programs, and who is to run them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binaries {
    folder: PathBuf,
    /// User and group, when we are root.
    run_as: Option<(u32, u32)>,
}

impl Binaries {
    /// Looks in the environment, on the PATH, and where Debian puts them (the newest version).
    #[must_use]
    pub fn find() -> Option<Self> {
        let named = env::var_os(SEARCH_VARIABLE).map(PathBuf::from);
        let on_path = env::var_os("PATH").map(|path| env::split_paths(&path).collect::<Vec<_>>());
        let mut folders: Vec<PathBuf> = named.into_iter().chain(on_path.into_iter().flatten()).collect();
        folders.extend(of_debian());
        let folder = folders.into_iter().find(|folder| is_complete(folder))?;
        Some(Self { folder, run_as: server_user() })
    }

    /// The program, to be run by somebody whom PostgreSQL accepts.
    pub(crate) fn command(&self, program: &str) -> Command {
        self.as_server_user(Command::new(self.folder.join(program)))
    }

    pub(crate) fn path_of(&self, program: &str) -> PathBuf {
        self.folder.join(program)
    }

    pub(crate) fn as_server_user(&self, mut command: Command) -> Command {
        #[cfg(unix)]
        if let Some((user, group)) = self.run_as {
            std::os::unix::process::CommandExt::uid(&mut command, user);
            std::os::unix::process::CommandExt::gid(&mut command, group);
        }
        command
    }

    /// Gives a folder to whoever runs the server.
    pub(crate) fn hand_over(&self, folder: &Path) -> std::io::Result<()> {
        #[cfg(unix)]
        if let Some((user, group)) = self.run_as {
            std::os::unix::fs::chown(folder, Some(user), Some(group))?;
        }
        let _ = folder;
        Ok(())
    }
}

fn is_complete(folder: &Path) -> bool {
    ["initdb", "postgres", "pg_ctl"].iter().all(|program| folder.join(program).is_file())
}

fn of_debian() -> Vec<PathBuf> {
    let versions = std::fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    versions.sort_by(|a, b| b.cmp(a));
    versions.into_iter().map(|(_, folder)| folder).collect()
}

/// User and group of the server, if we are root.
fn server_user() -> Option<(u32, u32)> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let ours =
        status.lines().find_map(|line| line.strip_prefix("Uid:"))?.split_whitespace().nth(1)?.to_owned();
    if ours != "0" {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    SERVER_USERS.iter().find_map(|wanted| {
        let mut fields =
            users.lines().find(|line| line.starts_with(&format!("{wanted}:")))?.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    })
}
