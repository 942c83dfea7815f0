"""How long a portfolio of 25 use cases takes with one worker, against the longest chain of its own calls.

The demo model begins after 1 s and writes 50 tokens/s, as providers do; the figures are seconds. List and matrix are
asked for at once, then the texts and the scores of every case, then the summary.
"""

import platform

import django

from tests.bench.bench_courses import HEAD, ROUNDS, one_round, report
from tests.bench.bench_notes import demo_model
from tests.bench.house import House
from tests.bench.promises import Promises


def main() -> None:
    print(f"{platform.machine()}, Python {platform.python_version()}, Django {django.__version__}; {ROUNDS} rounds")
    print(HEAD)
    promises = Promises()
    with demo_model() as url, House(1, DEMO_BASE_URL=url) as house:
        one_round(house, 1, "note")  # connections, imports and caches are not what is measured
        portfolios = [each for _ in range(ROUNDS) for each in one_round(house, 1, "use_case_list")]
        report("1 portfolio of 25 cases", portfolios, promises, most=1.15)
    promises.end()


if __name__ == "__main__":
    main()
