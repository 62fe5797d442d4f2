"""Where the console's picture comes from and where its commands go: narrow ports, and what stands behind them."""
