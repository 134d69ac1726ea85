//! Tells Tauri which calls the window may make and where the capabilities live, which is beside the Rust code.

use tauri_build::{AppManifest, Attributes, try_build};

fn main() {
    println!("cargo:rerun-if-changed=src-tauri/capabilities");
    let attributes = Attributes::new()
        .capabilities_path_pattern("./src-tauri/capabilities/**/*.json")
        .app_manifest(AppManifest::new().commands(&["call"]));
    if let Err(error) = try_build(attributes) {
        eprintln!("{error:#}");
        std::process::exit(1);
    }
}
