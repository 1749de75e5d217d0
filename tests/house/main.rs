//! The rules of the house, as tests: layers, auto traits, `unsafe`, sizes, and documents that say what
//! is so. `CONTRIBUTING.md` has the same rules in words.

mod documents;
mod effects;
mod layers;
mod sources;
mod text;
mod traits;
