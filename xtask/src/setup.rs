//! Programs of others that the tests need: Debian packages, Python environments, PixelMed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use tests::run;

use crate::report::line;
use crate::tree;

/// Debian packages, and what they are for.
const PACKAGES: [(&str, &str); 8] = [
    ("dcmtk", "storescu, storescp, dcmdump: the peers that hospitals have"),
    ("openssl", "versions and suites of the secure port, keys of tests"),
    ("orthanc", "a real archive"),
    ("default-jre-headless", "runs PixelMed's validator"),
    ("libsaxonhe-java", "the XSLT processor that PixelMed's tables need"),
    ("libxerces2-java", "the XML parser of it"),
    ("libxml-commons-external-java", "its interfaces"),
    ("time", "peak memory of other programs in measurements"),
];

/// Python packages of the validators, and of the script that makes the shipped model; pinned.
const REQUIREMENTS: [&str; 18] = [
    "dcmqi==1.5.7",
    "dicom3tools==20260927",
    "highdicom==0.28.2",
    "imagecodecs==2026.3.6",
    "numpy==2.4.6",
    "onnx==1.23.2",
    "onnxruntime==1.32.0",
    "pillow==13.0.0",
    "pydicom==3.0.2",
    "pydicom-data==1.0.0",
    "pyjpegls==1.5.1",
    "pylibjpeg==2.1.0",
    "pylibjpeg-libjpeg==2.5.0",
    "pylibjpeg-openjpeg==2.6.0",
    "pylibjpeg-rle==2.2.0",
    "pynetdicom==3.0.4",
    "python-gdcm==3.2.6",
    "scipy==1.17.1",
];

/// Python packages that models are exported and tested with, as in `models/pyproject.toml`; pinned.
const MODELS_REQUIREMENTS: [&str; 10] = [
    "numpy==2.4.6",
    "onnx==1.23.2",
    "onnxruntime==1.32.0",
    "onnxscript==0.7.2",
    "onnx_ir==1.1.0",
    "pillow==13.0.0",
    "pydicom==3.0.2",
    "pytest==9.2.0",
    "scipy==1.17.1",
    "torch==2.15.0",
];

/// A Python package of which the tests read CLIP's vocabulary and nothing else, so that it comes without what it needs; pinned.
const VOCABULARY: &str = "open_clip_torch==3.3.0";

/// The Debian release that carries PixelMed's validator of 2025; the one before it has 2022's.
const PIXELMED_RELEASE: &str = "trixie";

/// The folder of the validators.
pub(crate) fn validators() -> PathBuf {
    tree::target("validators")
}

/// The folder of the environment that models are exported in.
pub(crate) fn models() -> PathBuf {
    tree::target("models")
}

/// Installs the Debian packages that are missing.
///
/// # Errors
/// When some are missing and this is no Debian, or we are not root: says what to install.
pub(crate) fn debian_packages() -> Result<()> {
    let names: Vec<&str> = PACKAGES.iter().map(|(name, _)| *name).collect();
    install_missing(&names)
}

