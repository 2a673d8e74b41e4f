//! Statistics, engine, scaling, messages, elections and trust against theory, with small budgets.

use serde_json::json;

use super::super::find;
use super::{agrees, equals, exponential, replicate};

#[test]
fn statistics_keep_their_promises() {
    agrees("interval_coverage", json!({ "size": 20, "experiments": 500 }), "coverage_share", 0.95, 0.01);
    let quantile = json!({ "size": 100, "values": "exponential", "method": { "quantile": { "p": 0.9 } } });
    agrees("interval_coverage", quantile, "coverage_share", 0.9555, 0.01);
    let laws = json!({ "first": exponential("1s"), "second": exponential("1.2s") });
    agrees("paired_draws", laws, "covariance", 1.2, 0.024);
    let constants = json!({ "systems": 10, "first_stage": 20, "rounds": 0 });
    equals("selection", constants.clone(), "kn_eta", 0.302_934, 5e-7);
    equals("selection", constants, "rinott_h", 3.875, 1e-3);
    let step = json!({ "values": vec![9.0; 40].into_iter().chain(vec![1.0; 160]).collect::<Vec<f64>>() });
    equals("warm_up", step, "truncation", 40.0, 0.0);
}

#[test]
fn a_known_answer_that_is_wrong_is_noticed() {
    let answers = |third: &str| {
        let expected = ["6457827717110365317", "3203168211198807973", third];
        json!({ "generator": "splitmix64", "state": ["1234567"], "expected": expected })
    };
    equals("known_answers", answers("9817491932198370423"), "agreeing", 3.0, 0.0);
    equals("known_answers", answers("9817491932198370422"), "agreeing", 2.0, 0.0);
}

#[test]
fn the_engine_keeps_to_renewal_theory_and_order() {
    let phold = json!({ "processes": 100, "horizon": "100s" });
    agrees("phold", phold.clone(), "events", 4962.5, 60.0);
    equals("phold", phold, "same_again_share", 1.0, 0.0);
    let ties = json!({ "pending": 100, "increment": "uniform", "grain": "10ms" });
    equals("hold", ties.clone(), "ties_broken", 0.0, 0.0);
    assert!(replicate("hold", &ties, "ties")[0] > 100.0, "otherwise this shows nothing");
    let stress = json!({ "events": 10_000, "cancelled": 0.5, "ties": 1000, "rounds": 3 });
    for (metric, expected) in
        [("fired", 5000.0), ("ties_broken", 0.0), ("pending_left", 0.0), ("room_grown", 0.0)]
    {
        equals("cancellation", stress.clone(), metric, expected, 0.0);
    }
}

#[test]
fn scaling_laws_come_out_of_their_simulations() {
    let lock = json!({ "agents": 10, "parallel": "9s", "serial": "1s" });
    equals("lock_rounds", lock.clone(), "speedup", 5.263_157_894_7, 1e-9);
    equals("lock_rounds", lock, "sigma_fitted", 0.1, 1e-6);
    equals("scaled_work", json!({ "agents": 16, "serial": 0.1 }), "scaled_speedup", 14.5, 1e-9);
    let talks = json!({ "work": "1000s", "talk": "500ms" });
    equals("pairwise_talks", talks.clone(), "best_agents", 13.0, 0.0);
    equals("pairwise_talks", talks, "best_makespan_s", 1000.0 / 13.0 + 39.0, 1e-6);
}

#[test]
fn messages_are_as_many_as_counted_by_hand() {
    let mesh = json!({ "agents": 50, "shape": "all_to_all" });
    equals("topology", mesh, "channels", 1225.0, 0.0);
    let tree = json!({ "agents": 85, "shape": { "tree": { "arity": 4 } } });
    equals("topology", tree.clone(), "messages", 168.0, 0.0);
    equals("topology", tree, "broadcast_s", 0.03, 1e-9);
    for (agents, steps) in [(16, 8.0), (13, 8.0), (5, 6.0)] {
        let sum = json!({ "agents": agents, "algorithm": "tree" });
        equals("all_reduce", sum.clone(), "steps", steps, 0.0);
        equals("all_reduce", sum, "correct_share", 1.0, 0.0);
        equals("all_reduce", json!({ "agents": agents, "algorithm": "ring" }), "correct_share", 1.0, 0.0);
    }
    equals("contract_net", json!({ "contractors": 10 }), "messages_mean", 31.0, 0.0);
    equals("bully", json!({ "processes": 10 }), "messages", 89.0, 0.0);
    equals("bully", json!({ "processes": 10, "crashed": 4 }), "agreeing_share", 1.0, 0.0);
    equals("pbft", json!({ "faulty_max": 2 }), "messages", 92.0, 0.0);
    equals("two_phase_commit", json!({ "participants": 10 }), "latency_mean_s", 0.04, 1e-9);
}

