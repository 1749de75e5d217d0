//! Certificates: keys in files that czmq and pyzmq read and write, too.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use tightbeam::curve::{Certificate, CertificateError, CertificateFault, Keypair};

use crate::error::strerror;

/// The public key, the secret key and the properties.
type Read = (Py<PyBytes>, Option<Py<PyBytes>>, BTreeMap<String, String>);

/// What the system refused is an OSError, with its errno; what does not stand as it should is a ValueError.
fn exception(error: &CertificateError) -> PyErr {
    match error.fault() {
        CertificateFault::Io(io) if let Some(errno) = io.raw_os_error() => {
            // The class is that of the errno, such as FileNotFoundError.
            PyOSError::new_err((errno, strerror(errno), error.path().to_owned()))
        }
        CertificateFault::Io(_) | CertificateFault::NotAFile => {
            PyOSError::new_err(error.to_string())
        }
        _ => PyValueError::new_err(error.to_string()),
    }
}

/// Reads a certificate, public or secret: its public key and its secret key, as 40 bytes of Z85, and its properties.
///
/// Raises OSError if the file cannot be read, ValueError if it is no certificate; the text has the file and the line.
#[pyfunction]
pub(crate) fn certificate_read(py: Python<'_>, path: PathBuf) -> PyResult<Read> {
    let certificate = py.detach(|| Certificate::load(path)).map_err(|error| exception(&error))?;
    let public = certificate.public_key().to_string();
    let secret = certificate
        .secret_key()
        .map(|secret| PyBytes::new(py, secret.to_z85().as_bytes()).unbind());
    let metadata = certificate.metadata().map(|(name, value)| (name.to_owned(), value.to_owned()));
    Ok((PyBytes::new(py, public.as_bytes()).unbind(), secret, metadata.collect()))
}

/// Makes a pair of keys and writes both files, the secret one, whose name has `_secret` at its end, for this user alone.
///
/// Raises OSError if they cannot be written, ValueError for properties that no file can say.
#[pyfunction]
pub(crate) fn certificate_create(
    py: Python<'_>,
    path: PathBuf,
    metadata: BTreeMap<String, String>,
) -> PyResult<()> {
    let pair =
        py.detach(Keypair::generate).map_err(|error| PyValueError::new_err(error.to_string()))?;
    let mut certificate = Certificate::new(pair);
    for (name, value) in &metadata {
        certificate
            .set(name, value)
            .map_err(|fault| PyValueError::new_err(format!("{name:?}: {fault}")))?;
    }
    py.detach(|| certificate.save(path)).map_err(|error| exception(&error))
}
