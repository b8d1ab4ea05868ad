"""Where a telephone number rings, and who may say so. Known without the tables: lists are read by it."""

NUMBER_KINDS = ("home", "work", "mobile", "other")
KIND_SOURCES = ("hand", "list", "plan")
"""`plan`: the numbering plan, as long as no owner says otherwise; by hand wins over a list."""
