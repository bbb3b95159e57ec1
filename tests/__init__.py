"""Everything that must hold. Timings never decide a test, so neither do hypothesis's own."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("hostmail", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("hostmail")
