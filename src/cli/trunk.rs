//! `nightbell trunk`: join a PBX or a provider by a recipe, and see how the trunks stand.

use std::io::{BufRead as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::Value;

use super::args::Place;
use super::failure::{Done, Failure};
use super::print;
use crate::base::clock::Clock;
use crate::config::edit::{NewTrunk, add_trunk};
use crate::config::recipes;
use crate::run::control::{self, AskError, Request};

/// How long `trunk test` waits for a trunk to come up.
const TEST_WITHIN: Duration = Duration::from_secs(15);

/// The words of a state in which calls come and go.
const WELL: [&str; 3] = ["registered", "up", "not asked"];

/// `nightbell trunk`
#[derive(Debug, Args)]
pub struct TrunkArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: TrunkCommand,
    /// Where the configuration and the data are.
    #[command(flatten)]
    pub place: Place,
}

/// What to do with trunks.
#[derive(Debug, Subcommand)]
pub enum TrunkCommand {
    /// Write a trunk into the configuration, from a recipe. docs/joining.md says what to do on the other side.
    Add(Box<AddArgs>),
    /// Show the recipes: what kinds of PBXs and providers there are.
    Recipes,
    /// Show the trunks and how they stand.
    List,
    /// Ask the running daemon how one trunk stands, wait for it a little, and say what to change when it is not well.
    Test {
        /// Which one.
        #[arg(value_name = "NAME")]
        name: String,
    },
}

/// `nightbell trunk add`
#[derive(Debug, Args)]
pub struct AddArgs {
    /// The recipe; `nightbell trunk recipes` shows them.
    #[arg(long, value_name = "RECIPE")]
    pub recipe: String,
    /// A name for it, such as office-pbx.
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// Where it is: a name or an address, with a port where it is not the usual one, or a whole SIP URI such as "sip:pbx.example.com;transport=tls".
    #[arg(long, value_name = "SERVER")]
    pub server: String,
    /// Our user name there: the extension, or the account's number.
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,
    /// The name that belongs to the password, where it is another one ("authentication ID").
    #[arg(long, value_name = "USER")]
    pub auth_user: Option<String>,
    /// The file with the password. Without it a password that is needed is read from the first line of the input, and put into a file beside the
    /// configuration.
    #[arg(long, value_name = "FILE")]
    pub secret_file: Option<String>,
    /// The SIP domain, where it is not the server's name.
    #[arg(long, value_name = "DOMAIN")]
    pub domain: Option<String>,
    /// The realm that the other side asks with, where it is not the recipe's. May be given several times.
    #[arg(long, value_name = "REALM")]
    pub realm: Vec<String>,
    /// Another address or network that its calls come from. May be given several times.
    #[arg(long, value_name = "NETWORK")]
    pub from: Vec<String>,
    /// The number that calls out through it show.
    #[arg(long, value_name = "NUMBER")]
    pub number: Option<String>,
}

pub(super) fn perform(args: &TrunkArgs) -> Done {
    match &args.command {
        TrunkCommand::Add(add) => self::add(&args.place, add),
        TrunkCommand::Recipes => print::lines(recipes::names().into_iter().map(|name| format!("{name:18} {}", about(name)))),
        TrunkCommand::List => list(&args.place),
        TrunkCommand::Test { name } => test(&args.place, name),
    }
}

/// What a recipe says of itself.
fn about(recipe: &str) -> String {
    let text = recipes::text(recipe).unwrap_or_default();
    text.lines().next().unwrap_or_default().trim_start_matches(['#', ' ']).to_owned()
}

