//! Which top-level modules of a crate use which others, read from its source.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{
    Attribute, File, Item, ItemMod, Macro, UseTree,
    visit::{self, Visit},
};

/// A crate's top-level modules and the uses between them, without those of tests.
#[derive(Debug, Default)]
pub(super) struct Crate {
    /// For each module the modules that it uses, each with the files that use it.
    edges: BTreeMap<String, BTreeMap<String, BTreeSet<PathBuf>>>,
    /// The module of each name that the root re-exports.
    exports: BTreeMap<String, String>,
}

impl Crate {
    /// Reads the crate with this root file (`lib.rs` or `main.rs`).
    pub(super) fn read(root: &Path) -> Self {
        let mut program = Self::default();
        let file = parse(root);
        let modules = file.items.iter().filter_map(|item| match item {
            Item::Mod(module) if !is_test(&module.attrs) => Some(module),
            _ => None,
        });
        let modules: Vec<&ItemMod> = modules.collect();
        for module in &modules {
            program
                .edges
                .insert(module.ident.to_string(), BTreeMap::new());
        }
        for item in &file.items {
            if let Item::Use(item) = item {
                program.export(&item.tree, &mut Vec::new());
            }
        }
        let folder = root.parent().unwrap();
        for module in modules {
            let name = module.ident.to_string();
            program.read_module(module, folder, root, vec![name]);
        }
        program
    }

    /// Remembers which module the names of a `use` of the root come from.
    fn export(&mut self, tree: &UseTree, path: &mut Vec<String>) {
        match tree {
            UseTree::Path(next) => {
                path.push(next.ident.to_string());
                self.export(&next.tree, path);
                path.pop();
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.export(tree, path);
                }
            }
            UseTree::Name(name) => self.export_name(name.ident.to_string(), path),
            UseTree::Rename(name) => self.export_name(name.rename.to_string(), path),
            UseTree::Glob(_) => {}
        }
    }

    fn export_name(&mut self, name: String, path: &[String]) {
        let module = path
            .iter()
            .find(|part| !["crate", "self"].contains(&&***part));
        if let Some(module) = module.filter(|module| self.edges.contains_key(*module)) {
            self.exports.insert(name, module.clone());
        }
    }

    fn read_module(&mut self, module: &ItemMod, folder: &Path, file: &Path, path: Vec<String>) {
        let name = module.ident.to_string();
        let below = folder.join(&name);
        match &module.content {
            Some((_, items)) => self.read_items(items, &below, file, path),
            None => {
                let named = paths(&module.attrs).into_iter();
                let named = named.map(|path| file.parent().unwrap().join(path));
                let mut files: Vec<PathBuf> = named.collect();
                if files.is_empty() {
                    let beside = folder.join(format!("{name}.rs"));
                    let is_beside = beside.is_file();
                    files.push(if is_beside {
                        beside
                    } else {
                        below.join("mod.rs")
                    });
                }
                for file in files {
                    self.read_items(&parse(&file).items, &below, &file, path.clone());
                }
            }
        }
    }

    fn read_items(&mut self, items: &[Item], folder: &Path, file: &Path, path: Vec<String>) {
        for item in items {
            match item {
                Item::Mod(module) if is_test(&module.attrs) => {}
                Item::Mod(module) => {
                    let path = [path.clone(), vec![module.ident.to_string()]].concat();
                    self.read_module(module, folder, file, path);
                }
                item => {
                    let mut uses = Uses {
                        path: &path,
                        found: Vec::new(),
                    };
                    uses.visit_item(item);
                    for used in uses.found {
                        self.add(&path[0], &used, file);
                    }
                }
            }
        }
    }

    fn add(&mut self, from: &str, name: &str, file: &Path) {
        let module = self.exports.get(name).cloned();
        let module = module.unwrap_or_else(|| name.to_owned());
        if module != from && self.edges.contains_key(&module) {
            let uses = self.edges.entry(from.to_owned()).or_default();
            uses.entry(module).or_default().insert(file.to_owned());
        }
    }

    /// The groups of modules that reach each other, each with more than one.
    pub(super) fn cycles(&self) -> Vec<Vec<String>> {
        let reached: BTreeMap<&String, BTreeSet<&String>> = self
            .edges
            .keys()
            .map(|module| (module, self.reached_from(module)))
            .collect();
        let mut cycles = BTreeSet::new();
        for module in self.edges.keys() {
            let cycle: Vec<String> = self
                .edges
                .keys()
                .filter(|other| reached[module].contains(other) && reached[other].contains(module))
                .cloned()
                .collect();
            if cycle.len() > 1 {
                cycles.insert(cycle);
            }
        }
        cycles.into_iter().collect()
    }

    fn reached_from(&self, module: &String) -> BTreeSet<&String> {
        let mut reached = BTreeSet::new();
        let mut next: Vec<&String> = self.edges[module].keys().collect();
        while let Some(module) = next.pop() {
            if reached.insert(module) {
                next.extend(self.edges[module].keys());
            }
        }
        reached
    }

    /// The uses between these modules, one a line.
    pub(super) fn edges_within(&self, modules: &[String]) -> String {
        let mut lines = Vec::new();
        for module in modules {
            for (used, files) in &self.edges[module] {
                if modules.contains(used) {
                    let files: Vec<_> = files
                        .iter()
                        .map(|file| file.display().to_string())
                        .collect();
                    lines.push(format!("  {module} uses {used} in {}", files.join(", ")));
                }
            }
        }
        lines.join("\n")
    }
}

