"""`python -m tests.mutants [NAME …]`: takes one guard after the other out of a copy of the tree; a test must notice.

A mutant is a patch. Its header says, in lines before the diff, what is taken away and, after `Run:`, what pytest is
asked. A mutant survives when that passes. Exits 1 if one survives, does not apply, or asks for tests that fail anyway.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
TREE = HERE.parent.parent
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "node_modules", "staticfiles")
PATIENCE_SECONDS = 300
ALL_SECONDS = 3_600  # without a mutant, all that any of them asks
IMPATIENT = {**os.environ, "TEST_PATIENCE": "60"}
FAILED = 1  # pytest's exit code for failing tests; 4 and 5 mean that nothing was asked


@dataclass(frozen=True)
class Mutant:
    name: str
    patch: Path
    says: str
    asks: tuple[str, ...]

    @classmethod
    def read(cls, patch: Path) -> "Mutant":
        header = patch.read_text().partition("diff --git")[0].strip().splitlines()
        asked = [line.removeprefix("Run:").strip() for line in header if line.startswith("Run:")]
        says = " ".join(line for line in header if not line.startswith("Run:"))
        return cls(patch.stem, patch, says, tuple(word for line in asked for word in line.split()))


@dataclass(frozen=True)
class Verdict:
    caught: bool
    why: str
    seconds: float


@contextmanager
def copy_of_the_tree() -> Iterator[Path]:
    # Not below TREE: git would take the copy for a part of this repository.
    folder = Path(tempfile.mkdtemp(prefix="mutants-"))
    folder.chmod(0o711)
    try:
        copy = folder / "tree"
        shutil.copytree(TREE, copy, ignore=LEFT_OUT, symlinks=True)
        yield copy
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def try_out(mutant: Mutant, tree: Path) -> Verdict:
    began = time.monotonic()
    applied = patch(mutant, tree)
    if applied.returncode:
        return Verdict(False, f"does not apply: {applied.stderr.strip()}", 0)
    try:
        asked = ask(mutant.asks, tree)
    finally:
        patch(mutant, tree, "--reverse").check_returncode()
    seconds = time.monotonic() - began
    if asked is None:
        return Verdict(True, "caught: the tests hang", seconds)
    if asked.returncode == FAILED:
        return Verdict(True, "caught", seconds)
    return Verdict(False, "SURVIVED" if not asked.returncode else f"could not be asked: {tail(asked)}", seconds)


def patch(mutant: Mutant, tree: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    command = ["git", "apply", "--recount", *options, str(mutant.patch)]
    # Without a repository around it git applies to plain files.
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(tree.parent)}
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True)


def ask(
    asks: tuple[str, ...], tree: Path, within: float = PATIENCE_SECONDS
) -> "subprocess.CompletedProcess[str] | None":
    """The outcome of these tests, or None if they did not end."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *asks]
    try:
        return subprocess.run(command, cwd=tree, env=IMPATIENT, capture_output=True, text=True, timeout=within)
    except subprocess.TimeoutExpired:
        return None


def tail(asked: "subprocess.CompletedProcess[str]") -> str:
    return " ".join((asked.stdout + asked.stderr).strip().splitlines()[-3:])


def main() -> int:
    wanted = sys.argv[1:]
    mutants = [Mutant.read(path) for path in sorted(HERE.glob("*.patch"))]
    mutants = [mutant for mutant in mutants if not wanted or mutant.name in wanted]
    width = max(len(mutant.name) for mutant in mutants)
    caught = 0
    with copy_of_the_tree() as tree:
        everything = sorted({test for mutant in mutants for test in mutant.asks})
        whole = ask(tuple(everything), tree, ALL_SECONDS)
        if whole is None or whole.returncode:
            print("without any mutant the tests fail:", tail(whole) if whole else "they do not end")
            return 1
        for mutant in mutants:
            verdict = try_out(mutant, tree)
            caught += verdict.caught
            print(f"{mutant.name:{width}}  {verdict.seconds:4.0f} s  {verdict.why}  ({mutant.says})", flush=True)
    print(f"{caught} of {len(mutants)} mutants caught")
    return int(caught < len(mutants))


if __name__ == "__main__":
    sys.exit(main())
