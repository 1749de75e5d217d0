//! A folder of certificates that changes while it is used.
//!
//! There is no thread that watches it. Whoever asks for a key looks first whether anything has changed, by the times that the file
//! system keeps: those of the folders, which change when a file is added, removed or replaced, and that of the file that has
//! the key. Only a file that was written over in place, and has a key that nobody had before, is found by looking at all of them.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

use super::{Certificate, CertificateError, CertificateFault, PublicKey, text};

/// A file that has not changed for more than so many seconds has another time when it changes again: the times of some
/// file systems are that coarse.
const SETTLED_S: i64 = 2;

/// Looking for keys that nobody has takes one part in so many of the time: strangers decide how often they ask.
const SHARE: u32 = 10;

/// Levels of folders within folders, this one included.
const MOST_DEPTH: usize = 8;

/// The certificates in a folder and the folders below it. Those that are added, replaced or removed count at the next question. One whose file
/// is written over in place counts then as well, but if many ask for keys that are not there, some may have to ask again.
///
/// Left out are files whose names begin with a dot or end in `_secret`, links to folders, and what is more than 8 levels deep. A file that is no certificate
/// is as good as absent; [`problems`](CertificateFolder::problems) tells why. Secret keys are not kept. Of two files with one key, the
/// one whose path comes first holds.
///
/// Threads may share it. A question reads from the file system, as much as has changed, while others wait.
#[derive(Debug)]
pub struct CertificateFolder {
    path: PathBuf,
    known: Mutex<Known>,
}

