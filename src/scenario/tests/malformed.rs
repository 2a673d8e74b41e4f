//! Malformed scenarios: every fault is named with its file, line, column, key, value and remedy.

use super::*;

/// What is wrong with a scenario, problem by problem, as it is printed.
fn faults(text: &str, sets: &[&str]) -> Vec<String> {
    match load(text, sets) {
        Ok(_) => panic!("this must be refused:\n{text}\n{sets:?}"),
        Err(error) => {
            assert_eq!(error.exit_code(), 2);
            let Error::Invalid(problems) = error else { panic!("{error}") };
            for problem in problems.iter() {
                assert!(problem.file.is_some() && problem.remedy.is_some(), "{problem}");
            }
            problems.iter().map(ToString::to_string).collect()
        }
    }
}

/// `SMALL` with `extra` at its end, or in place of the line that starts as it does.
fn with(extra: &str) -> String {
    let key = extra.split(" = ").next().unwrap_or_default();
    let line = SMALL.lines().find(|line| line.starts_with(&format!("{key} = ")));
    match line {
        Some(line) => SMALL.replace(line, extra),
        None => format!("{SMALL}{extra}\n"),
    }
}

/// One fault each: what is written, and what must be said of it.
const CASES: &[(&str, &[&str])] = &[
    ("horizon = \"soon\"", &["x.toml:2:11: `run.horizon`: `soon` is not a duration", "= write", "^"]),
    (
        "horizon = 600",
        &["x.toml:2:11: `run.horizon`: integer `600` is not a duration", "= write a duration such as"],
    ),
    ("horizon = \"0s\"", &["`run.horizon`: this must be above zero"]),
    ("count = -1", &["x.toml:4:9: `agents.count`: integer `-1` is not a whole number of 0 or more"]),
    ("count = 5000000000", &["the number 5000000000 is too large to stand here", "= write a smaller number"]),
    ("count = 99999999999999999999999", &["is too large to stand here", "= write a smaller number"]),
    ("horizon = \"9e9h\"", &["`9e9h` is longer than 100 years", "= write a shorter time"]),
    ("count = 0", &["`agents`: somebody must work", "count = 1 or more"]),
    (
        "count = 5\nslots = 0",
        &["x.toml:5:9: `agents.slots`: an agent cannot do 0 tasks at once", "write a whole number from 1"],
    ),
    (
        "count = 5\ndiscipline = \"prioriy\"",
        &["x.toml:5:14: `agents.discipline", "`prioriy` is not known here", "did you mean `priority`?"],
    ),
    (
        "[costs.kinds.submit]\npriority = 40000",
        &["x.toml:11:12: `costs.kinds.submit.priority`: the number 40000 is too large to stand here"],
    ),
    (
        "cuont = 3",
        &["x.toml:10:1: `work.cuont`: there is no key `cuont` here", "= keys here: source, duration"],
    ),
    ("duratoin = \"2s\"", &["there is no key `duratoin` here", "= did you mean `duration`?"]),
    (
        "source = { poison = { rate_per_s = 1 } }",
        &["x.toml:8:12: `work.source.poison`: `poison` is not known here", "did you mean `poisson`?"],
    ),
    (
        "source = { poisson = { rate = 1 } }",
        &[
            "x.toml:8:24: `work.source.poisson.rate`: there is no key `rate`",
            "keys here: rate_per_s, mean_interarrival",
        ],
    ),
    ("source = { poisson = {} }", &["`work.source.poisson`: exactly one of `rate_per_s`"]),
    (
        "source = { route = { think = \"1s\" } }",
        &["`work.source.route`: exactly one of `arrivals` and `customers` must be given"],
    ),
    (
        "source = { route = { customers = 2, stages = [{ name = \"a\", next = { b = 1.0 } }] } }",
        &["there is no stage `b`", "did you mean `a`?"],
    ),
    (
        "source = { route = { customers = 2, stages = [{ name = \"a\", next = { a = 0.5, done = 0.2 } }] } }",
        &["the probabilities sum to 0.7, not to 1", "write the rest as \"done\""],
    ),
    (
        "source = { route = { customers = 2, stages = [{ name = \"a\", next = [\"a\"] }] } }",
        &["a job may go round for ever"],
    ),
    (
        "source = { poisson = { rate_per_s = 1e9 } }",
        &["about 600000000000 tasks are expected", "lower the rate"],
    ),
    (
        "source = { batch = { at = \"1s\" } }",
        &["`work.source.batch.tasks`: the key `tasks` is missing", "add `tasks = …`"],
    ),
    ("source = { batch = { tasks = 1, at = \"2h\" } }", &["2h is after the horizon of 10min"]),
    (
        "source = { trace = { azure_llm = \"absent.csv\" } }",
        &[
            "/nowhere/absent.csv: there is no such file",
            "(named by `work.source.trace.azure_llm` in x.toml:8)",
            "../shared/data/azure-llm-2023/",
        ],
    ),
    (
        "source = { mmpp = { rates_per_s = [1, 2], mean_sojourns = [\"1s\"] } }",
        &["2 rates, 1 sojourns", "one of each a state"],
    ),
    (
        "source = { dag = { jobs = 1, steps = [{ name = \"a\", after = [\"b\"] }, \
         { name = \"b\", after = [\"a\"] }] } }",
        &["`work.source.dag.steps.0.after`: step `a` waits, directly or not, for itself"],
    ),
    (
        "source = { dag = { jobs = 1, steps = [{ name = \"extract\" }, \
         { name = \"b\", after = [\"extrct\"] }] } }",
        &["there is no step `extrct`", "did you mean `extract`?"],
    ),
    (
        "source = { tasks = [{ after = [1] }, { after = [0] }] }",
        &["some tasks wait, directly or not, for themselves"],
    ),
    (
        "source = { preset = \"azure_llm_arivals\" }",
        &[
            "x.toml:8:21: `work.source.preset`: there is no preset `azure_llm_arivals`",
            "did you mean `azure_llm_arrivals`?",
        ],
    ),
    (
        "duration = { lognormal = { median = \"1s\", mean = \"2s\", sigma = 1 } }",
        &["`work.duration.lognormal`: `lognormal` takes `median` or `mean`, not both"],
    ),
    (
        "duration = { exponential = { maen = \"2s\" } }",
        &["`work.duration.exponential.maen`", "did you mean `mean`?"],
    ),
    (
        "duration = { empirical = { quantiles = [[0, \"1s\", 7], [1, \"2s\"]] } }",
        &["this is no pair", "= write two values such as [0.5, \"1s\"]"],
    ),
    ("duration = 20", &["`work.duration`: integer `20` is not a duration such as"]),
    ("model_calls = { calls = 3 }", &["`work.duration` says how much work a task is already", "delete one"]),
    (
        "skills = [\"law\"]",
        &["`work.skills.0`: there is no skill of a present agent `law`", "skills of present agents: general"],
    ),
    ("error_rate = 1.5", &["x.toml:10:14: `work.error_rate`: 1.5 is not a probability", "from 0 to 1"]),
    ("turn = \"0s\"", &["`work.turn`: this must be above zero"]),
    ("estimate = { noisy = { sigma = -1 } }", &["-1 is no standard deviation"]),
    ("[agents2]", &["there is no key `agents2` here", "did you mean `agents`?"]),
    (
        "[clients]\nsites = [\"eu\", \"mars\"]",
        &["`clients.sites.1`: there is no site `mars`", "sites: eu, us"],
    ),
    ("[clients.sites]\neu = 0", &["`clients.sites.eu`: 0 is not a number above 0"]),
    (
        "[relays]\nservice = { uniform = { low = \"2ms\", high = \"1ms\" } }",
        &["`relays.service.uniform.high`: `uniform.high` must be above"],
    ),
    (
        "[costs.kinds.handovr]\ntime = \"2s\"",
        &["`costs.kinds.handovr`: there is no kind of message `handovr`", "did you mean `handover`?"],
    ),
    (
        "[costs.kinds.handover]\nplane = \"thinking\"",
        &["`thinking` is not known here", "possible here: harness, cognition"],
    ),
    (
        "[pattern.hybird]\nx = 1",
        &["x.toml:10:1: `pattern.hybird`: there is no pattern `hybird`", "did you mean `hybrid`?"],
    ),
    ("[faults]\nplan = \"faults.json\"", &["/nowhere/faults.json: there is no such fault plan"]),
    ("[faults.crash]\nat = \"5s\"", &["5s is before the end of the warm-up at 50s", "shorten `run.warmup`"]),
    ("[faults.crash]\nat = \"13min\"", &["13min is not before the end of the run at 750s"]),
    ("[faults.crash]\ntarget = \"any\"", &["`faults.crash`: exactly one of `at` and `every`"]),
    ("[faults.crash]\nmtbf = \"5min\"", &["`faults.crash`: a fault has `at`, or `every`, or both of"]),
    ("[faults.pause]\nat = \"5min\"", &["`faults.pause`: missing field `for`", "write for = \"2min\""]),
    (
        "[faults.pause]\nmtbf = \"5min\"\nmttr = \"5s\"\nfor = \"5s\"",
        &["`faults.pause.for`: `mttr` says how long it lasts", "delete it"],
    ),
    (
        "[faults.pause]\nmtbf = \"5min\"\nmttr = \"5s\"\nfrom = \"9h\"",
        &["`faults.pause.from`: 9h is not before the end of the run at 750s"],
    ),
    (
        "[faults.stall]\nevery = \"5h\"\nfor = \"5s\"",
        &["`faults.stall.every`: a fault every 5h on average, but there are 700s", "shorten it"],
    ),
    (
        "[faults]\ncrash = { at = \"5min\", target = \"agent:1\" }\n\
         pause = { at = \"6min\", target = \"agent:1\", for = \"1s\" }",
        &["`faults.pause.at`: it changes nothing: `faults.crash.0` holds agent:1 down from 5min"],
    ),
    (
        "[faults.relay_outage]\nat = \"5min\"\nfor = \"1s\"\nstandby = { takeover = \"7s\" }",
        &["`faults.relay_outage.standby`: `standby` belongs to `mtbf` and `mttr`"],
    ),
    (
        "[faults.crash]\nat = \"5min\"\ntarget = \"agent:5\"",
        &["no present agent 5: there are 5", "count agents from 0"],
    ),
    (
        "[faults.crash]\nat = \"5min\"\ntarget = \"boss\"",
        &["`boss` is not a target", "= write \"authority\""],
    ),
    ("[faults.crash]\nat = \"5min\"\ntarget = \"agents:2\"", &["`faults.crash.target`: 2 is not a share"]),
    ("[faults.stall]\nat = \"5min\"\ntarget = \"relay:0\"", &["only agents suffer this"]),
    (
        "[faults.pause]\nat = \"5min\"",
        &["`faults.pause`: missing field `for`: how long it lasts", "= write for = \"2min\""],
    ),
    (
        "[faults.partition]\nat = \"5min\"\nfor = \"1s\"\nsites = [[\"eu\", \"us\"]]",
        &["every site is on one side"],
    ),
    (
        "[faults.relay_outage]\nat = \"5min\"\nfor = \"1s\"\nrelay = 3",
        &["`faults.relay_outage.relay`: there is no relay 3"],
    ),
    (
        "[faults.relay_outage]\nat = \"5min\"\nmttr = \"1s\"",
        &["an outage has `at` and `for`, or `mtbf` and `mttr`"],
    ),
    (
        "[faults.churn]\nsession = { pareto = { shape = 1, scale = \"1s\" } }\nabsence = \"1s\"",
        &["`faults.churn.session`: the mean of this law must be finite and above zero, but is inf"],
    ),
    ("this is no toml", &["x.toml:10:6: this is not TOML", "mend this first", "^"]),
];

