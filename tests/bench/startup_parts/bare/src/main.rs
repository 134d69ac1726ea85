use tauri::{Builder, generate_context};

fn main() -> tauri::Result<()> {
    Builder::default().run(generate_context!())
}
