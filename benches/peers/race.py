#!/usr/bin/env python3
"""Races anthill against SimPy, NeXosim and simcore on two works, interleaved, and prints one table of ratios.

    python3 benches/peers/race.py [--quick] [--rounds 5] [--works hold,leader-worker] [--pending 1000,…]
                                  [--groups 1,100,1000] [--anthill PATH] [--built DIR] [--json FILE]

Needs Python 3.11 or later, cargo, and the registries (crates.io, PyPI) the first time. Whatever it makes is
in target/peers. Exit code 1 if the contestants do not simulate the same thing, 4 if that cannot be told.
README.md says what the works are and what the figures leave out.
"""

import argparse
import json
import os
import platform
import re
import resource
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path
from statistics import mean, median, variance
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SCENARIO = ROOT / "scenarios" / "leader-worker.toml"
MADE = ROOT / "target" / "peers"
SIDE = ["--features", "anthill"]
BUILT = ("peers", "anthill-side")
SIMPY_VERSION = "4.1.2"
WORKERS, ARRIVALS_PER_S = 1_000, 8_000
UNIT = {"hold": "events", "leader-worker": "tasks"}


class Contestant(NamedTuple):
    """A variant of a peer: what starts it, and the largest size it is asked for: more takes too long."""

    peer: str
    variant: str
    program: str
    at_most: float = float("inf")


CONTESTANTS = {
    "hold": [
        Contestant("no queue (floor)", "floor", "peers"),
        Contestant("std BinaryHeap", "heap", "peers"),
        Contestant("simcore", "simcore-one", "peers"),
        Contestant("simcore", "simcore-each", "peers"),
        Contestant("NeXosim", "nexosim-one", "peers"),
        Contestant("NeXosim", "nexosim-each", "peers", 100_000),
        Contestant("SimPy", "simpy-processes", "simpy"),
        Contestant("SimPy", "simpy-callbacks", "simpy"),
        Contestant("anthill's own draws", "anthill-own-draws", "side"),
        Contestant("anthill", "anthill", "side"),
    ],
    "leader-worker": [
        Contestant("std BinaryHeap", "heap", "peers"),
        Contestant("simcore", "simcore-one", "peers"),
        Contestant("simcore", "simcore-each", "peers"),
        Contestant("NeXosim", "nexosim-one", "peers"),
        Contestant("NeXosim", "nexosim-each", "peers", 100),
        Contestant("SimPy", "simpy-processes", "simpy", 1),
        Contestant("SimPy", "simpy-callbacks", "simpy", 100),
        Contestant("anthill, run alone", "anthill-run", "world"),
        Contestant("anthill, unwatched", "anthill-unwatched", "world"),
        Contestant("anthill", "anthill", "cli"),
    ],
}


class Plan(NamedTuple):
    """How long each measurement is."""

    events: int
    horizon_s: dict[int, float]
    """By groups, how long tasks arrive; where none is said, for as many tasks as 1,000 groups have."""

    def hold(self, pending: int, program: str) -> list[str]:
        # An interpreter is given fewer: they are as steady, as each takes longer.
        events = max(self.events, pending) // (10 if program == "simpy" else 1)
        return [f"pending={pending}", f"events={max(events, pending // 4)}"]

    def calendar(self, groups: int) -> tuple[float, float]:
        """Horizon and warm-up [s]. Short runs are measured from the start: all contestants start empty."""
        known = self.horizon_s.get(groups)
        horizon_s = known if known else self.horizon_s[1_000] * 1_000 / groups
        return horizon_s, (2.0 if horizon_s >= 10 else 0.0)


FULL = Plan(events=3_000_000, horizon_s={1: 30.0, 100: 1.0, 1_000: 0.2})
QUICK = Plan(events=300_000, horizon_s={1: 3.0, 100: 0.05, 1_000: 0.01})


