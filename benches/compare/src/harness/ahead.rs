//! Where others are ahead of Tightbeam, through both of its blocking interfaces, and by how much.

use std::fmt::Write;

use super::contender::Contender;
use super::report::{Column, columns, row};
use super::results::{Entry, Results, Summary};
use super::workload::Group;

/// The table; nothing if nobody is.
pub(crate) fn markdown(results: &Results, contenders: &[Contender]) -> String {
    let is_ours = |entry: &Entry| contenders.iter().any(|c| c.is_ours && c.name == entry.contender);
    let mut text = String::new();
    for entry in Group::ALL.into_iter().flat_map(|group| results.of(group)) {
        if is_ours(entry) {
            continue;
        }
        let deciding = columns(entry.workload.group).into_iter().filter(Column::decides);
        for cells in deciding.filter_map(|column| cells(results, entry, &column)) {
            let _ = writeln!(text, "{}", row(&cells));
        }
    }
    if text.is_empty() {
        return text;
    }
    let head = [
        "work",
        "figure",
        "ahead",
        "of Tightbeam",
        "of Tightbeam C",
        "of Tightbeam futures",
        "ranges",
    ];
    let head = row(&head.map(str::to_owned));
    format!(
        "\n## Rivals ahead\n\nBy medians, of both the Rust API and the C ABI: how many times better than each. Where \
         ranges overlap with one of theirs, it may be chance.\n\n{head}\n|---|---|---|---|---|---|---|\n{text}"
    )
}

fn cells(results: &Results, entry: &Entry, column: &Column) -> Option<Vec<String>> {
    let title = entry.workload.title();
    let theirs = entry.summary(column.key)?;
    let ours = |name| results.find(&title, name)?.summary(column.key);
    let both: Vec<Summary> = ["Tightbeam", "Tightbeam C"].into_iter().filter_map(ours).collect();
    let is_ahead = |own: &Summary| column.times_better(theirs.median, own.median) > 1.0;
    if both.is_empty() || !both.iter().all(is_ahead) {
        return None;
    }
    let times = |own: Option<Summary>| {
        let times = own.map(|own| column.times_better(theirs.median, own.median));
        times.map_or_else(|| "-".to_owned(), |times| format!("{times:.2}x"))
    };
    let overlap = both.iter().any(|own| theirs.min <= own.max && own.min <= theirs.max);
    Some(vec![
        title.clone(),
        column.heading.to_owned(),
        entry.contender.to_owned(),
        times(ours("Tightbeam")),
        times(ours("Tightbeam C")),
        times(ours("Tightbeam futures")),
        if overlap { "overlap" } else { "apart" }.to_owned(),
    ])
}
