//! The rules about the source itself: who may use whom, lengths, words that have no place, dead files.
//!
//! One crate cannot make the compiler enforce its layers, so this scans for paths that begin with
//! `crate::`. Code for tests may use what it likes. Each scanner is itself shown something to find:
//! a guard never seen to fail is no guard.

mod source;

use std::path::Path;

use anthill::scenario::{EMBEDDED, VALIDATION};

use source::{Source, is_word, modules, rust_files};

/// What each module may use of ours, from the bottom up (ARCHITECTURE.md, "Code map").
const LAYERS: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("engine", &[]),
    ("stats", &[]),
    ("trace", &["engine"]),
    ("work", &["engine", "trace", "input", "error"]),
    // A poll belongs to an agent, so that a transport asks the fleet who is one.
    ("net", &["engine", "trace", "work"]),
    ("fault", &["engine", "trace", "net", "work", "error"]),
    // The lower bound needs to know when the plan takes agents away.
    ("metrics", &["engine", "trace", "work", "stats", "fault"]),
    // What was promised (order, latency, routes) and what was planned (partitions), to hold records against.
    ("check", &["engine", "trace", "work", "net", "fault"]),
    ("mechanism", &["engine", "trace"]),
    ("relay", &["engine", "trace", "mechanism"]),
    ("input", &["engine", "error"]),
    (
        "sim",
        &[
            "engine",
            "trace",
            "net",
            "work",
            "check",
            "metrics",
            "mechanism",
            "relay",
            "fault",
            "error",
            "stats",
        ],
    ),
    // Never net, fault or metrics: a pattern cannot tell why a message is missing, and counts nothing.
    ("pattern", &["engine", "trace", "work", "relay", "mechanism", "sim", "error"]),
    (
        "trial",
        &[
            "engine",
            "trace",
            "net",
            "work",
            "fault",
            "metrics",
            "stats",
            "mechanism",
            "relay",
            "sim",
            "pattern",
            "error",
        ],
    ),
    // Expectations name metrics, so that files that misspell one are told at once.
    (
        "scenario",
        &["trial", "engine", "trace", "net", "work", "fault", "input", "error", "sim", "pattern", "metrics"],
    ),
    (
        "experiment",
        &[
            "engine", "trace", "net", "work", "fault", "input", "error", "sim", "pattern", "scenario",
            "metrics", "stats", "trial",
        ],
    ),
    (
        "report",
        &[
            "engine",
            "trace",
            "net",
            "work",
            "fault",
            "input",
            "error",
            "sim",
            "pattern",
            "scenario",
            "metrics",
            "stats",
            "trial",
            "experiment",
        ],
    ),
];

const FILE_LINES: usize = 500;
const FUNCTION_LINES: usize = 70;
const COLUMNS: usize = 110;

/// Words without a place outside `cli`: what prints, what reads the clock, what has no order.
const ONLY_IN_CLI: &[&str] = &["HashMap", "HashSet", "Instant", "SystemTime"];
const PRINTING: &[&str] = &["print!", "println!", "eprint!", "eprintln!"];
/// Words without a place anywhere.
const UNFINISHED: &[&str] = &["todo!", "unimplemented!", "dbg!"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The library's and the program's files.
fn sources() -> Vec<Source> {
    let mut files = modules(root(), "src/lib.rs", false);
    files.extend(modules(root(), "src/main.rs", false));
    read(files)
}

/// Tests, examples and benchmarks.
fn other_sources() -> Vec<Source> {
    let files = ["tests", "examples", "benches"].iter().flat_map(|folder| rust_files(root(), folder));
    read(files.map(|path| (path, true)).collect())
}

fn read(files: Vec<(String, bool)>) -> Vec<Source> {
    let read = |(path, test): (String, bool)| {
        let text =
            std::fs::read_to_string(root().join(&path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        Source::new(&path, &text, test)
    };
    files.into_iter().map(read).collect()
}

fn assert_tidy(findings: &[String]) {
    assert!(findings.is_empty(), "{} findings:\n  {}", findings.len(), findings.join("\n  "));
}

/// The top-level module a file belongs to; `None` for the crate's roots.
fn module_of(path: &str) -> Option<&str> {
    let inside = path.strip_prefix("src/")?;
    let module = inside.split('/').next()?.trim_end_matches(".rs");
    (module != "lib" && module != "main").then_some(module)
}

/// Modules of ours that `code` names and where: `crate::a`, `crate::{a, b::{c}}`, or enough `super::` to
/// leave the top-level module of a file that is `depth` modules deep.
fn used(code: &str, depth: usize) -> Vec<(usize, String)> {
    let mut names = Vec::new();
    let up = "super::".repeat(depth);
    for start in ["crate::", &up] {
        for (at, _) in code.match_indices(start) {
            let before = code[..at].bytes().next_back();
            if before.is_some_and(is_word) || code[..at].ends_with("super::") {
                continue;
            }
            let from = at + start.len();
            match code[from..].strip_prefix('{') {
                None => names.push((from, first_word(&code[from..]))),
                Some(list) => {
                    let parts = top_level(list).into_iter();
                    names.extend(parts.map(|(offset, part)| (from + 1 + offset, first_word(part))));
                }
            }
        }
    }
    names.retain(|(_, name)| name.starts_with(|c: char| c.is_ascii_lowercase()) && name != "super");
    names
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
}

/// The parts of `a, b::{c, d}, e}` that are not inside further braces, and where each begins.
fn top_level(list: &str) -> Vec<(usize, &str)> {
    let (mut parts, mut depth, mut begins) = (Vec::new(), 0, true);
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => begins = true,
            _ if begins && !c.is_whitespace() => {
                parts.push((at, &list[at..]));
                begins = false;
            }
            _ => {}
        }
    }
    parts
}

/// Uses of a module from one that may not.
fn trespasses(source: &Source) -> Vec<String> {
    let Some(module) = module_of(&source.path) else { return Vec::new() };
    if module == "cli" {
        return Vec::new();
    }
    let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == module) else {
        return vec![format!("{}: the module `{module}` has no place in the table of layers", source.path)];
    };
    let folders = source.path.matches('/').count();
    let depth = if source.path.ends_with("/mod.rs") { folders - 1 } else { folders };
    let mut found = Vec::new();
    for (at, name) in used(&source.code, depth) {
        let line = source.line_of(at);
        if !source.test[line - 1] && name != module && !allowed.contains(&name.as_str()) {
            found.push(format!("{}:{line}: `{module}` may not use `{name}`", source.path));
        }
    }
    found
}