impl CertificateFolder {
    /// A folder, which may be made later.
    pub fn new(path: impl Into<PathBuf>) -> CertificateFolder {
        CertificateFolder { path: path.into(), known: Mutex::default() }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The certificate with this key, as it is now.
    ///
    /// # Errors
    /// It cannot be told, because the system has refused to show a folder. One that is not there is empty.
    pub fn find(&self, key: &PublicKey) -> io::Result<Option<Arc<Certificate>>> {
        let mut known = self.lock();
        if !known.is_current(key) {
            known.look(&self.path)?;
        }
        Ok(known.file_of(key).and_then(|file| file.certificate.as_ref().ok().cloned()))
    }

    /// The files that are left out because something is wrong with them, as they are now.
    ///
    /// # Errors
    /// As [`find`](CertificateFolder::find).
    pub fn problems(&self) -> io::Result<Vec<Arc<CertificateError>>> {
        let mut known = self.lock();
        known.look(&self.path)?;
        Ok(known
            .files
            .values()
            .filter_map(|file| file.certificate.as_ref().err().cloned())
            .collect())
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        // What is in it is compared with the files before it is used.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was found when the folder was looked at.
#[derive(Debug, Default)]
struct Known {
    /// Each folder; `None` if it was not there.
    folders: Vec<(PathBuf, Option<Stamp>)>,
    files: BTreeMap<PathBuf, KnownFile>,
    paths: HashMap<PublicKey, PathBuf>,
    /// When the next look may be made for a key that is not there.
    next_look: Option<Instant>,
}

#[derive(Debug)]
struct KnownFile {
    stamp: Stamp,
    certificate: Read,
}

/// What reading a file came to.
type Read = Result<Arc<Certificate>, Arc<CertificateError>>;

impl Known {
    fn file_of(&self, key: &PublicKey) -> Option<&KnownFile> {
        self.files.get(self.paths.get(key)?)
    }

    /// Whether what is known of a key is what a look would find.
    fn is_current(&self, key: &PublicKey) -> bool {
        let folders_are = self.folders.iter().all(|(path, stamp)| is_current(path, stamp.as_ref()));
        if self.folders.is_empty() || !folders_are {
            return false;
        }
        match (self.paths.get(key), self.file_of(key)) {
            (Some(path), Some(file)) => is_current(path, Some(&file.stamp)),
            _ => self.next_look.is_some_and(|next| Instant::now() < next),
        }
    }

    /// Looks at every file, and reads those that have changed.
    fn look(&mut self, path: &Path) -> io::Result<()> {
        let started = Instant::now();
        let before = std::mem::take(self);
        let mut left = vec![(path.to_owned(), 1)];
        while let Some((folder, depth)) = left.pop() {
            // Before it is read: what changes meanwhile is seen the next time.
            let stamp = Stamp::of(&folder)?;
            if let Some(stamp) = &stamp {
                for (path, is_folder) in
                    entries(&folder).or_else(|error| self.refuse(&folder, stamp, error))?
                {
                    if !is_folder {
                        self.add(path, &before)?;
                    } else if depth < MOST_DEPTH {
                        left.push((path, depth + 1));
                    }
                }
            }
            self.folders.push((folder, stamp));
        }
        // The first path of a key holds.
        for (path, file) in self.files.iter().rev() {
            if let Ok(certificate) = &file.certificate {
                self.paths.insert(certificate.public_key(), path.clone());
            }
        }
        self.next_look = Some(Instant::now() + started.elapsed() * SHARE);
        Ok(())
    }

    /// Adds what is in a file, which is read unless it is the one that was there before.
    fn add(&mut self, path: PathBuf, before: &Known) -> io::Result<()> {
        // A link may lead to nothing.
        let Some(stamp) = Stamp::of(&path)? else { return Ok(()) };
        let same = before.files.get(&path).filter(|file| file.stamp.still_is(&stamp));
        let certificate = match same {
            Some(file) => file.certificate.clone(),
            None => read(&path)?,
        };
        self.files.insert(path, KnownFile { stamp, certificate });
        Ok(())
    }

    /// A folder that cannot be read has nothing in it.
    fn refuse(
        &mut self,
        folder: &Path,
        stamp: &Stamp,
        error: io::Error,
    ) -> io::Result<Vec<(PathBuf, bool)>> {
        if !is_lasting(&error) {
            return Err(error);
        }
        let problem = CertificateError::new(folder, None, error.into());
        let known = KnownFile { stamp: stamp.clone(), certificate: Err(Arc::new(problem)) };
        self.files.insert(folder.to_owned(), known);
        Ok(Vec::new())
    }
}

/// What is in a folder and may be a certificate, or is a folder.
fn entries(folder: &Path) -> io::Result<Vec<(PathBuf, bool)>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        if !name.starts_with(b".") && !name.ends_with(text::SECRET.as_bytes()) {
            entries.push((entry.path(), entry.file_type().is_ok_and(|kind| kind.is_dir())));
        }
    }
    Ok(entries)
}

/// Reads a file that shall be a certificate, or has something wrong with it until it changes.
fn read(path: &Path) -> io::Result<Read> {
    match Certificate::load(path) {
        Ok(certificate) => Ok(Ok(Arc::new(certificate.without_secret()))),
        Err(error) => match error.fault() {
            CertificateFault::Io(cause) if !is_lasting(cause) => Err(cause.kind().into()),
            _ => Ok(Err(Arc::new(error))),
        },
    }
}

/// Whether an error stays until the file or the folder changes, which is then seen. Others, such as too few descriptors, pass.
fn is_lasting(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::NotFound)
}

fn is_current(path: &Path, stamp: Option<&Stamp>) -> bool {
    match (stamp, Stamp::of(path)) {
        (Some(stamp), Ok(Some(now))) => stamp.still_is(&now),
        (None, Ok(None)) => true,
        _ => false,
    }
}

/// How a file or a folder was when it was looked at.
#[derive(Debug, Clone)]
struct Stamp {
    version: Version,
    /// Whether whatever changes afterwards gets another version.
    settled: bool,
}

/// What changes when a file or a folder changes. Times are in seconds and nanoseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Version {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    /// That of the file at a path as it is now; `None` if there is none.
    fn of(path: &Path) -> io::Result<Option<Stamp>> {
        match fs::metadata(path) {
            Ok(metadata) => Ok(Some(Stamp::from_metadata(&metadata))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn from_metadata(metadata: &Metadata) -> Stamp {
        let version = Version {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        };
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let (latest, _) = version.modified.max(version.changed);
        let since = i64::try_from(now.as_secs()).unwrap_or(0).saturating_sub(latest);
        Stamp { version, settled: since > SETTLED_S }
    }

    /// Whether what was so is so now, for certain.
    fn still_is(&self, now: &Stamp) -> bool {
        self.settled && self.version == now.version
    }
}

#[cfg(test)]
mod tests;
