"""Forecasters, one a module."""
