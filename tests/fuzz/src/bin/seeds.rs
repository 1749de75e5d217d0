//! Writes the seeds of every target into its corpus.

use std::{fs, io, path::Path};

use tightbeam_fuzz::TARGETS;

fn main() -> io::Result<()> {
    for target in &TARGETS {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.name);
        fs::create_dir_all(&corpus)?;
        for (name, bytes) in (target.seeds)() {
            fs::write(corpus.join(format!("seed-{name}")), bytes)?;
        }
    }
    Ok(())
}
