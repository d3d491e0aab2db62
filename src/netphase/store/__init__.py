"""Sweeps on disk: one Zarr group a sweep, resumable after any interruption."""

from netphase.store.identity import Plan, is_store
from netphase.store.reading import read, specification
from netphase.store.writing import Store

__all__ = ["Plan", "Store", "is_store", "read", "specification"]
