//! Ready beginnings for a trunk: what each kind of PBX and provider wants, as data.

use super::raw;

/// Each recipe's name, and what it says.
const RECIPES: [(&str, &str); 7] = [
    ("generic-trunk", include_str!("../../config/recipes/generic-trunk.toml")),
    ("generic-register", include_str!("../../config/recipes/generic-register.toml")),
    ("freepbx-extension", include_str!("../../config/recipes/freepbx-extension.toml")),
    ("freepbx-trunk", include_str!("../../config/recipes/freepbx-trunk.toml")),
    ("3cx", include_str!("../../config/recipes/3cx.toml")),
    ("freeswitch", include_str!("../../config/recipes/freeswitch.toml")),
    ("provider", include_str!("../../config/recipes/provider.toml")),
];

/// The names of all recipes.
pub fn names() -> Vec<&'static str> {
    RECIPES.iter().map(|(name, _)| *name).collect()
}

/// The text of the recipe of that name.
pub fn text(name: &str) -> Option<&'static str> {
    RECIPES.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// Whether the recipe of that name registers, and so needs a user and a password.
pub fn registers(name: &str) -> bool {
    find(name).is_some_and(|recipe| recipe.register.is_some_and(|register| *register.get_ref()))
}

/// The recipe of that name as written; all of them can be read, which a test holds.
pub(super) fn find(name: &str) -> Option<raw::Trunk> {
    toml::from_str(text(name)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recipe_can_be_read() {
        for name in names() {
            let read: Result<raw::Trunk, _> = toml::from_str(text(name).unwrap());
            assert!(read.is_ok(), "{name}: {}", read.err().unwrap());
        }
        assert!(find("teapot").is_none());
    }
}
