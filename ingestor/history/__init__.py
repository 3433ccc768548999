"""The past of a live market, kept in Parquet files that can be played: `tickcast history`."""