fn install_missing(names: &[&str]) -> Result<()> {
    let missing: Vec<&str> = names.iter().copied().filter(|name| !is_installed(name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    ensure!(
        is_root(),
        "missing Debian packages; as root: apt-get install --no-install-recommends {list}"
    );
    line(&format!("installing {list}"));
    let apt = || {
        let mut apt = Command::new("apt-get");
        apt.env("DEBIAN_FRONTEND", "noninteractive").arg("-qq");
        apt
    };
    run(apt().arg("update"))?;
    run(apt().args(["install", "--yes", "--no-install-recommends"]).args(&missing))?;
    Ok(())
}

fn is_installed(name: &str) -> bool {
    let asked = run(Command::new("dpkg-query").args(["-W", "-f=${Status}", name]));
    asked.is_ok_and(|output| output.stdout == b"install ok installed")
}

fn is_root() -> bool {
    run(Command::new("id").arg("-u")).is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Makes sure that `python3 -m pip` works; Debian's Python comes without it.
///
/// # Errors
/// When it does not and cannot be installed.
pub(crate) fn need_pip() -> Result<()> {
    if run(Command::new("python3").args(["-m", "pip", "--version"])).is_ok() {
        return Ok(());
    }
    install_missing(&["python3", "python3-pip", "python3-venv"])
}

/// Makes the Python environment with the validators; does nothing when it is as pinned.
///
/// # Errors
/// When a package cannot be installed.
pub(crate) fn python_environment() -> Result<()> {
    let environment = Environment { folder: validators(), requirements: &REQUIREMENTS, alone: &[] };
    environment.make("validators")
}

/// Makes the Python environment that models are exported in; does nothing when it is as pinned.
///
/// # Errors
/// When a package cannot be installed.
pub(crate) fn models_environment() -> Result<()> {
    let environment =
        Environment { folder: models(), requirements: &MODELS_REQUIREMENTS, alone: &[VOCABULARY] };
    environment.make("what exports models (PyTorch, about 6 GB)")
}

/// A Python environment `venv` in a folder, and a stamp beside it of what is in it.
struct Environment<'a> {
    folder: PathBuf,
    /// Installed with what they need.
    requirements: &'a [&'a str],
    /// Installed without.
    alone: &'a [&'a str],
}

impl Environment<'_> {
    /// Makes it and installs the packages, where the stamp says that they are others; `what` is for the log.
    fn make(&self, what: &str) -> Result<()> {
        let stamp = self.folder.join("requirements.txt");
        let wanted = [self.requirements, self.alone].concat().join("\n");
        if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
            return Ok(());
        }
        self.make_venv()?;
        line(&format!("installing {what} into {}", self.venv().display()));
        self.install(&[], self.requirements)?;
        self.install(&["--no-deps"], self.alone)?;
        fs::write(&stamp, wanted).with_context(|| format!("writing {}", stamp.display()))
    }

    fn venv(&self) -> PathBuf {
        self.folder.join("venv")
    }

    fn make_venv(&self) -> Result<()> {
        let folder = &self.folder;
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        let venv = self.venv();
        if venv.join("bin/pip").is_file() {
            return Ok(());
        }
        let make = || run(Command::new("python3").args(["-m", "venv"]).arg(&venv));
        if make().is_err() {
            install_missing(&["python3-venv"])?;
            make()?;
        }
        Ok(())
    }

    fn install(&self, options: &[&str], packages: &[&str]) -> Result<()> {
        if packages.is_empty() {
            return Ok(());
        }
        let mut pip = Command::new(self.venv().join("bin/pip"));
        pip.args(["install", "--quiet", "--disable-pip-version-check"]).args(options);
        run(pip.args(packages)).map(drop)
    }
}

/// The folder with what viewers read Segmentations with.
pub(crate) fn viewers() -> PathBuf {
    tree::target("viewers")
}

/// Installs the packages of `conformance/viewers/package.json`; does nothing when they are there, or there is no npm.
///
/// # Errors
/// When npm is there and cannot install them.
pub(crate) fn viewer_packages() -> Result<()> {
    let (folder, wanted) = (viewers(), tree::root().join("conformance/viewers/package.json"));
    let stamp = folder.join("installed.json");
    let wanted = fs::read_to_string(&wanted).with_context(|| format!("{}", wanted.display()))?;
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    if !tests::have("npm") || !tests::have("node") {
        line("left out: the readers of viewers (no node and npm here)");
        return Ok(());
    }
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    fs::write(folder.join("package.json"), &wanted)
        .with_context(|| format!("writing {}", folder.display()))?;
    line("installing the readers of viewers into target/viewers");
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"]);
    run(npm.current_dir(&folder))?;
    fs::write(&stamp, wanted).with_context(|| format!("writing {}", stamp.display()))
}

