"""Proof that nothing knows its own future: each check takes what it audits as an argument, to be given a leak."""
