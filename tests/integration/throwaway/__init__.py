"""Services that only tests run, as processes of their own."""