#[test]
fn every_fault_is_named_with_its_place_its_value_and_a_remedy() {
    assert!(CASES.len() >= 15);
    for (extra, wanted) in CASES {
        let found = faults(&with(extra), &[]);
        assert_eq!(found.len(), 1, "{extra}\n{}", found.join("\n"));
        for part in *wanted {
            assert!(found[0].contains(part), "{extra}: no `{part}` in\n{}", found[0]);
        }
    }
}

#[test]
fn network_faults_are_named() {
    let cases: &[(&str, &[&str])] = &[
        (
            "latency = [[\"1ms\"]]",
            &["x.toml:7:11: `network.latency`: 2 sites need a table of 2 rows of 2, but there are 1 of 1"],
        ),
        ("pairs = { \"eu-mars\" = \"1ms\" }", &["`network.pairs.eu-mars`", "does not name two sites"]),
        ("weights = [1]", &["there are 1 weights for 2 sites"]),
        ("loss = 2", &["2 is not a probability"]),
        ("transport = \"poll\"", &["`network.transport`"]),
        (
            "transport = { poll = { interval = \"0s\" } }",
            &["`network.transport.poll.interval`: this must be above zero"],
        ),
        ("matrix = { file = \"m.gz\" }", &["m.gz: there is no such file", "latency-planetlab490"]),
        ("preset = \"planetlab_region\"", &["did you mean `planetlab_regions`?"]),
    ];
    for (extra, wanted) in cases {
        let found = faults(&SMALL.replace("[work]", &format!("{extra}\n[work]")), &[]);
        assert_eq!(found.len(), 1, "{extra}\n{}", found.join("\n"));
        for part in *wanted {
            assert!(found[0].contains(part), "{extra}: no `{part}` in\n{}", found[0]);
        }
    }
    let polling = "transport = { poll = { interval = \"1s\" } }\n[relays]\ncount = 0";
    let found = faults(&SMALL.replace("[work]", &format!("{polling}\n[work]")), &[]);
    assert!(found[0].contains("polling needs a relay"), "{found:?}");
}

