"""`python -m shared.kafka.create`: a stable name for `shared.kafka.admin.create`."""

from shared.kafka.admin.create import main

if __name__ == "__main__":
    main()
