"""The HTTP border of the studio: routes, error table, OpenAPI, event streams. Thin by intent."""
