//! The pages lead to each other: no link is broken, every page is found, and its code is tested.

use crate::sources::{names_in, read, root};

/// Where pages are looked for, those of the directories in them included.
const PAGES_IN: [&str; 4] = ["docs", "examples", "benches", "tests"];

/// Every Markdown file of the project, by path.
fn pages() -> Vec<String> {
    let mut pages: Vec<String> = names_in(".").into_iter().filter(|name| is_page(name)).collect();
    for directory in PAGES_IN {
        collect(directory, &mut pages);
    }
    assert!(pages.len() > 20, "only {} pages were found", pages.len());
    pages
}

fn is_page(name: &str) -> bool {
    name.ends_with(".md")
}

fn collect(directory: &str, pages: &mut Vec<String>) {
    for name in names_in(directory) {
        let path = format!("{directory}/{name}");
        match path.strip_suffix('/') {
            Some(inner) => collect(inner, pages),
            None if is_page(&path) => pages.push(path),
            None => {}
        }
    }
}

/// What the links of a page point to; code is no text, and has none.
fn links(text: &str) -> Vec<String> {
    let prose: String = text
        .split("```")
        .step_by(2)
        .flat_map(|block| block.split('`').step_by(2))
        .collect::<Vec<_>>()
        .join("x");
    let targets = prose.split("](").skip(1);
    targets.filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())).collect()
}

/// A path without `.` and `..`.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    parts.join("/")
}

/// The names by which a page's headings are linked to.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let words = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        words.chars().filter(|c| c.is_alphanumeric() || *c == '-' || *c == '_').collect()
    };
    headings.map(anchor).collect()
}

/// Where a link of `page` leads, as a path and a heading; none if it leaves the project.
fn target(page: &str, link: &str) -> Option<(String, Option<String>)> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (path, heading) = match link.split_once('#') {
        Some((path, heading)) => (path, Some(heading.to_owned())),
        None => (link, None),
    };
    let directory = page.rsplit_once('/').map_or("", |(directory, _)| directory);
    let path = if path.is_empty() { page } else { &format!("{directory}/{path}") };
    Some((normal(path), heading))
}

#[test]
fn every_link_between_pages_leads_somewhere() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for page in pages() {
        for link in links(&read(&page)) {
            let Some((path, heading)) = target(&page, &link) else { continue };
            count += 1;
            let exists = root().join(&path).exists();
            let found = match heading {
                Some(heading) if exists => anchors(&read(&path)).contains(&heading),
                _ => exists,
            };
            if !found {
                wrong.push(format!("{page}: {link}"));
            }
        }
    }
    assert!(count > 50, "only {count} links were found");
    assert!(wrong.is_empty(), "broken links:\n{}", wrong.join("\n"));
}

#[test]
fn the_index_of_the_documentation_names_every_page() {
    let index = links(&read("docs/README.md"));
    let mut missing = pages();
    missing.retain(|page| {
        let inner = page.strip_prefix("docs/").filter(|inner| *inner != "README.md");
        inner.is_some_and(|inner| !index.iter().any(|link| link == inner))
    });
    assert!(missing.is_empty(), "docs/README.md does not name {missing:?}");
}

/// Code that nobody runs becomes wrong.
#[test]
fn the_code_on_the_pages_is_tested() {
    let tested = read("examples/src/lib.rs");
    for page in pages() {
        if read(&page).contains("```rust") {
            let included = tested.contains(&format!("include_str!(\"../../{page}\")"));
            assert!(included, "examples/src/lib.rs does not include {page}");
        }
    }
}

#[test]
fn links_are_told_from_code_and_lead_from_their_page() {
    assert_eq!(
        links("see [x](a.md) and `y[0](z)`\n```\n[no](b.md)\n```\n[q](c#d)"),
        ["a.md", "c#d"]
    );
    assert_eq!(target("docs/a/b.md", "../c.md#d"), Some(("docs/c.md".into(), Some("d".into()))));
    assert_eq!(target("docs/b.md", "#d"), Some(("docs/b.md".into(), Some("d".into()))));
    assert_eq!(target("docs/b.md", "https://example.org"), None);
    assert_eq!(anchors("# What you get, and what\ntext\n## Two"), ["what-you-get-and-what", "two"]);
}
