"""The routes, one module a resource. Each parses, calls the studio once, and presents what comes back."""
