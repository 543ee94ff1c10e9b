"""How OpenMP's threads wait. To be imported before lightgbm and scikit-learn, which load OpenMP: it reads this once, then.

By default waiting threads keep their cores busy, so processes side by side on one machine (the workers of a batch job, the server's)
hold each other up: measured up to 15 times the work.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
