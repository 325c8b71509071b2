"""`python -m schemas.export`: a stable name for `schemas.codegen.export`."""

from schemas.codegen.export import main

if __name__ == "__main__":
    main()