fn add(place: &Place, args: &AddArgs) -> Done {
    let file = place.file()?;
    let mut trunk = NewTrunk {
        name: args.name.clone(),
        recipe: args.recipe.clone(),
        server: args.server.clone(),
        user: args.user.clone(),
        auth_user: args.auth_user.clone(),
        secret_file: args.secret_file.clone(),
        domain: args.domain.clone(),
        realms: args.realm.clone(),
        from: args.from.clone(),
        number: args.number.clone(),
    };
    let needs_secret = recipes::registers(&args.recipe) && args.secret_file.is_none();
    if needs_secret {
        let folder = file.parent().unwrap_or(Path::new(""));
        trunk.secret_file = Some(ask_secret(folder, &args.name, args.user.as_deref().unwrap_or("the account"))?);
    }
    let section = add_trunk(&file, &trunk).map_err(Failure::usage)?;
    print::lines(["Written into ".to_owned() + &file.display().to_string() + ":", String::new()])?;
    print::lines(section.lines().map(|line| format!("    {line}")))?;
    let other_side = match args.recipe.as_str() {
        "generic-trunk" | "freepbx-trunk" => "Let the other side send its calls to this machine's address, port 5060.",
        _ => "The other side needs no change once the user and the password are right.",
    };
    print::lines([
        String::new(),
        "Next:".to_owned(),
        format!("  1. {other_side} docs/joining.md shows it for {}.", args.recipe),
        "  2. Restart the daemon: `systemctl restart nightbell`, or stop and start `nightbell run`.".to_owned(),
        format!("  3. `nightbell trunk test {}` says whether it works, and if not, what to change.", args.name),
    ])
}

/// Reads a password, and puts it into a file that its owner alone may read; the file's name as the configuration shall have it.
fn ask_secret(folder: &Path, trunk: &str, user: &str) -> Result<String, Failure> {
    eprint!("The password of {user} (it shows as you type): ");
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(Failure::failed)?;
    let secret = line.trim();
    if secret.is_empty() {
        return Err(Failure::usage("this recipe needs a password: give --secret-file FILE, or write it on the input"));
    }
    let name = format!("{trunk}.secret");
    let path = folder.join(&name);
    let refused = |error: std::io::Error| Failure::failed(format!("{}: {error}", path.display()));
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(refused)?;
    file.write_all(format!("{secret}\n").as_bytes()).map_err(refused)?;
    Ok(name)
}

/// The trunks as the daemon sees them; none when it does not run.
fn seen(place: &Place) -> Result<Option<Value>, Failure> {
    match control::ask(&place.data_dir()?, &Request::Status) {
        Ok(status) => Ok(Some(status.get("trunks").cloned().unwrap_or_default())),
        Err(AskError::NotRunning) => Ok(None),
        Err(error) => Err(Failure::failed(error)),
    }
}

fn list(place: &Place) -> Done {
    let config = place.settings()?;
    let seen = seen(place)?;
    if config.trunks.is_empty() {
        return print::lines(["No trunk is configured. `nightbell trunk add --help` says how to join one.".to_owned()]);
    }
    let line = |(name, trunk): (&String, &crate::config::Trunk)| {
        let known = seen.as_ref().and_then(|seen| seen.get(name));
        let state = known.and_then(|known| known["state"].as_str()).unwrap_or("the daemon is not running, or has not read this yet");
        let trouble = known.and_then(|known| known["trouble"].as_str()).map_or_else(String::new, |trouble| format!(": {trouble}"));
        format!("{name:16} {:18} {state}{trouble}", trunk.recipe.as_deref().unwrap_or("-"))
    };
    print::lines(config.trunks.iter().map(line))
}

fn test(place: &Place, name: &str) -> Done {
    if !place.settings()?.trunks.contains_key(name) {
        return Err(Failure::not_found(format!("there is no [trunk.{name}] in the configuration; `nightbell trunk list` shows them")));
    }
    let clock = Clock::start();
    let until = clock.now() + TEST_WITHIN;
    loop {
        let seen = seen(place)?.ok_or_else(|| Failure::not_running("the daemon is not running: start it, and ask again"))?;
        let Some(known) = seen.get(name) else {
            return Err(Failure::failed(format!("the running daemon does not know trunk {name:?} yet: restart it")));
        };
        let state = known["state"].as_str().unwrap_or_default();
        if WELL.contains(&state) {
            return print::lines([format!("{name}: {state}"), serde_json::to_string_pretty(known).unwrap_or_default()]);
        }
        let waits = matches!(state, "registering" | "not found") && clock.now() < until;
        if !waits {
            let trouble = known["trouble"].as_str().unwrap_or("it says nothing more");
            return Err(Failure::failed(format!("{name}: {state}: {trouble}")));
        }
        std::thread::park_timeout(Duration::from_millis(250));
    }
}
