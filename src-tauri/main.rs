//! The shell.
fn main() {
    let _context: tauri::Context<tauri::Wry> = tauri::generate_context!();
}