fn lengths(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    let lines = source.text.lines().count();
    if lines > FILE_LINES {
        found.push(format!("{}: {lines} lines; split it", source.path));
    }
    for (number, line) in source.text.lines().enumerate() {
        let columns = line.chars().count();
        if columns > COLUMNS {
            found.push(format!("{}:{}: {columns} columns", source.path, number + 1));
        }
    }
    for (name, first, lines) in source.functions() {
        if lines > FUNCTION_LINES {
            found.push(format!("{}:{first}: `{name}` has {lines} lines; split it", source.path));
        }
    }
    found
}

/// Where `words` stand in code; in that of tests too where `tests`.
fn words(source: &Source, words: &[&str], tests: bool) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in source.lines(tests) {
        for word in words {
            let stands = line.match_indices(word).any(|(at, _)| {
                let (before, after) =
                    (line[..at].bytes().next_back(), line[at + word.len()..].bytes().next());
                !before.is_some_and(is_word) && (word.ends_with('!') || !after.is_some_and(is_word))
            });
            if stands {
                found.push(format!("{}:{number}: `{word}`", source.path));
            }
        }
    }
    found
}

#[test]
fn modules_use_only_what_is_below_them() {
    assert_tidy(&sources().iter().flat_map(trespasses).collect::<Vec<_>>());
}

#[test]
fn files_functions_and_lines_are_short() {
    assert_tidy(&sources().iter().chain(&other_sources()).flat_map(lengths).collect::<Vec<_>>());
}

#[test]
fn words_stand_only_where_they_belong() {
    let mut found = Vec::new();
    for source in sources() {
        found.extend(words(&source, UNFINISHED, true));
        if module_of(&source.path).is_some_and(|module| module != "cli") {
            found.extend(words(&source, ONLY_IN_CLI, false));
            found.extend(words(&source, PRINTING, false));
        }
    }
    // `tidy` itself names the words, in strings.
    found.extend(other_sources().iter().flat_map(|source| words(source, UNFINISHED, true)));
    assert_tidy(&found);
}

#[test]
fn every_file_is_part_of_a_crate() {
    let mut reached: Vec<String> = Vec::new();
    let roots =
        [("src/lib.rs", false), ("src/main.rs", false), ("tests/main.rs", true), ("tests/steady.rs", true)];
    for (crate_root, test) in roots {
        reached.extend(modules(root(), crate_root, test).into_iter().map(|(path, _)| path));
    }
    let files = ["src", "tests"].iter().flat_map(|folder| rust_files(root(), folder));
    let dead: Vec<String> = files.filter(|path| !reached.contains(path)).collect();
    assert_tidy(&dead.iter().map(|path| format!("{path}: no `mod` line leads here")).collect::<Vec<_>>());
}

