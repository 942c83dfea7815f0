"""Experiments: how long what a large one has shown takes to be known, and what an experiment costs each call.

Asked in one process, database and Redis as in production.
"""

from tests.bench import alone

if __name__ == "__main__":
    alone.run("tests.bench.experiments")
