//! The same as data: JSON with the value of each round, CSV with a line for each figure.

use std::fmt::Write;

use super::contender::Contender;
use super::machine;
use super::results::{Entry, Results};

/// An object with the machine, versions, and an array with an object for each piece of work and contender.
pub(crate) fn json(results: &Results, contenders: &[Contender]) -> String {
    let versions: Vec<String> = contenders
        .iter()
        .map(|contender| format!("{}: {}", quoted(contender.name), quoted(&contender.version)))
        .collect();
    let objects: Vec<String> = results.entries.iter().map(object).collect();
    format!(
        "{{\n\"date\": {},\n\"machine\": {},\n\"versions\": {{{}}},\n\"results\": [\n{}\n]\n}}\n",
        quoted(&machine::date()),
        quoted(&machine::description()),
        versions.join(", "),
        objects.join(",\n"),
    )
}

/// None of these texts has anything else that would have to be escaped.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn object(entry: &Entry) -> String {
    let mut text = format!(
        "  {{\"work\": {}, \"library\": {}, \"failures\": {}",
        quoted(&entry.workload.title()),
        quoted(entry.contender),
        entry.failures,
    );
    for key in entry.runs.first().into_iter().flat_map(|figures| figures.keys()) {
        let values = entry.runs.iter().filter_map(|run| run.get(key));
        let values: Vec<String> = values.map(|value| format!("{value:.6}")).collect();
        let _ = write!(text, ", \"{key}\": [{}]", values.join(", "));
    }
    text.push('}');
    text
}

/// `work,library,figure,median,min,max`.
pub(crate) fn csv(results: &Results) -> String {
    let mut text = "work,library,figure,median,min,max\n".to_owned();
    for entry in &results.entries {
        for key in entry.runs.first().into_iter().flat_map(|figures| figures.keys()) {
            let Some(s) = entry.summary(key) else { continue };
            let title = quoted(&entry.workload.title());
            let (name, median, min, max) = (entry.contender, s.median, s.min, s.max);
            let _ = writeln!(text, "{title},{name},{key},{median:.6},{min:.6},{max:.6}");
        }
    }
    text
}