/// A scenario nobody can find is a scenario nobody runs.
#[test]
fn every_scenario_is_embedded_or_named_in_the_readme() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap_or_default();
    let mut hidden = Vec::new();
    for path in files_below(&root().join("scenarios")) {
        let name = path.strip_prefix(root()).expect("below the root").display().to_string();
        let Some(stem) = name.strip_suffix(".toml").and_then(|name| name.strip_prefix("scenarios/")) else {
            if name != "scenarios/validation/README.md" {
                hidden.push(format!("{name}: no scenario"));
            }
            continue;
        };
        let embedded = match stem.strip_prefix("validation/") {
            Some("not_there") => true,
            Some(id) => VALIDATION.iter().any(|(name, _)| *name == id),
            None => EMBEDDED.iter().any(|(name, _)| *name == stem),
        };
        // The template is what `anthill init` writes.
        if !embedded && stem != "template" && !readme.contains(&name) {
            hidden.push(format!("{name}: embed it, or tell of it in README.md"));
        }
    }
    assert_tidy(&hidden);
}

/// The peers' crate has a lock file of its own, and anthill's dependencies are in it too.
#[test]
fn the_peers_lock_knows_every_dependency() {
    let read = |path: &str| -> toml::Table {
        let text = std::fs::read_to_string(root().join(path)).expect(path);
        text.parse().expect(path)
    };
    let (manifest, lock) = (read("Cargo.toml"), read("benches/peers/Cargo.lock"));
    let packages = lock["package"].as_array().expect("a lock has packages");
    let ours = packages.iter().find(|package| package["name"].as_str() == Some("anthill"));
    let known = ours.expect("the peers race anthill")["dependencies"].as_array().expect("it has some");
    // A name stands with its version where there are several.
    let known: Vec<&str> =
        known.iter().filter_map(|name| name.as_str().and_then(|name| name.split(' ').next())).collect();
    let wanted = manifest["dependencies"].as_table().expect("a table").keys();
    let missing = wanted.filter(|name| !known.contains(&name.as_str()));
    assert_tidy(&missing.map(|name| format!("benches/peers/Cargo.lock: lacks {name}")).collect::<Vec<_>>());
}

/// All files in a folder and its folders.
fn files_below(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("can be listed").path());
    let (folders, mut files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    files.extend(folders.iter().flat_map(|folder| files_below(folder)));
    files
}

#[test]
fn the_layer_scanner_finds_what_is_forbidden() {
    let text = "\
//! Says crate::net in a comment.
use crate::engine::Time;
use crate::{trace::{NodeId, net},
    fault::FaultPlan};
/// [`x`](crate::metrics::x)
fn f(node: NodeId) -> crate::metrics::MetricSet { \"crate::cli\"; super::super::net::g(); super::check::h() }
#[cfg(test)]
use crate::stats::x;
#[cfg(test)]
mod tests {
    use crate::net::Sites;
    fn g() { if '{' == '\\'' {} }
}
fn after() { crate::input::h() }
";
    let found = trespasses(&Source::new("src/pattern/x.rs", text, false));
    let expected = [(4, "fault"), (6, "metrics"), (14, "input"), (6, "net")];
    let expected: Vec<String> = expected
        .iter()
        .map(|(line, name)| format!("src/pattern/x.rs:{line}: `pattern` may not use `{name}`"))
        .collect();
    assert_eq!(found, expected);
    assert_eq!(trespasses(&Source::new("src/pattern/tests.rs", text, true)), Vec::<String>::new());
    let newcomer = trespasses(&Source::new("src/gossip/mod.rs", "use crate::net::Sites;", false));
    assert!(newcomer[0].contains("no place in the table"), "{newcomer:?}");
    let root_file = Source::new("src/engine/mod.rs", "use super::trace::Record;", false);
    assert_eq!(trespasses(&root_file).len(), 1, "`super` of a top-level module is the crate");
}

#[test]
fn the_other_scanners_find_what_is_forbidden() {
    let long =
        format!("fn long(a: [u8; 2]) {{\n{}}}\nfn short();\n", "    // {\n    let a = \"}\";\n".repeat(35));
    let found = lengths(&Source::new("src/x.rs", &long, false));
    assert_eq!(found, ["src/x.rs:1: `long` has 72 lines; split it"]);
    let wide = format!("// {}\n", "é".repeat(COLUMNS));
    assert_eq!(lengths(&Source::new("src/x.rs", &wide, false)), ["src/x.rs:1: 113 columns"]);
    assert_eq!(lengths(&Source::new("src/x.rs", &"\n".repeat(FILE_LINES + 1), false)).len(), 1);

    let text = "// todo!\nfn f() { todo!() }\nuse x::HashMap;\nstruct MyHashMapper;\nlet a = r#\"todo!\"#;\n";
    let source = Source::new("src/x.rs", text, false);
    assert_eq!(words(&source, UNFINISHED, true), ["src/x.rs:2: `todo!`"]);
    assert_eq!(words(&source, ONLY_IN_CLI, false), ["src/x.rs:3: `HashMap`"]);
}
