"""The budgets, measured: `make bench` prints each figure beside its limit, taken in the same run."""