/// Unpacks PixelMed's SR validator and writes `srcheck`, which runs it; does nothing when it is there.
///
/// # Errors
/// When the package cannot be had.
pub(crate) fn pixelmed() -> Result<()> {
    let folder = validators();
    let (unpacked, script) = (folder.join("pixelmed"), folder.join("srcheck"));
    if script.is_file() {
        return Ok(());
    }
    line(&format!("bringing libpixelmed-java of Debian {PIXELMED_RELEASE}"));
    let package = download_pixelmed(&folder.join("apt"))?;
    run(Command::new("dpkg").arg("-x").arg(&package).arg(&unpacked))?;
    let jar = newest(&unpacked.join("usr/share/java"), "pixelmed-2", ".jar")?;
    write_srcheck(&script, &jar)
}

/// Downloads the package with lists of its own, so that the machine's sources stay as they are.
fn download_pixelmed(work: &Path) -> Result<PathBuf> {
    for part in ["lists/partial", "cache/archives/partial", "download"] {
        let path = work.join(part);
        fs::create_dir_all(&path).with_context(|| format!("making {}", path.display()))?;
    }
    let sources = work.join("next.list");
    let source = format!("deb {} {PIXELMED_RELEASE} main\n", debian_mirror()?);
    fs::write(&sources, source).with_context(|| format!("writing {}", sources.display()))?;
    let apt = || {
        let mut apt = Command::new("apt-get");
        apt.arg("-qq").current_dir(work.join("download"));
        let options = [
            ("Dir::Etc::sourcelist", sources.clone()),
            ("Dir::Etc::sourceparts", "/dev/null".into()),
            ("Dir::State::lists", work.join("lists")),
            ("Dir::Cache", work.join("cache")),
            ("APT::Sandbox::User", "root".into()),
        ];
        for (key, value) in options {
            apt.arg("-o").arg(format!("{key}={}", value.display()));
        }
        apt
    };
    run(apt().arg("update"))?;
    run(apt().args(["download", "libpixelmed-java"]))?;
    newest(&work.join("download"), "libpixelmed-java_", ".deb")
}

/// The mirror that this machine's own packages come from.
fn debian_mirror() -> Result<String> {
    let mut apt = Command::new("apt-get");
    apt.args(["indextargets", "--format", "$(REPO_URI) $(CODENAME)", "Created-By: Packages"]);
    let output = run(&mut apt)?;
    let text = String::from_utf8_lossy(&output.stdout);
    let is_main = |codename: &str| !codename.contains('-') && !codename.contains('/');
    let found = text.lines().filter_map(|line| line.split_once(' ')).find(|(uri, codename)| {
        uri.trim_end_matches('/').ends_with("/debian") && is_main(codename)
    });
    match found {
        Some((uri, _)) => Ok(uri.to_owned()),
        None => bail!("no Debian mirror in apt's sources (after `apt-get update`)"),
    }
}

/// The last file by name in `folder` with this beginning and end.
fn newest(folder: &Path, beginning: &str, end: &str) -> Result<PathBuf> {
    let entries = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    let fits = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(beginning) && name.ends_with(end)
    };
    let found = entries.flatten().map(|entry| entry.path()).filter(fits).max();
    found.with_context(|| format!("no {beginning}*{end} in {}", folder.display()))
}

/// Java's own XSLT compiler runs out of memory on PixelMed's tables; Saxon does not.
fn write_srcheck(script: &Path, jar: &Path) -> Result<()> {
    let text = format!(
        "#!/bin/sh\nexec java -Xss64m \
         -Djavax.xml.transform.TransformerFactory=net.sf.saxon.TransformerFactoryImpl \
         -cp {}:/usr/share/java/Saxon-HE.jar:/usr/share/java/xercesImpl.jar:/usr/share/java/xml-apis.jar \
         com.pixelmed.validate.DicomSRValidator \"$@\"\n",
        jar.display()
    );
    fs::write(script, text).with_context(|| format!("writing {}", script.display()))?;
    run(Command::new("chmod").arg("+x").arg(script)).map(drop)
}
