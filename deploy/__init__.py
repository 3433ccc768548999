"""How it runs: brokers, the whole system on one machine, the command line."""