def main() -> int:
    args = arguments()
    plan = QUICK if args.quick else FULL
    programs = prepare(args)
    works = {"hold": args.pending, "leader-worker": args.groups}
    load_before = os.getloadavg()
    samples = []
    for number in range(args.rounds):
        for work in args.works:
            for size in works[work]:
                samples += one_round(programs, plan, work, size, number)
        say(f"round {number + 1} of {args.rounds} done")
        write(args.json, args, samples, load_before)
    table(samples, args.works)
    footer(load_before)
    return {True: 0, False: 1, None: 4}[agree(samples)]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rounds", type=above_zero, help="how often everything is measured [5; 3 with --quick]")
    parser.add_argument("--works", type=lambda text: text.split(","), default=list(UNIT))
    parser.add_argument("--pending", type=sizes(up_to=10_000_000), help="sizes of hold [1000,10000,100000,1000000]")
    parser.add_argument("--groups", type=sizes(up_to=1_000), help="sizes of leader-worker, to 1000 [1,100]")
    parser.add_argument("--quick", action="store_true", help="only prove that everything runs and agrees")
    parser.add_argument("--anthill", type=Path, metavar="PATH", help="a ready-built anthill")
    parser.add_argument("--built", type=Path, metavar="DIR", help="where the peers are ready-built")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every sample here")
    args = parser.parse_args()
    unknown = [work for work in args.works if work not in UNIT]
    if unknown:
        parser.error(f"no work {unknown[0]!r}: hold, leader-worker")
    if args.anthill is not None and not is_program(args.anthill):
        parser.error(f"--anthill {args.anthill} is no program: build it, or leave the option out")
    for name in BUILT:
        if args.built is not None and not is_program(args.built / name):
            parser.error(f"--built {args.built} has no program {name}: build with {' '.join(SIDE)}")
    if args.json and (args.json.is_dir() or not args.json.resolve().parent.is_dir()):
        parser.error(f"--json {args.json}: write a file in a folder that exists")
    args.rounds = args.rounds or (3 if args.quick else 5)
    args.pending = args.pending or ([1_000, 100_000] if args.quick else [1_000, 10_000, 100_000, 1_000_000])
    args.groups = args.groups or [1, 100]
    return args


def is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def above_zero(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def sizes(up_to: int) -> Callable[[str], list[int]]:
    """Reads numbers with commas between them, such as 1000,1e6."""

    def read(text: str) -> list[int]:
        try:
            numbers = [int(float(word)) for word in text.split(",")]
        except (ValueError, OverflowError):
            raise argparse.ArgumentTypeError(f"{text!r} is not numbers such as 1,100") from None
        wrong = [number for number in numbers if not 1 <= number <= up_to]
        if wrong:
            raise argparse.ArgumentTypeError(f"{wrong[0]} is not from 1 to {up_to}")
        return numbers

    return read


# Preparing


def prepare(args: argparse.Namespace) -> dict[str, list[str]]:
    """Builds what is to be run. Gives the beginning of each program's command line."""
    built = {name: str(args.built / name) for name in BUILT} if args.built else build(HERE, SIDE)
    anthill = args.anthill or build(ROOT, ["--bin", "anthill"])["anthill"]
    python = simpy_python()
    return {
        "peers": [built["peers"]],
        "side": [built["anthill-side"]],
        "world": [built["anthill-side"]],
        "simpy": [str(python), str(HERE / "simpy_works.py")],
        "cli": [str(anthill)],
    }


def build(folder: Path, options: list[str]) -> dict[str, str]:
    """Builds the crate in `folder` in release. Gives the path of each program by name."""
    say(f"building {folder}")
    command = ["cargo", "build", "--release", "--message-format=json-render-diagnostics", *options]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=True)
    lines = map(json.loads, done.stdout.splitlines())
    return {line["target"]["name"]: line["executable"] for line in lines if line.get("executable")}


def simpy_python() -> Path:
    """A Python that has SimPy, in a virtual environment of its own."""
    folder = MADE / "venv"
    python = folder / "bin" / "python"
    if not python.exists():
        say("installing SimPy")
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", f"simpy=={SIMPY_VERSION}"], check=True)
    return python


# Measuring


def one_round(programs: dict, plan: Plan, work: str, size: int, number: int) -> list[dict]:
    """Runs each contestant once, beginning with another one each round, so that none is always first."""
    able = [contestant for contestant in CONTESTANTS[work] if size <= contestant.at_most]
    turn = number % len(able)
    samples, worlds = [], {}
    for contestant in able[turn:] + able[:turn]:
        if contestant.program == "world":
            worlds = worlds or world(programs["world"], plan, size, seed=number + 1)
            sample = worlds[contestant.variant]
        elif contestant.program == "cli":
            sample = cli(programs["cli"], plan, size, seed=number + 1)
        else:
            sample = peer(programs[contestant.program], plan, work, size, contestant, seed=number + 1)
        of = {"work": work, "size": size, "round": number, "variant": contestant.variant}
        samples.append({**sample, **of})
    return samples


def peer(program: list[str], plan: Plan, work: str, size: int, contestant: Contestant, seed: int) -> dict:
    if work == "hold":
        options = plan.hold(size, contestant.program)
    else:
        horizon_s, warmup_s = plan.calendar(size)
        options = [f"groups={size}", f"horizon_s={horizon_s}", f"warmup_s={warmup_s}"]
    return json.loads(run([*program, work, contestant.variant, *options, f"seed={seed}"])[0])


def keys(plan: Plan, groups: int) -> list[str]:
    """The work as keys of the scenario."""
    horizon_s, warmup_s = plan.calendar(groups)
    return [
        f"run.horizon={horizon_s * 1e3:g}ms",
        f"run.warmup={warmup_s * 1e3:g}ms",
        f"agents.count={groups * (WORKERS + 1)}",
        f"pattern.hierarchical.coordinators={groups}",
        f"work.source.poisson.rate_per_s={float(groups * ARRIVALS_PER_S)}",
    ]


