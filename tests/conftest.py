"""What must hold before any test imports a library."""

import os

# XLA reads it when jax first computes: a test that comes later cannot give jax one thread.
os.environ["PJRT_NPROC"] = "1"
