//! Writes the headers, or with `--check` says which of them differ from the declarations.

use std::fs;
use std::process::ExitCode;

use tightbeam_header::HEADERS;

fn main() -> ExitCode {
    let check = std::env::args().nth(1).is_some_and(|argument| argument == "--check");
    let mut result = ExitCode::SUCCESS;
    for header in HEADERS {
        let path = header.path();
        let outcome = header.generate().and_then(|text| {
            let kept = fs::read_to_string(&path).unwrap_or_default();
            if kept == text {
                return Ok(());
            }
            if check {
                return Err(
                    "differs from the declarations in crates/capi: run `cargo xtask header`"
                        .to_owned(),
                );
            }
            fs::write(&path, text).map_err(|error| error.to_string())
        });
        if let Err(error) = outcome {
            eprintln!("{}: {error}", path.display());
            result = ExitCode::FAILURE;
        }
    }
    result
}
