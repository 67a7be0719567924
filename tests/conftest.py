"""Settings shared by all tests: quiet, deterministic, in UTC."""

import os

from hypothesis import HealthCheck, settings

os.environ.setdefault("TZ", "UTC")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
settings.register_profile("fast", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
settings.register_profile("thorough", deadline=None, max_examples=600, suppress_health_check=list(HealthCheck))
settings.load_profile(os.environ.get("FCR_HYPOTHESIS", "fast"))
