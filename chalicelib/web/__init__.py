"""Templates and static files of the console, and what renders them outside a request as well."""
