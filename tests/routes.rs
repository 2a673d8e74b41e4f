//! Jobs that go from stage to stage and customers that come back: what arrives when, and what never does.

use anthill::sim::Outcome;

use super::common::{pattern, setup};

fn run(text: &str) -> Outcome {
    (pattern("ideal").run)(&setup(text)).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Two customers think for 4 s and need the one agent for 1 s: the second always waits 1 s behind the first
/// in the first round, and from then on finds it free.
#[test]
fn customers_come_back_after_their_answer_and_their_thought() {
    let outcome = run("[run]\npatterns = [\"ideal\"]\n\
        horizon = \"100s\"\nwarmup = \"0s\"\ndrain = \"10s\"\n[agents]\ncount = 1\n\
        [work]\nduration = \"1s\"\n[work.source.route]\ncustomers = 2\nthink = \"4s\"\n");
    let value = |name: &str| outcome.metrics.get(name);
    // First at 4, 9, …, 99; second at 4, then 10, 15, …, 95: its first answer comes at 6.
    assert_eq!(value("arrived"), 20.0 + 19.0);
    assert_eq!((value("open"), value("completed")), (0.0, 39.0));
    assert_eq!(value("sojourn_max_s"), 2.0);
    assert_eq!(value("sojourn_mean_s"), 40.0 / 39.0);
    assert!(value("price").is_nan() && value("load_rho").is_nan(), "nothing bounds a closed loop");
    assert_eq!(value("jobs_per_s"), 39.0 / 100.0);
}

const IMPATIENT: &str = "[run]\npatterns = [\"ideal\"]\n\
    horizon = \"100s\"\nwarmup = \"0s\"\ndrain = \"10s\"\n[agents]\ncount = 1\n\
    [work]\ndeadline = \"2s\"\non_deadline = \"drop\"\n[work.source.route]\ncustomers = 1\nthink = \"4s\"\n\
    [[work.source.route.stages]]\nname = \"long\"\nwork = \"3s\"\n\
    [[work.source.route.stages]]\nname = \"short\"\nwork = \"1s\"\n";

/// The first stage always takes longer than its deadline: no second stage ever comes, the customer does.
#[test]
fn a_step_that_was_not_answered_skips_the_rest_of_its_job_only() {
    let outcome = run(IMPATIENT);
    let [long, short] = &outcome.classes[..] else { panic!("two stages are two classes") };
    assert_eq!((long.name.as_str(), short.name.as_str()), ("long", "short"));
    // At 4, then 2 s of patience and 4 s of thought: 4, 10, …, 94; the agent works on regardless.
    assert_eq!(outcome.metrics.get("expired"), 16.0);
    assert_eq!((long.get("arrival_rate_per_s"), short.get("arrival_rate_per_s")), (Some(0.16), Some(0.0)));
    assert!(outcome.metrics.get("job_sojourn_mean_s").is_nan(), "no job was answered in full");
}

/// Patience is about waiting: what was begun is finished, late.
#[test]
fn who_was_begun_does_not_renege() {
    let outcome = run(&IMPATIENT.replace("\"drop\"", "\"renege\""));
    assert_eq!(outcome.metrics.get("expired"), 0.0);
    // 4 s of thought, 3 s and 1 s of work: a job every 8 s; the deadline of each long step is missed.
    assert_eq!(outcome.metrics.get("arrived"), 24.0);
    assert_eq!(outcome.metrics.get("deadline_misses"), 12.0);
    let alone = IMPATIENT.replace("\"drop\"", "\"renege\"").replace("customers = 1", "customers = 2");
    let two = run(&alone);
    assert!(two.metrics.get("expired") > 0.0, "who waits behind a step of 3 s leaves after 2 s");
    assert_eq!(two.metrics.get("open"), 0.0);
}

/// The output of one step is the input of the next, but a new job owes nothing to the one before it.
#[test]
fn a_wrong_step_spoils_its_job_and_no_other() {
    let text = IMPATIENT
        .replace("deadline = \"2s\"\non_deadline = \"drop\"", "error_rate = 0.5")
        .replace("\"100s\"", "\"8000s\"");
    let outcome = run(&text);
    let wrong = outcome.metrics.get("error_share");
    // Half of the first steps and three quarters of the second.
    assert!((wrong - 0.625).abs() < 0.04, "{wrong}");
}

/// A job whose review sends it back visits its stages again; a run may end when all jobs have.
#[test]
fn a_run_that_ends_when_all_is_settled_waits_for_what_is_released() {
    let outcome = run("[run]\npatterns = [\"ideal\"]\n\
        horizon = \"1h\"\nwarmup = \"0s\"\nfinish = \"settled\"\n[agents]\ncount = 1\n\
        [work]\nduration = \"1s\"\n[work.source.route]\narrivals = { batch = { tasks = 50 } }\n\
        [[work.source.route.stages]]\nname = \"write\"\n\
        [[work.source.route.stages]]\nname = \"review\"\nnext = { write = 0.5, done = 0.5 }\n");
    let visits = outcome.metrics.get("completed");
    assert!((130.0..280.0).contains(&visits), "four visits a job on average: {visits}");
    assert_eq!(outcome.metrics.get("makespan_s"), visits, "the one agent never rests");
    assert_eq!(outcome.metrics.get("open"), 0.0);
}
