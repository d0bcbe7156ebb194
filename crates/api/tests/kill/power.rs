//! The power fails: what was not synced to disk is gone. See `power_loss.c`.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// The folder beside the data folder that holds what is certainly on disk.
pub(crate) struct Shadow {
    data: PathBuf,
    shadow: PathBuf,
}

impl Shadow {
    /// All that is in the folder now is on disk.
    pub(crate) fn of(data: &Path) -> Self {
        let shadow = data.with_extension("shadow");
        if shadow.exists() {
            std::fs::remove_dir_all(&shadow).unwrap();
        }
        std::fs::create_dir(&shadow).unwrap();
        for entry in std::fs::read_dir(data).unwrap() {
            let entry = entry.unwrap();
            assert!(entry.file_type().unwrap().is_file(), "{entry:?}: the shadow has no folders");
            // SQLite makes its index of the WAL anew.
            if !entry.file_name().to_string_lossy().ends_with("-shm") {
                std::fs::copy(entry.path(), shadow.join(entry.file_name())).unwrap();
            }
        }
        Self { data: data.to_owned(), shadow }
    }

    /// The program keeps the shadow. With a seed, some of what is not synced is on disk as well.
    pub(crate) fn follow(&self, command: &mut Command, torn: Option<u32>) {
        command.env("LD_PRELOAD", shim());
        command.env("POWER_LOSS_DATA", &self.data).env("POWER_LOSS_SHADOW", &self.shadow);
        command.envs(torn.map(|seed| ("POWER_LOSS_TORN", seed.max(1).to_string())));
    }

    /// The power failed while the program ran, and is back.
    pub(crate) fn fail(self) {
        std::fs::remove_dir_all(&self.data).unwrap();
        std::fs::rename(&self.shadow, &self.data).unwrap();
    }
}

/// The library, built once.
fn shim() -> &'static Path {
    static SHIM: OnceLock<PathBuf> = OnceLock::new();
    SHIM.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kill/power_loss.c");
        let library =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("power_loss_{}.so", std::process::id()));
        let mut compiler = Command::new(std::env::var("CC").unwrap_or("cc".to_owned()));
        compiler.args(["-shared", "-fPIC", "-O2", "-Wall", "-o"]).arg(&library).arg(source);
        let output = compiler.args(["-ldl", "-lpthread"]).output().expect("a C compiler, as for SQLite");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        library
    })
}
