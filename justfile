# Everything that must hold before a change lands.
ci:
    bash .ci/run

# Races anthill against SimPy, NeXosim and simcore: `just bench-peers --quick` proves that it runs.
bench-peers *options:
    python3 benches/peers/race.py {{options}}

# Takes what an event costs now for what it may cost: writes benches/instructions.toml (needs valgrind).
accept-instructions:
    ANTHILL_ACCEPT_INSTRUCTIONS=1 cargo test --release --test promises an_event_costs -- --nocapture

# Costs an event and an agent from 10² to 10⁶ agents: writes results/scale (`--most 10000` stops there).
scale *options:
    cargo run --release --example scale -- {{options}}
