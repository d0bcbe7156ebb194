//! `events export` and `events import`.

use std::{
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use eventlog::{
    LogReader, SqliteStore, Store,
    postgres::{Holder, Leases, PostgresStore},
    transfer::{EventLine, Import, ImportReport},
};
use serde::Serialize;

use super::{CliError, access::hold_alone, output::Output, progress::Meter};
use crate::{
    data_dir::DataDir,
    platform::Databases,
    settings::{Settings, StorePlace},
};

/// Events read at once.
const PAGE: usize = 1_000;
/// How often progress is told, in events.
const TELL_EVERY: u64 = 512;

/// What an export has written.
#[derive(Serialize)]
struct ExportReport {
    events: u64,
}

/// Writes all events that the log holds now. A file appears under its name only when it is complete.
pub(super) async fn export(log: &LogReader, file: &Path, output: &Output) -> Result<(), CliError> {
    if is_dash(file) {
        let stdout = std::io::stdout().lock();
        return write_all(log, &mut BufWriter::new(stdout)).await.map(drop);
    }
    let in_file = |path: &Path| {
        let path = path.to_owned();
        move |source| CliError::File { path, source }
    };
    // A link is followed, and a device or pipe is written to: only a file is replaced.
    let target = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    if target.exists() && !target.is_file() {
        let mut out = OpenOptions::new().write(true).open(&target).map_err(in_file(file))?;
        let report = write_all(log, &mut BufWriter::new(&mut out)).await?;
        return output
            .value(&report, |report| format!("{} events written to {}", report.events, file.display()));
    }
    let partial = PathBuf::from(format!("{}.partial", target.display()));
    let mut out = BufWriter::new(File::create(&partial).map_err(in_file(&partial))?);
    let report = write_all(log, &mut out).await?;
    let written = out.into_inner().map_err(|error| in_file(&partial)(error.into_error()))?;
    written.sync_all().map_err(in_file(&partial))?;
    std::fs::rename(&partial, &target).map_err(in_file(file))?;
    output.value(&report, |report| format!("{} events written to {}", report.events, file.display()))
}

async fn write_all(log: &LogReader, out: &mut impl Write) -> Result<ExportReport, CliError> {
    let head = log.head().await?;
    let meter = Meter::new("export", head);
    let mut position = 0;
    while position < head {
        let most = usize::try_from(head - position).unwrap_or(PAGE).min(PAGE);
        for event in log.read_all(position, most).await? {
            position = event.position;
            serde_json::to_writer(&mut *out, &EventLine::try_from(event)?)?;
            out.write_all(b"\n")?;
        }
        meter.at(position, head);
    }
    out.flush()?;
    meter.done(position);
    Ok(ExportReport { events: position })
}

/// Reads an export into the log of the data folder, which nobody else may use meanwhile.
pub(super) async fn import(settings: &Settings, file: &Path, output: &Output) -> Result<(), CliError> {
    let (store, _held) = alone(settings).await?;
    let unreadable = |source| CliError::File { path: file.to_owned(), source };
    let input: Box<dyn BufRead> = if is_dash(file) {
        Box::new(BufReader::new(std::io::stdin()))
    } else {
        Box::new(BufReader::new(File::open(file).map_err(unreadable)?))
    };
    let imported = read_all(store.clone(), input, unreadable).await;
    store.close().await;
    output.value(&imported?, |report| {
        let ImportReport { imported, skipped, position } = report;
        format!(
            "{imported} events imported, {skipped} were there already; the log ends at position {position}"
        )
    })
}

/// The log for this process alone.
async fn alone(settings: &Settings) -> Result<(Arc<dyn Store>, Option<DataDir>), CliError> {
    match settings.log_place()? {
        StorePlace::Sqlite(path) => {
            let held = hold_alone(settings, "an import needs the log for itself")?;
            Ok((Arc::new(SqliteStore::open(&path, 1).await?), Some(held)))
        }
        StorePlace::Postgres(options) => {
            let database = Databases::default().connect(&options).await?;
            let store = PostgresStore::open(&database).await?;
            let leases = Leases::new(database, Holder::this_process(), settings.leases());
            match leases.everybody().await?.as_slice() {
                [] => Ok((Arc::new(store), None)),
                others => Err(CliError::Worked(others.join(", "))),
            }
        }
    }
}

async fn read_all(
    store: Arc<dyn Store>,
    input: Box<dyn BufRead>,
    unreadable: impl Fn(std::io::Error) -> CliError,
) -> Result<ImportReport, CliError> {
    let meter = Meter::new("import", 0);
    let mut import = Import::begin(store).await?;
    let mut lines = 0;
    for line in input.lines() {
        import.line(&line.map_err(&unreadable)?).await?;
        lines += 1;
        if lines % TELL_EVERY == 0 {
            meter.at(lines, 0);
        }
    }
    let report = import.finish().await?;
    meter.done(lines);
    Ok(report)
}

fn is_dash(file: &Path) -> bool {
    file.as_os_str() == "-"
}
