//! Small files that are read within a limit, and written in one piece.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use zeroize::Zeroizing;

use super::CertificateFault;

/// The longest file that is read.
const MOST_BYTES: usize = 16 * 1024;

/// Names that are tried for a draft.
const MOST_DRAFTS: usize = 100;

/// Who may read a file beside its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Readers {
    Owner,
    /// Whom the process's umask lets.
    Everybody,
}

/// The bytes of a regular file, which are wiped in the end.
pub(super) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, CertificateFault> {
    // A pipe would have its reader wait for a writer.
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(CertificateFault::NotAFile);
    }
    // One byte more than there may be, all at once: growing would leave a copy behind.
    let mut bytes = Zeroizing::new(vec![0; MOST_BYTES + 1]);
    let mut len = 0;
    loop {
        match (&file).read(&mut bytes[len..]) {
            Ok(0) if len > MOST_BYTES => return Err(CertificateFault::TooLong(MOST_BYTES)),
            Ok(0) => break,
            Ok(more) => len += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    bytes.truncate(len);
    Ok(bytes)
}

/// Writes a file that takes the place of what was there: it is whole, or not there, at every moment.
pub(super) fn write(path: &Path, bytes: &[u8], readers: Readers) -> Result<(), CertificateFault> {
    let (mut file, draft) = draft(path, readers)?;
    let written = file
        .write_all(bytes)
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&draft, path));
    written.map_err(|error| {
        // It fails if the draft was taken away, which is what is wanted.
        let _ = fs::remove_file(&draft);
        error.into()
    })
}

/// A new file beside the one that is to be written. It is hidden, so that those who read the directory leave it alone.
fn draft(path: &Path, readers: Readers) -> io::Result<(File, PathBuf)> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    if readers == Readers::Owner {
        options.mode(0o600);
    }
    let mut taken = io::Error::from(io::ErrorKind::AlreadyExists);
    for _ in 0..MOST_DRAFTS {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let draft = path.with_file_name(format!(".tightbeam-{}-{number}", std::process::id()));
        match options.open(&draft) {
            Ok(file) => return Ok((file, draft)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => taken = error,
            Err(error) => return Err(error),
        }
    }
    Err(taken)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    use std::path::Path;

    use tempfile::TempDir;

    use super::{MOST_BYTES, Readers, draft, read, write};
    use crate::curve::CertificateFault;

    fn directory() -> TempDir {
        tempfile::tempdir().expect("a directory")
    }

    fn names(directory: &TempDir) -> Vec<String> {
        let entries = fs::read_dir(directory.path()).expect("it is there");
        entries
            .map(|entry| entry.expect("it is there").file_name().into_string().expect("UTF-8"))
            .collect()
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("it is there").mode() & 0o777
    }

    #[test]
    fn a_secret_file_takes_the_place_of_one_that_everybody_may_read() {
        let directory = directory();
        let path = directory.path().join("x.key_secret");
        fs::write(&path, "old").expect("written");
        fs::set_permissions(&path, Permissions::from_mode(0o666)).expect("set");
        // Who has the old file open does not see what is written.
        let open = fs::File::open(&path).expect("open");
        write(&path, b"new", Readers::Owner).expect("written");
        assert_eq!(mode(&path), 0o600);
        assert_eq!(std::io::read_to_string(open).expect("read"), "old");
        assert_eq!(**read(&path).expect("read"), b"new"[..]);
        assert_eq!(names(&directory), ["x.key_secret"]);
    }

    #[test]
    fn a_secret_file_is_its_owners_before_anything_is_in_it() {
        let directory = directory();
        let (file, path) = draft(&directory.path().join("x"), Readers::Owner).expect("made");
        assert_eq!(file.metadata().expect("it is there").len(), 0);
        assert_eq!(mode(&path), 0o600);
    }

    #[test]
    fn a_link_is_replaced_and_not_followed() {
        let directory = directory();
        let [path, target] = ["x", "target"].map(|name| directory.path().join(name));
        fs::write(&target, "old").expect("written");
        symlink(&target, &path).expect("linked");
        write(&path, b"new", Readers::Owner).expect("written");
        assert_eq!(fs::read(&target).expect("read"), b"old");
        assert!(fs::symlink_metadata(&path).expect("it is there").is_file());
    }

    #[test]
    fn nothing_is_left_of_a_file_that_could_not_be_written() {
        let directory = directory();
        fs::create_dir(directory.path().join("x")).expect("made");
        assert!(matches!(
            write(&directory.path().join("x"), b"new", Readers::Everybody),
            Err(CertificateFault::Io(_))
        ));
        assert_eq!(names(&directory), ["x"]);
    }

    #[test]
    fn files_are_read_within_a_limit() {
        let directory = directory();
        let path = directory.path().join("x");
        fs::write(&path, vec![b'#'; MOST_BYTES]).expect("written");
        assert_eq!(read(&path).expect("read").len(), MOST_BYTES);
        fs::write(&path, vec![b'#'; MOST_BYTES + 1]).expect("written");
        assert!(matches!(read(&path), Err(CertificateFault::TooLong(MOST_BYTES))));
        assert!(matches!(read(Path::new("/dev/zero")), Err(CertificateFault::NotAFile)));
        assert!(matches!(read(directory.path()), Err(CertificateFault::NotAFile)));
        assert!(matches!(read(&directory.path().join("none")), Err(CertificateFault::Io(_))));
    }

    #[test]
    fn a_pipe_is_not_waited_for() {
        let directory = directory();
        let path = directory.path().join("x");
        let made = std::process::Command::new("mkfifo").arg(&path).status().expect("coreutils");
        assert!(made.success());
        assert!(matches!(read(&path), Err(CertificateFault::NotAFile)));
    }
}
