//! What the documents say of the program and of each other: links that lead somewhere, calls that exist.

use std::path::{Path, PathBuf};

use crate::{Outcome, whetstone};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The documents at the root, in `docs/` and in the UI's folder.
fn documents() -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for folder in ["", "docs", "docs/guide", "ui"] {
        for entry in std::fs::read_dir(root().join(folder))? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    Ok(found)
}

/// The targets of `[words](target)` that are files.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
    targets.filter(|target| !target.is_empty() && !target.contains("://") && !target.contains(' '))
}

#[test]
fn every_link_between_documents_leads_to_a_file() -> Outcome {
    let mut seen = 0;
    for document in documents()? {
        let text = std::fs::read_to_string(&document)?;
        for target in links(&text) {
            let path = document.parent().unwrap_or(root()).join(target);
            assert!(path.exists(), "{} links to {target}", document.display());
            seen += 1;
        }
    }
    assert!(seen > 20, "only {seen} links were found");
    Ok(())
}

#[test]
fn every_call_of_the_guide_is_one_that_the_program_knows() -> Outcome {
    let mut seen = 0;
    for document in documents()?.iter().filter(|path| path.starts_with(root().join("docs/guide"))) {
        let text = std::fs::read_to_string(document)?;
        let blocks = text.split("```").skip(1).step_by(2).filter_map(|block| block.strip_prefix("sh\n"));
        for line in blocks.flat_map(str::lines).filter_map(|line| line.strip_prefix("whetstone ")) {
            let mut words = line.split(" #").next().unwrap_or_default().split_whitespace();
            let command = words.next().unwrap_or_default();
            let help = whetstone(&[command, "--help"], &[])?;
            assert!(help.status.success(), "{}: whetstone {line}", document.display());
            let help = String::from_utf8(help.stdout)?;
            for flag in words.filter(|word| word.starts_with("--")) {
                assert!(
                    help.contains(&format!("{flag} ")) || help.contains(&format!("{flag}\n")),
                    "whetstone {line}: {flag}"
                );
                seen += 1;
            }
        }
    }
    assert!(seen > 5, "only {seen} flags were found");
    Ok(())
}
