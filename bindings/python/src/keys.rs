//! Keys of CURVE, and Z85.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use tightbeam::curve::{Keypair, SecretKey};
use tightbeam::z85;

/// Z85 from a `str`, or from bytes.
pub(crate) fn text(value: &Bound<'_, PyAny>) -> PyResult<String> {
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(text.to_str()?.to_owned());
    }
    let borrowed = crate::lent::Borrowed::new(value)?;
    String::from_utf8(borrowed.bytes().to_vec())
        .map_err(|_| PyValueError::new_err("Z85 has characters of ASCII only"))
}

/// A new pair of keys of CURVE: the public and the secret one, each as 40 bytes of Z85.
#[pyfunction]
pub(crate) fn curve_keypair(py: Python<'_>) -> PyResult<(Py<PyBytes>, Py<PyBytes>)> {
    let pair =
        py.detach(Keypair::generate).map_err(|error| PyValueError::new_err(error.to_string()))?;
    let public = PyBytes::new(py, pair.public.to_string().as_bytes()).unbind();
    Ok((public, PyBytes::new(py, pair.secret.to_z85().as_bytes()).unbind()))
}

/// The public key that belongs to a secret one; both as 40 bytes of Z85. Raises ValueError for what is no key.
#[pyfunction]
pub(crate) fn curve_public(py: Python<'_>, secret_key: &Bound<'_, PyAny>) -> PyResult<Py<PyBytes>> {
    let wrong = || PyValueError::new_err("secret key must be a 40 byte z85 encoded string");
    let bytes = z85::decode(&text(secret_key)?).map_err(|_| wrong())?;
    let bytes: [u8; 32] = bytes.try_into().map_err(|_| wrong())?;
    let public = SecretKey::from_bytes(bytes).public_key().to_string();
    Ok(PyBytes::new(py, public.as_bytes()).unbind())
}

/// Bytes (any buffer) as Z85, which is `bytes`. Raises ValueError unless there is a multiple of four of them.
#[pyfunction]
pub(crate) fn z85_encode(py: Python<'_>, rawbytes: &Bound<'_, PyAny>) -> PyResult<Py<PyBytes>> {
    let borrowed = crate::lent::Borrowed::new(rawbytes)?;
    let text =
        z85::encode(borrowed.bytes()).map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok(PyBytes::new(py, text.as_bytes()).unbind())
}

/// The bytes that Z85 (`str` or bytes) stands for. Raises ValueError for other characters, or no multiple of five.
#[pyfunction]
pub(crate) fn z85_decode(py: Python<'_>, z85bytes: &Bound<'_, PyAny>) -> PyResult<Py<PyBytes>> {
    let bytes =
        z85::decode(&text(z85bytes)?).map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok(PyBytes::new(py, &bytes).unbind())
}
