#!/usr/bin/env bash
# check.sh PYTHON: everything that can be known without running the product. All checks run; any failure fails.
set -uo pipefail
python=$1
failed=0

run() {
    echo "- $*"
    "$@" || failed=1
}

# Settings as in production, so that `check --deploy` judges what is deployed.
export DATABASE_URL=postgresql://scriptorium@localhost/scriptorium REDIS_URL=redis://localhost:6379/0
export SECRET_KEY=only-for-checks-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFG
export PUBLIC_URL=https://scriptorium.example.org ALLOWED_HOSTS=scriptorium.example.org

run "$python" -m ruff check .
run "$python" -m ruff format --check .
run "$python" -m mypy
run "$python" -c 'from importlinter.cli import lint_imports_command; lint_imports_command()' --no-cache
# The floors whole: no cycle, no foreign key upwards. Without the options of the suite, which begin PostgreSQL and Redis.
run "$python" -m pytest -q -p no:cacheprovider -o addopts= tests/test_layers.py
# One that does not apply tells nothing of the suite. Each alone: some change the same line.
run find tests/mutants -name '*.patch' -exec sh -c 'for patch; do git apply --check "$patch" || exit 1; done' apply {} +
run "$python" -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run  # there is no database to ask
run "$python" manage.py check --deploy --fail-level WARNING
exit $failed
