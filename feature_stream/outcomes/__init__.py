"""The service that settles predictions: `predictions` and `bars` in, `outcomes` out."""
