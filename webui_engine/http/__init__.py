"""The engine's HTTP border: A1111's routes, request fields, answers and error bodies."""
