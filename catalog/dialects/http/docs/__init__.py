"""The OpenAPI document of a dialect, derived from its routes, and the page that shows it."""
