//! `nightbell models`: what can be installed, and what is.

use std::path::PathBuf;

use super::args::{ModelsArgs, ModelsCommand, Place};
use super::failure::{Done, Failure};
use super::print;
use super::progress::Bars;
use crate::config::models::{Fetcher, Lock, Pack, choose, fetch_folder, packs};

pub(super) fn perform(args: &ModelsArgs) -> Done {
    match &args.command {
        ModelsCommand::List => print::lines(packs(configured(&args.place)?.as_deref()).iter().flat_map(described)),
        ModelsCommand::Fetch { pack } => fetch(&args.place, pack),
        ModelsCommand::Verify { pack, quiet } => verify(&args.place, pack.as_deref(), *quiet),
        ModelsCommand::Choose => {
            let chosen = choose(&args.place.settings()?).map_err(Failure::failed)?;
            let files = [("hears with", &chosen.asr), ("thinks with", &chosen.llm), ("speaks with", &chosen.voice)];
            let files = files.map(|(what, file)| format!("  {what:<12} {}", file.display()));
            print::lines([format!("{}: {}", chosen.pack, chosen.notice)].into_iter().chain(files))
        }
    }
}

/// The models' folder of the configuration; without a configuration the usual ones are meant.
fn configured(place: &Place) -> Result<Option<PathBuf>, Failure> {
    if place.config.is_none() && place.file().is_err() {
        return Ok(None);
    }
    Ok(place.settings()?.engines.models)
}

fn described(pack: &Pack) -> Vec<String> {
    let bytes: Option<u64> = pack.entry.files().iter().map(|(_, file)| file.bytes).sum();
    let size = bytes.map_or_else(|| "comes with Nightbell".to_owned(), megabytes);
    let state = pack.folder.as_ref().map_or_else(|| "not installed".to_owned(), |folder| format!("installed in {}", folder.display()));
    let mut lines = vec![format!("{:<9} {} ({size}); {state}", pack.name, pack.entry.summary), format!("          {}", pack.entry.notice)];
    lines.extend(pack.entry.files().iter().map(|(_, file)| format!("          {}: {}", file.file, file.licence)));
    lines
}

fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes.div_ceil(1_000_000))
}

fn fetch(place: &Place, name: &str) -> Done {
    let configured = configured(place)?;
    let pack = packs(configured.as_deref()).into_iter().find(|pack| pack.name == name);
    let pack = pack.ok_or_else(|| Failure::not_found(format!("no pack is called {name:?}: `nightbell models list` shows them")))?;
    if pack.entry.files().iter().any(|(_, file)| file.address.is_none()) {
        return Err(Failure::usage(format!("{name} comes with Nightbell and is not fetched")));
    }
    let models = fetch_folder(configured.as_deref());
    let folder = models.join("packs").join(name);
    let mut lock = Lock::read(&models).map_err(Failure::failed)?;
    let (fetcher, mut bars) = (Fetcher::new(), Bars::default());
    for (_, file) in pack.entry.files() {
        let new = fetcher.fetch(file, &folder, &mut lock, &mut bars).map_err(Failure::failed)?;
        bars.done();
        print::lines([format!("{}: {}", file.file, if new { "fetched and checked" } else { "already here" })])?;
    }
    print::lines([format!("{name} is installed in {}", folder.display())])
}

fn verify(place: &Place, only: Option<&str>, quiet: bool) -> Done {
    let configured = configured(place)?;
    let lock = Lock::read(&fetch_folder(configured.as_deref())).map_err(Failure::failed)?;
    let mut packs = packs(configured.as_deref());
    packs.retain(|pack| only.map_or(pack.folder.is_some(), |name| pack.name == name));
    if let Some(name) = only.filter(|_| packs.is_empty()) {
        return Err(Failure::not_found(format!("no pack is called {name:?}: `nightbell models list` shows them")));
    }
    let mut wrong = 0_usize;
    for pack in packs {
        for (file, trouble) in pack.verify(&lock) {
            wrong += usize::from(trouble.is_some());
            if !quiet {
                print::lines([format!("{:<9} {file}: {}", pack.name, trouble.as_deref().unwrap_or("right"))])?;
            }
        }
    }
    match wrong {
        0 => Ok(()),
        _ if quiet => Err(Failure::failed("")),
        _ => Err(Failure::failed(format!("not as they should be: {wrong}"))),
    }
}
