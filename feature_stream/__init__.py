"""Rolling state per ticker: ticks in, bars and features out."""
