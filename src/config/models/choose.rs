//! Which pack is installed where, and which one is used.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Lock, Manifest, ModelFile, Needs, PackEntry, Part};
use crate::base::sha256::{self, Sha256};
use crate::config::{Config, PackChoice};
use crate::dialogue::PromptStyle;

/// From best to least.
const ORDER: [&str; 4] = ["gpu-16g", "gpu-8g", "cpu", STARTER];
/// The pack that comes with Nightbell.
const STARTER: &str = "starter";
/// Where an installed Nightbell keeps models.
const SYSTEM_FOLDERS: [&str; 2] = ["/var/lib/nightbell/models", "/usr/share/nightbell/models"];

/// What the machine has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hardware {
    /// A GPU that the engines could use.
    pub gpu: bool,
}

impl Hardware {
    /// What this machine shows of itself.
    pub fn of_this_machine() -> Self {
        Self { gpu: ["/dev/nvidiactl", "/dev/kfd"].iter().any(|device| Path::new(device).exists()) }
    }
}

/// One pack, and where it is.
#[derive(Clone, Debug)]
pub struct Pack {
    /// Its name.
    pub name: String,
    /// What the manifest says of it.
    pub entry: &'static PackEntry,
    /// The folder with all its files; none when it is not installed.
    pub folder: Option<PathBuf>,
}

impl Pack {
    /// Checks the content of every file against its digest, reading all of it: for each file its name and what is wrong with it.
    pub fn verify(&self, locked: &Lock) -> Vec<(String, Option<String>)> {
        let Some(folder) = &self.folder else { return vec![(self.name.clone(), Some("not installed".to_owned()))] };
        let check = |(_, file): (Part, &ModelFile)| {
            let known = file.sum().or_else(|| file.address.as_deref().and_then(|address| locked.sum(address)));
            let wrong = match (known, sum_of(&folder.join(&file.file))) {
                (_, Err(error)) => Some(format!("cannot be read: {error}")),
                (Some(known), Ok(found)) if known != found => Some("does not have the digest it should: fetch it again".to_owned()),
                _ => None,
            };
            (file.file.clone(), wrong)
        };
        self.entry.files().map(check).into()
    }
}

/// The models that are used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chosen {
    /// The pack.
    pub pack: String,
    /// The recogniser's file.
    pub asr: PathBuf,
    /// The language model's file.
    pub llm: PathBuf,
    /// The voice's file.
    pub voice: PathBuf,
    /// The voice's settings.
    pub voice_config: PathBuf,
    /// How the language model wants to be asked.
    pub prompt_style: PromptStyle,
    /// The languages spoken (ISO 639-1).
    pub languages: Vec<String>,
    /// What is in use, and what it can and cannot hear, in a line.
    pub notice: String,
}

/// Why no models can be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ChooseError {
    /// Not even the starter pack is there.
    #[error("no models are installed, not even the starter ones; looked in {}", listed(.0))]
    None(Vec<PathBuf>),
    /// The pack that the configuration names is not there.
    #[error(
        "the pack {pack:?} is not installed: run `nightbell models fetch {pack}`, or write pack = \"auto\"; looked in {}",
        listed(folders)
    )]
    NotInstalled {
        /// Its name.
        pack: String,
        /// Where it was looked for.
        folders: Vec<PathBuf>,
    },
}

fn listed(folders: &[PathBuf]) -> String {
    folders.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// Every pack of the manifest, best first, and where it is.
pub fn packs(folder: Option<&Path>) -> Vec<Pack> {
    let folders = folders(folder);
    let manifest = Manifest::built_in();
    let pack = |name: &&str| {
        let entry = manifest.packs.get(*name)?;
        Some(Pack { name: (*name).to_owned(), entry, folder: folders.iter().find_map(|folder| installed(folder, name, entry)) })
    };
    ORDER.iter().filter_map(pack).collect()
}

/// The models to use: the best that are installed and fit the machine, or those that the configuration names.
pub fn choose(config: &Config) -> Result<Chosen, ChooseError> {
    choose_for(config, Hardware::of_this_machine())
}

pub(super) fn choose_for(config: &Config, hardware: Hardware) -> Result<Chosen, ChooseError> {
    let folder = config.engines.models.as_deref();
    let fits = |pack: &Pack| match &config.engines.pack {
        PackChoice::Auto => hardware.gpu || pack.entry.needs == Needs::Cpu,
        PackChoice::Named(name) => pack.name == *name,
    };
    let found = packs(folder).into_iter().find_map(|pack| {
        let folder = pack.folder.clone().filter(|_| fits(&pack))?;
        Some((pack, folder))
    });
    let Some((pack, folder)) = found else {
        let folders = folders(folder);
        return Err(match &config.engines.pack {
            PackChoice::Auto => ChooseError::None(folders),
            PackChoice::Named(pack) => ChooseError::NotInstalled { pack: pack.clone(), folders },
        });
    };
    let entry = pack.entry;
    let better = if pack.name == STARTER { "; `nightbell models fetch cpu` installs better ones" } else { "" };
    Ok(Chosen {
        pack: pack.name,
        asr: folder.join(&entry.asr.file),
        llm: folder.join(&entry.llm.file),
        voice: folder.join(&entry.voice.file),
        voice_config: folder.join(&entry.voice_config.file),
        prompt_style: entry.prompt,
        languages: entry.languages.clone(),
        notice: format!("{}{better}", entry.notice),
    })
}

/// Where models are looked for, in this order: the configured folder, `models` beside the program or above it, `models` here, the system's.
pub(super) fn folders(configured: Option<&Path>) -> Vec<PathBuf> {
    let program = std::env::current_exe().ok();
    let above = program.iter().flat_map(|program| program.ancestors().skip(1).take(3)).map(|folder| folder.join("models"));
    let system = SYSTEM_FOLDERS.iter().map(PathBuf::from);
    let mut folders: Vec<PathBuf> =
        configured.map(Path::to_owned).into_iter().chain(above).chain([PathBuf::from("models")]).chain(system).collect();
    let all = folders.clone();
    let mut at = 0;
    folders.retain(|folder| {
        at += 1;
        !all.get(..at - 1).unwrap_or_default().contains(folder) && folder.is_dir()
    });
    folders
}

/// The folder into which packs are fetched: the configured one, else the first usual one that is not the system's own, else the daemon's.
pub fn fetch_folder(configured: Option<&Path>) -> PathBuf {
    let found = || folders(None).into_iter().find(|folder| !folder.starts_with("/usr"));
    configured.map(Path::to_owned).or_else(found).unwrap_or_else(|| PathBuf::from(SYSTEM_FOLDERS[0]))
}

/// The folder of `pack` under `models`, when all its files are there, each of its known length.
fn installed(models: &Path, pack: &str, entry: &PackEntry) -> Option<PathBuf> {
    let folder = if pack == STARTER { models.join(pack) } else { models.join("packs").join(pack) };
    let whole = entry.files().iter().all(|(_, file)| {
        let length = fs::metadata(folder.join(&file.file)).map(|found| found.len());
        length.is_ok_and(|length| length > 0 && file.bytes.is_none_or(|bytes| bytes == length))
    });
    whole.then_some(folder)
}

/// The digest of a file.
pub(super) fn sum_of(path: &Path) -> std::io::Result<sha256::Sum> {
    use std::io::Read as _;
    let mut file = fs::File::open(path)?;
    let (mut sum, mut piece) = (Sha256::default(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(sum.finish()),
            count => sum.update(piece.get(..count).unwrap_or_default()),
        }
    }
}
