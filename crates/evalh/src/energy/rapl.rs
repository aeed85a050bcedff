//! The processors' own energy counters: RAPL, as Linux shows them in `/sys/class/powercap` (the kernel's
//! `Documentation/power/powercap`).

use super::Counter;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The counters of all packages together.
pub struct Rapl {
    packages: Vec<Package>,
}

/// One processor's counter.
struct Package {
    name: String,
    file: PathBuf,
    /// It starts again at 0 after this value, in microjoules.
    range: u64,
    last: u64,
    total: u64,
}

impl Rapl {
    /// Opens the counters of all packages.
    ///
    /// # Errors
    /// Why there are none, in words.
    pub fn open(root: &Path) -> Result<Rapl, String> {
        let listed = fs::read_dir(root).map_err(|_| {
            format!(
                "{} is not there: the system shows no RAPL counters",
                root.display()
            )
        })?;
        let mut packages = Vec::new();
        for entry in listed.flatten() {
            let folder = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            // `intel-rapl:0` is a package (on AMD too), `intel-rapl:0:1` a part of it that is counted in it.
            if name.starts_with("intel-rapl:") && name.matches(':').count() == 1 {
                packages.push(Package::open(&folder)?);
            }
        }
        if packages.is_empty() {
            return Err(format!(
                "{} has no RAPL counters: the processor has none, or a virtual machine does not see them",
                root.display()
            ));
        }
        packages.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Rapl { packages })
    }
}

impl Package {
    fn open(folder: &Path) -> Result<Package, String> {
        let file = folder.join("energy_uj");
        let name = fs::read_to_string(folder.join("name"));
        let last = number(&file).map_err(|error| unreadable(&file, &error))?;
        let limit = folder.join("max_energy_range_uj");
        let range = number(&limit).map_err(|error| unreadable(&limit, &error))?;
        Ok(Package {
            name: name.map_or_else(|_| "package".to_owned(), |name| name.trim().to_owned()),
            file,
            range,
            last,
            total: 0,
        })
    }

    fn read(&mut self) -> Option<u64> {
        let now = number(&self.file).ok()?;
        self.total += if now >= self.last {
            now - self.last
        } else {
            now + self.range.saturating_sub(self.last)
        };
        self.last = now;
        Some(self.total)
    }
}

impl Counter for Rapl {
    fn joules(&mut self) -> Option<f64> {
        let mut sum = 0.0;
        for package in &mut self.packages {
            sum += package.read()? as f64 * 1e-6;
        }
        Some(sum)
    }

    fn name(&self) -> String {
        let names: Vec<_> = self.packages.iter().map(|p| p.name.as_str()).collect();
        format!(
            "RAPL: {}, the whole processor with all that runs on it",
            names.join(", ")
        )
    }
}

fn number(file: &Path) -> io::Result<u64> {
    let text = fs::read_to_string(file)?;
    text.trim()
        .parse()
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not a number"))
}

fn unreadable(file: &Path, error: &io::Error) -> String {
    let remedy = if error.kind() == io::ErrorKind::PermissionDenied {
        "; only root may read it, unless root allows more (`chmod a+r`)"
    } else {
        ""
    };
    format!("{} cannot be read: {error}{remedy}", file.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(root: &Path, name: &str, energy: &str) -> PathBuf {
        let folder = root.join(name);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("name"), "package-0\n").unwrap();
        fs::write(folder.join("max_energy_range_uj"), "5000000\n").unwrap();
        fs::write(folder.join("energy_uj"), energy).unwrap();
        folder.join("energy_uj")
    }

    #[test]
    fn joules_go_on_where_the_counter_wraps_around() {
        let root = tempfile::tempdir().unwrap();
        let first = package(root.path(), "intel-rapl:0", "4000000\n");
        let second = package(root.path(), "intel-rapl:1", "0\n");
        package(root.path(), "intel-rapl:0:0", "not counted twice");
        let mut rapl = Rapl::open(root.path()).unwrap();
        assert_eq!(rapl.joules(), Some(0.0));
        fs::write(&first, "500000\n").unwrap();
        assert_eq!(rapl.joules(), Some(1.5));
        fs::write(&second, "250000\n").unwrap();
        fs::write(&first, "700000\n").unwrap();
        assert!((rapl.joules().unwrap() - 1.95).abs() < 1e-9);
        assert!(rapl.name().starts_with("RAPL: package-0, package-0"));
        fs::remove_file(&first).unwrap();
        assert_eq!(rapl.joules(), None);
    }

    #[test]
    fn what_is_missing_is_told() {
        let root = tempfile::tempdir().unwrap();
        let why = |root: &Path| Rapl::open(root).err().unwrap();
        assert!(why(&root.path().join("none")).contains("is not there"));
        assert!(why(root.path()).contains("has no RAPL counters"));
        package(root.path(), "intel-rapl:0", "much\n");
        assert!(why(root.path()).contains("cannot be read: it is not a number"));
    }
}
