"""Providers of live prices, a module each; `schemas.source_settings.LIVE_SOURCES` is the table of them."""
