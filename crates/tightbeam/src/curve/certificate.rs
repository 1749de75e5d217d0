//! Certificates: keys with what is known about their owner.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::{KeyError, Keypair, PublicKey, SecretKey, file, text};

/// A public key with what is known about its owner, and with the secret key if it is one's own.
///
/// Certificates are kept in files that czmq (`zcert`) and pyzmq (`zmq.auth`) read and write as well: properties (ZPL, RFC 4) in two
/// sections, `metadata` and `curve`. A public file has the public key, a secret one both; its name is that of the public file and
/// `_secret`. Nothing is signed: whoever can write a public file says whose key it is.
///
/// The calls that read or write files block as long as the file system does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    public: PublicKey,
    secret: Option<SecretKey>,
    metadata: BTreeMap<String, String>,
}

impl Certificate {
    /// A certificate of one's own, without metadata.
    #[must_use]
    pub fn new(keypair: Keypair) -> Certificate {
        Certificate {
            public: keypair.public,
            secret: Some(keypair.secret),
            metadata: BTreeMap::new(),
        }
    }

    /// A certificate of somebody else, without metadata.
    #[must_use]
    pub fn of(public: PublicKey) -> Certificate {
        Certificate { public, secret: None, metadata: BTreeMap::new() }
    }

    /// The key that everybody may know.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.public
    }

    /// The key that only its owner knows.
    #[must_use]
    pub fn secret_key(&self) -> Option<&SecretKey> {
        self.secret.as_ref()
    }

    /// Both, if it has both.
    #[must_use]
    pub fn keypair(&self) -> Option<Keypair> {
        Some(Keypair { public: self.public, secret: self.secret.clone()? })
    }

    /// The value of a property.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.metadata.get(name).map(String::as_str)
    }

    /// The properties, by name.
    pub fn metadata(&self) -> impl Iterator<Item = (&str, &str)> {
        self.metadata.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Sets a property.
    ///
    /// # Errors
    /// [`CertificateFault::Name`] and [`CertificateFault::Value`]: what no file could say.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), CertificateFault> {
        if !text::is_portable_name(name) {
            return Err(CertificateFault::Name);
        }
        if !text::is_value(value) {
            return Err(CertificateFault::Value);
        }
        self.metadata.insert(name.to_owned(), value.to_owned());
        Ok(())
    }

    /// Removes a property; answers its value.
    pub fn unset(&mut self, name: &str) -> Option<String> {
        self.metadata.remove(name)
    }

    /// Reads one file, public or secret.
    ///
    /// # Errors
    /// [`CertificateError`], with the file, the line, and what is wrong.
    pub fn load(path: impl AsRef<Path>) -> Result<Certificate, CertificateError> {
        let path = path.as_ref();
        let bytes = file::read(path).map_err(|fault| CertificateError::new(path, None, fault))?;
        text::parse(&bytes).map_err(|(line, fault)| CertificateError::new(path, line, fault))
    }

    /// Writes the secret file, whose path is this one and `_secret`, and then the public one. See
    /// [`save_secret`](Certificate::save_secret).
    ///
    /// # Errors
    /// [`CertificateFault::NoSecretKey`] if it has none; [`CertificateFault::Io`]. Then the public file is as it was.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), CertificateError> {
        let path = path.as_ref();
        let mut secret = path.as_os_str().to_owned();
        secret.push(text::SECRET);
        self.save_secret(PathBuf::from(secret))?;
        self.save_public(path)
    }

    /// Writes the public key and the metadata. Whoever reads the file sees all of it, or what was there before.
    ///
    /// # Errors
    /// [`CertificateFault::Io`].
    pub fn save_public(&self, path: impl AsRef<Path>) -> Result<(), CertificateError> {
        let path = path.as_ref();
        let text = text::public(self);
        file::write(path, text.as_bytes(), file::Readers::Everybody)
            .map_err(|fault| CertificateError::new(path, None, fault))
    }

    /// Writes both keys and the metadata, for the user of this process alone: the file is made with mode 0600, and takes the place
    /// of one that was there, whose mode does not matter.
    ///
    /// # Errors
    /// [`CertificateFault::NoSecretKey`] if it has none; [`CertificateFault::Io`].
    pub fn save_secret(&self, path: impl AsRef<Path>) -> Result<(), CertificateError> {
        let path = path.as_ref();
        let text = text::secret(self).ok_or(CertificateFault::NoSecretKey);
        text.and_then(|text| file::write(path, text.as_bytes(), file::Readers::Owner))
            .map_err(|fault| CertificateError::new(path, None, fault))
    }

    /// The same for everybody else.
    #[must_use]
    pub fn without_secret(self) -> Certificate {
        Certificate { secret: None, ..self }
    }

    pub(super) fn from_parts(
        public: PublicKey,
        secret: Option<SecretKey>,
        metadata: BTreeMap<String, String>,
    ) -> Certificate {
        Certificate { public, secret, metadata }
    }
}

/// What is wrong with a certificate's file, and where.
#[derive(Debug)]
pub struct CertificateError {
    path: PathBuf,
    line: Option<usize>,
    fault: CertificateFault,
}

impl CertificateError {
    pub(super) fn new(
        path: &Path,
        line: Option<usize>,
        fault: CertificateFault,
    ) -> CertificateError {
        CertificateError { path: path.to_owned(), line, fault }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The line, from 1; none if it is about the file as a whole.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.line
    }

    /// What is wrong.
    #[must_use]
    pub fn fault(&self) -> &CertificateFault {
        &self.fault
    }
}

impl std::fmt::Display for CertificateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (path, fault) = (self.path.display(), &self.fault);
        match self.line {
            Some(line) => write!(f, "{path}, line {line}: {fault}"),
            None => write!(f, "{path}: {fault}"),
        }
    }
}

impl std::error::Error for CertificateError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.fault)
    }
}

/// What can be wrong with a certificate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateFault {
    /// The file cannot be read or written.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is a directory, a device, a pipe.
    #[error("not a regular file")]
    NotAFile,
    /// The file is longer than any certificate.
    #[error("longer than {0} bytes")]
    TooLong(usize),
    /// A line that is not UTF-8.
    #[error("not UTF-8")]
    NotText,
    /// A line does not stand where one may stand (RFC 4).
    #[error("each level is indented by 4 spaces more than the one above it")]
    Indentation,
    /// The name of a property.
    #[error("a name has letters of ASCII, digits and $-_@.&+/, and 1 to 255 of them")]
    Name,
    /// The value of a property.
    #[error("a value has no control characters, and not both kinds of quotation marks")]
    Value,
    /// What may stand there once stands there twice.
    #[error("this stands there for the second time")]
    Repeated,
    /// A key that is none.
    #[error("{0}")]
    Key(#[from] KeyError),
    /// The public key is missing.
    #[error("no public-key in a section curve")]
    NoPublicKey,
    /// The secret key is missing where it is needed.
    #[error("the certificate has no secret key")]
    NoSecretKey,
    /// The secret key is that of another public key.
    #[error("the secret key is not that of the public key")]
    Mismatch,
}
