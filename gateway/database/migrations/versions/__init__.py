"""One module a revision, each after the one that its `down_revision` names."""