/// Every key of a rich file, misspelt, is refused at its line.
#[test]
fn every_misspelt_key_is_refused_at_its_line() {
    let flagship = crate::scenario::EMBEDDED[0].1;
    let mut tried = 0;
    for (index, line) in flagship.lines().enumerate() {
        let Some((key, value)) = line.split_once(" = ").filter(|(key, _)| !key.starts_with('#')) else {
            continue;
        };
        let mut lines: Vec<String> = flagship.lines().map(str::to_owned).collect();
        lines[index] = format!("{key}x = {value}");
        let found = faults(&lines.join("\n"), &[]);
        let place = format!("x.toml:{}:1: ", index + 1);
        assert!(found.iter().any(|problem| problem.starts_with(&place)), "{line}: {}", found.join("\n"));
        tried += 1;
    }
    assert!(tried > 15, "{tried} keys");
}

/// The whole report of a file with many faults, in order of place.
#[test]
fn all_faults_come_out_at_once_and_none_twice() {
    let text = "\
[run]
horizon = \"10 parsecs\"
seed = \"one\"
[[agents]]
count = 3
speed = { unifrm = { low = 1, high = 2 } }
[[agents]]
count = \"many\"
site = [\"eu\"]
[work]
source = { poisson = { rate_per_s = 0 } }
duration = { weibull = { shape = -1, scale = \"2s\" } }
[[faults.crash]]
at = \"5min\"
target = \"nobody\"
[[faults.crash]]
restart_after = \"1s\"
";
    let found = faults(text, &[]);
    let places: Vec<&str> = found.iter().map(|text| text.split("`:").next().expect("a head")).collect();
    assert_eq!(
        places,
        [
            "x.toml:2:11: `run.horizon",
            "x.toml:3:8: `run.seed",
            "x.toml:6:11: `agents.0.speed.unifrm",
            "x.toml:8:9: `agents.1.count",
            "x.toml:9:1: `agents.1.site",
            "x.toml:11:37: `work.source.poisson.rate_per_s",
            "x.toml:12:34: `work.duration.weibull.shape",
            "x.toml:15:10: `faults.crash.0.target",
            "x.toml:16:1: `faults.crash.1",
        ],
        "{}",
        found.join("\n")
    );
    assert!(found[3].contains("string \"many\" is not a whole number"), "{}", found[3]);
    let carets = "    | count = \"many\"\n    |         ^";
    assert!(found[3].contains(carets), "{}", found[3]);
}

#[test]
fn faults_of_a_set_name_the_set() {
    let cases: &[(&str, &[&str])] = &[
        ("run.horizon=soon", &["--set run.horizon=soon: `run.horizon`: `soon` is not a duration"]),
        (
            "run.horizn=1h",
            &["--set run.horizn=1h: `run.horizn`: there is no key `horizn` here", "did you mean `horizon`?"],
        ),
        ("work.source={poisson={rate=2}}", &["`work.source.poisson.rate`: there is no key `rate`"]),
        ("agents.3.count=2", &["--set agents.3.count=2: `agents.3.count`"]),
        ("agents.count.x=2", &["`agents.count` is not a table"]),
        ("run.horizon", &["--set run.horizon: there is no `=`", "--set run.horizon=10min"]),
        ("=3", &["`` is not a key"]),
        ("run..x=3", &["`run..x` is not a key"]),
        ("work.error_rate=2", &["--set work.error_rate=2: `work.error_rate`: 2 is not a probability"]),
        ("run.warmup=1h", &["--set run.warmup=1h: `run.warmup`: the warm-up of 1h does not end before"]),
        ("pattern.hybird.x=1", &["--set pattern.hybird.x=1: `pattern.hybird`: there is no pattern"]),
    ];
    for (set, wanted) in cases {
        let found = faults(SMALL, &[set]);
        assert_eq!(found.len(), 1, "{set}\n{}", found.join("\n"));
        for part in *wanted {
            assert!(found[0].contains(part), "{set}: no `{part}` in\n{}", found[0]);
        }
    }
    let two = format!("{SMALL}[[faults.crash]]\nat = \"5min\"\n[[faults.crash]]\nat = \"6min\"\n");
    let found = faults(&two, &["faults.crash.at=7min"]);
    assert!(found[0].contains("has 2 entries: say which, as in `faults.crash.0.at`"), "{found:?}");
}

#[test]
fn scenarios_that_are_not_there_are_suggested() {
    let error = |name: &str| match Scenario::load(name, &[], &KNOWN) {
        Ok(_) => panic!("{name} must not exist"),
        Err(error) => error.to_string(),
    };
    assert!(error("flagshp").contains("did you mean the embedded scenario `flagship`?"));
    assert!(error("/nowhere/at/all.toml").contains("embedded scenario: flagship"));
}

/// A pattern's own parameters are judged with everything else.
#[test]
fn faults_of_pattern_parameters_have_places_too() {
    let text = format!("{SMALL}error_rate = 2\n[pattern.hybrid]\nlese = \"2s\"\nscope_tokens = \"two\"\n");
    let found = faults(&text, &[]).join("\n");
    for part in [
        "x.toml:10:14: `work.error_rate`",
        "x.toml:12:1: `pattern.hybrid.lese`",
        "did you mean `lease`?",
        "x.toml:13:16: `pattern.hybrid.scope_tokens`: string \"two\" is not a whole number",
    ] {
        assert!(found.contains(part), "no `{part}` in\n{found}");
    }
    let found = faults(SMALL, &["pattern.hybrid.lease=0s"]).join("\n");
    assert!(found.contains("--set pattern.hybrid.lease=0s: `pattern.hybrid.lease`"), "{found}");
    assert!(found.contains("see `anthill patterns hybrid`"), "{found}");
}
