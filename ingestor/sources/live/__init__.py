"""What all live sources share: budgets, retries, muteness, and gaps that are filled from history."""
