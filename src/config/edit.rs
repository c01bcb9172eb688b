//! Writes a trunk into a configuration file: readable, checked before it is written, and with every comment left where it was.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use toml_edit::{Array, DocumentMut, Item, Table, value};

use super::load::Overrides;
use super::{Config, ConfigErrors, recipes};

/// A trunk to write.
#[derive(Clone, Default, Debug)]
pub struct NewTrunk {
    /// Its name: letters, digits, - and _.
    pub name: String,
    /// Its recipe.
    pub recipe: String,
    /// Where it is: `pbx.example.com`, `192.0.2.10:5080` or a whole URI.
    pub server: String,
    /// Our user name there.
    pub user: Option<String>,
    /// The name in credentials, where it is another one.
    pub auth_user: Option<String>,
    /// The file with the password, as it shall stand in the configuration.
    pub secret_file: Option<String>,
    /// The domain, where it is not the server's.
    pub domain: Option<String>,
    /// Realms, where they are not the recipe's.
    pub realms: Vec<String>,
    /// Networks that it calls from, besides its servers.
    pub from: Vec<String>,
    /// The number that calls out show.
    pub number: Option<String>,
}

/// A trunk cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The name.
    #[error("{name:?} is no name for a trunk: write letters, digits, - and _ only, such as \"office-pbx\"")]
    Name {
        /// As given.
        name: String,
    },
    /// The recipe.
    #[error("no recipe is called {recipe:?}: choose one of {known}")]
    Recipe {
        /// As given.
        recipe: String,
        /// All of them.
        known: String,
    },
    /// It is there.
    #[error("there is a [trunk.{name}] already: choose another name, or change that section in {file}")]
    There {
        /// The name.
        name: String,
        /// The configuration.
        file: PathBuf,
    },
    /// The file is no TOML.
    #[error("{file} cannot be read as TOML: {what}; `nightbell check` names the line")]
    Toml {
        /// The configuration.
        file: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The file.
    #[error("{file}: {error}")]
    File {
        /// The configuration, or the file beside it that it is written to first.
        file: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// It would be wrong afterwards.
    #[error("nothing was written, because it would be wrong:\n{0}")]
    Wrong(ConfigErrors),
}

/// Writes `trunk` into `file`; what was written comes back.
pub fn add_trunk(file: &Path, trunk: &NewTrunk) -> Result<String, EditError> {
    let failed = |error| EditError::File { file: file.to_owned(), error };
    let before = std::fs::read_to_string(file).map_err(failed)?;
    let (after, section) = with_trunk(file, &before, trunk)?;
    Config::of_text(file, &after, &Overrides::default()).map_err(EditError::Wrong)?;
    replace(file, &after)?;
    Ok(section)
}

/// The configuration `before` with `trunk` at its end, and that section alone.
fn with_trunk(file: &Path, before: &str, trunk: &NewTrunk) -> Result<(String, String), EditError> {
    let plain = !trunk.name.is_empty() && trunk.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if !plain {
        return Err(EditError::Name { name: trunk.name.clone() });
    }
    let Some(recipe) = recipes::text(&trunk.recipe) else {
        return Err(EditError::Recipe { recipe: trunk.recipe.clone(), known: recipes::names().join(", ") });
    };
    let document: DocumentMut = before
        .parse()
        .map_err(|error: toml_edit::TomlError| EditError::Toml { file: file.to_owned(), what: error.message().to_owned() })?;
    let trunks = document.get("trunk").and_then(Item::as_table_like);
    if trunks.is_some_and(|trunks| trunks.contains_key(&trunk.name)) {
        return Err(EditError::There { name: trunk.name.clone(), file: file.to_owned() });
    }
    let section = section(trunk, recipe);
    // The section is appended as text: so nothing that was written before is touched, comments and spaces included.
    let gap = if before.is_empty() || before.ends_with("\n\n") {
        ""
    } else if before.ends_with('\n') {
        "\n"
    } else {
        "\n\n"
    };
    Ok((format!("{before}{gap}{section}"), section))
}

/// `[trunk.NAME]` with what was given, and in comments what the recipe adds.
fn section(trunk: &NewTrunk, recipe: &str) -> String {
    let mut table = Table::new();
    let list = |texts: &[String]| value(texts.iter().collect::<Array>());
    table.insert("recipe", value(&trunk.recipe));
    table.insert("server", value(uri_of(&trunk.server)));
    let texts = [("user", &trunk.user), ("auth_user", &trunk.auth_user), ("secret_file", &trunk.secret_file), ("domain", &trunk.domain)];
    for (key, text) in texts.into_iter().chain([("number", &trunk.number)]) {
        if let Some(text) = text {
            table.insert(key, value(text));
        }
    }
    for (key, texts) in [("realms", &trunk.realms), ("from", &trunk.from)] {
        if !texts.is_empty() {
            table.insert(key, list(texts));
        }
    }
    let comment = recipe.lines().find_map(|line| line.strip_prefix('#')).unwrap_or_default();
    let rest = recipe.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    let given = |line: &&str| !table.contains_key(line.split('=').next().unwrap_or_default().trim());
    let rest: Vec<String> = rest.filter(given).map(|line| format!("# {line}\n")).collect();
    let rest = rest.concat();
    format!("#{comment}\n[trunk.{}]\n{table}# The recipe adds these; write one here without its # to change it:\n{rest}", trunk.name)
}

/// A server as the configuration wants it.
fn uri_of(server: &str) -> String {
    if server.starts_with("sip:") || server.starts_with("sips:") { server.to_owned() } else { format!("sip:{server}") }
}

/// Writes `text` in place of `file`: whole or not at all.
fn replace(file: &Path, text: &str) -> Result<(), EditError> {
    let beside = file.with_extension("toml.new");
    let failed = |file: &Path| {
        let file = file.to_owned();
        move |error| EditError::File { file, error }
    };
    let mut new = std::fs::File::create(&beside).map_err(failed(&beside))?;
    new.write_all(text.as_bytes()).and_then(|()| new.sync_all()).map_err(failed(&beside))?;
    if let Ok(before) = std::fs::metadata(file) {
        std::fs::set_permissions(&beside, before.permissions()).map_err(failed(&beside))?;
    }
    std::fs::rename(&beside, file).map_err(failed(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "[business] # ours\nname = \"A\"\ntime_zone = \"UTC\"\n\n[sip]\ntrusted = [\"127.0.0.1\"]   # this machine\n\n[store]\ndata = \"data\"\n\n[[route]]\nto = \"*\"\nagent = \"a\"\n";

    fn new(name: &str, recipe: &str) -> NewTrunk {
        NewTrunk { name: name.to_owned(), recipe: recipe.to_owned(), server: "pbx.example.com".to_owned(), ..NewTrunk::default() }
    }

    fn file(folder: &Path) -> PathBuf {
        std::fs::write(folder.join("pbx.secret"), "x\n").unwrap();
        std::fs::write(folder.join("n.toml"), BEFORE).unwrap();
        folder.join("n.toml")
    }

    #[test]
    fn a_trunk_is_added_and_every_comment_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = file(folder.path());
        let trunk = NewTrunk {
            user: Some("200".to_owned()),
            secret_file: Some("pbx.secret".to_owned()),
            realms: vec!["it's \"ours\"".to_owned()],
            ..new("office", "freepbx-extension")
        };
        let section = add_trunk(&file, &trunk).unwrap();
        assert!(section.starts_with("# An extension on FreePBX"), "{section}");
        let after = std::fs::read_to_string(&file).unwrap();
        assert!(after.starts_with(BEFORE) && after.ends_with(&section));
        assert!(section.contains("# expires_s = 300\n") && !section.contains("# realms"), "{section}");
        let config = Config::settings(&file, &Overrides::default()).unwrap();
        let office = &config.trunks["office"];
        assert_eq!(
            (office.register, office.expires_s, office.servers.as_slice()),
            (true, 300, ["sip:pbx.example.com".to_owned()].as_slice())
        );
        assert_eq!(office.realms, ["it's \"ours\""]);
        assert!(matches!(add_trunk(&file, &trunk), Err(EditError::There { .. })));
    }

    #[test]
    fn what_would_be_wrong_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = file(folder.path());
        assert!(matches!(add_trunk(&file, &new("a b", "3cx")), Err(EditError::Name { .. })));
        assert!(add_trunk(&file, &new("a", "teapot")).unwrap_err().to_string().contains("freepbx-extension"));
        let without = add_trunk(&file, &new("a", "provider")).unwrap_err().to_string();
        assert!(without.contains("needs user"), "{without}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), BEFORE);
        std::fs::write(&file, "[broken").unwrap();
        assert!(matches!(add_trunk(&file, &new("a", "generic-trunk")), Err(EditError::Toml { .. })));
    }

    #[test]
    fn every_recipe_can_be_added() {
        for recipe in recipes::names() {
            let folder = tempfile::tempdir().unwrap();
            let file = file(folder.path());
            let trunk = NewTrunk { user: Some("200".to_owned()), secret_file: Some("pbx.secret".to_owned()), ..new("t", recipe) };
            add_trunk(&file, &trunk).unwrap();
        }
    }
}
