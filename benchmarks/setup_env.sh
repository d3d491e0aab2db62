#!/bin/sh
# Makes .venv-bench: the environment in which the benchmarks run beside PyTorch and JAX.
#
# It is separate from .venv because the peers are large (on Linux a plain `torch` may resolve to
# several GB of CUDA packages, which is why its version is pinned here and checked afterwards).
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
[ -x .venv-bench/bin/python ] || "$python" -m venv .venv-bench
pip=".venv-bench/bin/python -m pip --quiet --disable-pip-version-check"
$pip install "torch==2.13.0"
$pip install jax jaxlib scikit-learn pytest pytest-benchmark
$pip install "scikit-build-core>=0.10" "nanobind>=2.4" ninja cmake
$pip install --no-build-isolation --config-settings=build-dir=build/bench .
if .venv-bench/bin/python -m pip list 2>/dev/null | grep -qi '^nvidia-'; then
    echo "warning: PyTorch brought CUDA packages into .venv-bench" >&2
fi
