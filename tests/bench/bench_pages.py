"""Pages: first byte, queries and size of a document with 200 sections, and of one in the middle of 30 000 deltas.

Asked in one process, database and Redis as in production; `cold` is the first request, which renders every text.
"""

from tests.bench import alone

if __name__ == "__main__":
    alone.run("tests.bench.pages")
