# Everything that must hold before a change lands.
ci:
    bash .ci/run
