"""`tickcast watch`: the watch list of the dashboard, in a terminal."""
