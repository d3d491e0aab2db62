"""When each degree of a target is learnt, and whether in the canonical order."""
