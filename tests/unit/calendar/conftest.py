"""How long the property tests search: `pytest --hypothesis-profile nightly` takes its time."""

from hypothesis import settings

settings.register_profile("nightly", max_examples=10_000, deadline=None)
