//! The declarations of one file, as C has them.
//!
//! Arguments have types of their own in Rust, each a pointer in C ("transparent"); cbindgen declares those as `typedef`s, and here
//! what they stand for is put in their place. A type of a function is one that callers may point to.

use std::path::Path;

use cbindgen::{Builder, Config, DocumentationStyle, Language, Layout, RenameRule, Style};

/// Goes before functions: what a header calls exported.
const EXPORT: &str = "ZMQ_EXPORT ";

/// What stands in C around what is not stable in libzmq.
const DRAFT: &str = "ZMQ_BUILD_DRAFT_API";

/// One declaration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) docs: Vec<String>,
    pub(crate) code: String,
    pub(crate) draft: bool,
}

impl Item {
    pub(crate) fn is_constant(&self) -> bool {
        self.code.starts_with("#define ")
    }

    /// What is declared.
    pub(crate) fn name(&self) -> &str {
        if let Some(rest) = self.code.strip_prefix("#define ") {
            return rest.split(' ').next().unwrap_or_default();
        }
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        if let Some((_, rest)) = self.code.split_once("(*") {
            return rest.split(|c| !is_part(c)).next().unwrap_or_default();
        }
        // What stands last before the members, the arguments or the end.
        let before = self.code.split(['{', '(', ';']).next().unwrap_or_default();
        before.trim_end().rsplit(|c| !is_part(c)).next().unwrap_or_default()
    }
}

/// The declarations of a file with this text; `raw` has the types of arguments.
pub(crate) fn of_file(raw: &Path, path: &Path, text: &str) -> Result<Vec<Item>, String> {
    let types = raw.with_file_name("types.rs");
    let mut builder = Builder::new().with_config(config(text)).with_src(raw).with_src(&types);
    if path != types {
        builder = builder.with_src(path);
    }
    let bindings = builder.generate().map_err(|error| format!("{}: {error}", path.display()))?;
    let mut written = Vec::new();
    bindings.write(&mut written);
    let written = String::from_utf8(written).map_err(|error| error.to_string())?;
    let items = items(&written);
    let stands_for: Vec<(String, String)> = items.iter().filter_map(alias).collect();
    let is_of_file = |item: &Item| {
        let name = item.name();
        let is = |keyword: &str| text.contains(&format!("pub {keyword} {name}"));
        ["const", "type", "struct", "extern \"C\" fn"].into_iter().any(is)
            && stands_for.iter().all(|(alias, _)| alias != name)
    };
    let mut own: Vec<Item> = items.iter().filter(|item| is_of_file(item)).cloned().collect();
    for item in &mut own {
        item.code = in_plain_c(&item.code, &stands_for);
    }
    Ok(own)
}

fn config(text: &str) -> Config {
    let mut config = Config {
        language: Language::C,
        style: Style::Both,
        documentation_style: DocumentationStyle::C99,
        usize_is_size_t: true,
        no_includes: true,
        tab_width: 4,
        ..Config::default()
    };
    config.function.prefix = Some(EXPORT.trim_end().to_owned());
    config.function.args = Layout::Horizontal;
    config.function.rename_args = RenameRule::SnakeCase;
    config.defines.insert("feature = draft".to_owned(), DRAFT.to_owned());
    config.export.include = types(text);
    // A type of the system's, which libc's crate knows without its `struct`.
    config.export.rename.insert("iovec".to_owned(), "struct iovec".to_owned());
    config
}

/// The types that a file declares for C, whether one of its functions uses them or not.
fn types(text: &str) -> Vec<String> {
    let declared = text.lines().filter_map(|line| {
        let rest = line.strip_prefix("pub struct ").or_else(|| line.strip_prefix("pub type "))?;
        rest.split([' ', '(', ';', '<']).next()
    });
    declared
        .filter(|name| name.ends_with("_t") || name.ends_with("_fn"))
        .map(str::to_owned)
        .collect()
}

/// Takes what cbindgen wrote apart.
fn items(written: &str) -> Vec<Item> {
    let mut items = Vec::new();
    let mut item = Item::default();
    let mut draft = false;
    for line in written.lines() {
        if line.starts_with("#if ") {
            draft = true;
        } else if line.starts_with("#endif") {
            draft = false;
        } else if let Some(words) = line.strip_prefix("//") {
            item.docs.push(words.trim().to_owned());
        } else if !line.is_empty() {
            item.code += line;
            item.code.push('\n');
            if line.starts_with("#define") || (line.ends_with(';') && !line.starts_with(' ')) {
                item.code.truncate(item.code.trim_end().len());
                item.draft = draft;
                items.push(std::mem::take(&mut item));
            }
        }
    }
    items
}

/// What the name of a transparent type stands for: of `typedef void *Handle;`, `Handle` and `void *`.
fn alias(item: &Item) -> Option<(String, String)> {
    let code = item.code.strip_prefix("typedef ")?.strip_suffix(';')?;
    let (target, name) = code.rsplit_once('*')?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    is_name.then(|| (name.to_owned(), format!("{target}*")))
}

/// A declaration without the names that only Rust knows.
fn in_plain_c(code: &str, stands_for: &[(String, String)]) -> String {
    let mut code = code.replace("struct Option_", "Option_");
    // Those of pointers to pointers have others in them.
    for _ in 0..2 {
        for (alias, target) in stands_for {
            code = replace_word(&code, alias, target);
        }
    }
    let mut plain = String::new();
    let mut rest = code.as_str();
    // A function that may be missing is one that is pointed to.
    while let Some((before, after)) = rest.split_once("Option_") {
        let end = after.find([' ', ',', ')']).unwrap_or(after.len());
        plain += before;
        plain += &after[..end];
        plain += " *";
        rest = after[end..].trim_start();
    }
    plain += rest;
    let plain = plain.replace("* ", "*");
    if plain.starts_with("typedef") {
        // The type of a function, not of what points to it.
        return plain.replacen("(*", "(", 1);
    }
    // Our own structs have names without `struct`, too.
    plain.replace("struct zmq_", "zmq_").replace("struct tightbeam_", "tightbeam_")
}

fn replace_word(code: &str, word: &str, by: &str) -> String {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut replaced = String::new();
    let mut rest = code;
    while let Some(at) = rest.find(word) {
        let (before, after) = (&rest[..at], &rest[at + word.len()..]);
        replaced += before;
        let alone = !before.ends_with(is_part) && !after.starts_with(is_part);
        replaced += if alone { by } else { word };
        rest = after;
    }
    replaced + rest
}
