//! One side of a piece of work, for libraries in Rust: what is to be done (`job`), what a library has to offer
//! (`library`), and the work itself (`work`). `c/` has the same for C. `README.md` says what each piece is.

pub mod job;
pub mod library;
#[cfg(feature = "omq")]
pub mod omq;
pub mod on_threads;
#[cfg(feature = "tokio")]
pub mod on_tokio;
pub mod ours;
pub mod system;
mod work;

pub use job::Job;
pub use library::{Library, Received, Role, Setup, Socket, Unsupported};
pub use work::main;

/// What every step answers: an error ends the program.
pub type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;