/// The names that follow the root of the crate in the paths of an item.
struct Uses<'a> {
    /// The module that the item is in.
    path: &'a [String],
    found: Vec<String>,
}

impl Uses<'_> {
    /// Notes what a path names at the root of the crate; `path` may continue after the names given.
    fn note(&mut self, path: &[String]) {
        let supers = path.iter().take_while(|part| *part == "super").count();
        let name = match path.first().map(String::as_str) {
            Some("crate") => path.get(1),
            Some("super") if supers == self.path.len() => path.get(supers),
            Some(_) | None => None,
        };
        self.found.extend(name.cloned());
    }

    fn note_tree(&mut self, tree: &UseTree, path: &mut Vec<String>) {
        match tree {
            UseTree::Path(next) => {
                path.push(next.ident.to_string());
                self.note_tree(&next.tree, path);
                path.pop();
            }
            UseTree::Name(name) => self.note(&[&**path, &[name.ident.to_string()]].concat()),
            UseTree::Rename(name) => self.note(&[&**path, &[name.ident.to_string()]].concat()),
            UseTree::Glob(_) => self.note(path),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.note_tree(tree, path);
                }
            }
        }
    }

    /// Paths in the arguments of macros, which are no syntax tree yet.
    fn note_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) if path.is_empty() || colons == 2 => {
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' && !path.is_empty() => {
                    colons += 1
                }
                other => {
                    self.note(&path);
                    path.clear();
                    colons = 0;
                    match other {
                        TokenTree::Group(group) => self.note_tokens(group.stream()),
                        TokenTree::Ident(ident) => path.push(ident.to_string()),
                        TokenTree::Punct(_) | TokenTree::Literal(_) => {}
                    }
                }
            }
        }
        self.note(&path);
    }
}

impl<'ast> Visit<'ast> for Uses<'_> {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.note_tree(&item.tree, &mut Vec::new());
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<String> = path
            .segments
            .iter()
            .map(|part| part.ident.to_string())
            .collect();
        self.note(&names);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, macros: &'ast Macro) {
        self.visit_path(&macros.path);
        self.note_tokens(macros.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let syn::Meta::List(list) = &attribute.meta {
            self.note_tokens(list.tokens.clone());
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !is_test(&item.attrs) {
            visit::visit_item_fn(self, item);
        }
    }
}

fn parse(path: &Path) -> File {
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files that `#[path = "…"]` and `#[cfg_attr(…, path = "…")]` name, relative to the folder of the file that declares the
/// module. Those of other systems count too.
fn paths(attributes: &[Attribute]) -> Vec<String> {
    let named = |attribute: &Attribute| {
        let tokens = attribute.meta.to_token_stream().to_string();
        let path = tokens.split("path = \"").nth(1)?;
        Some(path.split('"').next()?.to_owned())
    };
    let is_path = |attribute: &&Attribute| {
        attribute.path().is_ident("path") || attribute.path().is_ident("cfg_attr")
    };
    attributes
        .iter()
        .filter(is_path)
        .filter_map(named)
        .collect()
}

/// Whether an item exists in tests only.
fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && matches!(&attribute.meta, syn::Meta::List(list) if list.tokens.to_string() == "test")
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::Crate;

    /// The cycles of a crate with these files.
    fn cycles(files: &[(&str, &str)]) -> Vec<Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let file = folder.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        Crate::read(&folder.path().join("lib.rs")).cycles()
    }

    #[test]
    fn a_cycle_is_found_however_it_is_written() {
        let uses_b = [
            "use crate::b::B;",
            "use crate::{b};",
            "use super::b::*;",
            "fn f() -> crate::b::B { loop {} }",
            "fn f() { println!(\"{}\", crate::b::X); }",
            "use crate::B;",
            "#[derive(Debug)] struct S { #[serde(with = x, other(crate::b::B))] b: u8 }",
            "mod inner { fn f() { super::super::b::g() } }",
        ];
        for text in uses_b {
            let files = [
                ("lib.rs", "mod a; mod b; mod c; pub use b::B;"),
                ("a.rs", text),
                ("b.rs", "use crate::c;"),
                ("c.rs", "mod deep;"),
                ("c/deep.rs", "fn f() { crate::a::f() }"),
            ];
            assert_eq!(cycles(&files), [["a", "b", "c"]], "{text}");
        }
    }

    #[test]
    fn tests_and_uses_in_one_direction_are_no_cycle() {
        let files = [
            ("lib.rs", "mod a; mod b; #[cfg(test)] mod fixtures;"),
            (
                "a.rs",
                "use crate::b::B; mod b { } fn f() { self::b::g(); }",
            ),
            (
                "b.rs",
                "#[cfg(test)] mod tests { use crate::a; } // crate::a",
            ),
            ("fixtures.rs", "use crate::a;"),
        ];
        assert_eq!(cycles(&files), Vec::<Vec<String>>::new());
    }
}
