"""`python -m config.supervisor [--job demo]`."""

import argparse
from functools import partial

from config import env
from config.supervisor import house, plan, run


def main() -> None:
    parser = argparse.ArgumentParser(prog="config.supervisor", description="Run Scriptorium on this machine.")
    parser.add_argument("--job", choices=plan.JOBS, default="", help="what to do once it runs")
    job = parser.parse_args().job
    port = env.integer("PORT", 8000, 1, 65_535)
    data = house.data_folder()
    run.up(data, port, partial(plan.of_this_machine, data, port, job))


if __name__ == "__main__":
    main()
