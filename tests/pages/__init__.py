"""The pages in a real browser, and the pure drawing behind them."""
