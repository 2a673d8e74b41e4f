//! Expectations, variants and trials: what is read from them, and what is wrong with wrong ones.

use super::*;
use crate::engine::Seed;
use crate::engine::{Span, Time};
use crate::scenario::{Amount, Case, Claim, not_there};

const ONE: &str = "\
[run]
horizon = \"10min\"
patterns = [\"ideal\"]
[agents]
count = 5
[work]
source = { poisson = { rate_per_s = 0.1 } }
duration = { exponential = { mean = \"20s\" } }
";
const TRIAL: &str = "[trial.birthday]\nids = 23\nspace = 365\n";

fn case(text: &str) -> Result<Case, Error> {
    let origin =
        TextOrigin { name: "x.toml".to_owned(), stem: "Q-7".to_owned(), folder: PathBuf::from("/nowhere") };
    Case::from_text(text, &origin, &KNOWN)
}

fn refused(text: &str) -> String {
    match case(text) {
        Ok(_) => panic!("this must be refused:\n{text}"),
        Err(error) => {
            assert_eq!(error.exit_code(), 2, "{error}");
            let Error::Invalid(problems) = &error else { panic!("{error}") };
            for problem in problems.iter() {
                assert!(problem.file.is_some() && problem.remedy.is_some(), "{problem}");
            }
            error.to_string()
        }
    }
}

#[test]
fn a_claim_is_read_in_the_metrics_unit() {
    let text = format!(
        "{ONE}[[expect]]\nmetric = \"sojourn_mean_s\"\nvalue = -50\ntolerance = \"2%\"\n\
         [[expect]]\nmetric = \"sojourn_p95_s\"\nvalue = 3\nwithin = 0.5\n\
         [[expect]]\nmetric = \"tax_full\"\nname = \"cheap\"\nmax = 0.2\nhalf_width = \"5%\"\n"
    );
    let found = good(&text).expectations;
    let claims: Vec<Claim> = found.iter().map(|expected| expected.claim).collect();
    assert_eq!(
        claims,
        [
            Claim::Equal { value: -50.0, tolerance: 1.0, reference_half_width: 0.0 },
            Claim::Within { value: 3.0, by: 0.5 },
            Claim::Bounds { min: None, max: Some(0.2), half_width: Some(Amount::Share(0.05)) },
        ]
    );
    assert_eq!(found[0].pattern.as_deref(), Some("ideal"), "the only one compared");
    assert_eq!((found[0].label.as_str(), found[0].unit), ("sojourn_mean_s", "s"));
    assert_eq!(found[2].label, "cheap");
    let once = good(&text);
    let twice = good(&toml::to_string(&once.file).expect("plain data"));
    assert_eq!((once.file, once.expectations), (twice.file, twice.expectations));
}

#[test]
fn instants_become_probes_once_each() {
    let at = |instant: &str| format!("[[expect]]\nmetric = \"tasks_present\"\nat = \"{instant}\"\nmax = 9\n");
    let scenario = good(&format!("{ONE}{}{}{}", at("2min"), at("1min"), at("2min")));
    let setup = scenario.instantiate(Seed(1), 0).expect("drawn");
    assert_eq!(*setup.probes, [Time::from_secs(120), Time::from_secs(60)]);
    let places: Vec<_> = scenario.expectations.iter().map(|expected| expected.probe).collect();
    let probe = |seconds, place| Some((Span::from_secs(seconds), place));
    assert_eq!(places, [probe(120, 0), probe(60, 1), probe(120, 0)]);
    assert_eq!(scenario.expectations[1].label, "tasks_present at 1min");
}

#[test]
fn variants_change_the_file_and_bring_their_own_expectations() {
    let text = format!(
        "{ONE}[[expect]]\nmetric = \"sojourn_mean_s\"\nmax = 99\n\
         [[variant]]\nname = \"big\"\nset = [\"agents.count=9\", \"run.seed=7\"]\n\
         [[variant.expect]]\nmetric = \"price\"\nmin = 1\n"
    );
    let case = case(&text).expect("good");
    assert_eq!((case.id.as_str(), case.family.as_str(), case.parts.len()), ("Q-7", "Q", 2));
    let file = |index: usize| case.parts[index].subject.file();
    assert_eq!((file(0).agents[0].count, file(1).agents[0].count, file(1).run.seed), (5, 9, 7));
    assert_eq!(case.parts[1].subject.expectations()[0].metric, "price");
    assert_eq!(case.parts[1].variant.as_deref(), Some("big"));
}

#[test]
fn a_trial_is_read_with_its_defaults_and_runs_nothing_else() {
    let text = format!("{TRIAL}[[expect]]\nmetric = \"collision_share\"\nvalue = 0.5\nwithin = 0.1\n");
    let case = case(&text).expect("good");
    let crate::scenario::Subject::Trial(trial) = &case.parts[0].subject else { panic!("a trial") };
    assert_eq!((case.kind(), &trial.params["rounds"]), ("trial", &serde_json::json!(10_000)));
    let error = load(&text, &[]).expect_err("nothing to compare").to_string();
    assert!(error.contains("x.toml: `trial.birthday`: this is the trial `birthday`"), "{error}");
    assert!(error.contains("run `anthill validate x.toml`"), "{error}");
}

/// What is written after [`ONE`], and what must be said of it.
const WRONG: &[(&str, &[&str])] = &[
    (
        "metric = \"sojourn_maen_s\"\nmax = 1",
        &["x.toml:10:10: `expect.0.metric`", "did you mean `sojourn_mean_s`?"],
    ),
    ("max = 1", &["`expect.0.metric`: the key `metric` is missing"]),
    ("metric = \"price\"", &["`expect.0`: nothing is expected of `price`", "add `value` with `tolerance`"]),
    ("metric = \"price\"\nvalue = 1", &["x.toml:11:9: `expect.0.value`: how near", "add `tolerance"]),
    ("metric = \"price\"\nvalue = 1\ntolerance = 0", &["x.toml:12:13: `expect.0.tolerance`: 0 is no room"]),
    ("metric = \"price\"\nvalue = 1\ntolerance = \"2\"", &["`2` is not a part", "or \"2%\""]),
    ("metric = \"price\"\nvalue = 0\nwithin = \"2%\"", &["2% of 0 is no room", "in the metric's unit"]),
    ("metric = \"price\"\nvalue = 1\ntolerance = 1\nwithin = 1", &["are two claims", "delete one"]),
    ("metric = \"price\"\nvalue = 1\ntolerance = 1\nmin = 1", &["`value` says already what is expected"]),
    ("metric = \"price\"\nmin = 2\nmax = 1", &["x.toml:12:7: `expect.0.max`: 1 is below the `min` of 2"]),
    ("metric = \"price\"\nmin = 2\ntolerance = 1", &["this belongs to `value`"]),
    ("metric = \"price\"\nmin = nan", &["NaN is not a finite number"]),
    (
        "metric = \"price\"\nmax = 1\npattern = \"hybrid\"",
        &["there is no pattern compared here `hybrid`", "ideal"],
    ),
    ("metric = \"price\"\nmax = 1\nversus = \"hybrid\"", &["no pattern compared here `hybrid`"]),
    ("metric = \"price\"\nmax = 1\nratio = true", &["there is nothing to divide by"]),
    ("metric = \"price\"\nmax = 1\nat = \"1min\"", &["only `tasks_present` is measured at an instant"]),
    ("metric = \"tasks_present\"\nmax = 1", &["is counted at an instant", "add `at ="]),
    ("metric = \"tasks_present\"\nmax = 1\nat = \"1h\"", &["1h is after the end of the run at 750s"]),
    ("metric = \"price\"\nmax = 1\nclass = \"mail\"", &["there is no class of tasks `mail`", "task"]),
    ("metric = \"price\"\nmax = 1\nclass = \"task\"", &["there is no metric of a class `price`"]),
    ("metric = \"price\"\nmax = 1\ntolernce = 2", &["no key `tolernce`", "did you mean `tolerance`?"]),
    (
        "metric = \"price\"\nmax = 1\n[[variant]]\nname = \"a\"\nset = [\"agents.count\"]",
        &["there is no `=` in `agents.count`", "nothing is expected of the variant `a`"],
    ),
    (
        "metric = \"price\"\nmax = 1\n[[variant]]\nname = \"a\"\nset = [\"agents.cuont=3\"]\n\
         [[variant.expect]]\nmetric = \"price\"\nmax = 1",
        &["x.toml, variant `a`, agents.cuont=3: `agents.cuont`: there is no key `cuont` here"],
    ),
    (
        "metric = \"price\"\nmax = 1\n[[variant]]\nname = \"a\"\n\
         [[variant.expect]]\nmetric = \"prise\"\nmax = 1",
        &["x.toml:15:10: `variant.0.expect.0.metric`", "did you mean `price`?"],
    ),
];

#[test]
fn every_fault_is_named_with_its_place_and_a_remedy() {
    for (extra, wanted) in WRONG {
        let said = refused(&format!("{ONE}[[expect]]\n{extra}\n"));
        for words in *wanted {
            assert!(said.contains(words), "{extra}\n---\n{said}\n--- lacks {words}");
        }
    }
    assert!(refused(ONE).contains("this file expects nothing"));
    let many =
        ONE.replace("[\"ideal\"]", "[\"ideal\", \"single\"]") + "[[expect]]\nmetric = \"price\"\nmax = 1\n";
    assert!(refused(&many).contains("2 patterns are compared: say which one is meant"));
    let few = ONE.replace("[run]", "[run]\nmax_replications = 3");
    assert!(refused(&few).contains("`run.max_replications`: 3 is below the 20"));
}

#[test]
fn trials_are_checked_like_scenarios() {
    let expect = "[[expect]]\nmetric = \"collision_share\"\nmax = 1\n";
    for (text, wanted) in [
        (format!("{TRIAL}[[expect]]\nmetric = \"collisions\"\nmax = 1\n"), "there is no metric `collisions`"),
        (format!("{}{expect}", TRIAL.replace("birthday", "birtday")), "did you mean `birthday`?"),
        (
            format!("{}{expect}", TRIAL.replace("365", "0")),
            "x.toml:3:9: `trial.birthday.space`: nothing to draw",
        ),
        (format!("{}{expect}", TRIAL.replace("ids", "idz")), "did you mean `ids`?"),
        (format!("{TRIAL}[agents]\ncount = 1\n{expect}"), "`agents`: a trial takes no `agents`"),
        (format!("[run]\nhorizon = \"1h\"\n{TRIAL}{expect}"), "a trial takes no `run.horizon`"),
        (format!("{TRIAL}{expect}pattern = \"ideal\"\n"), "a trial runs no patterns"),
    ] {
        let said = refused(&text);
        assert!(said.contains(wanted), "{text}\n---\n{said}\n--- lacks {wanted}");
    }
}

#[test]
fn what_has_no_case_has_a_reason() {
    let list = not_there("[[case]]\nid = \"E-01\"\nreason = \"not yet\"\n", "n.toml").expect("good");
    assert_eq!((list[0].id.as_str(), list[0].reason.as_str()), ("E-01", "not yet"));
    let error = not_there("[[case]]\nid = \"E-01\"\n", "n.toml").expect_err("no reason").to_string();
    assert!(error.contains("n.toml:1") && error.contains("reason"), "{error}");
}
