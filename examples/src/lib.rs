//! Programs that use Tightbeam: see the examples of this package.

/// The code in the project's pages is compiled and run with the tests of this package.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../README.md")]
    mod readme {}
    #[doc = include_str!("../../docs/options.md")]
    mod options {}
    #[doc = include_str!("../../docs/proxy.md")]
    mod proxy {}
    #[doc = include_str!("../../docs/async.md")]
    mod asynchronous {}
}
