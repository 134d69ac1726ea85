//! Writes the contract as TypeScript: every shape that a command or an event reaches, and the table of commands.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ts_rs::{Config, TS, TypeVisitor};

use crate::commands::{CommandVisitor, visit_commands};
use crate::{AppError, AppEvent};

const HEAD: &str = "// Generated from src-tauri/contract. Do not edit: change the Rust and run `UPDATE_CONTRACT=1 cargo test -p whetstone-contract`.\n";

/// The whole of `ui/src/contract/index.ts`.
#[must_use]
pub fn typescript() -> String {
    let mut shapes = Shapes { config: Config::new().with_large_int("number"), declarations: BTreeMap::new() };
    shapes.collect::<AppError>();
    shapes.collect::<AppEvent>();
    let mut table = Table { shapes, lines: String::new() };
    visit_commands(&mut table);

    let mut out = String::from(HEAD);
    for declaration in table.shapes.declarations.values() {
        let _ = write!(out, "\n{declaration}\n");
    }
    let _ = write!(
        out,
        "\n/** Every call the window can make: its argument and its answer. */\nexport interface Commands {{\n{}}}\n",
        table.lines
    );
    out
}

/// Declarations by name, so that the file does not depend on the order of discovery.
struct Shapes {
    config: Config,
    declarations: BTreeMap<String, String>,
}

impl Shapes {
    fn collect<T: TS + 'static + ?Sized>(&mut self) {
        <T as TS>::visit_generics(self);
        if T::output_path().is_none() {
            <T as TS>::visit_dependencies(self);
            return;
        }
        let name = T::ident(&self.config);
        if self.declarations.contains_key(&name) {
            return;
        }
        let docs = T::docs().unwrap_or_default();
        self.declarations.insert(name, format!("{docs}export {}", T::decl(&self.config)));
        <T as TS>::visit_dependencies(self);
    }
}

impl TypeVisitor for Shapes {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        self.collect::<T>();
    }
}

struct Table {
    shapes: Shapes,
    lines: String,
}

impl CommandVisitor for Table {
    fn visit<A: TS + 'static, R: TS + 'static>(&mut self, name: &'static str) {
        self.shapes.collect::<A>();
        self.shapes.collect::<R>();
        let (argument, answer) = (A::name(&self.shapes.config), R::name(&self.shapes.config));
        let _ = writeln!(self.lines, "  {name}: {{ argument: {argument}; answer: {answer} }};");
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_generated_typescript_has_not_drifted() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/src/contract/index.ts");
        let fresh = super::typescript();
        if std::env::var_os("UPDATE_CONTRACT").is_some() {
            std::fs::create_dir_all(path.parent().expect("the file has a folder")).expect("folder");
            std::fs::write(&path, &fresh).expect("write");
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == fresh,
            "ui/src/contract/index.ts is stale: run UPDATE_CONTRACT=1 cargo test -p whetstone-contract"
        );
    }
}
