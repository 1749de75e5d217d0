//! Programs that use Tightbeam: see the examples of this package.
