"""Data passing: what a task returns is handed to the tasks that take it. Results are JSON values."""

from dagdeck import dag, task


@task
def extract():
    """Returns something that JSON can hold: text, numbers, lists, dicts with text keys."""
    return {"trades": [{"symbol": "BTC", "price": 60_000.5}, {"symbol": "ETH", "price": 2_500.0}], "source": "demo"}


@task
def transform(trades):
    """Takes a part of the result: `extracted["trades"]`."""
    return [{**trade, "price": round(trade["price"])} for trade in trades]


@task
def combine(parts):
    """Takes several results, nested in a structure as the call wrote it."""
    print(f"{len(parts['trades'])} trades from {parts['about']['source']}")
    return {trade["symbol"]: trade["price"] for trade in parts["trades"]}


@task
def store(prices, path):
    """`path` has a placeholder, which is filled in when the task starts."""
    print(f"would write {prices} to {path}")
    return path


@dag(tags=["data"], owner="samples")
def data_passing():
    """Calling a task with another one's result makes the edge and passes the value."""
    extracted = extract()
    trades = transform(extracted["trades"])
    store(combine({"trades": trades, "about": extracted}), "prices/date={ds}/prices.json")
