#!/bin/sh
# Runs the benchmarks (all, or the files named), stores the results and prints the table of ratios.
#
#   benchmarks/run.sh [--quick] [benchmarks/test_throughput.py ...] [pytest options]
#
# In .venv-bench, with PyTorch and JAX beside it, where benchmarks/setup_env.sh has made it; else in
# .venv, where the peers are skipped.
set -eu
cd "$(dirname "$0")/.."
python=.venv-bench/bin/python
if [ -x "$python" ]; then # what is measured is the working tree as it is now
    "$python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation \
        --force-reinstall --config-settings=build-dir=build/bench .
else
    python=.venv/bin/python
fi
case "$*" in *benchmarks/*) where= ;; *) where=benchmarks ;; esac
# One thread a process, said before anything is imported: a process is pinned to one core.
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 MPLBACKEND=agg JAX_PLATFORMS=cpu
export XLA_FLAGS="--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
mkdir -p benchmarks/results
case " $* " in *" --quick "*) name=quick ;; *) name=$(date +%Y%m%d-%H%M%S) ;; esac
out=benchmarks/results/$name.json
failed=0
# shellcheck disable=SC2086
"$python" -m pytest $where "$@" -q -p no:xdist -p no:cacheprovider -W default --benchmark-json="$out" \
    --benchmark-columns=median,iqr,rounds || failed=$?
[ ! -s "$out" ] || "$python" benchmarks/report.py "$out"
exit $failed
