"""The budgets, measured: `make bench` prints each figure beside its limit, taken on the same machine in the same run."""
