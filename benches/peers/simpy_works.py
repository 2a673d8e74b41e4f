"""The two works in SimPy, twice: with processes, as its guide has it, and with callbacks on its events.

    python simpy_works.py hold simpy-processes|simpy-callbacks pending=1000 events=200000 seed=1
    python simpy_works.py leader-worker simpy-processes|simpy-callbacks groups=1 horizon_s=2 warmup_s=0 seed=1

Prints one line of JSON, as the Rust contestants do. `race.py` takes the faster variant as SimPy's figure.
"""

import json
import sys
import time
from collections import deque
from random import Random

import simpy
from simpy.events import Timeout

WORKERS, ARRIVALS_PER_S, SERVICE_S, WORK_S, LATENCY_S = 1_000, 8_000.0, 50e-6, 0.1, 1e-3


def hold_processes(env: simpy.Environment, counts: list[int], random: Random) -> None:
    """A process for each process; its next event is its own, as a generator waits for itself."""
    wait = random.expovariate

    def process(number: int):
        while True:
            yield env.timeout(wait(1.0))
            counts[number] += 1

    for number in range(len(counts)):
        env.process(process(number))


def hold_callbacks(env: simpy.Environment, counts: list[int], random: Random) -> None:
    """No generators: the next event, at a random process, is a timeout with a callback."""
    wait, uniform, pending = random.expovariate, random.random, len(counts)

    def fire(event: Timeout) -> None:
        counts[event._value] += 1
        Timeout(env, wait(1.0), int(uniform() * pending)).callbacks.append(fire)

    for number in range(pending):
        Timeout(env, wait(1.0), number).callbacks.append(fire)


def hold(contestant: str, pending: float = 1e3, events: float = 2e5, seed: float = 1) -> dict:
    """Runs for as long as `events` take on average, after as long as pending + events / 10 take."""
    env, counts = simpy.Environment(), [0] * int(pending)
    variants = {"simpy-processes": hold_processes, "simpy-callbacks": hold_callbacks}
    variants[contestant](env, counts, Random(int(seed)))
    untimed_s, timed_s = 1 + events / 10 / pending, events / pending
    env.run(until=untimed_s)
    before, start = sum(counts), time.process_time()
    env.run(until=untimed_s + timed_s)
    cpu_s, events = time.process_time() - start, sum(counts) - before
    return {
        "work": "hold", "contestant": contestant, "pending": int(pending), "events": events, "cpu_s": cpu_s,
        "per_cpu_s": events / cpu_s, "ns_per_event": cpu_s / events * 1e9,
        "events_per_process_s": events / timed_s / pending,
    }


class Tally:
    """What became of the tasks."""

    def __init__(self, warmup_s: float) -> None:
        self.warmup_s, self.tasks, self.measured, self.settled_s, self.notified_s = warmup_s, 0, 0, 0.0, 0.0

    def notified(self, arrived_s: float, settled_s: float, now_s: float) -> None:
        self.tasks += 1
        if arrived_s >= self.warmup_s:
            self.measured += 1
            self.settled_s += settled_s - arrived_s
            self.notified_s += now_s - arrived_s


def group_processes(env: simpy.Environment, horizon_s: float, tally: Tally, random: Random) -> None:
    """A process for each task, a resource for the coordinator and for each worker."""
    wait, below = random.expovariate, random.randrange
    coordinator = simpy.Resource(env)
    workers = [simpy.Resource(env) for _ in range(WORKERS)]
    outstanding = [0] * WORKERS
    latency, service, work = 1 / LATENCY_S, 1 / SERVICE_S, 1 / WORK_S

    def served(server: simpy.Resource, rate: float):
        with server.request() as turn:
            yield turn
            yield env.timeout(wait(rate))

    def task():
        arrived_s = env.now
        yield env.timeout(wait(latency))
        yield from served(coordinator, service)
        one = below(WORKERS)
        other = (one + 1 + below(WORKERS - 1)) % WORKERS
        worker = other if outstanding[other] < outstanding[one] else one
        outstanding[worker] += 1
        yield env.timeout(wait(latency))
        yield from served(workers[worker], work)
        yield env.timeout(wait(latency))
        yield from served(coordinator, service)
        outstanding[worker] -= 1
        settled_s = env.now
        yield env.timeout(wait(latency))
        tally.notified(arrived_s, settled_s, env.now)

    def client():
        while True:
            gap_s = wait(ARRIVALS_PER_S)
            if env.now + gap_s >= horizon_s:
                return
            yield env.timeout(gap_s)
            env.process(task())

    env.process(client())