def cli(program: list[str], plan: Plan, groups: int, seed: int) -> dict:
    """anthill as a user runs it: the whole process counts, with reading, drawing and every metric."""
    sets = [word for key in keys(plan, groups) for word in ("--set", key)]
    what = ["run", str(SCENARIO), "--pattern", "hierarchical", "--seed", str(seed), "--json"]
    text, cpu_s = run([*program, *what, *sets])
    result = json.loads(text)
    metrics = result["metrics"]
    tasks = metrics["completed"]
    return {
        "tasks": tasks,
        "events": result["events"],
        "messages": result["metrics"]["messages_per_task"],
        "cpu_s": cpu_s,
        "per_cpu_s": tasks / cpu_s,
        "settled_s": metrics["sojourn_mean_s"],
    }


def world(program: list[str], plan: Plan, groups: int, seed: int) -> dict[str, dict]:
    """The same run as a library: simulating with every metric, and with nobody watching; drawing left out."""
    what = ["world", str(SCENARIO), "hierarchical", str(seed), *keys(plan, groups)]
    parts = json.loads(run([*program, *what])[0])
    same = {**{key: parts[key] for key in ("tasks", "events", "settled_s")}, "parts": parts}
    alone = {"cpu_s": parts["run_s"], "per_cpu_s": parts["tasks_per_run_s"]}
    unwatched = {"cpu_s": parts["unwatched_s"], "per_cpu_s": parts["tasks_per_unwatched_s"]}
    return {"anthill-run": {**same, **alone}, "anthill-unwatched": {**same, **unwatched}}


