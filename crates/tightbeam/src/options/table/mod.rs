//! The table of socket options: a file per area, one table in the order of the numbers.

mod build;
mod flow;
mod foreign;
mod general;
mod patterns;
mod security;
mod tcp;
mod timing;

use super::spec::OptionSpec;

const AREAS: &[&[OptionSpec]] = &[
    general::ROWS,
    flow::ROWS,
    timing::ROWS,
    tcp::ROWS,
    patterns::ROWS,
    security::ROWS,
    foreign::ROWS,
];

/// Every socket option that there is.
pub static TABLE: &[OptionSpec] = &SORTED;

static SORTED: [OptionSpec; count()] = sorted();

const fn count() -> usize {
    let (mut rows, mut area) = (0, 0);
    while area < AREAS.len() {
        rows += AREAS[area].len();
        area += 1;
    }
    rows
}

/// The rows of all areas; each is put behind those of smaller numbers.
const fn sorted() -> [OptionSpec; count()] {
    let mut table = [AREAS[0][0]; count()];
    let (mut filled, mut area) = (0, 0);
    while area < AREAS.len() {
        let mut row = 0;
        while row < AREAS[area].len() {
            let mut at = filled;
            while at > 0 && table[at - 1].number > AREAS[area][row].number {
                table[at] = table[at - 1];
                at -= 1;
            }
            table[at] = AREAS[area][row];
            filled += 1;
            row += 1;
        }
        area += 1;
    }
    table
}