#[test]
fn silent_backups_stop_pbft_only_beyond_f() {
    equals("pbft", json!({ "faulty_max": 2, "silent": 2 }), "latency_s", 0.05, 1e-9);
    assert!(replicate("pbft", &json!({ "faulty_max": 2, "silent": 3 }), "latency_s")[0].is_nan());
}

#[test]
fn chances_add_up() {
    agrees("vote", json!({ "voters": 5, "right": 0.6 }), "right_share", 0.68256, 0.008);
    agrees("step_chain", json!({ "success": 0.6, "attempts": 3 }), "pass_all_share", 0.216, 0.008);
    agrees("bipartition", json!({ "agents": 7 }), "majority_share", 0.65625, 0.006);
    agrees(
        "spot_check",
        json!({ "results": 100, "bad": 5, "audit": { "sample": 10 } }),
        "detected_share",
        0.416_248,
        0.006,
    );
    let laws = json!({ "exponential": { "mean": "9h" } });
    let group = json!({ "members": 3, "up": laws, "down": "1h", "warmup": "100h", "horizon": "20100h" });
    agrees("quorum_availability", group, "available_share", 0.972, 0.006);
}

#[test]
fn elections_and_quorums_follow_order_statistics() {
    let election = json!({
        "servers": 5, "alive": 4, "latency": "100ms", "within": "250ms", "elections": 1000,
        "timeout": { "uniform": { "low": "1s", "high": "2s" } },
    });
    agrees("raft_election", election.clone(), "split_share", 0.0523, 0.01);
    agrees("raft_election", election.clone(), "first_timeout_mean_s", 1.2, 0.02);
    agrees("raft_election", election, "first_timeout_within_share", 0.683_59, 0.024);
    let round = json!({ "followers": 4, "leg": { "exponential": { "mean": "1s" } }, "rounds": 2000 });
    agrees("quorum_round", round, "latency_mean_s", 1.437_79, 0.02);
}

#[test]
fn trust_is_priced_and_tested() {
    agrees("deterrence", json!({ "gain": 1.0, "audited": 0.1 }), "profit_mean", 0.0, 0.04);
    let test = json!({ "good": 0.05, "bad": 0.2, "tests": 2000 });
    agrees("sequential_test", test, "observations_mean", 30.567, 0.8);
    equals("beta_rating", json!({ "good": 8, "bad": 2 }), "rating", 0.75, 1e-12);
    let overhead = json!({ "turns": 11.4, "single_turns": 7.2, "success": 0.370 });
    equals("turn_overhead", overhead.clone(), "overhead_percent", 58.3, 0.05);
    equals("turn_overhead", overhead, "efficiency", 0.2337, 5e-5);
}

/// The bounds of parameters are checked before anything runs, by key.
#[test]
fn parameters_that_make_no_sense_are_refused_by_key() {
    for (name, parameters, key) in [
        ("vote", json!({ "voters": 3, "right": 1.5 }), "right"),
        ("hold", json!({ "pending": 0, "increment": "uniform" }), "pending"),
        ("usl_fit", json!({ "sizes": [1.0, 2.0], "throughputs": [1.0, 2.0] }), "sizes"),
        ("bully", json!({ "processes": 3, "crashed": 3 }), "crashed"),
        ("known_answers", json!({ "generator": "chacha8", "state": ["1"], "expected": ["1"] }), "state"),
    ] {
        let problems = (find(name).expect(name).check)(&parameters).expect_err(name);
        assert!(problems.iter().any(|problem| problem.key.as_deref() == Some(key)), "{name}: {problems}");
    }
}