def bound_memory() -> None:
    """Lets a contestant have three quarters of the memory that is free: it fails before others are killed."""
    info = Path("/proc/meminfo")
    free = re.search(r"MemAvailable:\s*(\d+) kB", info.read_text() if info.exists() else "")
    if free:
        limit = int(free[1]) * 1024 * 3 // 4
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def run(command: list[str]) -> tuple[str, float]:
    """What `command` prints, and its CPU time in user and system mode [s]."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=bound_memory) as child:
        text = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        hint = "; out of memory? a contestant gets 3/4 of what is free" if child.returncode < 0 else ""
        sys.exit(f"race.py: exit code {child.returncode} of: {' '.join(command)}{hint}")
    return text, usage.ru_utime + usage.ru_stime


# Comparing


def values(samples: list[dict], work: str, size: int, variant: str, key: str) -> list[float]:
    """By round."""
    of = lambda sample: (sample["work"], sample["size"], sample["variant"]) == (work, size, variant)
    return [sample[key] for sample in samples if of(sample)]


def fastest(samples: list[dict], work: str, size: int, peer_name: str) -> str | None:
    """The variant of a peer with the highest median."""
    variants = {one.variant for one in CONTESTANTS[work] if one.peer == peer_name and size <= one.at_most}
    speed = lambda variant: median(values(samples, work, size, variant, "per_cpu_s"))
    return max(sorted(variants), key=speed, default=None)


def table(samples: list[dict], works: list[str]) -> None:
    """One row for each work, size and peer: its median, and how many times as fast anthill is."""
    head = f"{'work':<14}{'size':>10}  {'peer':<20}{'variant':<18}{'per CPU second':>18}{'ns each':>10}"
    print(f"{head}   anthill ÷ peer, min – median – max")
    for work in works:
        for size in sorted({sample["size"] for sample in samples if sample["work"] == work}):
            for name in dict.fromkeys(contestant.peer for contestant in CONTESTANTS[work]):
                variant = fastest(samples, work, size, name)
                if variant is not None:
                    print(row(samples, work, size, name, variant))
    if "leader-worker" in works:
        per_task(samples)


def row(samples: list[dict], work: str, size: int, name: str, variant: str) -> str:
    ours = values(samples, work, size, "anthill", "per_cpu_s")
    theirs = values(samples, work, size, variant, "per_cpu_s")
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    speed = median(theirs)
    figure = f"{speed:>11,.0f} {UNIT[work]:<6}{1e9 / speed:>10,.0f}"
    begin = f"{work:<14}{size:>10,}  {name:<20}{variant:<18}{figure}"
    if name == "anthill":
        return begin
    return f"{begin}   {min(ratios):.3g} – {median(ratios):.3g} – {max(ratios):.3g}"


def per_task(samples: list[dict]) -> None:
    """How much more anthill does for a task, and where the time of a run goes."""
    for sample in samples:
        if sample["variant"] == "anthill" and sample["work"] == "leader-worker" and sample["round"] == 0:
            each = sample["events"] / sample["tasks"]
            told = f"{each:.2f} events, {sample['messages']:.2f} messages a task"
            print(f"anthill, {sample['size']:,} groups: {told}")
        if sample["variant"] == "anthill-run" and sample["round"] == 0:
            parts = sample["parts"]
            names = ("read_s", "draw_s", "run_s", "unwatched_s")
            told = ", ".join(f"{name[:-2]} {parts[name]:.3g} s" for name in names)
            print(f"anthill, {sample['size']:,} groups, CPU time of the parts: {told}")


def agree(samples: list[dict]) -> bool | None:
    """Whether all simulate the same. None: unknown."""
    verdicts = []
    for work, size in sorted({(sample["work"], sample["size"]) for sample in samples}):
        key = "settled_s" if work == "leader-worker" else "events_per_process_s"
        figures, sizes = {}, {}
        for contestant in CONTESTANTS[work]:
            of = values(samples, work, size, contestant.variant, key)
            # The floor has no clock, and anthill's run as a library is that of its command line again.
            if of and None not in of and contestant.program != "world":
                figures[contestant.variant] = of
                sizes[contestant.variant] = mean(values(samples, work, size, contestant.variant, UNIT[work]))
        known = known_of_hold() if work == "hold" else known_from(figures, sizes)
        verdicts.append(judge(f"{work} {size:,}, {key}", figures, sizes, known))
    return None if None in verdicts else all(verdicts)


class Known(NamedTuple):
    """What a figure should be, and its variance × the events or tasks it is the mean of."""

    value: float
    scatter: float


def known_of_hold() -> Known:
    """Each process fires once a second and n of them are a Poisson process: no contestant need be asked."""
    return Known(value=1.0, scatter=1.0)


def known_from(figures: dict[str, list[float]], sizes: dict[str, float]) -> Known | None:
    """The median of the contestants, who scatter alike if they agree. One round tells no scatter."""
    if min(len(of) for of in figures.values()) < 2:
        return None
    scatter = mean(variance(of) * sizes[name] for name, of in figures.items())
    return Known(value=median(mean(of) for of in figures.values()), scatter=scatter)


def judge(what: str, figures: dict, sizes: dict, known: Known | None) -> bool | None:
    """Holds each contestant against what is known, within 4.5 standard errors for all of a race."""
    means = {name: mean(of) for name, of in figures.items()}
    print(f"{what}: " + ", ".join(f"{name} {centre:.4f}" for name, centre in means.items()))
    if known is None:
        print("  UNKNOWN: one round does not tell how much figures scatter")
        return None
    margins = {name: 4.5 * (known.scatter / sizes[name] / len(figures[name])) ** 0.5 for name in figures}
    off = [name for name, centre in means.items() if abs(centre - known.value) > margins[name]]
    low, high = (edge(margins.values()) / known.value for edge in (min, max))
    told = f"{known.value:.4f} within {low:.1%}" + (f" to {high:.1%}" if high > low else "")
    print(f"  NOT THE SAME: {', '.join(off)}; the others are {told}" if off else f"  they agree: {told}")
    return not off


# Telling


def machine() -> dict[str, str]:
    """What the figures depend on."""
    info = Path("/proc/cpuinfo")
    cpu = re.search(r"model name\s*: (.*)", info.read_text() if info.exists() else "")
    lock = (HERE / "Cargo.lock").read_text()
    locked = lambda name: re.search(rf'name = "{name}"\nversion = "(.*)"', lock)[1]
    said = lambda *command: subprocess.run(command, capture_output=True, text=True, cwd=ROOT).stdout.strip()
    return {
        "cpu": cpu[1] if cpu else platform.processor(),
        "cpus": str(os.cpu_count()),
        "system": platform.platform(),
        "rustc": said("rustc", "--version"),
        "python": platform.python_version(),
        "anthill": f"{locked('anthill')} ({said('git', 'describe', '--always', '--dirty')})",
        "nexosim": locked("nexosim"),
        "simcore": locked("simcore"),
        "simpy": SIMPY_VERSION,
    }


def footer(load_before: tuple) -> None:
    loads = " → ".join(f"{one:.2f}" for one in (load_before[0], os.getloadavg()[0]))
    print(", ".join(f"{key} {value}" for key, value in machine().items()))
    print(f"load average (1 min) {loads}; above 1 something else was running")


def write(path: Path | None, args: argparse.Namespace, samples: list[dict], load_before: tuple) -> None:
    """Writes all samples so far: a later failure loses none."""
    if path:
        about = {"machine": machine(), "load": [load_before, os.getloadavg()], "quick": args.quick}
        path.write_text(json.dumps({**about, "samples": samples}, indent=1) + "\n")


def say(text: str) -> None:
    print(f"race.py: {text}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
