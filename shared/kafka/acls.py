"""`python -m shared.kafka.acls`: a stable name for `shared.kafka.admin.acls`."""

import sys

from shared.kafka.admin.acls import main

if __name__ == "__main__":
    sys.exit(main())
