//! What the figures were made on. No names of machines, users or folders.

use std::{
    fs,
    io::Write,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;

use crate::{
    Failure,
    stats::{latencies, millis, record},
};

/// Syncs that are timed, and how long that may take.
const SYNCS: usize = 300;
const LONG_ENOUGH: Duration = Duration::from_secs(5);
/// What is written before each sync. Bytes.
const WRITTEN: usize = 4096;

/// A file of /proc or /sys, trimmed; nothing where there is none.
fn read(path: &str) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

/// The value of a line `name: value`.
fn field(text: &str, name: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// Load averages over 1, 5 and 15 minutes.
pub(crate) fn load() -> String {
    let text = read("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

/// Processor, cores, memory, kernel, disk. `folder` is on the disk that is measured.
pub(crate) fn facts(folder: &Path) -> Vec<(String, String)> {
    let unknown = || "unknown".to_owned();
    let cpu = read("/proc/cpuinfo").and_then(|text| field(&text, "model name")).unwrap_or_else(unknown);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = read("/proc/meminfo").and_then(|text| gib(&field(&text, "MemTotal")?));
    let kernel = read("/proc/sys/kernel/osrelease").map(|release| format!("Linux {release}"));
    let sync = syncs(folder).map_or_else(
        |error| format!("not measured: {error}"),
        |syncs| {
            format!(
                "p50 {:.2} ms, p99 {:.2} ms of {} writes of 4 KiB, each synced",
                millis(&syncs, 0.5),
                millis(&syncs, 0.99),
                syncs.len()
            )
        },
    );
    [
        ("processor", cpu),
        ("cores", cores.to_string()),
        ("memory", memory.unwrap_or_else(unknown)),
        ("kernel", kernel.unwrap_or_else(unknown)),
        ("disk", disk(folder).unwrap_or_else(unknown)),
        ("sync of the disk", sync),
    ]
    .map(|(what, seen)| (what.to_owned(), seen))
    .to_vec()
}

fn gib(total: &str) -> Option<String> {
    let kib: f64 = total.strip_suffix(" kB")?.trim().parse().ok()?;
    Some(format!("{:.1} GiB", kib / 1_048_576.0))
}

/// The file system of the longest mount point above the folder, and whether its disk turns.
fn disk(folder: &Path) -> Option<String> {
    let folder = folder.canonicalize().ok()?;
    let mounts = read("/proc/self/mountinfo")?;
    let (_, device, kind) = mounts
        .lines()
        .filter_map(mount)
        .filter(|(point, ..)| folder.starts_with(point))
        .max_by_key(|(point, ..)| point.len())?;
    let queue = |below: &str| read(&format!("/sys/dev/block/{device}/{below}queue/rotational"));
    // A partition has no queue of its own.
    let turns = match queue("").or_else(|| queue("../")).as_deref() {
        Some("0") => "not rotational",
        Some("1") => "rotational, or a virtual disk that says so",
        _ => "of an unknown kind",
    };
    Some(format!("{kind}, {turns}"))
}

/// Mount point, device number and file system of a line.
///
/// *Source*: proc_pid_mountinfo(5): `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw`.
fn mount(line: &str) -> Option<(&str, &str, &str)> {
    let (mount, system) = line.split_once(" - ")?;
    let fields: Vec<&str> = mount.split(' ').collect();
    Some((fields.get(4)?, fields.get(2)?, system.split(' ').next()?))
}

/// How long it takes until 4 KiB more are on the disk.
fn syncs(folder: &Path) -> Result<Histogram<u64>, Failure> {
    let mut file = tempfile::tempfile_in(folder)?;
    let (bytes, mut all, begun) = ([7_u8; WRITTEN], latencies(), Instant::now());
    for _ in 0..SYNCS {
        let begin = Instant::now();
        file.write_all(&bytes)?;
        file.sync_data()?;
        record(&mut all, begin.elapsed());
        if begun.elapsed() > LONG_ENOUGH {
            break;
        }
    }
    Ok(all)
}

/// The commit of the repository that this is run in, and whether its files were changed since.
pub(crate) fn commit() -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let Some(commit) = git(&["rev-parse", "--short=12", "HEAD"]) else { return "unknown".to_owned() };
    match git(&["status", "--porcelain", "--untracked-files=no"]) {
        Some(changed) if changed.is_empty() => commit,
        _ => format!("{commit}, with changes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_is_read_with_and_without_optional_fields() {
        let line = "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 shared:3 - ext3 /dev/root rw,errors=continue";
        assert_eq!(mount(line), Some(("/mnt2", "98:0", "ext3")));
        assert_eq!(mount("22 1 254:0 / / rw - xfs /dev/vda rw"), Some(("/", "254:0", "xfs")));
        assert_eq!(mount("nonsense"), None);
    }

    #[test]
    fn memory_is_told_in_gib() {
        assert_eq!(gib("16777216 kB").as_deref(), Some("16.0 GiB"));
        assert_eq!(gib("much"), None);
    }

    #[test]
    fn syncs_are_timed_where_the_folder_is() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!syncs(folder.path()).unwrap().is_empty());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
    }
}