def group_callbacks(env: simpy.Environment, horizon_s: float, tally: Tally, random: Random) -> None:
    """Each step is a callback on a timeout. A task is a list: arrived, worker, settled."""
    wait, uniform = random.expovariate, random.random
    letters, queues, outstanding = deque(), [deque() for _ in range(WORKERS)], [0] * WORKERS
    latency, service, work = 1 / LATENCY_S, 1 / SERVICE_S, 1 / WORK_S

    def after(rate: float, value, step) -> None:
        Timeout(env, wait(rate), value).callbacks.append(step)

    def await_arrival() -> None:
        gap_s = wait(ARRIVALS_PER_S)
        if env.now + gap_s < horizon_s:
            Timeout(env, gap_s).callbacks.append(arrives)

    def arrives(_: Timeout) -> None:
        after(latency, [env.now, None, None], comes)
        await_arrival()

    def comes(event: Timeout) -> None:
        letters.append(event._value)
        if len(letters) == 1:
            after(service, None, served)

    def served(_: Timeout) -> None:
        task = letters.popleft()
        if letters:
            after(service, None, served)
        if task[1] is None:
            one = int(uniform() * WORKERS)
            other = (one + 1 + int(uniform() * (WORKERS - 1))) % WORKERS
            task[1] = worker = other if outstanding[other] < outstanding[one] else one
            outstanding[worker] += 1
            after(latency, task, assigned)
        else:
            outstanding[task[1]] -= 1
            task[2] = env.now
            after(latency, task, notified)

    def assigned(event: Timeout) -> None:
        task = event._value
        queue = queues[task[1]]
        queue.append(task)
        if len(queue) == 1:
            after(work, task[1], worked)

    def worked(event: Timeout) -> None:
        queue = queues[event._value]
        task = queue.popleft()
        if queue:
            after(work, event._value, worked)
        after(latency, task, comes)

    def notified(event: Timeout) -> None:
        arrived_s, _, settled_s = event._value
        tally.notified(arrived_s, settled_s, env.now)

    await_arrival()


def leader_worker(
    contestant: str, groups: float = 1, horizon_s: float = 2.0, warmup_s: float = 0.0, seed: float = 1
) -> dict:
    env, tally, random = simpy.Environment(), Tally(warmup_s), Random(int(seed))
    variants = {"simpy-processes": group_processes, "simpy-callbacks": group_callbacks}
    for _ in range(int(groups)):
        variants[contestant](env, horizon_s, tally, random)
    start = time.process_time()
    env.run()
    cpu_s = time.process_time() - start
    return {
        "work": "leader-worker", "contestant": contestant, "groups": int(groups), "tasks": tally.tasks,
        "events": None, "cpu_s": cpu_s, "per_cpu_s": tally.tasks / cpu_s,
        "settled_s": tally.settled_s / tally.measured, "sojourn_s": tally.notified_s / tally.measured,
    }


def main() -> None:
    work, contestant, *pairs = sys.argv[1:]
    options = {key: float(value) for key, value in (pair.split("=") for pair in pairs)}
    works = {"hold": hold, "leader-worker": leader_worker}
    print(json.dumps(works[work](contestant, **options)))


if __name__ == "__main__":
    main()
