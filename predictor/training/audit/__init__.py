"""Proof that nothing knows its own future: each check takes what it audits as an argument, so that a leak can be planted."""
